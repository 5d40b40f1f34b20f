#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# xdp-filter and xdp-loader of xdp-tools on the far side of each bed: their programs are
# loaded in native mode, and do what they are told.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

needs xdp-filter xdp-loader

# Several programs for one interface would need type information of the kernel.
export LIBXDP_SKIP_DISPATCHER=1

# Not by "ip netns exec", which would have a file system for maps of its own each time.
on_far() { nsenter --net="/run/netns/far$n" "$@"; }
filter() { on_far xdp-filter "$@"; }
loader() { on_far xdp-loader "$@"; }

datagram_comes_back() { timeout -s KILL 3 ./net_traffic udp "10.$n.0.2" 1 100; }
dropped() { filter status | awk '$1 == "7000" && $3 > 0 { found = 1 } END { exit !found }'; }
is_native() { loader status "f$n" | grep -q "^f$n .* native"; }

check "maps have a place" mount -t bpf bpf /sys/fs/bpf
for n in $(bed_numbers); do
	what="bed $n ($(bed_words "$n"))"
	check "$what: the devices answer" bed_up "$n"
	check "$what: is what it says" bed_is_what_it_says "$n"
	serve "$n"

	check "$what: xdp-filter is loaded" filter load -m native "f$n"
	check "$what: packets pass" traffic "$n" datagrams
	check "$what: a port is filtered" filter port 7000 -m dst -p udp
	check "$what: no packet for it passes" refuse datagram_comes_back
	check "$what: they are counted" dropped
	check "$what: others pass" traffic "$n" stream
	check "$what: the port is not filtered any more" filter port 7000 -m dst -p udp -r
	check "$what: packets for it pass" traffic "$n" datagrams
	check "$what: xdp-filter is unloaded" filter unload "f$n"

	check "$what: xdp-loader loads a program" \
		loader load -m native "f$n" /usr/lib/*/bpf/xdpfilt_alw_all.o
	check "$what: it says so" is_native
	check "$what: packets pass the program" traffic "$n" datagrams
	check "$what: the program is unloaded" loader unload "f$n" --all
	check "$what: without it, the device goes on" traffic "$n" stream
done
check "the kernel has found no fault in itself" no_fault
plan
