/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every virtio device has in common, whatever its type and transport: the
 * device status, and the feature bits that are not the device type's own.
 *
 * All of it is interface, for drivers and devices in and outside of the kernel:
 * a value in here never changes. Section numbers refer to version 1.2 of the
 * virtio specification.
 *
 * This header is BSD licensed:
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are
 * met:
 *
 * 1. Redistributions of source code must retain the above copyright notice,
 *    this list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright
 *    notice, this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of IBM nor the names of its contributors may be used
 *    to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS ``AS
 * IS'' AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED
 * TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A
 * PARTICULAR PURPOSE ARE DISCLAIMED.  IN NO EVENT SHALL IBM OR CONTRIBUTORS
 * BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
 * CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF
 * SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS
 * INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
 * CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)
 * ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF
 * THE POSSIBILITY OF SUCH DAMAGE.
 */
#ifndef _UAPI_LINUX_VIRTIO_CONFIG_H
#define _UAPI_LINUX_VIRTIO_CONFIG_H

#include <linux/types.h>

/*
 * Device status (2.1). The driver sets these bits one after the other while it
 * initialises the device, and clears them only all together, by a reset.
 */

/* There is a device, and the system has noticed it. */
#define VIRTIO_CONFIG_S_ACKNOWLEDGE	1
/* There is a driver that can handle it. */
#define VIRTIO_CONFIG_S_DRIVER		2
/* The driver is set up: the device may work from now on. */
#define VIRTIO_CONFIG_S_DRIVER_OK	4
/* Features are chosen. Reads back as 0 if the device refuses the choice. */
#define VIRTIO_CONFIG_S_FEATURES_OK	8
/* Set by the device: something went wrong in it that only a reset mends. */
#define VIRTIO_CONFIG_S_NEEDS_RESET	0x40
/* The driver cannot use the device and does not try any further. */
#define VIRTIO_CONFIG_S_FAILED		0x80

/*
 * Feature bits (2.2, 6) from START up to, but not including, END are the same
 * for all device types: they are about rings and transports. The rings' own two
 * are in virtio_ring.h. All other bits belong to the device type.
 */
#define VIRTIO_TRANSPORT_F_START	28
#define VIRTIO_TRANSPORT_F_END		42

#ifndef VIRTIO_CONFIG_NO_LEGACY
/* Legacy (6.3): an interrupt when no buffer is left, even if suppressed. */
#define VIRTIO_F_NOTIFY_ON_EMPTY	24

/* Legacy (6.3): buffers may be cut into descriptors at any place (2.7.4). */
#define VIRTIO_F_ANY_LAYOUT		27
#endif /* VIRTIO_CONFIG_NO_LEGACY */

/* The device follows version 1.0 or later; without this bit it is legacy. */
#define VIRTIO_F_VERSION_1		32

/*
 * The device reaches memory as any other device of the platform does: through
 * an IOMMU, within protected memory. Addresses come from the DMA API. Without
 * the bit the device takes guest physical addresses, past all of that, which is
 * how devices worked before the bit existed.
 */
#define VIRTIO_F_ACCESS_PLATFORM	33
#ifndef __KERNEL__
/* What the bit above was called first; for programs that still say so. */
#define VIRTIO_F_IOMMU_PLATFORM		VIRTIO_F_ACCESS_PLATFORM
#endif /* __KERNEL__ */

/* Queues are packed rings (2.8), not split ones (2.7). */
#define VIRTIO_F_RING_PACKED		34

/* The device uses buffers in the order in which they were made available. */
#define VIRTIO_F_IN_ORDER		35

/*
 * Memory accesses have to be ordered as for any other device of the platform,
 * so by barriers for devices, not by those between processors.
 */
#define VIRTIO_F_ORDER_PLATFORM		36

/* The device can have virtual functions (SR-IOV). */
#define VIRTIO_F_SR_IOV			37

/* A notification tells where in the queue the driver is (2.9). */
#define VIRTIO_F_NOTIFICATION_DATA	38

/*
 * A notification does not name its queue by the index of that queue, but by a
 * value that the device has supplied.
 */
#define VIRTIO_F_NOTIF_CONFIG_DATA	39

/* One queue can be reset while the others go on (2.6.1). */
#define VIRTIO_F_RING_RESET		40

/* The device has queues for administration commands (version 1.3, 2.13). */
#define VIRTIO_F_ADMIN_VQ		41

#endif /* _UAPI_LINUX_VIRTIO_CONFIG_H */
