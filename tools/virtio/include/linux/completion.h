/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_COMPLETION_H
#define _SHIM_LINUX_COMPLETION_H
/* virtio.h has one in struct virtio_admin_cmd. */

struct completion {
	unsigned int done;
};

#endif
