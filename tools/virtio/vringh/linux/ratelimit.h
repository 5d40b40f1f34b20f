/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_RATELIMIT_H
#define _SHIM_LINUX_RATELIMIT_H
/* vringh says what the driver did wrong, and the test ends with that. */
#include <stdarg.h>

void vringh_says(const char *fmt, va_list ap);

#define DEFINE_RATELIMIT_STATE(name, interval, burst) int name = 1
#define __ratelimit(state)	(*(state))
#define KERN_NOTICE
#define printk(...)		do { } while (0)
#define vprintk(fmt, ap)	vringh_says(fmt, ap)

#endif
