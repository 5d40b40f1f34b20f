#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One of two guests, with a wire between their network devices: the far one serves until
# it is told to stop, the near one sends.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh	# what the kernel has said
. ./iperf-lib.sh

needs ip ping iperf3 ./net_traffic
needs_that "one of two guests, as in scripts/test.d" [ -n "${side:-}" ]

ip() { /bin/ip "$@"; }

# up NUMBER
up()
{
	ip addr add "10.9.0.$1/24" dev eth0 && ip addr add "fd00:9::$1/64" dev eth0 nodad &&
		ip link set eth0 up
}

transfer() { timeout -s KILL 60 ./net_traffic "$@"; }

far()
{
	check "$what: the device is up" up 2
	iperf_serve
	check "$what: serves until it is told to stop" ./net_traffic serve
	kill $iperf_server
}

near()
{
	check "$what: the device is up" up 1
	check "$what: the other one answers" wait_for 100 quiet ping -c 1 -W 1 10.9.0.2
	check "$what: datagrams come back the same" transfer udp 10.9.0.2 2000 1472
	check "$what: fragments come back the same" transfer udp 10.9.0.2 100 30000
	check "$what: segments come back the same" transfer gso 10.9.0.2 500 1400
	check "$what: a stream comes back the same" transfer tcp 10.9.0.2 8
	check "$what: one of IPv6 comes back the same" transfer tcp fd00:9::2 8
	iperf_all_ways 10.9.0.2
	check "$what: the other one is told to stop" transfer stop 10.9.0.2
}

what="two guests, $side"
clear_log
case $side in
near) near ;;
far) far ;;
esac
check "$what: the kernel found no fault" no_fault
plan
