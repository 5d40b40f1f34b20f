#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: each load once, in the order in which the plugin logs its counts.
# Prints "# row NAME|OPERATIONS|NS".

load()
{
	name=$1 count=$2
	shift 2
	ns=$(/tests/load "$@" "$count") && echo "# row $name|$count|$ns" || echo "not ok 1 - $name"
}

disks()
{
	for bytes in 4096 131072; do
		for depth in 1 16; do
			load "$1 $((bytes / 1024)) KiB depth $depth" "$requests" read "$2" $bytes $depth
		done
	done
}

: "${requests:=5000}"
echo none >/sys/block/vda/queue/scheduler
echo none >/sys/block/sda/queue/scheduler
disks blk /dev/vda
disks scsi /dev/sda

ip addr add 10.0.0.1/24 dev eth0
ip link set eth0 up
arp -s 10.0.0.2 52:54:00:00:00:02
sleep 1
load "udp send 64 B" "$requests" send 10.0.0.2
