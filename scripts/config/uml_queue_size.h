/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scripts/uml includes this before the base's virtio_uml.c, which knows one size
 * of queue only: with virtio_uml.queue_size=N on the kernel command line it asks
 * for queues of that size, so that small ones can be tested too.
 */
#include <linux/moduleparam.h>
#include <linux/virtio_ring.h>

static ushort queue_size;
module_param(queue_size, ushort, 0444);

#define vring_create_virtqueue(index, num, ...) \
	vring_create_virtqueue(index, queue_size ?: (num), __VA_ARGS__)
