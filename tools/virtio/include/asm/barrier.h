/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_ASM_BARRIER_H
#define _SHIM_ASM_BARRIER_H
/*
 * Barriers are points at which a test can let the device act, and their kinds
 * are counted, so that a test can see which were used.
 */
#include <linux/compiler.h>

enum shim_barrier { SHIM_MB, SHIM_RMB, SHIM_WMB, SHIM_BARRIERS };

/* @smp: the kind for another CPU, not for a device */
void shim_barrier(enum shim_barrier kind, bool smp);

#define mb()		shim_barrier(SHIM_MB, false)
#define dma_rmb()	shim_barrier(SHIM_RMB, false)
#define dma_wmb()	shim_barrier(SHIM_WMB, false)
#define virt_mb()	shim_barrier(SHIM_MB, true)
#define virt_rmb()	shim_barrier(SHIM_RMB, true)
#define virt_wmb()	shim_barrier(SHIM_WMB, true)
#define virt_store_mb(var, value) \
	do { WRITE_ONCE(var, value); virt_mb(); } while (0)

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#endif
