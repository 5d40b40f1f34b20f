/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The barriers and second looks, and what a delayed callback may count. Those of the driver are in the functions that are
 * named here, where scripts/test.d/26-model looks for them; those of the device are
 * what they pair with.
 *
 * code: virtio_wmb ring_publish
 * code: virtio_mb vring_split_kick_prepare vring_packed_kick_prepare
 * code: virtio_rmb split_refresh_used ring_read_used
 * code: virtio_mb vring_split_poll vring_packed_poll
 * code: split_read_used_idx vring_split_poll
 * code: packed_used_at vring_packed_poll
 * code: packed_public vring_packed_enable_cb_delayed
 */
#define NOTHING		0
#define PUBLISH_WMB	1
#define KICK_MB		2
#define GET_RMB		3
#define POLL_MB		4
#define POLL_AGAIN	5
#define DEVICE_RMB	6
#define DEVICE_WMB	7
#define DEVICE_IRQ_MB	8
#define DEVICE_KICK_MB	9
#define DEVICE_AGAIN	10
#define PUBLIC_ONLY	11

#ifndef WITHOUT
#define WITHOUT		NOTHING
#endif
