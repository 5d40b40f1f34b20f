/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _THREADS_LINUX_COMPILER_H
#define _THREADS_LINUX_COMPILER_H
/* Accesses that threads may race in, said so that ThreadSanitizer knows. */
#include_next <linux/compiler.h>

#undef READ_ONCE
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)

#undef WRITE_ONCE
#define WRITE_ONCE(x, val) \
	do { \
		__atomic_store_n(&(x), val, __ATOMIC_RELAXED); \
		threads_pause(); \
	} while (0)

/* Let the other side see a store for a while before what comes after it. */
#ifdef __SANITIZE_THREAD__
void threads_pause(void);
#else
#define threads_pause()		do { } while (0)
#endif

#endif
