/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_PRINTK_H
#define _SHIM_LINUX_PRINTK_H
/* Debugging messages are dropped; messages of a device are kept for tests. */
#include <stdarg.h>
#include <stddef.h>

struct device;

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
void shim_dev_err(const struct device *dev, const char *fmt, ...);
void shim_dev_warn(const struct device *dev, const char *fmt, ...);
void shim_dev_info(const struct device *dev, const char *fmt, ...);

#define pr_debug(...)	do { } while (0)

#endif
