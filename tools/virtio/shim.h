/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_SHIM_H
#define TOOLS_VIRTIO_SHIM_H
/*
 * What tests can see of the small kernel under the core, and make it do.
 */
#include <linux/dma-mapping.h>
#include <asm/barrier.h>

/**
 * struct shim - state of the kernel that the core runs on
 * @alloc_calls: allocations so far, of any kind
 * @alloc_live: allocations that were not freed
 * @alloc_fail_at: count down to the allocation that fails; 0: none does
 * @alloc_fail_all: all allocations fail
 * @map_calls: DMA mappings so far, coherent memory not included
 * @map_live: mappings that were not unmapped
 * @map_fail_at: count down to the mapping that fails; 0: none does
 * @coherent_live: coherent memory that was not freed
 * @bounce: mappings are copies, as with swiotlb
 * @errs: dev_err() so far
 * @dev_warns: dev_warn() so far
 * @dev_infos: dev_info() so far
 * @warns: WARN_ON() that were true so far
 * @last_err: text of the last dev_err()
 * @kmsan_calls: kmsan_handle_dma() so far
 * @barriers: barriers so far, by kind and whether they are the SMP ones
 * @expect_warns: true: a WARN_ON() is what the test wants
 * @point: called where the device may act in the middle of a call of the core
 */
struct shim {
	unsigned long alloc_calls;
	long alloc_live;
	unsigned long alloc_fail_at;
	bool alloc_fail_all;
	unsigned long map_calls;
	long map_live;
	unsigned long map_fail_at;
	long coherent_live;
	bool bounce;
	unsigned int errs;
	unsigned int dev_warns;
	unsigned int dev_infos;
	unsigned int warns;
	char last_err[256];
	unsigned long kmsan_calls;
	unsigned long barriers[SHIM_BARRIERS][2];
	bool expect_warns;
	void (*point)(void);
};

extern struct shim shim;

/* True if this allocation is to fail; counts it. */
bool shim_alloc_fails(void);

/*
 * Where the device finds @len bytes at the address @addr of its own. Ends the
 * test if they aren't mapped for @dir; DMA_NONE: for whatever direction.
 */
void *shim_dma_to_cpu(dma_addr_t addr, size_t len, enum dma_data_direction dir);

/* As shim_dma_to_cpu(), for a device that takes physical addresses. */
void *shim_phys_to_cpu(dma_addr_t addr, size_t len);

/* How many bytes from @addr on are mapped in one piece; 0: not mapped. */
size_t shim_dma_span(dma_addr_t addr);

#endif
