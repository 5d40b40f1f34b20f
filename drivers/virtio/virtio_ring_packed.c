// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The packed virtqueue: section 2.8 of the specification.
 *
 * One ring of descriptors, in which the driver makes buffers available and the
 * device marks them used, in its own order.  Two bits in the flags of a
 * descriptor tell whose it is, by comparison with a wrap counter that each side
 * flips when it passes the end of the ring.  A position is an index with the
 * wrap counter in bit 15, as in the event suppression structures.
 *
 * The flags of the first descriptor of a batch are held back.  As the device goes
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

#define PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

static inline unsigned int packed_index(u16 pos)
{
	return pos & ~PACKED_WRAP;
}

/*
 * The flags of available descriptors in the other lap (2.8.1).  In this one
 * they mark what neither side has any business with.
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

/* Where the next buffer goes */
static inline u16 packed_next_pos(const struct vring_virtqueue *vring)
{
	const struct packed_build *build = &vring->packed_build;
	u16 index = build->at.desc - vring->rings.packed.desc;

	/* In a lap where the wrap counter is 1 this flag is 0. */
	return index | (~build->at.lap_flags & PACKED_USED);
}

/* Has the device used the descriptor that is at a position? */
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

/* Descriptors in the ring are written while the device may look at them. */
static inline void packed_write_flags(struct vring_packed_desc *desc, u16 flags)
{
	WRITE_ONCE(desc->flags, cpu_to_le16(flags));
}

/* The next descriptor is the first one of a batch. */
static __always_inline void packed_hide_next(struct packed_build *build)
{
	build->at.flags = packed_other_lap(build->at.lap_flags);
}

/* There are buffers that ended: they become the device's. */
static __always_inline void packed_publish(struct vring_virtqueue *vring)
{
	packed_hide_next(&vring->packed_build);
	/*
	 * The batch before the flags of its first descriptor: pairs with the
	 * device's barrier between reading flags and the rest.
	 */
	virtio_wmb(vring->weak_barriers);
	packed_write_flags(vring->held_desc, vring->held_flags);
	vring->held_desc = NULL;
	vring_end_batch(vring);
}

static inline void packed_publish_pending(struct vring_virtqueue *vring)
{
	if (vring->held_desc)
		packed_publish(vring);
}

/* A device that has work to do may soon make room. */
static noinline int packed_no_room(struct vring_virtqueue *vring, bool readable,
				   int err)
{
	if (err != -ENOSPC)
		return err;
	packed_publish_pending(vring);
	if (readable) {
		vring_take_added(vring, packed_next_pos(vring));
		vring_notify(&vring->vq);
	}
	return err;
}

/* A buffer without elements so far, and without a table */
static __always_inline void packed_begin(struct vring_virtqueue *vring,
					 struct packed_build *build)
{
	build->in_len = 0;
	build->head_flags = VRING_DESC_F_WRITE;
	build->table = NULL;
	if (unlikely(vring->rings.map))
		vring->map_next = vring->free_head;
}

static __always_inline int packed_start(struct vring_virtqueue *vring,
					struct packed_build *build,
					struct vring_state *state,
					bool readable, unsigned int num,
					unsigned int reserve, void *data,
					void *ctx, gfp_t gfp)
{
	int err;

	err = vring_start(vring, state, num, reserve, data, ctx, gfp);
	if (unlikely(err < 0))
		return packed_no_room(vring, readable, err);
	packed_begin(vring, build);
	if (err)
		build->table = state->table->desc;
	return 0;
}

/*
 * Append an element of a chain, as if another one followed.  The first one of a
 * batch looks as if it were not available.
 */
static __always_inline void packed_append_ring(struct vring_virtqueue *vring,
					       struct packed_build *build,
					       dma_addr_t addr,
					       unsigned int len,
					       unsigned int flags)
{
	struct vring_packed_desc *desc = build->at.desc;

	flags |= build->at.flags;
	build->last = desc;
	build->last_flags = flags;
	if (++build->at.desc == vring->rings.packed.end) {
		build->at.desc = vring->rings.packed.desc;
		build->at.lap_flags = packed_other_lap(build->at.lap_flags);
	}
	build->at.flags = build->at.lap_flags;

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = cpu_to_le16(vring->free_head);
	packed_write_flags(desc, flags | VRING_DESC_F_NEXT);
}

/* In a table all flags but this one are reserved, and so is the ID (2.8.7). */
static __always_inline void packed_append_table(struct packed_build *build,
						dma_addr_t addr,
						unsigned int len,
						unsigned int flags)
{
	struct vring_packed_desc *desc = build->table++;

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = 0;
	desc->flags = cpu_to_le16(flags);
}

static __always_inline void packed_append(struct vring_virtqueue *vring,
					  struct packed_build *build,
					  dma_addr_t addr, unsigned int len,
					  unsigned int flags, bool indirect)
{
	if (indirect)
		packed_append_table(build, addr, len, flags);
	else
		packed_append_ring(vring, build, addr, len, flags);
}

/*
 * Take a place to keep how the next element is unmapped.  One in the ring takes
 * that of another free buffer ID, as used buffers leave the ring in any order.
 */
static __always_inline struct vring_map *
packed_take_map(struct vring_virtqueue *vring, struct packed_build *build,
		bool indirect)
{
	const struct vring_table *table;

	if (indirect) {
		table = vring_free_state(vring)->table;
		return table->map +
		       (build->table - (struct vring_packed_desc *)table->desc);
	}
	vring->map_last = vring->map_next;
	vring->map_next = vring->rings.state[vring->map_last].next;
	return &vring->rings.map[vring->map_last];
}

/* The DMA address of an element of a queue that is not @plain, or an error */
static __always_inline dma_addr_t
packed_map_sg(struct vring_virtqueue *vring, struct packed_build *build,
	      struct scatterlist *sg, enum dma_data_direction dir,
	      bool indirect)
{
	if (!vring->vq.premapped)
		return vring_map_page(vring,
				      packed_take_map(vring, build, indirect),
				      sg_page(sg), sg->offset, sg->length, dir);
	if (vring->rings.map)
		packed_take_map(vring, build, indirect)->dir = DMA_NONE;
	return sg_dma_address(sg);
}

/* To be inlined with constants: a loop for each kind of buffer and address */
static __always_inline int
packed_append_each(struct vring_virtqueue *vring, struct packed_build *build,
		   struct scatterlist **sgs, unsigned int lists,
		   unsigned int out, unsigned int max, unsigned int *num,
		   bool indirect, bool plain)
{
	enum dma_data_direction dir = DMA_TO_DEVICE;
	struct scatterlist *sg;
	unsigned int flags = 0;
	dma_addr_t addr;

	do {
		if (*num >= out) {
			dir = DMA_FROM_DEVICE;
			flags = VRING_DESC_F_WRITE;
		}
		for (sg = *sgs++;; sg = vring_sg_next(sg)) {
			if (plain)
				addr = vring_phys(sg_page(sg), sg->offset,
						  sg->length, dir);
			else
				addr = packed_map_sg(vring, build, sg, dir, indirect);
			if (!plain && unlikely(addr == DMA_MAPPING_ERROR))
				return -ENOMEM;
			packed_append(vring, build, addr, sg->length, flags,
				      indirect);
			build->in_len += sg->length;
			++*num;
			if (sg_is_last(sg) || *num == max)
				break;
		}
		/* No writable element has come before readable ones. */
		if (!flags) {
			build->in_len = 0;
			build->head_flags = 0;
		}
	} while (--lists && *num < max);
	return 0;
}

/*
 * Append the elements of some lists, but no more than @max, of which the first
 * @out are readable.  @num counts them.
 */
static __always_inline int
packed_append_sgs(struct vring_virtqueue *vring, struct packed_build *build,
		  struct scatterlist **sgs, unsigned int lists,
		  unsigned int out, unsigned int max, unsigned int *num,
		  bool indirect)
{
	if (unlikely(!vring->plain))
		return packed_append_each(vring, build, sgs, lists, out, max,
					  num, indirect, false);
	return packed_append_each(vring, build, sgs, lists, out, max, num,
				  indirect, true);
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
	     const struct packed_build *build, unsigned int num)
{
	/* As long as it is built in registers this has not changed. */
	if (build != &vring->packed_build)
		return vring->packed_build.at;
	return packed_place_before(vring, build->at, num);
}

/* No element follows the last one.  The first one of a batch is held back. */
static __always_inline void packed_end_chain(struct vring_virtqueue *vring,
					     const struct packed_build *build,
					     unsigned int num)
{
	struct packed_place first;

	packed_write_flags(build->last, build->last_flags);
	if (vring->held_desc)
		return;
	first = packed_first(vring, build, num);
	vring->held_desc = first.desc;
	vring->held_flags = first.lap_flags | build->head_flags;
	if (num > 1)
		vring->held_flags |= VRING_DESC_F_NEXT;
}

/* Let a descriptor in the ring point to the table that was filled. */
static __always_inline void packed_link_table(struct vring_virtqueue *vring,
					      struct vring_table *table,
					      unsigned int num)
{
	struct packed_build *build = &vring->packed_build;

	table->num = num;
	build->head_flags = VRING_DESC_F_INDIRECT;
	packed_append_ring(vring, build, table->dma,
			   num * sizeof(struct vring_packed_desc),
			   VRING_DESC_F_INDIRECT);
	packed_end_chain(vring, build, 1);
}

/* A buffer has one ID, or as many as there are mappings to keep. */
static __always_inline void packed_take_ids(struct vring_virtqueue *vring,
					    struct vring_state *state)
{
	if (unlikely(vring->rings.map) && !state->indirect) {
		state->last = vring->map_last;
		vring->free_head = vring->map_next;
	} else {
		state->last = vring->free_head;
		vring->free_head = state->next;
	}
}

/* The buffer has @num elements: make it part of a batch. */
static __always_inline void packed_finish(struct vring_virtqueue *vring,
					  struct packed_build *build,
					  struct vring_state *state,
					  unsigned int num, bool indirect)
{
	if (indirect) {
		packed_link_table(vring, state->table, num);
		num = 1;
	} else {
		packed_end_chain(vring, build, num);
		vring->packed_build.at = build->at;
	}
	vring->added += num;
	vring_commit(vring, state, build->in_len, num);
	packed_take_ids(vring, state);
}

/*
 * The buffer will not be.  A shorter one may come next: what is behind that
 * must not look available.
 */
static void packed_erase(struct vring_virtqueue *vring, unsigned int num)
{
	struct vring_packed *ring = &vring->rings.packed;
	struct vring_packed_desc *desc = vring->packed_build.at.desc;
	u16 flags = packed_other_lap(vring->packed_build.at.lap_flags);

	for (; num; num--) {
		packed_write_flags(desc, flags);
		if (++desc == ring->end) {
			desc = ring->desc;
			flags = packed_other_lap(flags);
		}
	}
}

/* The buffer would have begun at packed_build.at. */
static void packed_cancel(struct vring_virtqueue *vring, unsigned int num,
			  bool indirect)
{
	if (!indirect)
		packed_erase(vring, num);
	vring_cancel(vring, num);
}

/* Out of line, as with it vring_packed_start_buf() would have to save registers. */
static noinline int packed_start_any(struct virtqueue *vq, unsigned int out,
				     unsigned int in, void *data, void *ctx,
				     gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);

	vring_check_reserve(vring);
	return packed_start(vring, &vring->packed_build, vring_free_state(vring),
			    out, out + in, vring->reserve, data, ctx, gfp);
}

int vring_packed_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_state *state = vring_free_state(vring);

	if (!vring_prefers_ring(vring, out + in, vring->reserve))
		return packed_start_any(vq, out, in, data, ctx, gfp);
	vring_start_direct(state, data, ctx);
	packed_begin(vring, &vring->packed_build);
	return 0;
}

static inline void packed_add_one(struct vring_virtqueue *vring,
				  dma_addr_t addr, unsigned int len,
				  enum dma_data_direction dir)
{
	struct packed_build *build = &vring->packed_build;
	unsigned int flags = 0;

	if (dir == DMA_FROM_DEVICE) {
		flags = VRING_DESC_F_WRITE;
		build->in_len += len;
	} else {
		build->head_flags = 0;
	}
	packed_append(vring, build, addr, len, flags, build->table);
}

void vring_packed_add_dma(struct virtqueue *vq, dma_addr_t addr,
			  unsigned int len, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build *build = &vring->packed_build;

	if (unlikely(vring->rings.map))
		packed_take_map(vring, build, build->table)->dir = DMA_NONE;
	packed_add_one(vring, addr, len, dir);
}

/* Out of line, as with it packed_add_one() would have to save registers. */
static noinline void packed_add_mapped(struct vring_virtqueue *vring,
				       struct page *page, unsigned int offset,
				       unsigned int len,
				       enum dma_data_direction dir)
{
	struct packed_build *build = &vring->packed_build;
	dma_addr_t addr;

	addr = vring_map_page(vring,
			      packed_take_map(vring, build, build->table),
			      page, offset, len, dir);
	if (unlikely(addr == DMA_MAPPING_ERROR))
		virtqueue_add_failed(&vring->vq, -ENOMEM);
	else
		packed_add_one(vring, addr, len, dir);
}

void vring_packed_add_page(struct virtqueue *vq, struct page *page,
			   unsigned int offset, unsigned int len,
			   enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (unlikely(vring->rings.map))
		packed_add_mapped(vring, page, offset, len, dir);
	else
		packed_add_one(vring, vring_phys(page, offset, len, dir), len,
			       dir);
}

/* To be inlined with constants, as packed_append_each() is */
static __always_inline int
packed_append_bvecs(struct vring_virtqueue *vring, struct packed_build *build,
		    const struct bio_vec *bvecs, const struct bvec_iter *iter,
		    unsigned int max, unsigned int room, unsigned int *num,
		    enum dma_data_direction dir, bool indirect, bool plain)
{
	const struct bio_vec *bvec = &bvecs[iter->bi_idx];
	unsigned int left = iter->bi_size, skip = iter->bi_bvec_done;
	unsigned int offset, len, flags = 0;
	dma_addr_t addr;

	if (dir == DMA_FROM_DEVICE) {
		flags = VRING_DESC_F_WRITE;
		build->in_len += left;
	} else {
		build->head_flags = 0;
	}
	do {
		if (unlikely(*num == room))
			return -E2BIG;
		offset = bvec->bv_offset + skip;
		len = min3(bvec->bv_len - skip, left, max);
		if (plain)
			addr = vring_phys(bvec->bv_page, offset, len, dir);
		else
			addr = vring_map_page(vring,
					      packed_take_map(vring, build, indirect),
					      bvec->bv_page, offset, len, dir);
		if (!plain && unlikely(addr == DMA_MAPPING_ERROR))
			return -ENOMEM;
		packed_append(vring, build, addr, len, flags, indirect);
		++*num;
		left -= len;
		skip += len;
		if (likely(skip == bvec->bv_len)) {
			skip = 0;
			bvec++;
		}
	} while (left);
	return 0;
}

int vring_packed_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			   const struct bvec_iter *iter, unsigned int max,
			   unsigned int room, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build build = vring->packed_build;	/* in registers */
	unsigned int num = 0;
	int err;

	if (unlikely(vring->rings.map))
		err = packed_append_bvecs(vring, &build, bvecs, iter, max, room,
					  &num, dir, build.table, false);
	else if (build.table)
		err = packed_append_bvecs(vring, &build, bvecs, iter, max, room,
					  &num, dir, true, true);
	else
		err = packed_append_bvecs(vring, &build, bvecs, iter, max, room,
					  &num, dir, false, true);
	vring->packed_build = build;
	return vring_appended(vring, num, err);
}

int vring_packed_add_sg(struct virtqueue *vq, struct scatterlist *sg,
			unsigned int nents, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build build = vring->packed_build;	/* in registers */
	unsigned int out = dir == DMA_TO_DEVICE ? nents : 0;
	unsigned int num = 0;
	int err;

	if (build.table)
		err = packed_append_sgs(vring, &build, &sg, 1, out, nents, &num,
					true);
	else
		err = packed_append_sgs(vring, &build, &sg, 1, out, nents, &num,
					false);
	vring->packed_build = build;
	return vring_appended(vring, num, err);
}

int vring_packed_end_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build *build = &vring->packed_build;

	packed_finish(vring, build, vring_free_state(vring), vq->build.added,
		      build->table);
	return 0;
}

void vring_packed_cancel_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build *build = &vring->packed_build;
	unsigned int num = vq->build.added;

	if (!build->table) {
		build->at = packed_place_before(vring, build->at, num);
		build->at.flags = build->at.lap_flags;
		if (!vring->held_desc)
			packed_hide_next(build);
	}
	packed_cancel(vring, num, build->table);
}

/* To be inlined with a constant: less is live at a time. */
static __always_inline int
packed_add_started(struct vring_virtqueue *vring, struct packed_build *build,
		   struct vring_state *state, struct scatterlist **sgs,
		   unsigned int lists, unsigned int out, unsigned int max,
		   bool indirect)
{
	unsigned int num = 0;
	int err;

	err = packed_append_sgs(vring, build, sgs, lists, out, max, &num,
				indirect);
	if (unlikely(err)) {
		packed_cancel(vring, num, indirect);
		return err;
	}
	packed_finish(vring, build, state, num, indirect);
	packed_publish(vring);
	return 0;
}

/* See split_add_buf(). */
static __always_inline int
packed_add_buf(struct vring_virtqueue *vring, struct scatterlist **sgs,
	       unsigned int lists, unsigned int out, unsigned int in,
	       void *data, void *ctx, gfp_t gfp)
{
	struct vring_state *state = vring_free_state(vring);
	struct packed_build build;	/* in registers */
	int err;

	build.at = vring->packed_build.at;
	err = packed_start(vring, &build, state, out, out + in,
			   vring->rings.num, data, ctx, gfp);
	if (unlikely(err))
		return err;
	if (build.table)
		return packed_add_started(vring, &build, state, sgs, lists, out,
					  out + in, true);
	return packed_add_started(vring, &build, state, sgs, lists, out,
				  out + in, false);
}

int vring_packed_add_list(struct virtqueue *vq, struct scatterlist *sg,
			  unsigned int num, enum dma_data_direction dir,
			  void *data, gfp_t gfp)
{
	unsigned int out = dir == DMA_TO_DEVICE ? num : 0;

	return packed_add_buf(to_vring(vq), &sg, 1, out, num - out, data, NULL,
			      gfp);
}

int vring_packed_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			 unsigned int lists, unsigned int out, unsigned int in,
			 void *data, void *ctx, gfp_t gfp)
{
	return packed_add_buf(to_vring(vq), sgs, lists, out, in, data, ctx, gfp);
}

/* How many descriptors were made available between @event and @next? */
static unsigned int packed_behind(const struct vring_virtqueue *vring,
				  u16 event, u16 next)
{
	int behind = packed_index(next) - packed_index(event) - 1;

	if ((event ^ next) & PACKED_WRAP)
		behind += vring->rings.num;
	/* What is ahead was passed when the wrap counter was the same last. */
	return behind < 0 ? behind + 2 * vring->rings.num : behind;
}

bool vring_packed_kick_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 next = packed_next_pos(vring);
	u32 added, event;
	u16 flags;

	packed_publish_pending(vring);
	/*
	 * The flags before we look whether the device wants to be told: pairs
	 * with the device's barrier between asking for it and looking at the
	 * flags once more.
	 */
	virtio_mb(vring->weak_barriers);
	added = vring_take_added(vring, next);

	/* Both fields in one read, so that they belong together. */
	event = le32_to_cpu(READ_ONCE(*(__le32 *)vring->rings.packed.device));
	flags = event >> 16;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;

	return packed_behind(vring, event, next) < added;
}

/*
 * Taking used buffers
 */

/* Is there a used buffer at a position, or one of a batch that is half taken? */
static bool packed_used_at(const struct vring_virtqueue *vring, u16 pos)
{
	return READ_ONCE(vring->batch_last) >= 0 || packed_is_used(vring, pos);
}

bool vring_packed_more_used(const struct vring_virtqueue *vring)
{
	return packed_used_at(vring, READ_ONCE(vring->last_used));
}

/*
 * No more buffers are used: ask for a callback at the next one.  The barrier
 * puts this before the ring is looked at again, see vring_packed_poll().
 */
static void packed_arm_event(struct vring_virtqueue *vring)
{
	WRITE_ONCE(vring->event_triggered, false);
	virtio_store_mb(vring->weak_barriers,
			&vring->rings.packed.driver->off_wrap,
			cpu_to_le16(vring->last_used));
}

/*
 * Read the descriptor at a position: true if it is used and has a buffer ID in
 * flight, with the bytes written, checked.
 */
static __always_inline bool packed_read_used(struct vring_virtqueue *vring,
					     u16 pos, u32 *id, u32 *len)
{
	struct vring_packed_desc *used;
	struct vring_state *state;
	u32 written;

	if (!packed_is_used(vring, pos))
		return false;
	/*
	 * The flags before the rest: pairs with the device's barrier between
	 * writing the rest and the flags.
	 */
	virtio_rmb(vring->weak_barriers);
	used = &vring->rings.packed.desc[packed_index(pos)];
	*id = le16_to_cpu(READ_ONCE(used->id));
	written = le32_to_cpu(READ_ONCE(used->len));
	if (unlikely(*id >= vring->rings.num)) {
		vring_break(vring, "used id %u is out of range", *id);
		return false;
	}
	state = &vring->rings.state[*id];
	if (unlikely(!vring_in_flight(vring, state))) {
		vring_break(vring, "used id %u is not in flight", *id);
		return false;
	}
	*len = vring_used_len(vring, state, written);
	return true;
}

static __always_inline void *
packed_take_used(struct vring_virtqueue *vring, u16 pos,
		 struct vring_state *state, u32 id, void **ctx, bool in_order)
{
	void *data = vring_take(state, ctx);

	pos = packed_advance(vring, pos, state->num);
	WRITE_ONCE(vring->last_used, pos);
	if (!READ_ONCE(vring->cb_disabled) && vring->event &&
	    !packed_used_at(vring, pos))
		packed_arm_event(vring);
	return vring_put_buf(vring, state, id, data, in_order);
}

/*
 * In order (2.8.9): one used descriptor may stand for a batch of buffers, of
 * which it names the last.  It lies where the first one was made available; the
 * others are skipped, and are used in full.
 */
static __always_inline void *packed_take_in_order(struct vring_virtqueue *vring,
						  unsigned int *len, void **ctx)
{
	u16 id = vring->oldest, pos = vring->last_used;
	struct vring_state *state = &vring->rings.state[id];
	u32 written = state->in_len;

	if (id == vring->batch_last) {
		written = vring->batch_len;
		WRITE_ONCE(vring->batch_last, -1);
	}
	vring->oldest = vring->rings.state[state->last].next;
	*len = written;
	return packed_take_used(vring, pos, state, id, ctx, true);
}

/* Out of line, as with it packed_get_in_order() would have to save registers. */
static noinline void *packed_get_batch(struct vring_virtqueue *vring,
				       unsigned int *len, void **ctx)
{
	u32 last;

	if (!packed_read_used(vring, vring->last_used, &last, &vring->batch_len))
		return NULL;
	WRITE_ONCE(vring->batch_last, last);
	return packed_take_in_order(vring, len, ctx);
}

static noinline void *packed_get_in_order(struct vring_virtqueue *vring,
					  unsigned int *len, void **ctx)
{
	if (vring->batch_last < 0)
		return packed_get_batch(vring, len, ctx);
	return packed_take_in_order(vring, len, ctx);
}

void *vring_packed_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 pos = vring->last_used;
	u32 id;

	if (vring->in_order)
		return packed_get_in_order(vring, len, ctx);
	if (!packed_read_used(vring, pos, &id, len))
		return NULL;
	return packed_take_used(vring, pos, &vring->rings.state[id], id, ctx,
				false);
}

/*
 * Callbacks
 */

static void packed_write_event_flags(struct vring_virtqueue *vring, u16 flags)
{
	WRITE_ONCE(vring->rings.packed.driver->flags, cpu_to_le16(flags));
}

void vring_packed_disable_cb(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (READ_ONCE(vring->cb_disabled))
		return;
	WRITE_ONCE(vring->cb_disabled, true);
	/* An event that has fired does not fire again until it is armed. */
	if (!READ_ONCE(vring->event_triggered))
		packed_write_event_flags(vring,
					 VRING_PACKED_EVENT_FLAG_DISABLE);
}

/*
 * Ask for a callback when the device uses the descriptor at a position.
 * Written in any case: a disable_cb on another CPU may be about to write as
 * well, after cb_disabled was seen to be false here.
 */
static void packed_write_callback(struct vring_virtqueue *vring, u16 pos)
{
	WRITE_ONCE(vring->event_triggered, false);
	if (vring->event) {
		WRITE_ONCE(vring->rings.packed.driver->off_wrap,
			   cpu_to_le16(pos));
		/*
		 * The position before the flags that make it count: pairs with
		 * the device's barrier between reading flags and position.
		 */
		virtio_wmb(vring->weak_barriers);
	}
	packed_write_event_flags(vring, vring->event ?
				 VRING_PACKED_EVENT_FLAG_DESC :
				 VRING_PACKED_EVENT_FLAG_ENABLE);
	WRITE_ONCE(vring->cb_disabled, false);
}

unsigned int vring_packed_enable_cb_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	packed_write_callback(vring, vring->last_used);
	return vring->last_used;
}

bool vring_packed_poll(struct virtqueue *vq, unsigned int state)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/*
	 * Asking for a callback before looking once more: pairs with the
	 * device's barrier between writing flags and looking whether we want
	 * a callback.
	 */
	virtio_mb(vring->weak_barriers);
	return packed_used_at(vring, state);
}

/* Descriptors of buffers that the device has, or has used */
static unsigned int packed_public(const struct vring_virtqueue *vring)
{
	const struct vring_packed_desc *next = vring->packed_build.at.desc;
	unsigned int num = vring->rings.num, hidden = 0;

	/* If both are the same, nothing in the ring is public. */
	if (vring->held_desc)
		hidden = next > vring->held_desc ?
			 next - vring->held_desc :
			 num - (vring->held_desc - next);
	return num - vring->vq.num_free - hidden;
}

bool vring_packed_enable_cb_delayed(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	unsigned int wait = packed_public(vring) * 3 / 4;

	packed_write_callback(vring, packed_advance(vring, vring->last_used,
						    wait));
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
	rings->packed.desc = rings->mem.addr;
	rings->packed.end = rings->packed.desc + num;
	rings->packed.driver = rings->mem.addr + events;
	rings->packed.device = rings->mem.addr + events + SMP_CACHE_BYTES;
	return 0;
}

static void packed_init(struct vring_virtqueue *vring)
{
	struct packed_build *build = &vring->packed_build;

	build->at.desc = vring->rings.packed.desc;
	build->at.lap_flags = PACKED_AVAIL;
	packed_hide_next(build);
	vring->held_desc = NULL;
	vring->notify_next = PACKED_WRAP;
	vring->last_used = PACKED_WRAP;

	if (vring->cb_disabled)
		packed_write_event_flags(vring,
					 VRING_PACKED_EVENT_FLAG_DISABLE);
	else
		packed_write_callback(vring, PACKED_WRAP);
}

static dma_addr_t packed_desc_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma;
}

static dma_addr_t packed_driver_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma +
	       ((void *)vring->rings.packed.driver - vring->rings.mem.addr);
}

static dma_addr_t packed_device_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma +
	       ((void *)vring->rings.packed.device - vring->rings.mem.addr);
}

const struct vring_layout vring_packed_layout = {
	.ops = {
		.add_sgs		= vring_packed_add_sgs,
		.add_list		= vring_packed_add_list,
		.start_buf		= vring_packed_start_buf,
		.add_sg			= vring_packed_add_sg,
		.add_page		= vring_packed_add_page,
		.add_bvecs		= vring_packed_add_bvecs,
		.add_dma		= vring_packed_add_dma,
		.end_buf		= vring_packed_end_buf,
		.cancel_buf		= vring_packed_cancel_buf,
		.kick_prepare		= vring_packed_kick_prepare,
		.notify			= vring_notify,
		.get_buf		= vring_packed_get_buf,
		.disable_cb		= vring_packed_disable_cb,
		.enable_cb_prepare	= vring_packed_enable_cb_prepare,
		.enable_cb_delayed	= vring_packed_enable_cb_delayed,
		.poll			= vring_packed_poll,
		.detach_unused_buf	= vring_detach_unused_buf,
		.size			= vring_num,
		.resize			= vring_resize,
		.reset			= vring_reset,
		.set_dma_premapped	= vring_set_dma_premapped,
	},
	.alloc		= packed_alloc,
	.init		= packed_init,
	.more_used	= vring_packed_more_used,
	.desc_addr	= packed_desc_addr,
	.driver_addr	= packed_driver_addr,
	.device_addr	= packed_device_addr,
};
