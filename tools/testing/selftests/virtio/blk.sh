#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# All virtio disks of the guest: data, and all that is not data. All disks work at
# the same time. $only=fio leaves out the rest.

. /tests/lib.sh
. /tests/blk-lib.sh

# The results of what runs in the background: each disk has a file.
test_fio()
{
	local disk=$1 jobs dir

	dir=$(virtio_of "/sys/block/$disk/device")
	jobs=$(fio_jobs "$disk") || return 1
	echo "$jobs" | while read -r name bytes rate; do
		row "$(disk_serial "$disk") $name" "$dir" "$bytes" yes "$rate"
	done
}

start_fio()
{
	for disk in $(disks); do
		{ test_fio "$disk" >"/tmp/$disk.rows" && echo ok >"/tmp/$disk.ok"; } &
	done
	wait
	for disk in $(disks); do
		cat "/tmp/$disk.rows"
		check "$(disk_serial "$disk"): fio verifies what it wrote" [ -e "/tmp/$disk.ok" ]
	done
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
	timeout 60 fio --name=resize --filename="/dev/$disk" --size=24m --rw=randwrite --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 --minimal >/dev/null &
	load=$!
	sleep 0.5
	# not through check's standard output
	echo "# host resize $disk $((sectors * 512))" >&3
	wait_for 20 size_is "$disk" $sectors && wait_for 10 has_resize_event "$disk"
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
	timeout 60 dd if="/dev/$1" of=/dev/null bs=4k count=4 iflag=direct 2>/dev/null
	slow=$?
	echo 30000 >"/sys/block/$1/queue/io_timeout"
	[ $slow -eq 0 ] && dmesg | grep -q "\[$1\] req.*no answer for .* s to request"
}

is_read_only() { ! dd if=/tmp/data of="/dev/$1" bs=4k count=1 2>/dev/null; }

exec 3>&1
dd if=/dev/urandom of=/tmp/data bs=$MiB count=4 2>/dev/null

for disk in $(disks); do
	check "$(disk_serial "$disk"): $disk is what it is to be" disk_is_what_it_says "$disk"
done
start_fio
if [ "$only" = fio ]; then
	plan
	exit
fi

for disk in $(disks); do
	name=$(disk_serial "$disk")
	check "$name: discarded data is gone, its neighbours are not" test_discard "$disk"
	check "$name: zeroes are written" test_zeroes "$disk"
	check "$name: the cache is flushed" test_flush "$disk"
	check "$name: a file system is written and mounted again" test_ext4 "$disk"
	check "$name: it grows under load, and user space is told" test_resize "$disk"
done
check "the cache type can be read and set" test_cache_type "$disk"
if disk=$(disk_by_serial read-only); then
	check "a read-only disk takes no data" is_read_only "$disk"
fi
if disk=$(disk_by_serial slow); then
	check "slow requests are reported, and waited for" test_slow "$disk"
fi
plan
