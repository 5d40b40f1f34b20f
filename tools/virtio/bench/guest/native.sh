#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# In the guest of scripts/bench-native: each load once, between the lines "# begin ROW" and
# "# row ROW|DONE|NS|P50|P99|P99.9". The host counts at both, and has a moment for it. Then
# "# interrupts NUMBER" says how many the guest took meanwhile.

: "${loads:=blk}"	# or scsi, net, tcp
packets=/sys/class/net/eth0/statistics/rx_packets

interrupts() { awk '/virtio/ { sum += $2 } END { print sum + 0 }' /proc/interrupts; }

begin()
{
	taken=$(interrupts)
	echo "# begin $1"
}

# report NAME DONE FIGURES: nothing if the load failed
report()
{
	if [ "$3" ]; then
		echo "# row $1|$2|$3"
		echo "# interrupts $(($(interrupts) - taken))"
	else
		echo "not ok 1 - $1"
	fi
}

# load NAME COUNT LOAD...: a load does a tenth more than COUNT
load()
{
	name=$1 count=$2
	shift 2
	begin "$name"
	# packets come all the time
	[ "$loads" = net ] || sleep 0.2
	report "$name" $((count * 11 / 10)) "$(/load percentiles "$@" "$count")"
	sleep 0.2
}

# flood NAME LOAD...: packets come as soon as it has begun, and until it ends, more than
# what the load counts
flood()
{
	name=$1
	shift
	echo "# device stop"
	sleep 0.3
	begin "$name"
	read -r before <$packets
	(sleep 0.3; echo "# device start") &
	figures=$(/load percentiles "$@" 2560000)
	read -r after <$packets
	report "$name" $((after - before)) "$figures"
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
	load "net 64 B AF_XDP send" 512000 xsk busy-send 64
	forward 5tswap 64
	load "net 64 B ping-pong" 16000 answers 10.0.0.2
	forward txonly 64
	flood "net 64 B receive" flood pass
	flood "net 64 B XDP_DROP" flood drop
	forward txonly 1500
	flood "net 1500 B receive" flood pass
	# takes what comes back as well
	forward flowgen 64
	flood "net 64 B receive, 1024 flows" flood pass
	flood "net 64 B XDP_TX" flood tx
	forward txonly 64
	# when the program asks, not by interrupts
	echo 2 >/sys/class/net/eth0/napi_defer_hard_irqs
	echo 200000 >/sys/class/net/eth0/gro_flush_timeout
	flood "net 64 B AF_XDP receive" xsk busy-receive 64
}

# What one device sends comes in by the other one, which is in a network of its own.
tcp()
{
	forward io 64
	mkfifo /there /has_device
	unshare -n sh -c 'echo >/there; read -r _ </has_device
		ip addr add 10.0.0.2/24 dev eth1; ip link set eth1 up; exec /load drain' &
	read -r _ </there
	ip link set eth1 netns $!
	echo >/has_device
	ip addr add 10.0.0.1/24 dev eth0
	ip link set eth0 up
	sleep 1
	load "net TCP write of 64 KiB" 8192 stream 10.0.0.2
}

$loads
