/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H
/* Memory that is counted and can be made to fail: see shim.h. */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>

void *shim_alloc(size_t n, size_t size, gfp_t gfp);
void shim_free(const void *p);

#define kmalloc(size, gfp)		shim_alloc(1, size, gfp)
#define kzalloc(size, gfp)		shim_alloc(1, size, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, size, gfp)	shim_alloc(n, size, gfp)
#define kcalloc(n, size, gfp)		shim_alloc(n, size, (gfp) | __GFP_ZERO)
#define kzalloc_node(size, gfp, node)	({ (void)(node); kzalloc(size, gfp); })
#define kvmalloc_node(size, gfp, node)	({ (void)(node); kmalloc(size, gfp); })
#define kfree(p)			shim_free(p)
#define kvfree(p)			shim_free(p)

#endif
