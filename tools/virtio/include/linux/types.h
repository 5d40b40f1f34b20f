/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H
/* The types that the base's tools/include lacks and the core uses. */
#include_next <linux/types.h>
#include <endian.h>
#include <limits.h>
#include <sys/types.h>

/* The C library defines both: headers of the kernel ask which one is there. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#undef __LITTLE_ENDIAN
#endif

typedef u64 dma_addr_t;
typedef u64 sector_t;
typedef unsigned long kernel_ulong_t;

#endif
