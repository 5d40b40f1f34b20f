#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The rings, tested by their KUnit suite as a module; best in a guest that was booted with
# swiotlb=force: all that goes through the DMA API is copied to bounce buffers.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./kunit.sh

needs_module virtio_ring_test
needs_kunit

before=$(warnings)
used=$(bounce_buffers)
check "the module with the tests is loaded" load_module virtio_ring_test
kunit_suite virtio_ring rings
if grep -q swiotlb=force /proc/cmdline; then
	check "bounce buffers were used" sh -c "dmesg | grep 'swiotlb buffer is full'"
else
	skip "bounce buffers were used" "needs swiotlb=force"
fi
check "none is left over ($used)" [ "$(bounce_buffers)" = "$used" ]
check "the module is unloaded" timeout 20 rmmod virtio_ring_test

# The sample driver of Documentation/virtio/write-a-driver.rst, on QEMU's device
sample() { timeout 20 dd if=/sys/kernel/debug/virtio_sample bs=64 count=1 | od -An -tx1; }
differs()
{
	local first second

	first=$(sample) && second=$(sample) &&
		[ "$(echo "$first" | wc -w)" = 64 ] && [ "$first" != "$second" ]
}
test_sample()
{
	check "sample driver: the device is free" \
		sh -c "echo ${dir##*/} >/sys/bus/virtio/drivers/virtio_rng/unbind"
	check "sample driver: it is loaded" load_module virtio_sample
	check "sample driver: it has the device" [ "$(virtio_by_driver virtio_sample)" = "$dir" ]
	check "sample driver: 64 bytes come, and others the next time" differs
	check "sample driver: it is unloaded" timeout 20 rmmod virtio_sample
}

if dir=$(virtio_by_driver virtio_rng) && has_module virtio_sample; then
	test_sample
else
	skip "sample driver" "needs a virtio-rng device and the module virtio_sample"
fi

check "the kernel found no fault" [ "$(warnings)" = "$before" ]
plan
