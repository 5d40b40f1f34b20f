/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VRINGH_LINUX_SLAB_H
#define _VRINGH_LINUX_SLAB_H
/* vringh's own memory isn't the core's: it doesn't count and doesn't fail. */
#include <linux/gfp.h>
#include <stdlib.h>
#include <string.h>

#define kmalloc_array(n, size, gfp)	calloc(n, size)
#define krealloc_array(p, n, size, gfp)	reallocarray(p, n, size)
#define kfree(p)			free(p)

#endif
