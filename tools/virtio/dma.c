// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pretended IOMMU.  DMA addresses have nothing in common with addresses in
 * memory, each mapping has a window of its own, and no address comes back soon
 * after it was unmapped. What a driver or device may not do ends the test:
 * unmap twice or with another size or direction, touch what isn't mapped or
 * not mapped for that direction.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <stdlib.h>
#include <string.h>
#include "shim.h"
#include "test.h"

#define WINDOW_SHIFT	24
#define WINDOW_MASK	((1ULL << WINDOW_SHIFT) - 1)
#define SLOTS		(1U << 16)
#define BOUNCE_MAX	(256 << 10)

struct mapping {
	struct device *dev;	/* NULL: unused */
	void *cpu;		/* the driver's memory */
	void *io;		/* what the device sees: the same, or a copy */
	size_t size;
	enum dma_data_direction dir;
	bool coherent;
	u32 generation;		/* part of the address */
	u32 next;		/* in the list of unused ones */
};

static struct mapping slots[SLOTS];
static u32 slots_used = 1;
static u32 free_first, free_last; /* a FIFO: reuse an address late */

static struct mapping *slot_get(dma_addr_t *addr)
{
	struct mapping *map;
	u32 slot;

	if (slots_used < SLOTS) {
		slot = slots_used++;
	} else {
		slot = free_first;
		check(slot, "more mappings than the IOMMU has room for");
		free_first = slots[slot].next;
	}
	map = &slots[slot];
	*addr = (dma_addr_t)(map->generation & 0x7fff) << 48 |
		(dma_addr_t)slot << WINDOW_SHIFT;
	return map;
}

static void slot_put(struct mapping *map)
{
	u32 slot = map - slots;

	map->dev = NULL;
	map->generation++;
	map->next = 0;
	if (free_first)
		slots[free_last].next = slot;
	else
		free_first = slot;
	free_last = slot;
}

/* The mapping that @addr is in, NULL if there is none */
static struct mapping *lookup(dma_addr_t addr)
{
	u64 slot = addr >> WINDOW_SHIFT & 0xffffff;
	struct mapping *map;

	if (!slot || slot >= slots_used)
		return NULL;
	map = &slots[slot];
	if (!map->dev || addr >> 48 != (map->generation & 0x7fff) ||
	    (addr & WINDOW_MASK) >= map->size)
		return NULL;
	return map;
}

static void *offset_of(const struct mapping *map, void *base, dma_addr_t addr)
{
	return base + (addr & WINDOW_MASK);
}

/* The driver's side */

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct mapping *map;
	dma_addr_t addr;

	check(dev, "mapping for no device");
	check(dir == DMA_TO_DEVICE || dir == DMA_FROM_DEVICE ||
	      dir == DMA_BIDIRECTIONAL, "mapping with direction %d", dir);
	check(size && size <= WINDOW_MASK, "mapping of %zu bytes", size);
	shim.map_calls++;
	if (shim.map_fail_at && !--shim.map_fail_at)
		return DMA_MAPPING_ERROR;
	if (shim.bounce && size > BOUNCE_MAX)
		return DMA_MAPPING_ERROR;

	map = slot_get(&addr);
	map->dev = dev;
	map->cpu = page_address(page) + offset;
	map->io = map->cpu;
	map->size = size;
	map->dir = dir;
	map->coherent = false;
	if (shim.bounce) {
		map->io = malloc(size);
		if (attrs & DMA_ATTR_SKIP_CPU_SYNC)
			memset(map->io, 0x5a, size);
		else
			memcpy(map->io, map->cpu, size);
	}
	shim.map_live++;
	return addr;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct mapping *map = lookup(addr);

	check(map, "unmap of %#llx, which is not mapped",
	      (unsigned long long)addr);
	check(!map->coherent, "unmap of coherent memory");
	check(map->dev == dev, "unmap for another device");
	check(!(addr & WINDOW_MASK), "unmap not from the start");
	check(map->size == size, "unmap of %zu bytes that were mapped as %zu",
	      size, map->size);
	check(map->dir == dir, "unmap with direction %d of a mapping with %d",
	      dir, map->dir);
	if (map->io != map->cpu) {
		if (dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
			memcpy(map->cpu, map->io, size);
		free(map->io);
	}
	slot_put(map);
	shim.map_live--;
}

int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

bool dma_need_sync(struct device *dev, dma_addr_t addr)
{
	const struct mapping *map = lookup(addr);

	check(map, "need_sync of what is not mapped");
	return map->io != map->cpu;
}

static struct mapping *lookup_sync(struct device *dev, dma_addr_t addr,
				   size_t size)
{
	struct mapping *map = lookup(addr);

	check(map && !map->coherent && map->dev == dev,
	      "sync of what is not mapped");
	check((addr & WINDOW_MASK) + size <= map->size,
	      "sync beyond the mapping");
	return map;
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	struct mapping *map = lookup_sync(dev, addr, size);

	if (map->io != map->cpu && dir != DMA_TO_DEVICE)
		memcpy(offset_of(map, map->cpu, addr),
		       offset_of(map, map->io, addr), size);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr,
				size_t size, enum dma_data_direction dir)
{
	struct mapping *map = lookup_sync(dev, addr, size);

	if (map->io != map->cpu && dir != DMA_FROM_DEVICE)
		memcpy(offset_of(map, map->io, addr),
		       offset_of(map, map->cpu, addr), size);
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr,
			 gfp_t gfp)
{
	struct mapping *map;
	size_t bytes = PAGE_ALIGN(size);

	check(dev, "coherent memory for no device");
	check(size && bytes <= WINDOW_MASK, "%zu bytes of coherent memory", size);
	check(gfpflags_allow_blocking(gfp),
	      "coherent memory in a context that may not sleep");
	if (shim_alloc_fails())
		return NULL;
	map = slot_get(addr);
	map->dev = dev;
	/* Always zeroed, as in the kernel. Not a byte more than asked for. */
	map->cpu = NULL;
	if (posix_memalign(&map->cpu, PAGE_SIZE, size))
		check(false, "out of memory");
	memset(map->cpu, 0, size);
	map->io = map->cpu;
	map->size = size;
	map->dir = DMA_BIDIRECTIONAL;
	map->coherent = true;
	shim.coherent_live++;
	return map->cpu;
}

void dma_free_coherent(struct device *dev, size_t size, void *cpu,
		       dma_addr_t addr)
{
	struct mapping *map = lookup(addr);

	check(map && map->coherent, "free of no coherent memory");
	check(map->dev == dev && map->size == size && map->cpu == cpu,
	      "free of coherent memory does not match its allocation");
	free(cpu);
	slot_put(map);
	shim.coherent_live--;
}

size_t dma_max_mapping_size(struct device *dev)
{
	return BOUNCE_MAX;
}

/* The device's side */

void *shim_dma_to_cpu(dma_addr_t addr, size_t len, enum dma_data_direction dir)
{
	struct mapping *map = lookup(addr);

	check(map, "device: access to %#llx, which is not mapped",
	      (unsigned long long)addr);
	check((addr & WINDOW_MASK) + len <= map->size,
	      "device: access to %zu bytes at %llu of a mapping of %zu", len,
	      (unsigned long long)(addr & WINDOW_MASK), map->size);
	check(map->dir == DMA_BIDIRECTIONAL || map->dir == dir ||
	      dir == DMA_NONE,
	      "device: access against the direction of the mapping");
	return offset_of(map, map->io, addr);
}

void *shim_phys_to_cpu(dma_addr_t addr, size_t len)
{
	check(addr >= shim_phys_offset && addr + len >= addr,
	      "device: %#llx is no physical address", (unsigned long long)addr);
	return phys_to_virt(addr);
}

size_t shim_dma_span(dma_addr_t addr)
{
	const struct mapping *map = lookup(addr);

	return map ? map->size - (addr & WINDOW_MASK) : 0;
}
