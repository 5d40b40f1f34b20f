/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H
/* The types that the base's tools/include lacks and the core uses. */
#include_next <linux/types.h>
#include <limits.h>
#include <sys/types.h>

typedef u64 dma_addr_t;
typedef u64 sector_t;
typedef unsigned long kernel_ulong_t;

#endif
