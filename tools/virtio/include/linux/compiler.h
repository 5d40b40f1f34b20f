/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_COMPILER_H
#define _SHIM_LINUX_COMPILER_H
/*
 * READ_ONCE() and WRITE_ONCE() are points at which a test can let the device
 * act: see shim_point() in shim.h.
 */
#include_next <linux/compiler.h>

void shim_point(void);

#undef READ_ONCE
#define READ_ONCE(x) \
	({ shim_point(); *(const volatile typeof(x) *)&(x); })

#undef WRITE_ONCE
#define WRITE_ONCE(x, val) \
	do { shim_point(); *(volatile typeof(x) *)&(x) = (val); } while (0)

#define data_race(expr)		({ expr; })

/* For the base's minmax.h */
#define __UNIQUE_ID(prefix)	__PASTE(prefix, __COUNTER__)
#define is_signed_type(type)       (((type)(-1)) < (type)1)
#define statically_true(x)	(__builtin_constant_p(x) && (x))

#endif
