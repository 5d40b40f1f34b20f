#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The near side is the standby of another device with its address, which is used as
# long as it is there. A stream goes on whichever of the two has it. (A primary device
# without a carrier is no test: the kernel takes nothing from the standby then.)

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

needs_module e1000

net=/sys/class/net
# by_port_name NAME: the device
by_port_name() { grep -lx "$1" $net/*/phys_port_name 2>/dev/null | sed "s,$net/,,; s,/.*,,"; }
standby=$(by_port_name sby)
needs_that "a standby device" [ -n "$standby" ]
master=$(basename "$(readlink "$net/$standby/master")")

# primary: the other one below the same
primary() { ls -d $net/"$master"/lower_* | sed 's,.*/lower_,,' | grep -vx "$standby"; }
has_primary() { quiet primary && [ "$(cat "$net/$(primary)/carrier")" = 1 ]; }
packets() { cat "$net/$1/statistics/tx_packets"; }

near_up()
{
	ip link set "$(netdev_of "$(bed_dir 1 b)")" name f1 netns far1 &&
	side_up 1 "$master" 1 1500 && side_up 1 f1 2 1500 far 1 &&
	wait_for 20 quiet ping -c 1 -W 1 10.1.0.2
}

# goes_by DEVICE OTHER: all that is sent
goes_by()
{
	local before=$(packets "$1") other=$(packets "$2")

	traffic 1 datagrams || return
	echo "$1: $(($(packets "$1") - before)), $2: $(($(packets "$2") - other))"
	[ $(($(packets "$1") - before)) -ge 500 ] && [ $(($(packets "$2") - other)) -lt 10 ]
}

taken()
{
	load 1
	sleep 1
	check "$what: the primary device is taken away" ask unplug
	check "$what: it is gone" wait_for 30 refuse primary
	check "$what: what is sent goes by the standby" wait_for 20 sends
	for kind in datagrams fragments segments stream stream6; do
		check "$what: $kind come back the same by the standby" traffic 1 $kind
	done
	check "$what: the primary device comes back" ask plug
	check "$what: it is used" wait_for 30 has_primary
	check "$what: what is sent goes by the primary device again" goes_by "$(primary)" "$standby"
	check "$what: the stream has gone on all the time" load_ends_well
}

sends() { local from=$(packets "$standby"); sleep 0.5; [ "$(packets "$standby")" -gt "$from" ]; }

: "${rounds:=3}"
before=$(skbs)
check "primary: its driver is there" load_module e1000
check "both sides are up" near_up
serve 1
check "primary: is there when the driver knows what a standby is" wait_for 30 has_primary
check "primary: what is sent goes by it" goes_by "$(primary)" "$standby"
round=0
while [ $round -lt $rounds ]; do
	round=$((round + 1))
	what="round $round"
	taken
done
check "nothing is lost" nothing_is_lost "$before"
check "receive buffers come from page pools" has_pools
check "without the driver no page of them is in use" ends_without_pages
check "without the standby there is none to be standby of" refuse test -e "$net/$master"
check "the kernel has found no fault in itself" no_fault
plan
