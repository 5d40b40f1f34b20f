/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_GFP_H
#define _SHIM_LINUX_GFP_H
#include <linux/types.h>
#include <linux/gfp_types.h>

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return (unsigned int)gfp & (unsigned int)__GFP_DIRECT_RECLAIM;
}

void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *virt, size_t size);

#endif
