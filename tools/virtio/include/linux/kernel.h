/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H
/*
 * The conversions of byte order are points at which a test can let the device
 * act (shim_point()), as all that the driver reads from the ring or writes to
 * it goes through them.
 */
#include <endian.h>
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/container_of.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/printk.h>

#define le16_to_cpu(x)	({ shim_point(); le16toh(x); })
#define le32_to_cpu(x)	({ shim_point(); le32toh(x); })
#define le64_to_cpu(x)	({ shim_point(); le64toh(x); })
#define cpu_to_le16(x)	({ shim_point(); htole16(x); })
#define cpu_to_le32(x)	({ shim_point(); htole32(x); })
#define cpu_to_le64(x)	({ shim_point(); htole64(x); })

#define be16_to_cpu(x)	be16toh(x)
#define be32_to_cpu(x)	be32toh(x)
#define be64_to_cpu(x)	be64toh(x)
#define cpu_to_be16(x)	htobe16(x)
#define cpu_to_be32(x)	htobe32(x)
#define cpu_to_be64(x)	htobe64(x)

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define order_base_2(n)		((n) > 1 ? ilog2((n) - 1) + 1 : 0)
#define might_sleep()		do { } while (0)
#define synchronize_rcu()	do { } while (0)

#endif
