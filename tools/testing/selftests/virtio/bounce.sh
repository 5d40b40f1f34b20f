#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Little memory for bounce buffers, through which all goes that uses the DMA API: disks,
# SCSI disks and the network want more of it than there is, for $seconds. No request
# fails, none waits for ever, and at the end all of the memory is back.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs_host
needs fio nc
needs_that "bounce buffers for all, as with swiotlb=force" grep -q 'swiotlb=.*force' /proc/cmdline

: "${seconds:=60}"
net=/sys/bus/virtio/drivers/virtio_net
disks=$(ls /sys/block | grep -E '^(vd|sd)')

# load DISK SECONDS
load()
{
	timeout $(($2 + 120 * patience)) fio --name="$1" --filename="/dev/$1" --size=8m --rw=randwrite \
		--bsrange=4k-256k --direct=1 --ioengine=libaio --iodepth=64 --verify=crc32c --verify_fatal=1 \
		--loops=1000 --time_based --runtime="$2" --minimal >"/tmp/$1.terse"
}

# load_all SECONDS: leaves a file for each disk that is well
load_all()
{
	rm -f /tmp/*.ok
	for disk in $disks; do
		{ load "$disk" "$1" && echo ok >"/tmp/$disk.ok"; } &
	done
}

is_well() { [ -e "/tmp/$1.ok" ]; }

echoes()
{
	timeout $((60 * patience)) nc 10.0.2.100 7 </tmp/data >/tmp/back && cmp /tmp/data /tmp/back
}

# The host echoes what comes to this port.
echo_for()
{
	local start=$(now)

	while [ $(($(now) - start)) -lt $(($1 * 100)) ]; do
		echoes || return 1
	done
}

network_is_up() { ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up && wait_for 10 ping -c 1 -W 1 10.0.2.2; }
are_back() { [ "$(bounce_buffers)" -le "$before" ]; }

nic=$(basename "$(virtio_of /sys/class/net/eth0/device)")
echo "$nic" >$net/unbind
load_all 1
wait
before=$(bounce_buffers)

dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
echo "$nic" >$net/bind
check "the network is up" network_is_up
load_all "$seconds"
check "the network: all that was sent comes back" echo_for "$seconds"
wait
for disk in $disks; do
	check "$disk: no request failed, and the data is right" is_well "$disk"
done
check "there was often no memory" logged "swiotlb buffer is full"
check "no request failed that was tried again" refuse logged "I/O error"

load_all 2
wait
for disk in $disks; do
	check "$disk: works as before" is_well "$disk"
done
check "the network works as before" echoes
echo "$nic" >$net/unbind
check "all bounce buffers are back" wait_for $((10 * patience)) are_back
check "the kernel has found no fault in itself" no_fault
plan
