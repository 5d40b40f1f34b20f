#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Suspend and resume, as far as each level of pm_test goes, while all disks verify
# what they write.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs fio
needs_that "disks whose serial numbers say what they are" [ -n "$(disks)" ]
needs_that "a kernel with pm_test" [ -e /sys/power/pm_test ]

verified_load()
{
	timeout $((200 * patience)) fio --name="$1" --filename="/dev/$1" --size=4m --rw=randwrite \
		--bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c \
		--verify_fatal=1 --loops=1000 --time_based --runtime="$2" --minimal \
		>"/tmp/$1.terse"
}

suspend()
{
	echo "$1" >/sys/power/pm_test && echo mem >/sys/power/state
}

# Larger than the memory that it is copied through: in pieces it must fit, one by one.
test_large_write()
{
	timeout $((60 * patience)) fio --name=large --filename="/dev/$1" --size=4m --rw=write \
		--bs=2m --direct=1 --ioengine=psync --verify=crc32c --verify_fatal=1 --minimal \
		>/dev/null
}

are_back() { [ "$(bounce_buffers)" -le "$before" ]; }

for disk in $(disks); do
	check "$(disk_serial "$disk"): writes larger than all bounce buffers" test_large_write \
		"$disk"
done
before=$(bounce_buffers)
for disk in $(disks); do
	{ verified_load "$disk" $((40 * patience)) && echo ok >"/tmp/$disk.ok"; } &
done
sleep 2
# The level freezer keeps the devices running, the others stop and restart them.
for level in freezer devices platform processors core; do
	check "suspend up to $level, and resume" suspend $level
	sleep 1
done
wait
for disk in $(disks); do
	check "$(disk_serial "$disk"): the data is right after all that" [ -e "/tmp/$disk.ok" ]
	check "$(disk_serial "$disk"): $disk is what it was" disk_is_what_it_says "$disk"
done
check "all bounce buffers are back" wait_for 10 are_back
check "there are as many requests as the module was told" \
	[ "$(cat "/sys/block/$disk/mq/0/nr_tags")" -eq 32 ]
check "the kernel has found no fault in itself" no_fault
plan
