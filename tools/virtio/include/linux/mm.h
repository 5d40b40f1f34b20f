/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H
/*
 * The pointer to a struct page is the address of the page itself, so any
 * memory can be used for I/O, and there is no struct page to look into.
 * Physical addresses differ from virtual ones: one taken for the other is
 * found out.
 */
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)	ALIGN(x, PAGE_SIZE)

struct page {
	u8 bytes[PAGE_SIZE];
};

struct folio {
	struct page page;
};

extern u64 shim_phys_offset;

#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define virt_to_page(p)		((struct page *)((unsigned long)(p) & PAGE_MASK))
#define page_address(page)	((void *)(page))
#define virt_to_phys(p)		((phys_addr_t)(unsigned long)(p) + shim_phys_offset)
#define phys_to_virt(phys)	((void *)(unsigned long)((phys) - shim_phys_offset))
#define page_to_phys(page)	virt_to_phys(page)
#define nth_page(page, n)	((page) + (n))
#define folio_page(folio, n)	nth_page(&(folio)->page, n)

#endif
