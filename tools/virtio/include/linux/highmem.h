/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_HIGHMEM_H
#define _SHIM_LINUX_HIGHMEM_H
/* What the base's bvec.h names: there is no high memory, and no need to map it. */
#include <linux/mm.h>
#include <linux/pfn.h>

static inline bool PageHighMem(const struct page *page)
{
	return false;
}

unsigned long page_to_pfn(const struct page *page);
void *kmap_local_page(struct page *page);
void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len);
void memcpy_to_page(struct page *page, size_t offset, const char *from,
		    size_t len);
void memzero_page(struct page *page, size_t offset, size_t len);

#endif
