#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rings, tested by the KUnit suite in ring_kunit/, in a guest that was booted with
# swiotlb=force: all that goes through the DMA API is copied to bounce buffers.

. /tests/lib.sh
. /tests/kunit.sh

bounce_buffers() { cat /sys/kernel/debug/swiotlb/io_tlb_used; }

used=$(bounce_buffers)
check "the module with the tests is loaded" insmod /tests/virtio_ring_test.ko
kunit_suite virtio_ring rings
check "bounce buffers were used" sh -c "dmesg | grep 'swiotlb buffer is full'"
check "none is left over ($used)" [ "$(bounce_buffers)" = "$used" ]
check "the module is unloaded" timeout 20 rmmod virtio_ring_test

# The sample driver of Documentation/virtio/write-a-driver.rst, on QEMU's device
sample() { timeout 20 dd if=/sys/kernel/debug/virtio_sample bs=64 count=1 | od -An -tx1; }
differs()
{
	local first second

	first=$(sample) && second=$(sample) && [ "$(echo "$first" | wc -w)" = 64 ] && [ "$first" != "$second" ]
}
dir=$(virtio_by_driver virtio_rng)
check "sample driver: the device is free" sh -c "echo ${dir##*/} >/sys/bus/virtio/drivers/virtio_rng/unbind"
check "sample driver: it is loaded" insmod /tests/virtio_sample.ko
check "sample driver: it has the device" [ "$(virtio_by_driver virtio_sample)" = "$dir" ]
check "sample driver: 64 bytes come, and others the next time" differs
check "sample driver: it is unloaded" timeout 20 rmmod virtio_sample

check "the kernel found no fault" [ "$(warnings)" = 0 ]
plan
