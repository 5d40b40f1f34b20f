/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_SPINLOCK_H
#define _SHIM_LINUX_SPINLOCK_H
/* One thread: a lock only finds out that it is taken twice or not at all. */
#include <linux/bug.h>

typedef struct {
	bool locked;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	BUG_ON(lock->locked);
	lock->locked = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	BUG_ON(!lock->locked);
	lock->locked = false;
}

#define spin_lock_irqsave(lock, flags) \
	do { (flags) = 1; spin_lock(lock); } while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { BUG_ON(!(flags)); spin_unlock(lock); } while (0)

#endif
