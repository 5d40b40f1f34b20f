#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# All virtio disks of the guest: data, and all that is not data. If there are disks
# for the base's driver, each disk has a twin among them that does the same jobs.
# With only=rings: no more than is asked of each disk.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs_host
needs fio blkdiscard mkfs.ext4 e2fsck
needs_that "disks whose serial numbers say what they are" [ -n "$(disks)" ]

test_fio()
{
	local disk=$1 jobs dir

	dir=$(virtio_of "/sys/block/$disk/device")
	jobs=$(fio_jobs "$disk") || return 1
	echo "$jobs" | while read -r name bytes rate; do
		row "$(disk_serial "$disk") $name" "$dir" "$bytes" yes "$rate"
	done
}

# fio_at_once DISK...: each has a file for the results
fio_at_once()
{
	for disk in "$@"; do
		{ test_fio "$disk" >"/tmp/$disk.rows" && echo ok >"/tmp/$disk.ok"; } &
	done
	wait
	for disk in "$@"; do
		cat "/tmp/$disk.rows"
		check "$(disk_serial "$disk"): fio verifies what it wrote" [ -e "/tmp/$disk.ok" ]
	done
}

fio_in_fours()
{
	while [ $# -gt 4 ]; do
		fio_at_once "$1" "$2" "$3" "$4"
		shift 4
	done
	fio_at_once "$@"
}

# The numbers of a list like 0-2,5, one on each line
numbers() { tr -d ' ' | tr , '\n' | awk -F- 'NF { for (i = $1; i <= $NF; i++) print i }'; }

# An interrupt comes where the requests are from. Not for polled queues.
test_affinity()
{
	local device irq name queues=0

	device=$(virtio_of "/sys/block/$1/device")
	device=${device##*/}
	awk -v name="^$device-req" '$NF ~ name { print $1 + 0, $NF }' \
		/proc/interrupts >"/tmp/$1.irqs"
	while read -r irq name; do
		[ "$(numbers <"/proc/irq/$irq/smp_affinity_list")" = \
			"$(numbers <"/sys/block/$1/mq/${name##*.}/cpu_list")" ] || return 1
		queues=$((queues + 1))
	done <"/tmp/$1.irqs"
	[ $((queues + $(cat "/sys/block/$1/queue/io_poll"))) -eq "$(expected_queues "$1")" ]
}

has_copied() { [ "$(cat /sys/kernel/debug/swiotlb/io_tlb_used_hiwater)" -gt 0 ]; }

# Together these disks want more memory for copies than there is, and what they have
# they keep for long.
test_no_swiotlb()
{
	clear_log
	for serial in $1; do
		timeout $((100 * patience)) fio --name=full \
			--filename="/dev/$(disk_by_serial "$serial")" --size=2m \
			--rw=write --bs=256k --direct=1 --ioengine=libaio --iodepth=8 \
			--verify=crc32c --verify_fatal=1 --minimal >"/tmp/$serial.terse" &&
			echo ok >"/tmp/$serial.ok" &
	done
	wait
	for serial in $1; do
		[ -e "/tmp/$serial.ok" ] || return 1
	done
	logged "swiotlb buffer is full"
}

# Fields of stat: 12 discards, 16 flushes
test_discard()
{
	local before

	before=$(stat_field "$1" 12)
	dd if=/tmp/data of="/dev/$1" bs=$MiB count=4 conv=fsync 2>/dev/null &&
	! is_zero "$1" 0 4 &&
	/bin/blkdiscard -o $MiB -l $((2 * MiB)) "/dev/$1" &&
	[ "$(stat_field "$1" 12)" -gt "$before" ] && is_zero "$1" 1 2
}

test_zeroes()
{
	dd if=/tmp/data of="/dev/$1" bs=$MiB count=4 conv=fsync 2>/dev/null &&
	/bin/blkdiscard -z -o $MiB -l $((2 * MiB)) "/dev/$1" &&
	is_zero "$1" 1 2 && ! is_zero "$1" 3 1
}

test_flush()
{
	local before

	before=$(stat_field "$1" 16)
	dd if=/tmp/data of="/dev/$1" bs=64k count=4 conv=fsync 2>/dev/null &&
	[ "$(stat_field "$1" 16)" -gt "$before" ]
}

# A file system is made, filled, left, checked, entered again and compared.
test_ext4()
{
	local dir=/tmp/mnt-$1

	mkdir -p "$dir"
	mkfs.ext4 -q -F "/dev/$1" 16m && mount -t ext4 "/dev/$1" "$dir" &&
	cp /tmp/data "$dir/a" && cp /tmp/data "$dir/b" && rm "$dir/a" && umount "$dir" &&
	e2fsck -fn "/dev/$1" >/dev/null && mount -t ext4 "/dev/$1" "$dir" &&
	cmp /tmp/data "$dir/b" && [ ! -e "$dir/a" ] && umount "$dir"
}

test_cache_type()
{
	local file=/sys/block/$1/cache_type cache=/sys/block/$1/queue/write_cache

	[ "$(cat "$file")" = "write back" ] && [ "$(cat "$cache")" = "write back" ] &&
	echo "write through" >"$file" && [ "$(cat "$file")" = "write through" ] &&
	[ "$(cat "$cache")" = "write through" ] && echo "write back" >"$file" &&
	! echo "no cache" >"$file"
}

has_resize_event() { grep -q "change $1 1" /tmp/events; }
size_is() { [ "$(cat "/sys/block/$1/size")" -eq "$2" ]; }

# The host makes the disk larger while fio uses it.
test_resize()
{
	local disk=$1 sectors

	sectors=$(($(cat "/sys/block/$disk/size") + 8192))
	uevent sh -c 'echo $ACTION $DEVNAME $RESIZE' >/tmp/events &
	listener=$!
	timeout $((60 * patience)) fio --name=resize --filename="/dev/$disk" --size=24m \
		--rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=16 \
		--verify=crc32c --verify_fatal=1 --minimal >/dev/null &
	load=$!
	sleep 0.5
	# not through check's standard output
	ask_host resize $disk $((sectors * 512)) >&3
	wait_for 20 size_is "$disk" $sectors &&
		wait_for 10 has_resize_event "$disk"
	resized=$?
	wait $load && [ $resized -eq 0 ]
	resized=$?
	kill $listener
	return $resized
}

# A request that takes longer than it may is reported, and waited for.
test_slow()
{
	echo 200 >"/sys/block/$1/queue/io_timeout"
	timeout $((60 * patience)) dd if="/dev/$1" of=/dev/null bs=4k count=4 \
		iflag=direct 2>/dev/null
	slow=$?
	echo 30000 >"/sys/block/$1/queue/io_timeout"
	[ $slow -eq 0 ] && logged "\[$1\] req.*no answer for .* s to request"
}

# Every third allocation that may not sleep fails, on the way to the driver and in it.
test_no_memory()
{
	local fail=/sys/kernel/debug/failslab bad=0

	echo Y >$fail/task-filter
	echo 0 >$fail/verbose
	echo -1 >$fail/times
	echo 30 >$fail/probability
	(
		echo 1 >/proc/self/make-it-fail
		timeout $((60 * patience)) fio --name=no-memory --filename="/dev/$1" --size=4m \
			--rw=randwrite --bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=16 \
			--verify=crc32c --verify_fatal=1 --minimal >/dev/null &&
		timeout $((60 * patience)) /bin/blkdiscard -o $MiB -l $MiB "/dev/$1"
	) || bad=1
	echo 0 >$fail/probability
	return $bad
}

# Not those that wait for room in the ring
in_flight() { cat "/sys/kernel/debug/block/$1"/hctx*/busy | grep -c state=in_flight; }
has_many_in_flight() { [ "$(in_flight "$1")" -ge 128 ]; }

# A slow disk has all requests that it may have.
test_deep()
{
	timeout $((60 * patience)) fio --name=deep --filename="/dev/$1" --size=4m --io_size=1m \
		--rw=randread --bs=4k --direct=1 --ioengine=libaio --iodepth=256 \
		--iodepth_batch=16 --minimal >/dev/null &
	load=$!
	wait_for 10 has_many_in_flight "$1"
	deep=$?
	wait $load && [ $deep -eq 0 ]
}

is_read_only()
{
	[ "$(cat "/sys/block/$1/ro")" = 1 ] &&
		! dd if=/tmp/data of="/dev/$1" bs=4k count=1 2>/dev/null
}

# The base's driver takes its disks, which ours has found. They come first: both
# drivers count from vda.
give_to_base()
{
	local devices=

	for disk in $(base_disks); do
		devices="$devices $(basename "$(virtio_of "/sys/block/$disk/device")")"
	done
	for device in $devices; do
		echo "$device" >/sys/bus/virtio/drivers/virtio_blk/unbind || return 1
	done
	load_module blk_base poll_queues=1 &&
		[ "$(base_disks | wc -w)" -eq "$(echo "$devices" | wc -w)" ]
}

exec 3>&1
if [ -n "$(base_disks)" ]; then
	check "the base's driver takes its disks" give_to_base
fi
dd if=/dev/urandom of=/tmp/data bs=$MiB count=4 2>/dev/null

for disk in $(disks); do
	name=$(disk_serial "$disk")
	check "$name: $disk is what it is to be" disk_is_what_it_says "$disk"
	check "$name: interrupts go where requests come from" test_affinity "$disk"
done
# Nothing else runs next to a disk and its twin, so that they can be compared.
# shellcheck disable=SC2046 # a list of words
if [ -n "$(base_disks)" ]; then
	for disk in $(disks); do
		fio_at_once "$disk" "$(disk_by_serial "$(disk_serial "$disk")-b")"
	done
else
	fio_in_fours $(disks)
fi
if grep -q 'swiotlb=.*force' /proc/cmdline; then
	check "what goes through the DMA API has been copied" has_copied
fi

for disk in $(disks); do
	name=$(disk_serial "$disk")
	check "$name: discarded data is gone, its neighbours are not" test_discard "$disk"
	check "$name: zeroes are written" test_zeroes "$disk"
	check "$name: the cache is flushed" test_flush "$disk"
	check "$name: a file system is written and mounted again" test_ext4 "$disk"
	check "$name: it grows under load, and user space is told" test_resize "$disk"
done
for name in deep-split-i-e-d deep-packed-i-e-d; do
	if disk=$(disk_by_serial $name); then
		check "$name: 128 requests are under way at once" test_deep "$disk"
	fi
done
if [ "${only:-}" != rings ]; then
	check "requests wait for memory to copy to" \
		test_no_swiotlb "slow-d slow-d-i slow-d-packed slow-d-i-packed"
	check "the cache type can be read and set" test_cache_type "$(disk_by_serial packed-i)"
	check "a read-only disk takes no data" is_read_only "$(disk_by_serial read-only)"
	check "slow requests are reported, and waited for" test_slow "$(disk_by_serial slow)"
	# The last, as without memory the kernel's own checks give up.
	if [ -e /sys/kernel/debug/failslab ]; then
		for disk in $(disks); do
			check "$(disk_serial "$disk"): without memory it goes on later" \
				test_no_memory "$disk"
		done
	fi
fi
check "the kernel has found no fault in itself" no_fault
plan
