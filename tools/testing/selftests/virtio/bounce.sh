#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Little memory for bounce buffers, through which all goes that uses the DMA API: disks,
# SCSI disks and the network want more of it than there is, for $seconds. No request
# fails, none waits for ever, and at the end all of the memory is back.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh
. ./load-lib.sh

needs_host
needs_that "bounce buffers for all, as with swiotlb=force" grep -q 'swiotlb=.*force' /proc/cmdline

: "${seconds:=60}"
net=/sys/bus/virtio/drivers/virtio_net

are_back() { [ "$(bounce_buffers)" -le "$before" ]; }

nic=$(basename "$(virtio_of /sys/class/net/eth0/device)")
echo "$nic" >$net/unbind
verify_disks 1
wait $verifiers
before=$(bounce_buffers)

echo "$nic" >$net/bind
check "the network is up" network_is_up
verify_disks "$seconds"
check "the network: all that was sent comes back" echo_for "$seconds"
wait $verifiers
for disk in $disks; do
	check "$disk: no request failed, and the data is right" disk_is_well "$disk"
done
check "there was often no memory" logged "swiotlb buffer is full"
check "no request failed that was tried again" refuse logged "I/O error"

verify_disks 2
wait $verifiers
for disk in $disks; do
	check "$disk: works as before" disk_is_well "$disk"
done
check "the network works as before" echoes
echo "$nic" >$net/unbind
check "all bounce buffers are back" wait_for 10 are_back
check "the kernel has found no fault in itself" no_fault
plan
