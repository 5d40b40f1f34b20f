/* SPDX-License-Identifier: GPL-2.0-only */
/* The C library's names, for the device's side in tools/virtio */
#include <linux/types.h>
#include <asm/byteorder.h>

#define le16toh(x)	le16_to_cpu((__force __le16)(x))
#define le32toh(x)	le32_to_cpu((__force __le32)(x))
#define le64toh(x)	le64_to_cpu((__force __le64)(x))
#define htole16(x)	((__force u16)cpu_to_le16(x))
#define htole32(x)	((__force u32)cpu_to_le32(x))
