#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# XDP and AF_XDP. On the far side of each bed a program of net_xdp.c looks at what the
# near side sends; what goes back is verified like an answer. A program that was
# attached has to run: one that does not is worse than one that is refused.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

needs_that "net_xdp.o, which clang builds" [ -e net_xdp.o ]

# attach N SECTION
attach()
{
	far "$1" ip link set "f$1" xdpdrv obj net_xdp.o sec "$2" 2>&1 | tee /tmp/refused
	far "$1" ip link show "f$1" | grep -q 'prog/xdp'
}

detach() { far "$1" ip link set "f$1" xdpdrv off; }
far_statistic() { far "$1" ethtool -S "f$1" | awk -v name="$2:" '$1 == name { print $2 }'; }
says_why() { grep -q '^Error: ' /tmp/refused; }

# echoed N PORT COUNT SIZE
echoed() { NET_PORT=$2 transfer udp "10.$1.0.2" "$3" "$4"; }

is_at_least() { [ "$(far_statistic "$1" "$2")" -ge "$3" ]; }

# counted N STATISTIC BY COMMAND...: it made at least BY more
counted()
{
	local n=$1 name=$2 by=$3 from
	shift 3

	from=$(far_statistic "$n" "$name")
	"$@" || return
	wait_for 5 is_at_least "$n" "$name" $((from + by)) ||
		{ echo "$name is still $from"; return 1; }
}

# none_is_kept N: the driver has taken back all that was sent
none_is_kept()
{
	local dir=$(bed_dir "$1" b)

	grep 'output\.' "/sys/kernel/debug/virtio/${dir##*/}/queues" >/tmp/outputs
	cat /tmp/outputs
	awk '{ kept += $6 } END { exit !NR || kept }' /tmp/outputs
}

# Nobody answers to these.
shot_at() { NET_PORT=$2 transfer send "10.$1.0.2" 20 100; }

runs()
{
	local n=$1

	check "$what: packets are dropped" counted "$n" rx_xdp_drops 20 shot_at "$n" 7001
	check "$what: aborted ones are, too" counted "$n" rx_xdp_drops 20 shot_at "$n" 7006
	check "$what: packets go back" counted "$n" rx_xdp_tx 500 echoed "$n" 7002 500 1400
	check "$what: and no frame of them is kept" wait_for 5 none_is_kept "$n"
	check "$what: packets are redirected" \
		counted "$n" rx_xdp_redirects 500 echoed "$n" 7003 500 1400
	check "$what: there is room in front of packets" echoed "$n" 7004 500 1400
	check "$what: metadata goes to the stack" counted "$n" rx_xdp_packets 20 shot_at "$n" 7005
	for kind in datagrams fragments segments stream stream6; do
		check "$what: $kind pass" traffic "$n" $kind
	done
}

# Again and again, while packets of all sorts come
attached_under_load()
{
	local n=$1 round=0

	load "$n"
	while [ $round -lt $rounds ]; do
		attach "$n" xdp && detach "$n" || return
		round=$((round + 1))
	done
	load_ends_well
}

# The device may not merge packets while a program runs
gro_hw() { far "$1" ethtool -K "f$1" rx-gro-hw "$2" 2>/dev/null; }

# with_program N SECTION
with_program()
{
	local n=$1

	if ! attach "$n" "$2"; then
		check "$what: the program is refused, and the reason said" says_why
		check "$what: without it the device goes on" traffic "$n" stream
		return 1
	fi
	ok "$what: the program is attached"
	runs "$n"
}

# Several flows, for several queues; the buffers get as large as the packets.
large()
{
	local i

	for i in 1 2 3 4; do
		transfer udp "10.$1.0.2" 100 8900 || return
	done
}

loses_none()
{
	local from=$(far_statistic "$1" rx_xdp_drops) to

	large "$1" || return
	to=$(far_statistic "$1" rx_xdp_drops)
	[ "$to" = "$from" ] || { echo "$((to - from)) packets were dropped"; return 1; }
}

several_buffers()
{
	local n=$1

	what="bed $n ($(bed_words "$n")), several buffers"
	ip link set "n$n" mtu 9000 && far "$n" ip link set "f$n" mtu 9000
	check "$what: a program for one buffer is refused" refuse attach "$n" xdp
	check "$what: and the reason said" says_why
	large "$n"
	attach "$n" xdp.frags
	check "$what: buffers from before the program are good for it" loses_none "$n"
	detach "$n"
	if with_program "$n" xdp.frags; then
		check "$what: large packets go back" \
			counted "$n" rx_xdp_tx 200 echoed "$n" 7002 200 8900
		check "$what: large packets are redirected" \
			counted "$n" rx_xdp_redirects 200 echoed "$n" 7003 200 8900
		check "$what: large packets pass" transfer udp "10.$n.0.2" 200 8900
		detach "$n"
	fi
	ip link set "n$n" mtu 1500 && far "$n" ip link set "f$n" mtu 1500
}

more_channels()
{
	local n=$1

	what="bed $n ($(bed_words "$n")), 4 pairs"
	check "$what: they are used" far "$n" ethtool -L "f$n" combined 4
	check "$what: the program shares them with the stack" attach "$n" xdp
	check "$what: packets go back" counted "$n" rx_xdp_tx 500 echoed "$n" 7002 500 1400
	check "$what: packets are redirected" \
		counted "$n" rx_xdp_redirects 500 echoed "$n" 7003 500 1400
	check "$what: eight streams pass" traffic "$n" streams
	detach "$n"
	far "$n" ethtool -L "f$n" combined 2
}

survives_suspend()
{
	local n=$1

	attach "$n" xdp || return 0
	check "$what: suspend with a program" suspend_to devices
	check "$what: after it, packets go back" \
		counted "$n" rx_xdp_tx 100 echoed "$n" 7002 100 1400
	bed_is small "$n" || check "$what: after it, GRO_HW is still refused" refuse gro_hw "$n" off
	detach "$n"
}

# It ends by itself when something is wrong.
xsk_ends_well()
{
	kill $xsk || { cat /tmp/xsk.err; return 1; }
	wait $xsk
	return 0
}

# Of devices with one queue, so that all packets come to the socket
xsk()
{
	local n=$1 mode=$2
	what="bed $n ($(bed_words "$n")), AF_XDP $mode"

	# What the one before said must be gone before this one is looked for.
	rm -f /tmp/xsk
	# by its path, so that what is ended later is the program and not a shell
	/bin/ip netns exec "far$n" ./net_xsk "f$n" 0 "$mode" >/tmp/xsk 2>/tmp/xsk.err &
	xsk=$!
	if wait_for 15 grep -q ready /tmp/xsk; then
		ok "$what: the socket is bound"
		check "$what: packets come back the same" echoed "$n" 7007 3000 1400
		check "$what: others pass" traffic "$n" stream
		check "$what: after that, packets still come back" echoed "$n" 7007 500 1400
		check "$what: every frame was where it belongs" xsk_ends_well
	elif bed_is big "$n"; then
		check "$what: is refused" grep -q net_xsk: /tmp/xsk.err
	else
		cat /tmp/xsk.err >&2
		not_ok "$what: the socket is bound"
	fi
	check "$what: without the socket, the device goes on" traffic "$n" stream
}

: "${rounds:=3}"
before=$(skbs)
for n in $(bed_numbers); do
	what="bed $n ($(bed_words "$n"))"
	check "$what: the devices answer" bed_up "$n"
	check "$what: is what it says" bed_is_what_it_says "$n"
	serve "$n"
	if with_program "$n" xdp; then
		bed_is small "$n" || check "$what: GRO_HW may not be changed" refuse gro_hw "$n" off
		detach "$n"
		check "$what: without the program, the device goes on" traffic "$n" stream
		check "$what: programs come and go under load" attached_under_load "$n"
	fi
	if bed_is q4 "$n"; then
		several_buffers "$n"
		more_channels "$n"
	else
		xsk "$n" copy
		xsk "$n" zerocopy
		bed_is big "$n" || xsk "$n" busypoll
	fi
	what="bed $n ($(bed_words "$n"))"
	survives_suspend "$n"
done
check "nothing is lost" nothing_is_lost "$before"
check "receive buffers come from page pools" has_pools
check "without the driver no page of them is in use" ends_without_pages
check "the kernel has found no fault in itself" no_fault
plan
