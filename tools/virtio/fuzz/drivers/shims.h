/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_SHIMS_H
#define TOOLS_VIRTIO_FUZZ_SHIMS_H
/*
 * What both drivers need of a kernel, on one CPU and one thread: who would sleep
 * lets the device act instead (host_wait() in host.h), and work waits until the
 * target runs it.
 */
#include <linux/workqueue.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/typecheck.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../test.h"

/* As on machines where a device's writes do not meet the caches */
#define ARCH_DMA_MINALIGN	64
#define ____cacheline_aligned_in_smp
#define PTR_ALIGN(p, a)		((typeof(p))ALIGN((unsigned long)(p), a))
#define DIV_ROUND_UP_ULL(n, d)	(((n) + (d) - 1) / (d))
#define DECLARE_FLEX_ARRAY(type, name) __DECLARE_FLEX_ARRAY(type, name)
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof_field(type, member))
#define __counted_by(member)
#define VIRTIO_DEV_ANY_ID	0xffffffff
#define div_u64(n, d)		((u64)(n) / (d))
#define round_down(n, d)	((n) & ~((typeof(n))(d) - 1))
#define HZ			100
#define MINORBITS		20
#define NSEC_PER_SEC		1000000000L

#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define ktime_get_ns()		0ULL
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define pr_warn(...)		do { } while (0)
#define dev_notice(dev, ...)	shim_dev_warn(dev, __VA_ARGS__)
#ifndef dev_info
#define dev_info(dev, ...)	shim_dev_warn(dev, __VA_ARGS__)
#endif
#define dev_err_ratelimited(dev, ...) shim_dev_warn(dev, __VA_ARGS__)
#define dev_warn_ratelimited(dev, ...) shim_dev_warn(dev, __VA_ARGS__)
#define snprintf(...)		((unsigned int)snprintf(__VA_ARGS__))

typedef unsigned short umode_t;

static inline bool test_and_set_bit(unsigned int nr, unsigned long *p)
{
	bool old = *p >> nr & 1;

	*p |= 1UL << nr;
	return old;
}

static inline void free_kfree(void *p)
{
	kfree(*(void **)p);
}

#define __free(fn)		__attribute__((cleanup(free_##fn)))
/* Freed when the driver is unbound: host.c */
unsigned long devm_get_free_pages(struct device *dev, gfp_t gfp,
				  unsigned int order);

/* Modules */

#define KBUILD_MODNAME		"driver"
#define THIS_MODULE		((struct module *)NULL)
#define MODULE_DEVICE_TABLE(bus, table)
#define MODULE_PARM_DESC(name, text)
#define module_param(name, type, mode) unsigned int *target_##name = &(name)
#define __init
#define __exit
#define __ro_after_init
#define module_init(fn)		int target_init(void) __attribute__((alias(#fn)))
#define module_exit(fn)		void target_exit(void) __attribute__((alias(#fn)))

extern unsigned int nr_cpu_ids;
/* The driver sleeps: host.h. */
void host_wait(void);

/* Locks */

/* How often this was called */
extern unsigned int irqsaves;
#undef spin_lock_irqsave
#undef spin_unlock_irqrestore
#define spin_lock_irqsave(lock, flags) \
	do { irqsaves++; (flags) = 1; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { BUG_ON(!(flags)); spin_unlock(lock); } while (0)
#define spin_lock_irq(lock)		spin_lock(lock)
#define spin_unlock_irq(lock)		spin_unlock(lock)

struct mutex {
	spinlock_t lock;	/* protects what the mutex does */
};

#define mutex_init(m)		spin_lock_init(&(m)->lock)
#define mutex_destroy(m)	do { } while (0)
#define mutex_lock(m)		spin_lock(&(m)->lock)
#define mutex_unlock(m)		spin_unlock(&(m)->lock)
#define msleep(ms)		host_wait()
#define mutex_trylock(m)	(!(m)->lock.locked && ((m)->lock.locked = true))
#define lockdep_assert_held(l)	BUG_ON(!(l)->locked)
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)

/* Work */

struct workqueue_struct *alloc_workqueue(const char *name, int flags, int max);
void destroy_workqueue(struct workqueue_struct *wq);

/*
 * Time passes where a driver puts work off: it is due at once. The delayed work
 * of the rings waits for time_passes().
 */

extern unsigned long jiffies;

#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define cancel_delayed_work_sync(w) cancel_work_sync(&(w)->work)
#define disable_delayed_work_sync(w) disable_work_sync(&(w)->work)
#define enable_delayed_work(w)	((w)->work.disabled--)

#define queue_delayed_work(wq, w, delay) host_put_off(wq, w, delay)
bool host_put_off(struct workqueue_struct *wq, struct delayed_work *dwork,
		  unsigned long delay);

/* Waiting */

#define init_completion(c)	((c)->done = 0)

static inline void complete(struct completion *c)
{
	c->done++;
}

bool wait_for_completion_timeout(struct completion *done, unsigned long timeout);

#endif
