/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_MOD_DEVICETABLE_H
#define _SHIM_LINUX_MOD_DEVICETABLE_H
#include <linux/types.h>

struct virtio_device_id {
	__u32 device;
	__u32 vendor;
};

#endif
