#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# In the guest of scripts/bench-native: each load once, between the lines "# begin ROW" and
# "# row ROW|COUNT|NS|P50|P99|P99.9". The host counts at both, and has a moment for it.

: "${loads:=blk}"	# or scsi, net

load()
{
	name=$1 count=$2
	shift 2
	echo "# begin $name"
	# packets come all the time
	[ "$loads" = net ] || sleep 0.2
	figures=$(/load percentiles "$@" "$count") && echo "# row $name|$count|$figures" ||
		echo "not ok 1 - $name"
	sleep 0.2
}

# prepare DISK...: a request for each read
prepare()
{
	for disk; do
		echo none >"/sys/block/$disk/queue/scheduler"
		echo 2 >"/sys/block/$disk/queue/nomerges"
	done
}

blk()
{
	prepare vda
	load "blk 4 KiB depth 1" 16000 read /dev/vda 4096 1
	load "blk 4 KiB depth 16" 128000 read /dev/vda 4096 16
	load "blk 4 KiB depth 256" 256000 read /dev/vda 4096 256
	load "blk 128 KiB sequential" 64000 sequential /dev/vda 131072 16
	load "blk 4 KiB burst 256" 256000 burst /dev/vda 4096 256
}

scsi()
{
	all=$(cd /sys/block && echo sd*)
	# shellcheck disable=SC2086 # a list of words
	prepare $all
	load "scsi 4 KiB depth 1" 16000 read /dev/sda 4096 1
	load "scsi 128 KiB sequential" 64000 sequential /dev/sda 131072 16
	for units in sda "sda sdb sdc sdd" "$all"; do
		list=$(echo "$units" | sed 's|sd|/dev/sd|g; s/ /,/g')
		luns=$(echo "$units" | wc -w)
		load "scsi 4 KiB depth 16, $luns LUN" 128000 read "$list" 4096 16
		load "scsi 4 KiB depth 256, $luns LUN" 256000 read "$list" 4096 256
		load "scsi 4 KiB burst 256, $luns LUN" 256000 burst "$list" 4096 256
	done
}

# To dpdk-testpmd: what it does with packets from now on
forward()
{
	echo "# device stop"
	echo "# device set txpkts $2"
	echo "# device set fwd $1"
	echo "# device start"
	sleep 0.5
}

net()
{
	ip addr add 10.0.0.1/24 dev eth0
	ip link set eth0 up
	arp -s 10.0.0.2 52:54:00:00:00:02
	forward rxonly 64
	load "net 64 B send" 512000 pktgen 1 64
	load "net 64 B send by 32" 512000 pktgen 32 64
	load "net 1500 B send" 512000 pktgen 1 1500
	forward 5tswap 64
	load "net 64 B ping-pong" 16000 answers 10.0.0.2
	forward txonly 64
	load "net 64 B receive" 512000 flood
	load "net 64 B XDP_DROP" 512000 drop
	forward txonly 1500
	load "net 1500 B receive" 512000 flood
}

$loads
