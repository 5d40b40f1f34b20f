#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Allocations fail at random below the functions of one driver, then of the next: under
# load, which nobody who reads and writes may notice, and while the driver is bound, which
# may fail, and then works again. The rings are such a driver here.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh
. ./load-lib.sh

# 6.12 itself warns when the files of an interrupt in /proc could not be made, and of the
# affinity of an interrupt that queues share.
FAULTS='BUG[: ]|KASAN|UBSAN|ODEBUG: .*object: |DMA-API: .*: |possible .* detected|suspicious RCU|bad unlock'
debugfs=/sys/kernel/debug
needs_that "a kernel with failslab" [ -e $debugfs/failslab/require-start ]
needs_that "a kernel with fail_page_alloc" [ -e $debugfs/fail_page_alloc/require-start ]

: "${seconds:=8}" "${rounds:=6}"
many=1000000

# place NAMES: where in the kernel the functions are whose names begin so
place()
{
	awk -v names="^($1)" '
		$3 == "_etext" { exit }
		$2 ~ /[tT]/ && $3 ~ names && $3 !~ /\.cold/ { if (!first) first = $1; last = $1 }
		END { if (first) print "0x" first, "0x" last }' /proc/kallsyms
}

# set_faults FIRST LAST PERCENT
set_faults()
{
	local dir

	# single pages as well
	echo 0 >$debugfs/fail_page_alloc/min-order
	for dir in $debugfs/failslab $debugfs/fail_page_alloc; do
		echo 0 >$dir/verbose
		echo N >$dir/ignore-gfp-wait
		echo "$1" >$dir/require-start
		echo "$2" >$dir/require-end
		echo $many >$dir/times
		echo "$3" >$dir/probability
	done
}

no_faults()
{
	local dir

	for dir in $debugfs/failslab $debugfs/fail_page_alloc; do
		echo 0 >$dir/probability
	done
}

# How often there was no memory, since set_faults
failures()
{
	cat $debugfs/failslab/times $debugfs/fail_page_alloc/times |
		awk -v many=$many '{ left += $1 } END { print 2 * many - left }'
}

# Each may fail; what counts is how the device is later.
change()
{
	local n

	for n in $(bed_numbers); do
		ethtool -L "n$n" combined $((1 + $1 % 2))
		ethtool -G "n$n" rx $((64 << $1 % 3)) tx $((64 << ($1 + 1) % 3))
		ip link set "n$n" mtu $((1500 - $1 % 2 * 200))
	done
}

test_load()
{
	local start loads= n round=0

	clear_log
	set_faults $first $last 5
	verify_disks "$seconds"
	start=$(now)
	for n in $(bed_numbers); do
		load $n
		loads="$loads $load"
	done
	while [ $(($(now) - start)) -lt $((seconds * 100)) ]; do
		quiet change $round
		round=$((round + 1))
		sleep 0.5
	done
	wait $verifiers
	no_faults
	echo "$(failures) allocations failed" >&2
	for load in $loads; do
		check "$name: a stream came back the same" load_ends_well
	done
	for disk in $disks; do
		check "$name: $disk: no request failed, and the data is right" disk_is_well "$disk"
	done
	check "$name: no request failed that was tried again" refuse logged "I/O error"
}

devices_of() { for path in "/sys/bus/virtio/drivers/$1"/virtio*; do echo "${path##*/}"; done; }

# try_to_bind DRIVER DEVICE...: without memory, again and again, and in the end with it
try_to_bind()
{
	local driver=/sys/bus/virtio/drivers/$1 device round=0
	shift

	for device; do
		echo "$device" >$driver/unbind || return
	done
	while [ $round -lt "$rounds" ]; do
		set_faults $first $last $((1 + round % 10))
		for device; do
			echo "$device" >$driver/bind 2>/dev/null
		done
		no_faults
		for device; do
			[ ! -e $driver/"$device" ] || echo "$device" >$driver/unbind || return
		done
		round=$((round + 1))
	done
	for device; do
		echo "$device" >$driver/bind || return
	done
}

disks_are() { [ "$(ls /sys/block | grep -cE '^(vd|sd)')" = "$1" ]; }

test_bind()
{
	local number=$(echo $disks | wc -w)

	check "$name: bound $rounds times without enough memory, then with it" \
		try_to_bind $1 $(devices_of $1)
	check "$name: there are all disks" wait_for 20 disks_are $number
	find_disks
	verify_disks 3
	wait $verifiers
	for disk in $disks; do
		check "$name: $disk works" disk_is_well "$disk"
	done
}

for n in $(bed_numbers); do
	check "bed $n ($(bed_words $n)): the devices answer" bed_up $n
	serve $n
done
for driver in "rings:vring_|virtqueue_" "blk:virtblk_" "scsi:virtscsi_" "net:virtnet_"; do
	name=${driver%:*}
	set -- $(place "${driver#*:}")
	first=$1 last=$2
	check "$name: its functions are found" \
		[ $((last - first)) -gt 4096 -a $((last - first)) -lt 200000 ]
	test_load
	case $name in
	blk) test_bind virtio_blk ;;
	scsi) test_bind virtio_scsi ;;
	net) test_bind virtio_net ;;
	esac
done
for n in $(bed_numbers); do
	check "bed $n ($(bed_words $n)): the devices answer again" bed_up $n
	check "bed $n ($(bed_words $n)): datagrams come back the same" traffic $n datagrams
done
clear_log
check "the kernel has found no fault in itself" refuse grep -A 60 -E "$FAULTS" /tmp/log
plan
