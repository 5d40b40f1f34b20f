#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The block driver on queues that are no rings: the module of
# test_modules/queue_without_ring/ brings a disk in memory, and a driver that tests what
# each op has to do.

cd "$(dirname "$0")" && . ./lib.sh || exit

needs fio
needs_module virtio_messages
needs_that "a machine without virtio disks: the first one is to be that of the module" \
	[ -z "$(virtio_by_driver virtio_blk)" ]

parameters=/sys/module/virtio_messages/parameters
driver=/sys/bus/virtio/drivers/virtio_blk
MiB=1048576

# Each line that the contract driver printed is one result.
contract_results()
{
	dmesg | sed -n 's/.*contract: \(not ok\|ok\) /\1 /p' >/tmp/contract
	while read -r result rest; do
		case $result in
		ok)  ok "op contract: $rest" ;;
		not) not_ok "op contract: ${rest#ok }" ;;
		esac
	done </tmp/contract
	check "op contract: all checks ran, none failed" \
		sh -c "dmesg | grep 'contract: $(wc -l </tmp/contract) checks, 0 failed'"
}

find_disk()
{
	dir=$(virtio_by_driver virtio_blk) &&
	disk=/dev/$(ls "$dir/block") &&
	[ -b "$disk" ]
}

has_no_ring_feature()
{
	local bit

	for bit in 28 29 34 35 40; do
		has_feature "$dir" $bit && return 1
	done
	has_feature "$dir" 32
}

# Random data through the queue and back, without the page cache.
same_data()
{
	timeout 60 dd if=/tmp/data of="$disk" bs=512k oflag=direct conv=fsync &&
	echo 3 >/proc/sys/vm/drop_caches &&
	timeout 60 dd if="$disk" bs=512k count=16 iflag=direct of=/tmp/back &&
	cmp /tmp/data /tmp/back
}

# verified_by_fio DEPTH [OPTION...]
verified_by_fio()
{
	local depth=$1

	shift
	timeout 90 fio --name=io --filename="$disk" --direct=1 --ioengine=io_uring \
		--rw=randrw --bs=4k --iodepth="$depth" --size=8m \
		--verify=crc32c --verify_fatal=1 "$@"
}

rebind()
{
	local name=${dir##*/}

	echo "$name" >$driver/unbind &&
	! [ -b "$disk" ] &&
	echo "$name" >$driver/bind &&
	wait_for 5 find_disk
}

# No I/O may hang: errors have to come in time.
io_fails()
{
	timeout 10 dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct
	# 143: it was killed
	[ $? = 1 ]
}

load()
{
	load_module virtio_messages "$@" && wait_for 5 find_disk
}

dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null

# the first disk of this guest is the one on queues without rings
check "a transport whose queues are no rings is loaded" load
contract_results
check "the block driver is bound and negotiated no feature of a ring" has_no_ring_feature
check "the serial number comes through the queue" [ "$(cat "$dir"/block/*/serial)" = no-ring ]
check "data is written, read back and the same" same_data
check "fio verifies its data, one request at a time" verified_by_fio 1 --bs=512 --size=1m
check "fio verifies its data, 8 requests" verified_by_fio 8
check "fio verifies its data, 32 requests" verified_by_fio 32 --bs=16k
check "fio verifies its data, requests larger than the queue" \
	verified_by_fio 8 --bs=512k --size=16m
check "fio verifies its data, two jobs on two queues" \
	verified_by_fio 8 --numjobs=2 --offset_increment=16m

echo 1 >$parameters/reverse
check "buffers come back in another order: fio verifies its data" verified_by_fio 16
echo 0 >$parameters/reverse
echo 7 >$parameters/fail_start
check "every 7th buffer finds no memory: fio verifies its data" verified_by_fio 16
echo 0 >$parameters/fail_start
# more than a request has elements: the next try succeeds
echo 67 >$parameters/fail_add
check "every 67th element finds no memory: fio verifies its data" verified_by_fio 16
echo 0 >$parameters/fail_add

check "data is written once more" same_data
check "the driver is unbound and bound again" rebind
check "afterwards the data is the same" cmp -n $((8 * MiB)) /tmp/data "$disk"
check "afterwards fio verifies its data" verified_by_fio 8

echo 1 >$parameters/cut
check "the disk is unplugged: I/O fails, and in time" io_fails
check "the disk is unplugged: the driver can be unbound, and bound again" rebind
check "with new queues fio verifies its data" verified_by_fio 8

check "the transport is unloaded" timeout 20 rmmod virtio_messages
check "small queues: the transport is loaded" load queue_size=4 queues=1
check "small queues: fio verifies its data" verified_by_fio 8
check "small queues: the transport is unloaded" timeout 20 rmmod virtio_messages

check "the kernel found no fault" sh -c "! dmesg | grep -E 'WARNING|BUG|blocked for more'"
plan
