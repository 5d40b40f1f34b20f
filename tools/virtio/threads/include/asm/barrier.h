/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _THREADS_ASM_BARRIER_H
#define _THREADS_ASM_BARRIER_H
/*
 * Barriers between threads. ThreadSanitizer doesn't know fences, so they are
 * told to it as releases and acquires of one object that all threads share: it
 * then finds an access that no barrier separates from one of another thread,
 * though not that a barrier is too weak or was meant for something else.
 */
#include <linux/compiler.h>

enum shim_barrier { SHIM_MB, SHIM_RMB, SHIM_WMB, SHIM_BARRIERS };

#ifdef __SANITIZE_THREAD__
extern char threads_order;
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);

#define order_acquire()	__tsan_acquire(&threads_order)
#define order_release()	__tsan_release(&threads_order)
#define order_fence()	do { } while (0)
#else
#define order_acquire()	do { } while (0)
#define order_release()	do { } while (0)
#define order_fence()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

static inline void virt_mb(void)
{
	order_release();
	order_fence();
	order_acquire();
}

static inline void virt_rmb(void)
{
	barrier();
	order_acquire();
}

static inline void virt_wmb(void)
{
	order_release();
	barrier();
}

#define mb()		virt_mb()
#define dma_rmb()	virt_rmb()
#define dma_wmb()	virt_wmb()
#define virt_store_mb(var, value) \
	do { WRITE_ONCE(var, value); virt_mb(); } while (0)

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#endif
