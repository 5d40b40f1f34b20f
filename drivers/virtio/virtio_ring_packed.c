// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The packed virtqueue: section 2.8 of the specification.
 *
 * One ring of descriptors, in which the driver makes buffers available and the
 * device marks them used, in its own order. Two bits in the flags of a
 * descriptor tell whose it is, by comparison with a wrap counter that each side
 * flips when it passes the end of the ring. A position is an index with the
 * wrap counter in bit 15, as in the event suppression structures.
 *
 * The flags of the first descriptor of a batch are held back. As the device goes
 * through the ring in order it sees none of the batch until they are written, so
 * one barrier serves all.
 *
 * With VIRTIO_F_IN_ORDER buffer IDs are taken and given back in turn.
 *
 * Documentation/virtio/barriers.rst pairs the barriers with the device's.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/virtio_config.h>
#include "virtio_ring_internal.h"

#define RING_OP(op)	vring_packed_##op
#define ring_cursor	packed_cursor

#define PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

static inline unsigned int packed_index(u16 pos)
{
	return pos & ~PACKED_WRAP;
}

/*
 * The flags of available descriptors in the other lap (2.8.1). In this one
 * they mark a descriptor as neither available nor used.
 */
static inline u16 packed_other_lap(u16 lap_flags)
{
	return lap_flags ^ (PACKED_AVAIL | PACKED_USED);
}

static inline u16 packed_advance(const struct vring_virtqueue *vring, u16 pos,
				 unsigned int count)
{
	unsigned int num = vring->rings.num;
	unsigned int index = packed_index(pos) + count;

	if (likely(index < num))
		return pos + count;
	return (index - num) | (~pos & PACKED_WRAP);
}

static_assert(PACKED_USED == PACKED_WRAP);

/* True if the device has used the descriptor at a position */
static inline bool packed_is_used(const struct vring_virtqueue *vring, u16 pos)
{
	const struct vring_packed_desc *desc = vring->rings.packed.desc;
	u16 want = pos & PACKED_WRAP ? PACKED_AVAIL | PACKED_USED : 0;
	u16 flags = le16_to_cpu(READ_ONCE(desc[packed_index(pos)].flags));

	return (flags & (PACKED_AVAIL | PACKED_USED)) == want;
}

/*
 * Adding buffers
 */

static inline struct packed_cursor *
ring_cursor_of(struct vring_virtqueue *vring)
{
	return &vring->packed.cursor;
}

static inline bool ring_is_indirect(const struct packed_cursor *cursor)
{
	return cursor->table;
}

static inline u16 ring_next_pos(const struct vring_virtqueue *vring)
{
	const struct packed_place *at = &vring->packed.cursor.at;
	u16 index = at->desc - vring->rings.packed.desc;

	/* In a lap where the wrap counter is 1 this flag is 0. */
	return index | (~at->lap_flags & PACKED_USED);
}

/* Descriptors in the ring are written while the device may look at them. */
static inline void packed_write_flags(struct vring_packed_desc *desc, u16 flags)
{
	WRITE_ONCE(desc->flags, cpu_to_le16(flags));
}

/* The next descriptor is the first one that is held back. */
static __always_inline void packed_hide_next(struct packed_cursor *cursor)
{
	cursor->at.flags = packed_other_lap(cursor->at.lap_flags);
}

/* Finished buffers become the device's. */
static __always_inline void ring_publish(struct vring_virtqueue *vring)
{
	struct vring_packed *packed = &vring->packed;

	if (!packed->held_desc)
		return;
	packed_hide_next(&packed->cursor);
	/*
	 * The rest before the flags of the first descriptor: pairs with the
	 * device's barrier between reading flags and the rest.
	 */
	virtio_wmb(vring->weak_barriers);
	packed_write_flags(packed->held_desc, packed->held_flags);
	packed->held_desc = NULL;
	vring_end_epoch(vring);
}

/* Member by member, so that each stays in a register */
static __always_inline void packed_set_place(struct packed_place *place,
					     const struct packed_place *from)
{
	place->desc = from->desc;
	place->lap_flags = from->lap_flags;
	place->flags = from->flags;
}

static __always_inline void ring_begin(struct vring_virtqueue *vring,
				       struct packed_cursor *cursor,
				       const struct vring_state *state,
				       enum vring_place place)
{
	packed_set_place(&cursor->at, &vring->packed.cursor.at);
	cursor->in_len = 0;
	cursor->head_flags = VRING_DESC_F_WRITE;
	cursor->table = NULL;
	if (place != VRING_IN_RING)
		cursor->table = vring_begin_table(vring, state, place);
	vring->packed.map_next = vring->free_head;
}

static __always_inline void packed_step(const struct vring_virtqueue *vring,
					struct packed_place *at)
{
	if (++at->desc == vring->rings.packed.end) {
		at->desc = vring->rings.packed.desc;
		at->lap_flags = packed_other_lap(at->lap_flags);
	}
	at->flags = at->lap_flags;
}

/*
 * Append an element of a chain, as if another one followed. The first one of a
 * batch is held back: it does not look available.
 */
static __always_inline void packed_append_ring(struct vring_virtqueue *vring,
					       struct packed_cursor *cursor,
					       dma_addr_t addr,
					       unsigned int len,
					       unsigned int flags)
{
	struct vring_packed_desc *desc = cursor->at.desc;

	flags |= cursor->at.flags;
	cursor->last = desc;
	cursor->last_flags = flags;
	packed_step(vring, &cursor->at);

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = cpu_to_le16(vring->free_head);
	packed_write_flags(desc, flags | VRING_DESC_F_NEXT);
}

/*
 * In a table all flags but this one are reserved, and so is the ID (2.8.7), which
 * is 0 and stays so.
 */
static __always_inline void packed_append_table(struct packed_cursor *cursor,
						dma_addr_t addr,
						unsigned int len,
						unsigned int flags)
{
	struct vring_packed_desc *desc = cursor->table++;

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->flags = cpu_to_le16(flags);
}

static __always_inline void ring_append(struct vring_virtqueue *vring,
					struct packed_cursor *cursor,
					dma_addr_t addr, unsigned int len,
					unsigned int flags, bool indirect)
{
	if (indirect)
		packed_append_table(cursor, addr, len, flags);
	else
		packed_append_ring(vring, cursor, addr, len, flags);
}

static inline void ring_readable(struct packed_cursor *cursor)
{
	cursor->head_flags = 0;
}

/*
 * As buffers leave the ring in any order, a mapping can't be kept by position:
 * each element in the ring takes a free buffer ID and keeps its mapping there.
 */
static __always_inline struct vring_map *
ring_map(struct vring_virtqueue *vring, const struct packed_cursor *cursor,
	 bool indirect)
{
	struct vring_packed *packed = &vring->packed;

	if (indirect)
		return vring_take_table_map(vring);
	packed->map_last = packed->map_next;
	packed->map_next = vring->rings.state[packed->map_last].next;
	return &vring->rings.map[packed->map_last];
}

/* Where the first one of the last @num elements in the ring is */
static __always_inline struct packed_place
packed_place_before(const struct vring_virtqueue *vring, struct packed_place at,
		    unsigned int num)
{
	unsigned int index = at.desc - vring->rings.packed.desc;

	if (unlikely(index < num)) {
		at.desc += vring->rings.num;
		at.lap_flags = packed_other_lap(at.lap_flags);
	}
	at.desc -= num;
	return at;
}

/* Where a buffer begins that has @num elements in the ring */
static __always_inline struct packed_place
packed_first(const struct vring_virtqueue *vring,
	     const struct packed_cursor *cursor, unsigned int num)
{
	/* As long as it is built in registers this has not changed. */
	if (cursor != &vring->packed.cursor)
		return vring->packed.cursor.at;
	return packed_place_before(vring, cursor->at, num);
}

/* Hold back the flags at @first: writing them makes public all that follows. */
static __always_inline void packed_hold(struct vring_packed *packed,
					const struct packed_place *first,
					unsigned int flags)
{
	packed->held_desc = first->desc;
	packed->held_flags = first->lap_flags | flags;
}

/* No element follows the last one. */
static __always_inline void packed_end_chain(struct vring_virtqueue *vring,
					     const struct packed_cursor *cursor,
					     unsigned int num)
{
	struct vring_packed *packed = &vring->packed;
	struct packed_place first;

	packed_write_flags(cursor->last, cursor->last_flags);
	if (packed->held_desc)
		return;
	first = packed_first(vring, cursor, num);
	packed_hold(packed, &first, num > 1 ? cursor->head_flags |
					      VRING_DESC_F_NEXT :
					      cursor->head_flags);
}

/* Let a descriptor in the ring point to the table that was filled. */
static __always_inline void packed_link_table(struct vring_virtqueue *vring,
					      struct vring_state *state,
					      unsigned int num)
{
	struct vring_packed *packed = &vring->packed;
	struct packed_place *at = &packed->cursor.at;
	struct vring_packed_desc *desc = at->desc;
	u16 id = vring->free_head;

	state->table_num = num;
	state->last = id;
	desc->addr = cpu_to_le64(vring_table_dma(vring, state, id));
	desc->len = cpu_to_le32(num * sizeof(*desc));
	desc->id = cpu_to_le16(id);
	packed_write_flags(desc, at->flags | VRING_DESC_F_INDIRECT);
	if (!packed->held_desc)
		packed_hold(packed, at, VRING_DESC_F_INDIRECT);
	packed_step(vring, at);
	vring->free_head = state->next;
}

/* A buffer in the ring has one ID, or as many as there are mappings to keep. */
static __always_inline void packed_take_ids(struct vring_virtqueue *vring,
					    struct vring_state *state)
{
	if (unlikely(vring->vq.dma_dev)) {
		state->last = vring->packed.map_last;
		vring->free_head = vring->packed.map_next;
	} else {
		state->last = vring->free_head;
		vring->free_head = state->next;
	}
}

/* The buffer has @num elements: it will be public with all others. */
static __always_inline void ring_finish(struct vring_virtqueue *vring,
					struct packed_cursor *cursor,
					struct vring_state *state,
					unsigned int num, bool indirect)
{
	u64 in_len = cursor->in_len;

	if (indirect) {
		packed_link_table(vring, state, num);
		num = 1;
	} else {
		packed_end_chain(vring, cursor, num);
		packed_set_place(&vring->packed.cursor.at, &cursor->at);
		packed_take_ids(vring, state);
	}
	vring->kick.added += num;
	vring_commit(vring, state, in_len, num);
}

/* A shorter buffer may come next: what lies past it must not look available. */
static void packed_erase(struct vring_virtqueue *vring, unsigned int num)
{
	struct vring_packed_ring *ring = &vring->rings.packed;
	struct vring_packed_desc *desc = vring->packed.cursor.at.desc;
	u16 flags = packed_other_lap(vring->packed.cursor.at.lap_flags);

	for (; num; num--) {
		packed_write_flags(desc, flags);
		if (++desc == ring->end) {
			desc = ring->desc;
			flags = packed_other_lap(flags);
		}
	}
}

static noinline void packed_cancel_slow(struct vring_virtqueue *vring,
					unsigned int num)
{
	struct packed_cursor *cursor = &vring->packed.cursor;

	if (cursor->table)
		return;
	cursor->at = packed_place_before(vring, cursor->at, num);
	cursor->at.flags = cursor->at.lap_flags;
	if (!vring->packed.held_desc)
		packed_hide_next(cursor);
	packed_erase(vring, num);
}

static inline void ring_cancel(struct vring_virtqueue *vring, unsigned int num)
{
	packed_cancel_slow(vring, num);
}

/*
 * Taking used buffers
 */

/* True if there is a used buffer at a position, or a batch is half taken */
static bool packed_used_at(const struct vring_virtqueue *vring, u16 pos)
{
	return READ_ONCE(vring->in_order.batch_last) >= 0 ||
	       packed_is_used(vring, pos);
}

bool vring_packed_more_used(const struct vring_virtqueue *vring)
{
	return packed_used_at(vring, READ_ONCE(vring->last_used));
}

static inline bool ring_has_more(const struct vring_virtqueue *vring, u16 pos)
{
	return packed_used_at(vring, pos);
}

static __always_inline bool ring_read_used(struct vring_virtqueue *vring,
					   u32 *id, u32 *len)
{
	struct vring_packed_desc *used;
	u16 pos = vring->last_used;

	if (!packed_is_used(vring, pos))
		return false;
	/*
	 * The flags before the rest: pairs with the device's barrier between
	 * writing the rest and the flags.
	 */
	virtio_rmb(vring->weak_barriers);
	used = &vring->rings.packed.desc[packed_index(pos)];
	*id = le16_to_cpu(READ_ONCE(used->id));
	return vring_check_used(vring, *id, le32_to_cpu(READ_ONCE(used->len)),
				len);
}

static inline u16 ring_step(const struct vring_virtqueue *vring,
			    const struct vring_state *state)
{
	return packed_advance(vring, vring->last_used, state->num);
}

/* A used descriptor is there for a whole batch. */
static inline bool ring_is_overrun(const struct vring_virtqueue *vring)
{
	return false;
}

/* Buffer IDs are taken in turn. */
static inline u16 ring_after(const struct vring_virtqueue *vring,
			     const struct vring_state *state, u16 id)
{
	return vring->rings.state[state->last].next;
}

/*
 * Callbacks
 */

/* The barrier puts this before the ring is read again, see vring_packed_poll(). */
static void ring_arm_event(struct vring_virtqueue *vring)
{
	WRITE_ONCE(vring->event_triggered, false);
	virtio_store_mb(vring->weak_barriers,
			&vring->rings.packed.driver->off_wrap,
			cpu_to_le16(vring->last_used));
}

static void packed_write_event_flags(struct vring_virtqueue *vring, u16 flags)
{
	WRITE_ONCE(vring->rings.packed.driver->flags, cpu_to_le16(flags));
}

static void ring_refuse(struct vring_virtqueue *vring)
{
	packed_write_event_flags(vring, VRING_PACKED_EVENT_FLAG_DISABLE);
}

static void ring_ask(struct vring_virtqueue *vring, u16 pos)
{
	if (!vring->event) {
		packed_write_event_flags(vring, VRING_PACKED_EVENT_FLAG_ENABLE);
		return;
	}
	WRITE_ONCE(vring->rings.packed.driver->off_wrap, cpu_to_le16(pos));
	/*
	 * The position before the flags that make it count: pairs with the
	 * device's barrier between reading flags and position.
	 */
	virtio_wmb(vring->weak_barriers);
	packed_write_event_flags(vring, VRING_PACKED_EVENT_FLAG_DESC);
}

#include "virtio_ring_layout.h"

/* Descriptors that were made available after @event and before @next */
static unsigned int packed_available_since(const struct vring_virtqueue *vring,
					   u16 event, u16 next)
{
	int count = packed_index(next) - packed_index(event) - 1;

	if ((event ^ next) & PACKED_WRAP)
		count += vring->rings.num;
	/* A position ahead of @next was passed when it was last the same. */
	return count < 0 ? count + 2 * vring->rings.num : count;
}

bool vring_packed_kick_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 next = ring_next_pos(vring);
	u32 added, event;
	u16 flags;

	ring_publish(vring);
	/*
	 * The flags are written before the device's wish for notifications is
	 * read: pairs with the device's barrier between writing that wish and
	 * reading the flags once more.
	 */
	virtio_mb(vring->weak_barriers);
	added = vring_take_added(vring, next);

	/* Both fields in one read, so that they belong together. */
	event = le32_to_cpu(READ_ONCE(*(__le32 *)vring->rings.packed.device));
	flags = event >> 16;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;

	return packed_available_since(vring, event, next) < added;
}

bool vring_packed_poll(struct virtqueue *vq, unsigned int state)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/*
	 * Asking for a callback before looking once more: pairs with the
	 * device's barrier between writing flags and reading whether a
	 * callback is wanted.
	 */
	virtio_mb(vring->weak_barriers);
	return packed_used_at(vring, state);
}

/* Descriptors of buffers that the device has, or has used */
static unsigned int packed_public(const struct vring_virtqueue *vring)
{
	const struct vring_packed *packed = &vring->packed;
	unsigned int num = vring->rings.num, hidden = 0;

	if (packed->held_desc) {
		/* If it is where the next buffer goes, this is the whole ring. */
		hidden = num - (packed->held_desc - packed->cursor.at.desc);
		if (hidden > num)
			hidden -= num;
	}
	return num - vring->vq.num_free - hidden;
}

bool vring_packed_enable_cb_delayed(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	unsigned int wait = packed_public(vring) * 3 / 4;

	ring_enable_cb(vring, packed_advance(vring, vring->last_used, wait));
	return !vring_packed_poll(vq, vring->last_used);
}

/*
 * Memory
 */

/* The event suppression structures follow the ring, a cache line for each. */
static int packed_alloc(struct vring_virtqueue *vring,
			struct vring_rings *rings, unsigned int num)
{
	size_t events = ALIGN(num * sizeof(struct vring_packed_desc),
			      SMP_CACHE_BYTES);
	int err;

	err = vring_mem_alloc(vring, &rings->mem, events + 2 * SMP_CACHE_BYTES,
			      GFP_KERNEL);
	if (err)
		return err;
	rings->num = num;
	rings->driver_offset = events;
	rings->device_offset = events + SMP_CACHE_BYTES;
	rings->packed.desc = rings->mem.addr;
	rings->packed.end = rings->packed.desc + num;
	rings->packed.driver = rings->mem.addr + rings->driver_offset;
	rings->packed.device = rings->mem.addr + rings->device_offset;
	return 0;
}

static void packed_init(struct vring_virtqueue *vring)
{
	struct packed_cursor *cursor = &vring->packed.cursor;

	cursor->at.desc = vring->rings.packed.desc;
	cursor->at.lap_flags = PACKED_AVAIL;
	packed_hide_next(cursor);
	vring->packed.held_desc = NULL;
	vring->kick.next = PACKED_WRAP;
	vring->last_used = PACKED_WRAP;

	if (vring->cb_disabled)
		ring_refuse(vring);
	else
		ring_ask(vring, PACKED_WRAP);
}

static void packed_init_table(const struct vring_virtqueue *vring, void *table,
			      unsigned int num)
{
	/* Zeroed already, as IDs have to be; buffers write the rest. */
}

const struct vring_layout vring_packed_layout = {
	.alloc		= packed_alloc,
	.init		= packed_init,
	.init_table	= packed_init_table,
};
