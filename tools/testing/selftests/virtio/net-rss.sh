#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Which receive queue gets what, on devices that hash (RSS), by the counters of the
# queues; and iperf3 through all of them, both ways, on those that do not: if packets for
# a queue have to wait, QEMU 7.2 goes on only when another one is kicked.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh
. ./iperf-lib.sh

needs iperf3

# received N: packets that each receive queue of the far side has had
received()
{
	far "$1" ./net_qstats "f$1" | grep '^rx ' | sed 's/.* rx-packets \([0-9]*\).*/\1/'
}

# spread N COMMAND...: how many more they have after it, in /tmp/spread
spread()
{
	local n=$1
	shift

	received "$n" >/tmp/before
	"$@" || return
	received "$n" >/tmp/after
	paste /tmp/before /tmp/after | awk '{ print $2 - $1 }' >/tmp/spread
	xargs echo "packets of each queue:" </tmp/spread
}

# Some packets, such as those of ARP, have no hash.
FEW=50
busy_queues() { awk -v few=$FEW '$1 > few { print NR - 1 }' /tmp/spread | xargs; }

only_by()
{
	local n=$1 queue=$2

	spread "$n" traffic "$n" datagrams && [ "$(busy_queues)" = "$queue" ]
}

# One after the other, each of a port of its own
flows()
{
	local i

	for i in 1 2 3 4 5 6 7 8; do
		transfer udp "10.$1.0.2" 100 1472 || return
	done
}

by_several() { spread "$1" flows "$1" && [ "$(busy_queues | wc -w)" -gt 1 ]; }
by_one() { spread "$1" flows "$1" && [ "$(busy_queues | wc -w)" = 1 ]; }

steered()
{
	local n=$1 queue weights

	check "$what: 4 pairs of queues are used" far "$n" ethtool -L "f$n" combined 4
	for queue in 0 1 2 3; do
		weights=$(echo 0 0 0 0 | awk -v q=$queue '{ $(q + 1) = 1; print }')
		check "$what: all is for queue $queue" far "$n" ethtool -X "f$n" weight $weights
		check "$what: and it gets it" only_by "$n" $queue
	done
	check "$what: all queues have the same weight" far "$n" ethtool -X "f$n" equal 4
	check "$what: eight flows go to several" by_several "$n"
	check "$what: ports do not count" far "$n" ethtool -N "f$n" rx-flow-hash udp4 sd
	check "$what: eight flows go to one" by_one "$n"
	check "$what: ports count again" far "$n" ethtool -N "f$n" rx-flow-hash udp4 sdfn
	check "$what: eight flows go to several again" by_several "$n"
}

through_all()
{
	local n=$1

	check "$what: 4 pairs of queues are used" far "$n" ethtool -L "f$n" combined 4
	iperf_serve /bin/ip netns exec "far$n"
	iperf_all_ways "10.$n.0.2"
	kill $iperf_server
	check "$what: eight streams come back the same" traffic "$n" streams
}

for n in $(bed_numbers); do
	what="bed $n ($(bed_words "$n"))"
	check "$what: the devices answer" bed_up "$n"
	check "$what: is what it says" bed_is_what_it_says "$n"
	check "$what: hashes, or does not" says "$n" rss 60
	serve "$n"
	if bed_is rss "$n"; then
		steered "$n"
	else
		through_all "$n"
	fi
done
check "the kernel has found no fault in itself" no_fault
plan
