#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Verified traffic through each bed, with sets of features that make the driver take
# all the ways it has. Receive buffers are mergeable, big or small.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

# Feature bits, by what goes without them
MERGEABLE=15 CSUM=0 GUEST_CSUM=1 STATUS=16 ANY_LAYOUT=27
GUEST_GSO="7 8 9 10 54 55" GSO="11 12 13 14 56" GUEST_OFFLOADS=2
CONTROL="$GUEST_OFFLOADS 17 18 19 20 21 22 23"

# The features of the rings are as the words say, and none of these is there.
without_features()
{
	local n=$1 bit
	shift

	bed_is_what_it_says "$n" || return
	for bit; do
		refuse has_feature "$(bed_dir "$n" a)" "$bit" || return
	done
}

# No packet was wrong, none could not be sent.
no_errors()
{
	{ cat /proc/net/dev; far "$1" cat /proc/net/dev; } | sed -n "s/^ *[nf]$1: *//p" |
		awk '
		{ print; if ($3 + $5 + $6 + $11 + $12 + $13 + $15) bad = 1 }
		END { exit bad || NR != 2 }'
}

# with N NAME BIT...: binds the driver again, without these features; false if nothing
# can be said about this set of features
with()
{
	local n=$1
	what="bed $n ($(bed_words "$n")), $2"
	shift 2

	bed_off "$n"
	if bed_bind "$n" "$@" && bed_up "$n" && without_features "$n" "$@"; then
		ok "$what: the devices answer, with no feature that should not be there"
	else
		not_ok "$what: the devices answer, with no feature that should not be there"
		return 1
	fi
	for kind in datagrams fragments segments stream stream6; do
		check "$what: $kind come back the same" traffic "$n" $kind
	done
	check "$what: no packet is wrong or dropped" no_errors "$n"
}

big()	    { with "$@" $MERGEABLE && jumbo "$1"; }
small()	    { with "$@" $MERGEABLE $GUEST_GSO; }
mergeable() { with "$@" && jumbo "$1" && offloads "$1" && vlan "$1" && pairs "$1"; }

set_mtu() { ip link set "n$1" mtu "$2" && far "$1" ip link set "f$1" mtu "$2"; }

both_ethtool()
{
	local n=$1 flag=$2

	shift 2
	ethtool "$flag" "n$n" "$@" && far "$n" ethtool "$flag" "f$n" "$@"
}

jumbo()
{
	check "$what: frames of 9000 bytes are allowed" set_mtu "$1" 9000
	check "$what: such datagrams come back the same" transfer udp "10.$1.0.2" 200 8972
	check "$what: such streams come back the same" traffic "$1" stream
	check "$what: frames of 1500 bytes again" set_mtu "$1" 1500
}

# Segmentation and checksums by the kernel, then by the device again
offloads()
{
	check "$what: offloads are switched off" both_ethtool "$1" -K tso off gso off gro off tx off
	for kind in datagrams segments stream stream6; do
		check "$what, without offloads: $kind come back the same" traffic "$1" $kind
	done
	check "$what: offloads are switched on" both_ethtool "$1" -K tx on gro on gso on tso on
	check "$what, with offloads again: a stream comes back the same" traffic "$1" stream
}

vlan_up()
{
	local n=$1

	ip link add link "n$n" name "n$n.7" type vlan id 7 &&
	ip addr add "10.$n.7.1/24" dev "n$n.7" &&
	ip link set "n$n.7" up &&
	far "$n" ip link add link "f$n" name "f$n.7" type vlan id 7 &&
	far "$n" ip addr add "10.$n.7.2/24" dev "f$n.7" && far "$n" ip link set "f$n.7" up &&
	wait_for 10 quiet ping -c 1 -W 1 "10.$n.7.2"
}

vlan()
{
	check "$what: a VLAN answers" vlan_up "$1"
	check "$what: datagrams on a VLAN come back the same" transfer udp "10.$1.7.2" 200 1472
	check "$what: a stream on a VLAN comes back the same" transfer tcp "10.$1.7.2" 2
	ip link del "n$1.7"
	check "$what: without the VLAN the device goes on" traffic "$1" datagrams
}

interrupts()
{
	awk -v name="$1" '
		$NF == name {
			for (i = 2; i <= NF; i++)
				if ($i ~ /^[0-9]+$/)
					n += $i
		}
		END { print n + 0 }' /proc/interrupts
}

each_pair_works()
{
	local n=$1 pairs=$2 queue dir
	dir=$(bed_dir "$n" a)

	queue=0
	while [ $queue -lt "$pairs" ]; do
		echo "pair $queue: $(interrupts "${dir##*/}-input.$queue") interrupts, $(statistic "n$n" tx${queue}_kicks) kicks"
		[ "$(interrupts "${dir##*/}-input.$queue")" -gt 0 ] &&
			[ "$(statistic "n$n" tx${queue}_kicks)" -gt 0 ] || return
		queue=$((queue + 1))
	done
}

pairs()
{
	bed_is q4 "$1" || return 0
	check "$what: 4 pairs of queues are used" both_ethtool "$1" -L combined 4
	for round in 1 2 3; do
		check "$what: eight streams at once come back the same, round $round" \
			traffic "$1" streams
	done
	check "$what: each pair of queues works" each_pair_works "$1" 4
	check "$what: 1 pair is used" both_ethtool "$1" -L combined 1
	check "$what: eight streams through one pair come back the same" traffic "$1" streams
}

for n in $(bed_numbers); do
	serve "$n"
	big "$n" big
	small "$n" small
	mergeable "$n" mergeable
	if bed_is legacy "$n"; then
		small "$n" "small, header apart" $ANY_LAYOUT
	fi
	if bed_is q4 "$n"; then
		with "$n" "no offloads" $CSUM $GUEST_CSUM $GSO $GUEST_GSO $GUEST_OFFLOADS
		with "$n" "no control queue" $CONTROL $STATUS
	fi
done
check "the kernel has found no fault in itself" no_fault
plan
