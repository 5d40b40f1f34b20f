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
check "the kernel found no fault" [ "$(warnings)" = 0 ]
plan
