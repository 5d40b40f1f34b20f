#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A network device whose back end is another program's, and a second guest on its
# other side. From the kernel command line:
#
#  role=serve            send back what comes, until the other guest says "stop"
#  role=test             send, verify what comes back, then stop the other guest
#  guest=NAME            for the names of the tests
#  with=BIT,BIT without=BIT,BIT   features that must and must not be negotiated
#  ring=N                size of the rings

cd "$(dirname "$0")" && . ./lib.sh || exit

needs_that "another guest, as in scripts/test.d" [ -n "${role:-}" ]

near=10.0.7.1 far=10.0.7.2
[ "$role" = serve ] && { near=10.0.7.2 far=10.0.7.1; }
traffic=./net_traffic

negotiated()
{
	local bit bits

	bits=$(echo "$with" | tr ',' ' ')
	for bit in $bits; do
		has_feature "$dir" "$bit" || { echo "bit $bit is missing"; return 1; }
	done
	bits=$(echo "$without" | tr ',' ' ')
	for bit in $bits; do
		has_feature "$dir" "$bit" && { echo "bit $bit is there"; return 1; }
	done
	return 0
}

# packets N: field of the device's line in /proc/net/dev, from 2 on those of packets
# that were received (all, errors), from 10 on of those that were sent (all,
# errors, dropped, FIFO errors)
packets() { sed -n 's/^ *eth0: *//p' /proc/net/dev | awk -v n="$1" '{ print $n }'; }

# Packets in both directions
counters() { echo "$(packets 10) $(packets 2)"; }

figures()
{
	local status

	timeout -s KILL 60 $traffic "$@" >/tmp/figures 2>&1
	status=$?
	echo "# $guest: $1: $(cat /tmp/figures)"
	return $status
}

passed()
{
	local name=$1

	shift
	if figures "$@"; then ok "$name"; else not_ok "$name"; fi
}

dir=$(virtio_of /sys/class/net/eth0/device) || { not_ok "$guest: no network device"; plan; exit; }
echo "# $guest: $(ring_features "$dir"), rings of $ring"
check "$guest: negotiated are the features that this run is about" negotiated
ip addr add $near/24 dev eth0
ip link set eth0 up

if [ "$role" = serve ]; then
	timeout -s KILL 100 $traffic serve >&2 &
	serve_pid=$!
	wait $serve_pid
	check "$guest: served until the end" [ $? = 0 ]
else
	check "$guest: the other guest answers" wait_for 30 ping -c 1 -W 1 $far
	passed "$guest: datagrams of one frame come back the same" udp $far "$datagrams" 1472
	passed "$guest: datagrams of several frames come back the same" udp $far \
		$((datagrams / 20)) 8000
	passed "$guest: a stream comes back the same, both ways at once" tcp $far "$mib"
	$traffic stop $far
fi

# What is under way comes first: the figures have to be those of DPDK.
until [ "$(counters)" = "$before" ]; do
	before=$(counters)
	sleep 1
done
sent=$(packets 10) received=$(packets 2)
echo "# $guest: $sent packets sent, $received received, rings of $ring"
check "$guest: the driver had no error and dropped nothing that it was to send" \
	[ "$(packets 3) $(packets 11) $(packets 12) $(packets 13)" = "0 0 0 0" ]
check "$guest: the ends of both rings were crossed 20 times" \
	[ "$sent" -ge $((20 * ring)) -a "$received" -ge $((20 * ring)) ]
plan
