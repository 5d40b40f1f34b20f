# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The programs of tools/virtio/bench/guest. After scripts/lib.sh:
#
#  compile OPTION...    one of them, by gcc; ends the script if that fails
#  build_load FILE      what a guest does while it is measured, without libraries

compile()
{
	gcc -O2 -Wall -Wextra -Wno-unused-parameter "$@" ||
		die "gcc cannot build the benchmark's tools: see the messages above"
}

build_load()
{
	compile -static -o "$1" \
		"$TOP"/tools/virtio/bench/guest/{load,latency,packets,stream,rebind,xsk,device}.c
}
