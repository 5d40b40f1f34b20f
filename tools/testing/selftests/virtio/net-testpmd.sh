#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# DPDK's testpmd has an AF_XDP socket on the far side of each bed: what comes goes back
# with the addresses of both ends exchanged, and is verified like an answer.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

needs dpdk-testpmd

# It takes its drivers from no folder that others may write to.
chmod go-w /
mkdir -p /var/run

# Several programs for one interface would need type information of the kernel.
export LIBXDP_SKIP_DISPATCHER=1

runs() { wait_for 60 grep -q "Checking link statuses" /tmp/testpmd; }

# forward N OPTIONS: by its path, so that what is waited for is the program and not a shell
forward()
{
	# What the one before said must be gone before this one is looked for.
	rm -f /tmp/testpmd
	/bin/ip netns exec "far$1" dpdk-testpmd -l 0,1 --no-huge -m 64 --no-pci \
		--no-shconf --no-telemetry --vdev "net_af_xdp0,iface=f$1$2" -- \
		--forward-mode=5tswap --total-num-mbufs=8192 --auto-start \
		</tmp/enter >/tmp/testpmd 2>&1 3>&- &
	forwarder=$!
	runs || { cat /tmp/testpmd; return 1; }
}

ends_well()
{
	echo >&5
	wait $forwarder
}

swapped() { NET_PORT=7001 transfer udp "10.$1.0.2" "$2" 1400; }

# swaps N MODE OPTIONS: it answers no ARP
swaps()
{
	local n=$1 mode=$2 options=$3

	what="bed $n ($(bed_words "$n")), testpmd, $mode"
	ip neigh replace "10.$n.0.2" lladdr "52:54:00:00:0$n:02" dev "n$n" nud permanent
	check "$what: runs" forward "$n" "$options"
	check "$what: packets come back the same" swapped "$n" 2000
	check "$what: ends well" ends_well
	ip neigh del "10.$n.0.2" dev "n$n"
	check "$what: without it, the device goes on" traffic "$n" stream
}

mkfifo /tmp/enter
exec 5<>/tmp/enter
for n in $(bed_numbers); do
	what="bed $n ($(bed_words "$n"))"
	check "$what: the devices answer" bed_up "$n"
	check "$what: is what it says" bed_is_what_it_says "$n"
	serve "$n"
	swaps "$n" "zero copy if it can" ""
	swaps "$n" "copies" ",force_copy=1"
done
check "the kernel has found no fault in itself" no_fault
plan
