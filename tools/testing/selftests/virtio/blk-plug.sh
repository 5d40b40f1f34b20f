#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A disk of vhost-user-blk (vda), two that come and go under load, and a reboot
# with I/O in flight: the last load goes on when this ends.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs_host
needs fio

# 6.12's pciehp takes its locks in two orders when a device is plugged in. Lockdep
# says so, and nothing more after that.
FAULTS='cut here|BUG[: ]|KASAN'

is_gone() { ! disk_by_serial "$1" >/dev/null; }

test_vhost()
{
	local dir jobs

	dir=$(virtio_of /sys/block/vda/device) && jobs=$(fio_jobs vda) || return 1
	echo "$jobs" | while read -r name bytes rate; do
		row "vhost-user $name" "$dir" "$bytes" yes "$rate" >&3
	done
}

# Two disks, so that their waits overlap
round()
{
	for serial in $serials; do
		ask_host plug $serial
	done
	for serial in $serials; do
		check "round $1: $serial is plugged in" wait_for 30 disk_by_serial $serial
	done
	loads=
	for serial in $serials; do
		load "$(disk_by_serial $serial)"
		loads="$loads $load"
	done
	sleep 1
	for serial in $serials; do
		ask_host unplug $serial
	done
	for serial in $serials; do
		check "round $1: $serial is unplugged under load" wait_for 60 is_gone $serial
	done
	for load in $loads; do
		check "round $1: its I/O has ended" wait_for 20 has_ended $load
	done
}

pattern() { yes "$1" | head -c $((8 * MiB)); }

# Host storage takes a second for each request: none that is dirty is lost because the
# disk is to be unplugged, though all of them wait for longer than they may.
test_slow_unplug()
{
	ask_host plug slow
	check "slow: it is plugged in" wait_for 30 disk_by_serial slow
	disk=$(disk_by_serial slow)
	echo 500 >"/sys/block/$disk/queue/io_timeout"
	# Who closes a disk last writes what is dirty.
	sleep 1000 <"/dev/$disk" &
	holder=$!
	pattern slow | dd of="/dev/$disk" bs=$MiB conv=notrunc 2>/dev/null
	check "slow: there is something to write back" \
		[ "$(awk '/^Dirty:/ { print $2 }' /proc/meminfo)" -gt 4096 ]
	ask_host unplug slow
	check "slow: it is unplugged" wait_for 60 is_gone slow
	check "slow: it was waited for" logged "no answer for"
	check "slow: it was not given up" refuse logged "lost the device"
	kill $holder
	ask_host compare slow
}

exec 3>&1
serials="split-i-e packed-i-e-q4"
check "vhost-user-blk: fio verifies what it wrote" test_vhost
round 1
round 2
test_slow_unplug
check "the kernel has found no fault in itself" no_fault
load vda
check "I/O is in flight when the guest reboots" wait_for 10 is_busy vda
plan
