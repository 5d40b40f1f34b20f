#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# In the guest: each load once, in the order in which the plugin logs its counts.
# Prints "# row NAME|OPERATIONS|NS", and "# figure NAME|FIGURE" for what is not counted.

: "${requests:=6400}"	# a multiple of 640
: "${kib:=4,128}"	# sizes of reads
: "${only:=}"		# net: no disks
: "${devices:=1}"	# 1: rows that have bounds, all on eth0

load()
{
	name=$1
	shift
	ns=$(/load "$@" "$requests") && echo "# row $name|$requests|$ns" || echo "not ok 1 - $name"
}

figure()
{
	name=$1
	shift
	figure=$(/load "$@") && echo "# figure $name|$figure" || echo "not ok 1 - $name"
}

disks()
{
	for size in $(echo "$kib" | tr , ' '); do
		for depth in 1 16; do
			load "$1 $size KiB depth $depth" read "$2" $((size * 1024)) $depth
		done
	done
	load "$1 4 KiB burst 256" burst "$2" 4096 256
}

if [ "$only" != net ]; then
	for disk in vda sda sdb sdc sdd; do
		echo none >/sys/block/$disk/queue/scheduler
	done
	disks blk /dev/vda
	disks scsi /dev/sda,/dev/sdb,/dev/sdc,/dev/sdd
fi

ip addr add 10.0.0.1/24 dev eth0
ip link set eth0 up
arp -s 10.0.0.2 52:54:00:00:00:02
sleep 1
for bytes in 64 1472 65000; do
	load "udp receive $bytes B" receive 10.0.0.2 $bytes
done
for action in drop pass tx redirect; do
	load "xdp $action 64 B" xdp $action 64
done
load "af_xdp receive 64 B" xsk receive 64
load "refill" refill
[ "$devices" -gt 1 ] || exit 0

# How many packets one kick is for depends on the machine.
load "udp send 64 B" send 10.0.0.2
load "pktgen send 64 B" pktgen 1 64
load "pktgen send 64 B by 16" pktgen 16 64
load "pktgen send 64 B by 128" pktgen 128 64
load "af_xdp send 64 B" xsk send 64
load "command" command

for device in eth1 eth2 eth3 eth4 eth5; do
	echo 1 >/proc/sys/net/ipv6/conf/$device/disable_ipv6
	ip link set $device qlen 1
done
figure "bytes for each mergeable buffer" posted eth1 plain
figure "bytes for each small buffer" posted eth2 plain
figure "bytes for each big buffer" posted eth3 plain
figure "bytes for each buffer for XDP" posted eth4 xdp
load "tso send 64 KiB" tso eth1

# The name on the bus of the device that has this in sysfs
virtio_of() { readlink -f "/sys/class/$1/device" | grep -o 'virtio[0-9]*' | head -n 1; }

requests=40
load "rebind net" rebind virtio_net "$(virtio_of net/eth4)"
if [ "$only" != net ]; then
	load "rebind blk" rebind virtio_blk "$(virtio_of block/vda)"
	load "rebind scsi" rebind virtio_scsi "$(virtio_of block/sda)"
fi

ip link set eth5 up
figure "packets in flight when a ring of 256 is full" flight eth5
