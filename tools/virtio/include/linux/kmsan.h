/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KMSAN_H
#define _SHIM_LINUX_KMSAN_H
#include <linux/dma-direction.h>
#include <linux/types.h>

/* Checks that memory which is not mapped for DMA is announced to KMSAN. */
void kmsan_handle_dma(struct page *page, size_t offset, size_t size,
		      enum dma_data_direction dir);

#endif
