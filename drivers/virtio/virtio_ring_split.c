// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The split virtqueue: section 2.7 of the specification.
 *
 * The driver links descriptors to chains and puts the head of each chain into
 * the available ring; the device puts it into the used ring when it is done.
 * Which descriptors are free and how chains are linked is kept in
 * vring_state.next: the links in the descriptor table are for the device. With
 * VIRTIO_F_IN_ORDER these links never change and make the table a ring: buffers
 * take descriptors in turn, as 2.7.5.2 demands, and are used in turn.
 *
 * Documentation/virtio/barriers.rst pairs the barriers with the device's.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/log2.h>
#include <linux/virtio_config.h>
#include "virtio_ring_internal.h"

#define RING_OP(op)	vring_split_##op
#define ring_cursor	split_cursor

static inline struct vring *split_ring(struct vring_virtqueue *vring)
{
	return &vring->rings.split;
}

static inline u16 split_read_used_idx(const struct vring_virtqueue *vring)
{
	return virtio16_to_cpu(vring->vq.vdev,
			       READ_ONCE(vring->rings.split.used->idx));
}

/*
 * Adding buffers
 */

static inline struct split_cursor *ring_cursor_of(struct vring_virtqueue *vring)
{
	return &vring->split.cursor;
}

static inline bool ring_is_indirect(const struct split_cursor *cursor)
{
	return cursor->indirect;
}

static inline u16 ring_next_pos(const struct vring_virtqueue *vring)
{
	return vring->split.next_avail;
}

/* The entries up to next_avail become the device's. */
static __always_inline void ring_publish(struct vring_virtqueue *vring)
{
	struct vring_split *split = &vring->split;

	if (split->published == split->next_avail)
		return;
	/*
	 * Descriptors and entries before the index: pairs with the device's
	 * barrier between reading the index and reading an entry.
	 */
	virtio_wmb(vring->weak_barriers);
	WRITE_ONCE(split_ring(vring)->avail->idx,
		   cpu_to_virtio16(vring->vq.vdev, split->next_avail));
	split->published = split->next_avail;
	vring_end_epoch(vring);
}

static __always_inline void ring_begin(struct vring_virtqueue *vring,
				       struct split_cursor *cursor,
				       const struct vring_state *state,
				       enum vring_place place)
{
	cursor->in_len = 0;
	cursor->index = vring->free_head;
	cursor->indirect = place != VRING_IN_RING;
	if (cursor->indirect)
		cursor->table = vring_begin_table(vring, state, place);
}

/* In a table the link is there already: see split_init_table(). */
static __always_inline void ring_append(struct vring_virtqueue *vring,
					struct split_cursor *cursor,
					dma_addr_t addr, unsigned int len,
					unsigned int flags, bool indirect)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring_desc *desc;

	if (indirect) {
		desc = cursor->table++;
	} else {
		desc = &split_ring(vring)->desc[cursor->index];
		cursor->last = desc;
		cursor->index = vring->rings.state[cursor->index].next;
		desc->next = cpu_to_virtio16(vdev, cursor->index);
	}
	cursor->last_flags = flags;

	desc->addr = cpu_to_virtio64(vdev, addr);
	desc->len = cpu_to_virtio32(vdev, len);
	desc->flags = cpu_to_virtio16(vdev, flags | VRING_DESC_F_NEXT);
}

static inline void ring_readable(struct split_cursor *cursor) {}

static __always_inline struct vring_map *
ring_map(struct vring_virtqueue *vring, const struct split_cursor *cursor,
	 bool indirect)
{
	if (indirect)
		return vring_take_table_map(vring);
	return &vring->rings.map[cursor->index];
}

/* Let the descriptor in the ring point to the table that was filled. */
static __always_inline void split_link_table(struct vring_virtqueue *vring,
					     struct vring_state *state,
					     u16 head, unsigned int num)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring_desc *desc = &split_ring(vring)->desc[head];

	state->table_num = num;
	state->last = head;
	desc->addr = cpu_to_virtio64(vdev, vring_table_dma(vring, state, head));
	desc->len = cpu_to_virtio32(vdev, num * sizeof(*desc));
	desc->flags = cpu_to_virtio16(vdev, VRING_DESC_F_INDIRECT);
}

/* The buffer has @num elements: put it into the available ring. */
static __always_inline void ring_finish(struct vring_virtqueue *vring,
					struct split_cursor *cursor,
					struct vring_state *state,
					unsigned int num, bool indirect)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);
	__virtio16 flags = cpu_to_virtio16(vdev, cursor->last_flags);
	u16 head = vring->free_head;

	if (indirect) {
		cursor->table[-1].flags = flags;
		split_link_table(vring, state, head, num);
		vring->free_head = state->next;
		num = 1;
	} else {
		cursor->last->flags = flags;
		state->last = cursor->last - ring->desc;
		vring->free_head = cursor->index;
	}
	vring_commit(vring, state, cursor->in_len, num);

	ring->avail->ring[vring->split.next_avail & (ring->num - 1)] =
		cpu_to_virtio16(vdev, head);
	vring->split.next_avail++;
	vring->kick.added++;
}

/* Neither the free list nor the available ring has changed yet. */
static inline void ring_cancel(struct vring_virtqueue *vring, unsigned int num)
{
}

/*
 * Taking used buffers
 */

bool vring_split_more_used(const struct vring_virtqueue *vring)
{
	return READ_ONCE(vring->last_used) != split_read_used_idx(vring);
}

/* All used elements known so far are taken: read how far the device is. */
static __always_inline bool split_refresh_used(struct vring_virtqueue *vring)
{
	u16 used = split_read_used_idx(vring);

	if (used == vring->last_used)
		return false;
	if (unlikely((u16)(used - vring->last_used) >
		     (u16)(vring->split.published - vring->last_used))) {
		vring_break(vring, "used index %u is past the available index %u",
			    used, vring->split.published);
		return false;
	}
	/*
	 * The index before the elements: pairs with the device's barrier
	 * between writing an element and the index.
	 */
	virtio_rmb(vring->weak_barriers);
	vring->split.used_seen = used;
	return true;
}

static inline bool ring_has_more(const struct vring_virtqueue *vring, u16 pos)
{
	return vring->split.used_seen != pos;
}

static __always_inline bool ring_read_used(struct vring_virtqueue *vring,
					   u32 *id, u32 *len)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);
	struct vring_used_elem *used;
	u16 pos = vring->last_used;

	if (!ring_has_more(vring, pos) && !split_refresh_used(vring))
		return false;
	used = &ring->used->ring[pos & (ring->num - 1)];
	*id = virtio32_to_cpu(vdev, READ_ONCE(used->id));
	return vring_check_used(vring, *id,
				virtio32_to_cpu(vdev, READ_ONCE(used->len)),
				len);
}

static inline u16 ring_step(const struct vring_virtqueue *vring,
			    const struct vring_state *state)
{
	return vring->last_used + 1;
}

/* The used index has no room for all buffers of a batch. */
static noinline void split_overrun_slow(struct vring_virtqueue *vring)
{
	vring_break(vring, "the batch ends past the used index %u",
		    vring->split.used_seen);
}

/* The last buffer up to the used index has to be the last one of its batch. */
static __always_inline bool ring_is_overrun(struct vring_virtqueue *vring)
{
	if (likely((u16)(vring->split.used_seen - vring->last_used) != 1))
		return false;
	split_overrun_slow(vring);
	return true;
}

/* Descriptors are taken in turn. */
static inline u16 ring_after(const struct vring_virtqueue *vring,
			     const struct vring_state *state, u16 id)
{
	return (id + state->num) & (vring->rings.num - 1);
}

/*
 * Callbacks
 */

/* The barrier puts this before the index is read again, see vring_split_poll(). */
static void ring_arm_event(struct vring_virtqueue *vring)
{
	WRITE_ONCE(vring->event_triggered, false);
	virtio_store_mb(vring->weak_barriers,
			&vring_used_event(split_ring(vring)),
			cpu_to_virtio16(vring->vq.vdev, vring->last_used));
}

/* With an event index the flag must stay 0 (2.7.7.1): aim far ahead instead. */
static void ring_refuse(struct vring_virtqueue *vring)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);
	u16 passed = READ_ONCE(vring->last_used) - 1;

	if (vring->event)
		WRITE_ONCE(vring_used_event(ring),
			   cpu_to_virtio16(vdev, passed));
	else
		WRITE_ONCE(ring->avail->flags,
			   cpu_to_virtio16(vdev, VRING_AVAIL_F_NO_INTERRUPT));
}

static void ring_ask(struct vring_virtqueue *vring, u16 pos)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);

	if (vring->event)
		WRITE_ONCE(vring_used_event(ring), cpu_to_virtio16(vdev, pos));
	else
		WRITE_ONCE(ring->avail->flags, 0);
}

#include "virtio_ring_layout.h"

bool vring_split_kick_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring *ring = split_ring(vring);
	u16 event, next;
	u32 added;

	ring_publish(vring);
	/*
	 * The index is written before the device's wish for notifications is
	 * read: pairs with the device's barrier between writing that wish and
	 * reading the index once more.
	 */
	virtio_mb(vring->weak_barriers);
	next = vring->split.next_avail;
	added = vring_take_added(vring, next);

	if (!vring->event)
		return !(READ_ONCE(ring->used->flags) &
			 cpu_to_virtio16(vq->vdev, VRING_USED_F_NO_NOTIFY));

	event = virtio16_to_cpu(vq->vdev, READ_ONCE(vring_avail_event(ring)));
	return (u16)(next - event - 1) < added;
}

bool vring_split_poll(struct virtqueue *vq, unsigned int state)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/*
	 * Asking for a callback before looking once more: pairs with the
	 * device's barrier between writing the used index and reading whether
	 * a callback is wanted.
	 */
	virtio_mb(vring->weak_barriers);
	return (u16)state != split_read_used_idx(vring);
}

bool vring_split_enable_cb_delayed(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 wait = 0;

	/* What is not public will not be used before the next kick. */
	if (vring->event)
		wait = (u16)(vring->split.published - vring->last_used) * 3 / 4;
	ring_enable_cb(vring, vring->last_used + wait);
	/* As in vring_split_poll() */
	virtio_mb(vring->weak_barriers);
	return (u16)(split_read_used_idx(vring) - vring->last_used) <= wait;
}

/*
 * Memory
 */

static int split_alloc_num(struct vring_virtqueue *vring,
			   struct vring_rings *rings, unsigned int num,
			   gfp_t gfp)
{
	struct vring *ring = &rings->split;
	int err;

	err = vring_mem_alloc(vring, &rings->mem, vring_size(num, vring->align),
			      gfp);
	if (err)
		return err;
	vring_init(ring, num, rings->mem.addr, vring->align);
	rings->num = num;
	rings->driver_offset = (void *)ring->avail - (void *)ring->desc;
	rings->device_offset = (void *)ring->used - (void *)ring->desc;
	return 0;
}

static int split_alloc(struct vring_virtqueue *vring,
		       struct vring_rings *rings, unsigned int num)
{
	if (!is_power_of_2(num)) {
		dev_warn(&vring->vq.vdev->dev,
			 "%s: queue size %u is not a power of 2\n",
			 vring->vq.name, num);
		return -EINVAL;
	}

	/* A smaller ring is better than none, if the device can be told. */
	while (vring->may_reduce_num && num > 1 &&
	       vring_size(num, vring->align) > PAGE_SIZE) {
		if (!split_alloc_num(vring, rings, num,
				     GFP_KERNEL | __GFP_NOWARN))
			return 0;
		num /= 2;
	}
	return split_alloc_num(vring, rings, num, GFP_KERNEL);
}

static void split_init(struct vring_virtqueue *vring)
{
	vring->split = (struct vring_split) {};
	vring->kick.next = 0;
	vring->last_used = 0;
	if (vring->cb_disabled)
		ring_refuse(vring);
}

/* Elements follow each other; the last one of a buffer loses its NEXT flag. */
static void split_init_table(const struct vring_virtqueue *vring, void *table,
			     unsigned int num)
{
	struct vring_desc *desc = table;
	unsigned int i;

	for (i = 0; i < num; i++)
		desc[i].next = cpu_to_virtio16(vring->vq.vdev, i + 1);
}

const struct vring_layout vring_split_layout = {
	.alloc		= split_alloc,
	.init		= split_init,
	.init_table	= split_init_table,
};
