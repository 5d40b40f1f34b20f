// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The split virtqueue: section 2.7 of the specification.
 *
 * The driver links descriptors to chains and puts the head of each chain into
 * the available ring; the device puts it into the used ring when it is done.
 * Which descriptors are free and how chains are linked is kept in
 * vring_state.next: the links in the descriptor table are for the device.  With
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

/* The entries up to next_avail become the device's. */
static __always_inline void split_publish(struct vring_virtqueue *vring)
{
	if (vring->published == vring->next_avail)
		return;
	/*
	 * Descriptors and entries before the index: pairs with the device's
	 * barrier between reading the index and reading an entry.
	 */
	virtio_wmb(vring->weak_barriers);
	WRITE_ONCE(split_ring(vring)->avail->idx,
		   cpu_to_virtio16(vring->vq.vdev, vring->next_avail));
	vring->published = vring->next_avail;
	vring_end_batch(vring);
}

/* A device that has work to do may soon make room. */
static noinline int split_no_room(struct vring_virtqueue *vring, bool readable,
				  int err)
{
	if (err != -ENOSPC)
		return err;
	split_publish(vring);
	if (readable) {
		vring_take_added(vring, vring->next_avail);
		vring_notify(&vring->vq);
	}
	return err;
}

/* A buffer without elements so far, and without a table */
static __always_inline void split_begin(struct vring_virtqueue *vring,
					struct split_build *build)
{
	build->desc = split_ring(vring)->desc;
	build->cur = vring->free_head;
	build->in_len = 0;
	build->indirect = false;
}

static __always_inline int split_start(struct vring_virtqueue *vring,
				       struct split_build *build,
				       struct vring_state *state,
				       bool readable, unsigned int num,
				       unsigned int reserve, void *data,
				       void *ctx, gfp_t gfp)
{
	int err;

	err = vring_start(vring, state, num, reserve, data, ctx, gfp);
	if (unlikely(err < 0))
		return split_no_room(vring, readable, err);
	split_begin(vring, build);
	if (err) {
		build->desc = state->table->desc;
		build->cur = 0;
		build->indirect = true;
	}
	return 0;
}

/* Append an element, as if another one followed. */
static __always_inline void split_append(struct vring_virtqueue *vring,
					 struct split_build *build,
					 dma_addr_t addr, unsigned int len,
					 unsigned int flags, bool indirect)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring_desc *desc = &build->desc[build->cur];
	unsigned int next;

	if (indirect)
		next = build->cur + 1;
	else
		next = vring->rings.state[build->cur].next;
	build->cur = next;
	build->last = desc;
	build->last_flags = flags;

	desc->addr = cpu_to_virtio64(vdev, addr);
	desc->len = cpu_to_virtio32(vdev, len);
	desc->flags = cpu_to_virtio16(vdev, flags | VRING_DESC_F_NEXT);
	desc->next = cpu_to_virtio16(vdev, next);
}

/* Where to keep how the next element is unmapped */
static __always_inline struct vring_map *
split_map(struct vring_virtqueue *vring, const struct split_build *build,
	  bool indirect)
{
	if (indirect)
		return &vring_free_state(vring)->table->map[build->cur];
	return &vring->rings.map[build->cur];
}

/* The DMA address of an element of a queue that is not @plain, or an error */
static __always_inline dma_addr_t
split_map_sg(struct vring_virtqueue *vring, const struct split_build *build,
	     struct scatterlist *sg, enum dma_data_direction dir,
	     bool indirect)
{
	if (!vring->vq.premapped)
		return vring_map_page(vring, split_map(vring, build, indirect),
				      sg_page(sg), sg->offset, sg->length, dir);
	if (vring->rings.map)
		split_map(vring, build, indirect)->dir = DMA_NONE;
	return sg_dma_address(sg);
}

/* To be inlined with constants: a loop for each kind of buffer and address */
static __always_inline int
split_append_each(struct vring_virtqueue *vring, struct split_build *build,
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
				addr = split_map_sg(vring, build, sg, dir,
						    indirect);
			if (!plain && unlikely(addr == DMA_MAPPING_ERROR))
				return -ENOMEM;
			split_append(vring, build, addr, sg->length, flags,
				     indirect);
			build->in_len += sg->length;
			++*num;
			if (sg_is_last(sg) || *num == max)
				break;
		}
		/* No writable element has come before readable ones. */
		if (!flags)
			build->in_len = 0;
	} while (--lists && *num < max);
	return 0;
}

/*
 * Append the elements of some lists, but no more than @max, of which the first
 * @out are readable.  @num counts them.
 */
static __always_inline int
split_append_sgs(struct vring_virtqueue *vring, struct split_build *build,
		 struct scatterlist **sgs, unsigned int lists,
		 unsigned int out, unsigned int max, unsigned int *num,
		 bool indirect)
{
	if (unlikely(!vring->plain))
		return split_append_each(vring, build, sgs, lists, out, max,
					 num, indirect, false);
	return split_append_each(vring, build, sgs, lists, out, max, num,
				 indirect, true);
}

/* Let the descriptor in the ring point to the table that was filled. */
static __always_inline void split_link_table(struct vring_virtqueue *vring,
					     struct vring_state *state,
					     u16 head, unsigned int num)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring_desc *desc = &split_ring(vring)->desc[head];

	state->table->num = num;
	state->last = head;
	desc->addr = cpu_to_virtio64(vdev, state->table->dma);
	desc->len = cpu_to_virtio32(vdev, num * sizeof(*desc));
	desc->flags = cpu_to_virtio16(vdev, VRING_DESC_F_INDIRECT);
}

/* The buffer has @num elements: put it into the available ring. */
static __always_inline void split_finish(struct vring_virtqueue *vring,
					 struct split_build *build,
					 struct vring_state *state,
					 unsigned int num, bool indirect)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);
	u16 head = vring->free_head;

	build->last->flags = cpu_to_virtio16(vdev, build->last_flags);
	if (indirect) {
		split_link_table(vring, state, head, num);
		vring->free_head = state->next;
		num = 1;
	} else {
		state->last = build->last - ring->desc;
		vring->free_head = build->cur;
	}
	vring_commit(vring, state, build->in_len, num);

	ring->avail->ring[vring->next_avail & (ring->num - 1)] =
		cpu_to_virtio16(vdev, head);
	vring->next_avail++;
	vring->added++;
}

/* Out of line, as with it vring_split_start_buf() would have to save registers. */
static noinline int split_start_any(struct virtqueue *vq, unsigned int out,
				    unsigned int in, void *data, void *ctx,
				    gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);

	vring_check_reserve(vring);
	return split_start(vring, &vring->split_build, vring_free_state(vring),
			   out, out + in, vring->reserve, data, ctx, gfp);
}

int vring_split_start_buf(struct virtqueue *vq, unsigned int out,
			  unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_state *state = vring_free_state(vring);

	if (!vring_prefers_ring(vring, out + in, vring->reserve))
		return split_start_any(vq, out, in, data, ctx, gfp);
	vring_start_direct(state, data, ctx);
	split_begin(vring, &vring->split_build);
	return 0;
}

static inline void split_add_one(struct vring_virtqueue *vring, dma_addr_t addr,
				 unsigned int len, enum dma_data_direction dir)
{
	struct split_build *build = &vring->split_build;
	unsigned int flags = 0;

	if (dir == DMA_FROM_DEVICE) {
		flags = VRING_DESC_F_WRITE;
		build->in_len += len;
	}
	if (build->indirect)
		split_append(vring, build, addr, len, flags, true);
	else
		split_append(vring, build, addr, len, flags, false);
}

void vring_split_add_dma(struct virtqueue *vq, dma_addr_t addr,
			 unsigned int len, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (unlikely(vring->rings.map))
		split_map(vring, &vring->split_build,
			  vring->split_build.indirect)->dir = DMA_NONE;
	split_add_one(vring, addr, len, dir);
}

/* Out of line, as with it split_add_one() would have to save registers. */
static noinline void split_add_mapped(struct vring_virtqueue *vring,
				      struct page *page, unsigned int offset,
				      unsigned int len,
				      enum dma_data_direction dir)
{
	struct split_build *build = &vring->split_build;
	dma_addr_t addr;

	addr = vring_map_page(vring, split_map(vring, build, build->indirect),
			      page, offset, len, dir);
	if (unlikely(addr == DMA_MAPPING_ERROR))
		virtqueue_add_failed(&vring->vq, -ENOMEM);
	else
		split_add_one(vring, addr, len, dir);
}

void vring_split_add_page(struct virtqueue *vq, struct page *page,
			  unsigned int offset, unsigned int len,
			  enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (unlikely(vring->rings.map))
		split_add_mapped(vring, page, offset, len, dir);
	else
		split_add_one(vring, vring_phys(page, offset, len, dir), len,
			      dir);
}

/* To be inlined with constants, as split_append_each() is */
static __always_inline int
split_append_bvecs(struct vring_virtqueue *vring, struct split_build *build,
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
					      split_map(vring, build, indirect),
					      bvec->bv_page, offset, len, dir);
		if (!plain && unlikely(addr == DMA_MAPPING_ERROR))
			return -ENOMEM;
		split_append(vring, build, addr, len, flags, indirect);
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

int vring_split_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			  const struct bvec_iter *iter, unsigned int max,
			  unsigned int room, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct split_build build = vring->split_build;	/* in registers */
	unsigned int num = 0;
	int err;

	if (unlikely(vring->rings.map))
		err = split_append_bvecs(vring, &build, bvecs, iter, max, room,
					 &num, dir, build.indirect, false);
	else if (build.indirect)
		err = split_append_bvecs(vring, &build, bvecs, iter, max, room,
					 &num, dir, true, true);
	else
		err = split_append_bvecs(vring, &build, bvecs, iter, max, room,
					 &num, dir, false, true);
	vring->split_build = build;
	return vring_appended(vring, num, err);
}

int vring_split_add_sg(struct virtqueue *vq, struct scatterlist *sg,
		       unsigned int nents, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct split_build build = vring->split_build;	/* in registers */
	unsigned int out = dir == DMA_TO_DEVICE ? nents : 0;
	unsigned int num = 0;
	int err;

	if (build.indirect)
		err = split_append_sgs(vring, &build, &sg, 1, out, nents, &num,
				       true);
	else
		err = split_append_sgs(vring, &build, &sg, 1, out, nents, &num,
				       false);
	vring->split_build = build;
	return vring_appended(vring, num, err);
}

int vring_split_end_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct split_build *build = &vring->split_build;

	split_finish(vring, build, vring_free_state(vring), vq->build.added,
		     build->indirect);
	return 0;
}

void vring_split_cancel_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/* Free list and available ring were not touched yet. */
	vring_cancel(vring, vq->build.added);
}

/* To be inlined with a constant: less is live at a time. */
static __always_inline int
split_add_started(struct vring_virtqueue *vring, struct split_build *build,
		  struct vring_state *state, struct scatterlist **sgs,
		  unsigned int lists, unsigned int out, unsigned int max,
		  bool indirect)
{
	unsigned int num = 0;
	int err;

	err = split_append_sgs(vring, build, sgs, lists, out, max, &num,
			       indirect);
	if (unlikely(err)) {
		vring_cancel(vring, num);
		return err;
	}
	split_finish(vring, build, state, num, indirect);
	split_publish(vring);
	return 0;
}

/*
 * Some drivers never kick: buffers of these calls are the device's at once.
 * And some count on room for as many as there are descriptors: long ones have a
 * table.
 */
static __always_inline int
split_add_buf(struct vring_virtqueue *vring, struct scatterlist **sgs,
	      unsigned int lists, unsigned int out, unsigned int in,
	      void *data, void *ctx, gfp_t gfp)
{
	struct vring_state *state = vring_free_state(vring);
	struct split_build build;	/* in registers */
	int err;

	err = split_start(vring, &build, state, out, out + in, vring->rings.num,
			  data, ctx, gfp);
	if (unlikely(err))
		return err;
	if (build.indirect)
		return split_add_started(vring, &build, state, sgs, lists, out,
					 out + in, true);
	return split_add_started(vring, &build, state, sgs, lists, out,
				 out + in, false);
}

int vring_split_add_list(struct virtqueue *vq, struct scatterlist *sg,
			 unsigned int num, enum dma_data_direction dir,
			 void *data, gfp_t gfp)
{
	unsigned int out = dir == DMA_TO_DEVICE ? num : 0;

	return split_add_buf(to_vring(vq), &sg, 1, out, num - out, data, NULL,
			     gfp);
}

int vring_split_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			unsigned int lists, unsigned int out, unsigned int in,
			void *data, void *ctx, gfp_t gfp)
{
	return split_add_buf(to_vring(vq), sgs, lists, out, in, data, ctx, gfp);
}

bool vring_split_kick_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring *ring = split_ring(vring);
	u32 added;
	u16 event;

	split_publish(vring);
	/*
	 * The index before we look whether the device wants to be told: pairs
	 * with the device's barrier between asking for it and looking at the
	 * index once more.
	 */
	virtio_mb(vring->weak_barriers);
	added = vring_take_added(vring, vring->next_avail);

	if (!vring->event)
		return !(READ_ONCE(ring->used->flags) &
			 cpu_to_virtio16(vq->vdev, VRING_USED_F_NO_NOTIFY));

	event = virtio16_to_cpu(vq->vdev, READ_ONCE(vring_avail_event(ring)));
	return (u16)(vring->next_avail - event - 1) < added;
}

/*
 * Taking used buffers
 */

bool vring_split_more_used(const struct vring_virtqueue *vring)
{
	return READ_ONCE(vring->last_used) != split_read_used_idx(vring);
}

/* Look how far the device is, when all that was known of is taken. */
static __always_inline bool split_refresh_used(struct vring_virtqueue *vring)
{
	u16 used = split_read_used_idx(vring);

	if (used == vring->last_used)
		return false;
	if (unlikely((u16)(used - vring->last_used) >
		     (u16)(vring->published - vring->last_used))) {
		vring_break(vring, "used index %u is past the available index %u",
			    used, vring->published);
		return false;
	}
	/*
	 * The index before the elements: pairs with the device's barrier
	 * between writing an element and the index.
	 */
	virtio_rmb(vring->weak_barriers);
	vring->used_seen = used;
	return true;
}

/*
 * All known used buffers are taken: ask for a callback at the next one.  The
 * barrier puts this before the index is read again, see vring_split_poll().
 */
static void split_arm_event(struct vring_virtqueue *vring)
{
	WRITE_ONCE(vring->event_triggered, false);
	virtio_store_mb(vring->weak_barriers,
			&vring_used_event(split_ring(vring)),
			cpu_to_virtio16(vring->vq.vdev, vring->last_used));
}

/*
 * Read the element of the used ring at a position: true if it has a head in
 * flight, with the bytes written, checked.
 */
static __always_inline bool split_read_used(struct vring_virtqueue *vring,
					    u16 pos, u32 *id, u32 *len)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);
	struct vring_used_elem *used;
	struct vring_state *state;
	u32 written;

	used = &ring->used->ring[pos & (ring->num - 1)];
	*id = virtio32_to_cpu(vdev, READ_ONCE(used->id));
	written = virtio32_to_cpu(vdev, READ_ONCE(used->len));
	if (unlikely(*id >= ring->num)) {
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
split_take_used(struct vring_virtqueue *vring, u16 pos,
		struct vring_state *state, u32 id, void **ctx, bool in_order)
{
	void *data = vring_take(state, ctx);

	WRITE_ONCE(vring->last_used, ++pos);
	if (!READ_ONCE(vring->cb_disabled) && vring->event &&
	    vring->used_seen == pos)
		split_arm_event(vring);
	return vring_put_buf(vring, state, id, data, in_order);
}

/* The used index has no room for all buffers of a batch. */
static noinline void *split_long_batch(struct vring_virtqueue *vring)
{
	vring_break(vring, "the batch ends behind the used index %u",
		    vring->used_seen);
	return NULL;
}

/*
 * In order (2.7.9): one used element may stand for a batch of buffers, of which
 * it names the last.  It lies where the element of the first one would; those
 * of the others are skipped, and these are used in full.
 */
static __always_inline void *split_take_in_order(struct vring_virtqueue *vring,
						 unsigned int *len, void **ctx)
{
	u16 id = vring->oldest, pos = vring->last_used;
	struct vring_state *state = &vring->rings.state[id];
	u32 written = state->in_len;

	if (id == vring->batch_last) {
		written = vring->batch_len;
		vring->batch_last = -1;
	} else if (unlikely((u16)(vring->used_seen - pos) == 1)) {
		return split_long_batch(vring);
	}
	/* Descriptors are taken in turn. */
	vring->oldest = (id + state->num) & (split_ring(vring)->num - 1);
	*len = written;
	return split_take_used(vring, pos, state, id, ctx, true);
}

/* Out of line, as with it split_get_in_order() would have to save registers. */
static noinline void *split_get_batch(struct vring_virtqueue *vring,
				      unsigned int *len, void **ctx)
{
	u16 pos = vring->last_used;
	u32 last;

	if (vring->used_seen == pos && !split_refresh_used(vring))
		return NULL;
	if (!split_read_used(vring, pos, &last, &vring->batch_len))
		return NULL;
	vring->batch_last = last;
	return split_take_in_order(vring, len, ctx);
}

static noinline void *split_get_in_order(struct vring_virtqueue *vring,
					 unsigned int *len, void **ctx)
{
	if (vring->batch_last < 0)
		return split_get_batch(vring, len, ctx);
	return split_take_in_order(vring, len, ctx);
}

void *vring_split_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 pos = vring->last_used;
	u32 id;

	if (vring->in_order)
		return split_get_in_order(vring, len, ctx);
	if (vring->used_seen == pos && !split_refresh_used(vring))
		return NULL;
	if (unlikely(!split_read_used(vring, pos, &id, len)))
		return NULL;
	return split_take_used(vring, pos, &vring->rings.state[id], id, ctx,
			       false);
}

/*
 * Callbacks
 */

/* With an event index the flag must stay 0 (2.7.7.1): aim far ahead instead. */
static void split_write_no_callback(struct vring_virtqueue *vring)
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

void vring_split_disable_cb(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (READ_ONCE(vring->cb_disabled))
		return;
	WRITE_ONCE(vring->cb_disabled, true);
	/* An event that has fired does not fire again until it is armed. */
	if (!READ_ONCE(vring->event_triggered))
		split_write_no_callback(vring);
}

/*
 * Ask for a callback when the device's used index passes @event.  Written in
 * any case: a disable_cb on another CPU may be about to write as well, after
 * cb_disabled was seen to be false here.
 */
static void split_write_callback(struct vring_virtqueue *vring, u16 event)
{
	struct virtio_device *vdev = vring->vq.vdev;
	struct vring *ring = split_ring(vring);

	WRITE_ONCE(vring->event_triggered, false);
	if (vring->event)
		WRITE_ONCE(vring_used_event(ring), cpu_to_virtio16(vdev, event));
	else
		WRITE_ONCE(ring->avail->flags, 0);
	WRITE_ONCE(vring->cb_disabled, false);
}

unsigned int vring_split_enable_cb_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	split_write_callback(vring, vring->last_used);
	return vring->last_used;
}

bool vring_split_poll(struct virtqueue *vq, unsigned int state)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/*
	 * Asking for a callback before looking once more: pairs with the
	 * device's barrier between writing the used index and looking whether
	 * we want a callback.
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
		wait = (u16)(vring->published - vring->last_used) * 3 / 4;
	split_write_callback(vring, vring->last_used + wait);
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
	int err;

	err = vring_mem_alloc(vring, &rings->mem, vring_size(num, vring->align),
			      gfp);
	if (err)
		return err;
	vring_init(&rings->split, num, rings->mem.addr, vring->align);
	rings->num = num;
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

	/* Rather a smaller ring than none, if the transport can tell. */
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
	vring->next_avail = 0;
	vring->published = 0;
	vring->notify_next = 0;
	vring->last_used = 0;
	vring->used_seen = 0;
	if (vring->cb_disabled)
		split_write_no_callback(vring);
}

static dma_addr_t split_desc_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma;
}

static dma_addr_t split_driver_addr(const struct vring_virtqueue *vring)
{
	const struct vring *ring = &vring->rings.split;

	return vring->rings.mem.dma + ((void *)ring->avail - (void *)ring->desc);
}

static dma_addr_t split_device_addr(const struct vring_virtqueue *vring)
{
	const struct vring *ring = &vring->rings.split;

	return vring->rings.mem.dma + ((void *)ring->used - (void *)ring->desc);
}

const struct vring_layout vring_split_layout = {
	.ops = {
		.add_sgs		= vring_split_add_sgs,
		.add_list		= vring_split_add_list,
		.start_buf		= vring_split_start_buf,
		.add_sg			= vring_split_add_sg,
		.add_page		= vring_split_add_page,
		.add_bvecs		= vring_split_add_bvecs,
		.add_dma		= vring_split_add_dma,
		.end_buf		= vring_split_end_buf,
		.cancel_buf		= vring_split_cancel_buf,
		.kick_prepare		= vring_split_kick_prepare,
		.notify			= vring_notify,
		.get_buf		= vring_split_get_buf,
		.disable_cb		= vring_split_disable_cb,
		.enable_cb_prepare	= vring_split_enable_cb_prepare,
		.enable_cb_delayed	= vring_split_enable_cb_delayed,
		.poll			= vring_split_poll,
		.detach_unused_buf	= vring_detach_unused_buf,
		.size			= vring_num,
		.resize			= vring_resize,
		.reset			= vring_reset,
		.set_dma_premapped	= vring_set_dma_premapped,
	},
	.alloc		= split_alloc,
	.init		= split_init,
	.more_used	= vring_split_more_used,
	.desc_addr	= split_desc_addr,
	.driver_addr	= split_driver_addr,
	.device_addr	= split_device_addr,
};
