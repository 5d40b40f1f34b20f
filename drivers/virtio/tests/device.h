/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_DEVICE_H
#define TOOLS_VIRTIO_DEVICE_H
/*
 * The device's side of a queue, written from the specification (2.7 for the
 * split, 2.8 for the packed virtqueue). It finds everything through the
 * addresses that a transport gives to a device, and ends the test when the
 * driver breaks a rule.
 *
 * Positions count from the start of the queue and never wrap: buffers for the
 * split virtqueue, descriptors for the packed one.
 */
#include <linux/types.h>

#define DEVICE_MAX_ELEMS	300

struct device_elem {
	u64 addr;
	u32 len;
	bool write;
};

/**
 * struct device_buf - a buffer that the device took
 * @id: head descriptor (split) or buffer ID (packed)
 * @descs: descriptors in the ring
 * @steps: positions in the ring
 * @indirect: the elements came from a table
 * @out: readable elements
 * @in: writable elements, after those
 * @in_len: bytes that the device may write
 * @elem: the elements
 */
struct device_buf {
	u16 id;
	u16 descs;
	u16 steps;
	bool indirect;
	unsigned int out;
	unsigned int in;
	u64 in_len;
	struct device_elem elem[DEVICE_MAX_ELEMS];
};

enum device_kicks { KICKS_OFF, KICKS_ON, KICKS_EVENT };

/**
 * struct device_queue - the device's state of a queue
 * @ops: the layout
 * @num: size of the queue
 * @desc: address of the descriptor area
 * @driver: address of the driver area
 * @device: address of the device area
 * @indirect: VIRTIO_RING_F_INDIRECT_DESC was negotiated
 * @event: VIRTIO_RING_F_EVENT_IDX was negotiated
 * @in_order: VIRTIO_F_IN_ORDER was negotiated
 * @iommu: addresses go through the IOMMU
 * @cpu_addrs: addresses are the CPU's already
 * @native: legacy: integers are as the CPU has them (2.7.2.1), not little-endian
 * @seen: up to here, buffers were seen to be available
 * @popped: up to here, they were taken
 * @used: up to here, they were used
 * @told: up to here, the driver was interrupted if it wants
 * @kicks: how the device wants to be notified
 * @kick_event: position that it wants to be notified of
 * @taken: split: descriptors, packed: buffer IDs that are in flight
 * @next_desc: split, in order: the next descriptor that the driver takes
 * @chain: split: the next descriptor of one in flight
 */
struct device_queue {
	const struct device_ops *ops;
	unsigned int num;
	u64 desc;
	u64 driver;
	u64 device;
	bool indirect;
	bool event;
	bool in_order;
	bool iommu;
	bool cpu_addrs;
	bool native;
	u64 seen;
	u64 popped;
	u64 used;
	u64 told;
	enum device_kicks kicks;
	u64 kick_event;
	bool taken[1 << 16];
	u16 next_desc;
	u16 chain[1 << 16];
};

/**
 * struct device_ops - a ring layout, seen by the device
 * @look: position up to which buffers are available now
 * @pop: take the buffer at @popped, which is available
 * @put_used: write a used element and step over @steps positions; checks
 *            nothing
 * @forget: a buffer isn't in flight any more
 * @set_kicks: tell the driver about @kicks and @kick_event
 * @wants_kick: must the driver notify us of what became available from @old to
 *              @new?
 * @wants_irq: does the driver want to be told that we used what is from @old
 *             to @new?
 * @notify_data: the upper half of what VIRTIO_F_NOTIFICATION_DATA sends when
 *               buffers up to @pos are available (2.9)
 */
struct device_ops {
	u64 (*look)(struct device_queue *dq);
	void (*pop)(struct device_queue *dq, struct device_buf *buf);
	void (*put_used)(struct device_queue *dq, u32 id, u32 len, u16 steps);
	void (*forget)(struct device_queue *dq, const struct device_buf *buf);
	void (*set_kicks)(struct device_queue *dq);
	bool (*wants_kick)(struct device_queue *dq, u64 old, u64 new);
	bool (*wants_irq)(struct device_queue *dq, u64 old, u64 new);
	u16 (*notify_data)(const struct device_queue *dq, u64 pos);
};

extern const struct device_ops device_split;
extern const struct device_ops device_packed;

/* Where @len bytes at @addr are for a device that reads or writes them */
const void *device_read(const struct device_queue *dq, u64 addr, size_t len);
void *device_write(const struct device_queue *dq, u64 addr, size_t len);

u16 device_read16(const struct device_queue *dq, u64 addr);
void device_write16(const struct device_queue *dq, u64 addr, u16 val);

/* Take the next buffer; false if there is none. */
bool device_pop(struct device_queue *dq, struct device_buf *buf);

/* Give a buffer back, @len bytes of which were written; no interrupt. */
void device_use(struct device_queue *dq, const struct device_buf *buf,
		u32 len);

/* Ask for notifications: of none, all, or that @event becomes available. */
void device_set_kicks(struct device_queue *dq, enum device_kicks kicks,
		      u64 event);

/* Does the driver want an interrupt for what was used since the last call? */
bool device_wants_irq(struct device_queue *dq);

/* Add an element to a buffer, and check its place in it. */
void device_add_elem(struct device_buf *buf, u64 addr, u32 len, bool write);

#endif
