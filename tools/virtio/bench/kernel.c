// SPDX-License-Identifier: GPL-2.0-only
/* What is out of line in a kernel; compiled as the core is */
#include "kernel.h"
#include <stdio.h>
#include <time.h>

unsigned long vmemmap_base = 0x100000000000UL;
unsigned long page_offset_base;
unsigned long phys_base;

void bench_complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("bench: the core complains: ", stderr);
	vfprintf(stderr, fmt, args);
	va_end(args);
	exit(1);
}

void bench_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "bench: %s in %s, line %d\n", what, file, line);
	exit(1);
}

void bench_warn(const char *file, int line)
{
	fprintf(stderr, "bench: warning in %s, line %d\n", file, line);
}

ktime_t ktime_get(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

struct scatterlist *sg_next(struct scatterlist *sg)
{
	struct scatterlist *next = sg + 1;

	if (sg_is_last(sg))
		return NULL;
	return unlikely(sg_is_chain(next)) ? sg_chain_ptr(next) : next;
}

int sg_nents(struct scatterlist *sg)
{
	int n;

	for (n = 0; sg; sg = sg_next(sg))
		n++;
	return n;
}

void sg_init_table(struct scatterlist *sg, unsigned int n)
{
	memset(sg, 0, n * sizeof(*sg));
	sg_mark_end(&sg[n - 1]);
}

void sg_init_one(struct scatterlist *sg, const void *p, unsigned int len)
{
	sg_init_table(sg, 1);
	sg_set_buf(sg, p, len);
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page,
			      size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t addr = page_to_phys(page) + offset;
	dma_addr_t last = addr + size - 1;

	if (unlikely(dir == DMA_NONE || !dev->dma_mask))
		return DMA_MAPPING_ERROR;
	if (unlikely(last > *dev->dma_mask ||
		     (dev->bus_dma_limit && last > dev->bus_dma_limit)))
		return DMA_MAPPING_ERROR;
	return addr;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	BUG_ON(dir == DMA_NONE);
}

static void *zeroed_pages(size_t size)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_ALIGN(size));

	return p ? memset(p, 0, PAGE_ALIGN(size)) : NULL;
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	return zeroed_pages(size);
}

void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	return zeroed_pages(size);
}

void free_pages_exact(void *p, size_t size)
{
	free(p);
}

void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr,
			 gfp_t gfp)
{
	void *p = zeroed_pages(size);

	*addr = virt_to_phys(p);
	return p;
}

void dma_free_coherent(struct device *dev, size_t size, void *p,
		       dma_addr_t addr)
{
	free(p);
}

/* The device offers what the driver asks for. */
struct virtio_device;

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}
