// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the queue that ring.h describes: this kernel's, mapped by its DMA
 * API. tools/virtio has a pretended IOMMU in its place.
 */
#include <kunit/device.h>
#include <kunit/test-bug.h>
#include <linux/dma-direct.h>
#include <linux/swiotlb.h>
#include "ring.h"
#include "shim.h"

/* The device reaches memory as a CPU does. */

void *shim_dma_to_cpu(dma_addr_t addr, size_t len, enum dma_data_direction dir)
{
	struct ring *ring = kunit_get_current_test()->priv;

	return phys_to_virt(dma_to_phys(ring->parent, addr));
}

void *shim_phys_to_cpu(dma_addr_t addr, size_t len)
{
	return phys_to_virt(addr);
}

bool ring_bounces(const struct ring *ring)
{
	return ring->config & RING_ACCESS &&
	       is_swiotlb_force_bounce(ring->parent);
}

void ring_init_memory(struct ring *ring)
{
	ring->parent = kunit_device_register(ring->test, "ring");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(ring->test, ring->parent);
	ring->parent->dma_mask = &ring->parent->coherent_dma_mask;
	KUNIT_ASSERT_EQ(ring->test, 0,
			dma_set_mask_and_coherent(ring->parent,
						  DMA_BIT_MASK(64)));
	ring->vdev.dev.init_name = "ring_test";
}
