/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_DMA_MAPPING_H
#define _SHIM_LINUX_DMA_MAPPING_H
/* The DMA API on the pretended IOMMU of dma.c: see shim.h. */
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/mm.h>

#define DMA_ATTR_SKIP_CPU_SYNC	(1UL << 5)
#define DMA_MAPPING_ERROR	(~(dma_addr_t)0)

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs);
int dma_mapping_error(struct device *dev, dma_addr_t addr);
bool dma_need_sync(struct device *dev, dma_addr_t addr);
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);
void dma_sync_single_for_device(struct device *dev, dma_addr_t addr,
				size_t size, enum dma_data_direction dir);
void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr,
			 gfp_t gfp);
void dma_free_coherent(struct device *dev, size_t size, void *cpu,
		       dma_addr_t addr);
size_t dma_max_mapping_size(struct device *dev);

#define dma_map_page(dev, page, offset, size, dir) \
	dma_map_page_attrs(dev, page, offset, size, dir, 0)
#define dma_unmap_page(dev, addr, size, dir) \
	dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_map_single_attrs(dev, p, size, dir, attrs) \
	dma_map_page_attrs(dev, virt_to_page(p), offset_in_page(p), size, \
			   dir, attrs)
#define dma_unmap_single_attrs(dev, addr, size, dir, attrs) \
	dma_unmap_page_attrs(dev, addr, size, dir, attrs)
#define dma_map_single(dev, p, size, dir) \
	dma_map_single_attrs(dev, p, size, dir, 0)
#define dma_unmap_single(dev, addr, size, dir) \
	dma_unmap_single_attrs(dev, addr, size, dir, 0)
#define dma_sync_single_range_for_cpu(dev, addr, offset, size, dir) \
	dma_sync_single_for_cpu(dev, (addr) + (offset), size, dir)
#define dma_sync_single_range_for_device(dev, addr, offset, size, dir) \
	dma_sync_single_for_device(dev, (addr) + (offset), size, dir)

#endif
