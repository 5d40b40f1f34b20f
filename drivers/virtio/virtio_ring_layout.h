/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of a ring layout, as far as the layouts are alike. Each layout
 * includes this once, after it has defined what differs:
 *
 *  RING_OP(op)		the name of the layout's function for an operation
 *  struct ring_cursor	where the next element of the buffer being built goes
 *  ring_cursor_of()	that of the queue
 *  ring_is_indirect()	whether it is in a table
 *  ring_begin()	make it ready for the first element
 *  ring_append()	write an element there, as if another one followed
 *  ring_readable()	note that there are readable elements
 *  ring_map()		find where the mapping of the next element is kept
 *  ring_finish()	make the elements a buffer, not yet public
 *  ring_cancel()	undo what ring_append() did
 *  ring_publish()	make all buffers that are finished public
 *  ring_next_pos()	where the next buffer goes
 *  ring_read_used()	read and check the next used element
 *  ring_is_overrun()	in order: is there no used element left for this buffer
 *  ring_after()	in order: the state of the buffer that came after one
 *  ring_step()		the position after the used element of a buffer
 *  ring_has_more()	whether there may be a used element at a position
 *  ring_arm_event()	ask for a callback at the next one
 *  ring_ask()		ask for callbacks from a position on
 *  ring_refuse()	ask for none
 *
 * All of them are inlined, and so are the functions here that take @indirect or
 * @mapped, with constants: there is a loop for each kind of buffer and address.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */

/*
 * Adding buffers
 */

/*
 * There is no room. The device can make some only if it sees what was added so
 * far, and does so soon if it is notified.
 */
static noinline int RING_OP(no_room)(struct vring_virtqueue *vring,
				     bool readable, int err)
{
	if (err != -ENOSPC)
		return err;
	ring_publish(vring);
	if (readable) {
		vring_take_added(vring, ring_next_pos(vring));
		vring_notify(&vring->vq);
	}
	return err;
}

static noinline int RING_OP(start_slow)(struct virtqueue *vq, unsigned int out,
					unsigned int in, void *data, void *ctx,
					gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	int place = vring_start_slow(vring, out + in, data, ctx, gfp);

	if (unlikely(place < 0))
		return RING_OP(no_room)(vring, out, place);
	ring_begin(vring, ring_cursor_of(vring), vring_free_state(vring), place);
	return 0;
}

int RING_OP(start_buf)(struct virtqueue *vq, unsigned int out, unsigned int in,
		       void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_state *state = vring_free_state(vring);
	int place = vring_start(vring, out + in, ctx);

	if (unlikely(place == VRING_IN_POOL_TABLE))
		return RING_OP(start_slow)(vq, out, in, data, ctx, gfp);
	vring_set_state(state, data, ctx, place);
	ring_begin(vring, ring_cursor_of(vring), state, place);
	return 0;
}

/* Note @len bytes of a direction: the flags of their descriptors. */
static __always_inline unsigned int ring_flags(struct ring_cursor *cursor,
					       unsigned int len,
					       enum dma_data_direction dir)
{
	if (dir == DMA_FROM_DEVICE) {
		cursor->in_len += len;
		return VRING_DESC_F_WRITE;
	}
	ring_readable(cursor);
	return 0;
}

static __always_inline void ring_add_one(struct vring_virtqueue *vring,
					 dma_addr_t addr, unsigned int len,
					 enum dma_data_direction dir)
{
	struct ring_cursor *cursor = ring_cursor_of(vring);
	unsigned int flags = ring_flags(cursor, len, dir);

	if (ring_is_indirect(cursor))
		ring_append(vring, cursor, addr, len, flags, true);
	else
		ring_append(vring, cursor, addr, len, flags, false);
}

/* What has an address already */
static noinline void RING_OP(add_addr)(struct vring_virtqueue *vring,
				       dma_addr_t addr, unsigned int len,
				       enum dma_data_direction dir)
{
	ring_add_one(vring, addr, len, dir);
}

void RING_OP(add_dma)(struct virtqueue *vq, dma_addr_t addr, unsigned int len,
		      enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor *cursor = ring_cursor_of(vring);

	if (unlikely(vq->dma_dev))
		ring_map(vring, cursor, ring_is_indirect(cursor))->dir = DMA_NONE;
	RING_OP(add_addr)(vring, addr, len, dir);
}

static noinline void RING_OP(add_page_slow)(struct virtqueue *vq,
					    struct page *page,
					    unsigned int offset,
					    unsigned int len,
					    enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor *cursor = ring_cursor_of(vring);
	dma_addr_t addr;

	addr = vring_map_page(vring,
			      ring_map(vring, cursor, ring_is_indirect(cursor)),
			      page, offset, len, dir);
	if (unlikely(addr == DMA_MAPPING_ERROR))
		virtqueue_add_failed(vq, -ENOMEM);
	else
		RING_OP(add_addr)(vring, addr, len, dir);
}

void RING_OP(add_page)(struct virtqueue *vq, struct page *page,
		       unsigned int offset, unsigned int len,
		       enum dma_data_direction dir)
{
	if (unlikely(vq->dma_dev))
		RING_OP(add_page_slow)(vq, page, offset, len, dir);
	else
		ring_add_one(to_vring(vq), vring_phys(page, offset, len, dir),
			     len, dir);
}

/* An array, as virtqueue_ops.add_bvecs() takes it */
struct ring_array {
	const struct bio_vec *bvecs;
	const struct bvec_iter *iter;
	unsigned int max;
	unsigned int room;
	enum dma_data_direction dir;
};

/* Append the elements of an array. @num counts them. */
static __always_inline int
ring_append_array(struct vring_virtqueue *vring, struct ring_cursor *cursor,
		  const struct ring_array *array, unsigned int *num,
		  bool indirect, bool mapped)
{
	const struct bvec_iter *iter = array->iter;
	const struct bio_vec *bvec = &array->bvecs[iter->bi_idx];
	unsigned int left = iter->bi_size, skip = iter->bi_bvec_done;
	unsigned int flags = ring_flags(cursor, left, array->dir);
	unsigned int offset, len;
	dma_addr_t addr;

	do {
		if (unlikely(*num == array->room))
			return -E2BIG;
		offset = bvec->bv_offset + skip;
		len = min3(bvec->bv_len - skip, left, array->max);
		if (mapped)
			addr = vring_map_page(vring,
					      ring_map(vring, cursor, indirect),
					      bvec->bv_page, offset, len,
					      array->dir);
		else
			addr = vring_phys(bvec->bv_page, offset, len,
					  array->dir);
		if (mapped && unlikely(addr == DMA_MAPPING_ERROR))
			return -ENOMEM;
		ring_append(vring, cursor, addr, len, flags, indirect);
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

/* Elements added before one failed count, too: cancel_buf has to undo them. */
static inline int ring_added(struct vring_virtqueue *vring, unsigned int num,
			     int err)
{
	if (likely(!err))
		return num;
	vring->vq.build.added += num;
	return err;
}

int RING_OP(add_bvecs)(struct virtqueue *vq, const struct bio_vec *bvecs,
		       const struct bvec_iter *iter, unsigned int max,
		       unsigned int room, enum dma_data_direction dir)
{
	const struct ring_array array = { bvecs, iter, max, room, dir };
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor cursor = *ring_cursor_of(vring);	/* in registers */
	unsigned int num = 0;
	int err;

	if (unlikely(vq->dma_dev))
		err = ring_append_array(vring, &cursor, &array, &num,
					ring_is_indirect(&cursor), true);
	else if (ring_is_indirect(&cursor))
		err = ring_append_array(vring, &cursor, &array, &num, true,
					false);
	else
		err = ring_append_array(vring, &cursor, &array, &num, false,
					false);
	*ring_cursor_of(vring) = cursor;
	return ring_added(vring, num, err);
}

/*
 * Append the elements of a list until the buffer has @max, and return how many
 * it has. in_len counts readable ones as well; callers correct that.
 */
static __always_inline unsigned int
ring_append_list(struct vring_virtqueue *vring, struct ring_cursor *cursor,
		 struct scatterlist *sg, unsigned int num, unsigned int max,
		 unsigned int flags, bool indirect)
{
	enum dma_data_direction dir = flags ? DMA_FROM_DEVICE : DMA_TO_DEVICE;

	for (;; sg = vring_sg_next(sg)) {
		ring_append(vring, cursor,
			    vring_phys(sg_page(sg), sg->offset, sg->length, dir),
			    sg->length, flags, indirect);
		cursor->in_len += sg->length;
		if (++num == max || sg_is_last(sg))
			return num;
	}
}

/* Append the elements of all lists, and return how many there are. */
static __always_inline unsigned int
ring_append_lists(struct vring_virtqueue *vring, struct ring_cursor *cursor,
		  const struct virtqueue_sgs *sgs, bool indirect)
{
	unsigned int lists = sgs->num, max = sgs->out + sgs->in, num = 0;
	struct scatterlist **list = sgs->lists;

	if (sgs->out) {
		do
			num = ring_append_list(vring, cursor, *list++, num,
					       sgs->out, 0, indirect);
		while (--lists && num < sgs->out);
		cursor->in_len = 0;
		ring_readable(cursor);
	}
	for (; lists && num < max; lists--)
		num = ring_append_list(vring, cursor, *list++, num, max,
				       VRING_DESC_F_WRITE, indirect);
	return num;
}

/* The DMA address of an element, or DMA_MAPPING_ERROR */
static __always_inline dma_addr_t
ring_map_sg(struct vring_virtqueue *vring, struct ring_cursor *cursor,
	    struct scatterlist *sg, enum dma_data_direction dir, bool indirect)
{
	if (!vring->vq.premapped)
		return vring_map_page(vring, ring_map(vring, cursor, indirect),
				      sg_page(sg), sg->offset, sg->length, dir);
	if (vring->vq.dma_dev)
		ring_map(vring, cursor, indirect)->dir = DMA_NONE;
	return sg_dma_address(sg);
}

/* ring_append_lists() for DMA addresses. @num counts elements. */
static __always_inline int ring_map_lists(struct vring_virtqueue *vring,
					  struct ring_cursor *cursor,
					  const struct virtqueue_sgs *sgs,
					  unsigned int *num, bool indirect)
{
	unsigned int lists = sgs->num, max = sgs->out + sgs->in, flags = 0;
	enum dma_data_direction dir = DMA_TO_DEVICE;
	struct scatterlist **list = sgs->lists, *sg;
	dma_addr_t addr;

	do {
		if (*num >= sgs->out) {
			dir = DMA_FROM_DEVICE;
			flags = VRING_DESC_F_WRITE;
		}
		for (sg = *list++;; sg = vring_sg_next(sg)) {
			addr = ring_map_sg(vring, cursor, sg, dir, indirect);
			if (unlikely(addr == DMA_MAPPING_ERROR))
				return -ENOMEM;
			ring_append(vring, cursor, addr, sg->length, flags,
				    indirect);
			cursor->in_len += sg->length;
			if (++*num == max || sg_is_last(sg))
				break;
		}
		/* No writable element has come before readable ones. */
		if (!flags) {
			cursor->in_len = 0;
			ring_readable(cursor);
		}
	} while (--lists && *num < max);
	return 0;
}

static inline bool ring_has_dma_addresses(const struct virtqueue *vq)
{
	return vq->dma_dev || vq->premapped;
}

static noinline int RING_OP(add_sg_slow)(struct virtqueue *vq,
					 struct scatterlist *sg,
					 unsigned int nents,
					 enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor cursor = *ring_cursor_of(vring);	/* in registers */
	unsigned int out = dir == DMA_TO_DEVICE ? nents : 0, num = 0;
	const struct virtqueue_sgs sgs = {
		.lists = &sg, .num = 1, .out = out, .in = nents - out,
	};
	int err;

	err = ring_map_lists(vring, &cursor, &sgs, &num,
			     ring_is_indirect(&cursor));
	*ring_cursor_of(vring) = cursor;
	return ring_added(vring, num, err);
}

int RING_OP(add_sg)(struct virtqueue *vq, struct scatterlist *sg,
		    unsigned int nents, enum dma_data_direction dir)
{
	unsigned int flags = dir == DMA_FROM_DEVICE ? VRING_DESC_F_WRITE : 0;
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor cursor = *ring_cursor_of(vring);	/* in registers */
	unsigned int num;

	if (unlikely(ring_has_dma_addresses(vq)))
		return RING_OP(add_sg_slow)(vq, sg, nents, dir);

	if (ring_is_indirect(&cursor))
		num = ring_append_list(vring, &cursor, sg, 0, nents, flags,
				       true);
	else
		num = ring_append_list(vring, &cursor, sg, 0, nents, flags,
				       false);
	if (!flags) {
		cursor.in_len = 0;
		ring_readable(&cursor);
	}
	*ring_cursor_of(vring) = cursor;
	return num;
}

int RING_OP(end_buf)(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct ring_cursor *cursor = ring_cursor_of(vring);

	ring_finish(vring, cursor, vring_free_state(vring), vq->build.added,
		    ring_is_indirect(cursor));
	return 0;
}

void RING_OP(cancel_buf)(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	ring_cancel(vring, vq->build.added);
	vring_cancel(vring, vq->build.added);
}

/* A buffer of one element is in the ring itself: no memory is needed. */
int RING_OP(add_buf)(struct virtqueue *vq, dma_addr_t addr, unsigned int len,
		     enum dma_data_direction dir, void *data)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_state *state = vring_free_state(vring);
	struct ring_cursor cursor = {};	/* in registers */
	unsigned int flags;

	if (unlikely(!vq->num_free))
		return RING_OP(no_room)(vring, dir == DMA_TO_DEVICE, -ENOSPC);
	vring_set_state(state, data, NULL, VRING_IN_RING);
	ring_begin(vring, &cursor, state, VRING_IN_RING);
	flags = ring_flags(&cursor, len, dir);
	if (unlikely(vq->dma_dev))
		ring_map(vring, &cursor, false)->dir = DMA_NONE;
	ring_append(vring, &cursor, addr, len, flags, false);
	ring_finish(vring, &cursor, state, 1, false);
	return 0;
}

/* Begin a buffer that is added in one call. */
static __always_inline int ring_start(struct vring_virtqueue *vring,
				      const struct virtqueue_sgs *sgs,
				      void *data, void *ctx, gfp_t gfp)
{
	int place = vring_start(vring, sgs->out + sgs->in, ctx);

	if (likely(place != VRING_IN_POOL_TABLE)) {
		vring_set_state(vring_free_state(vring), data, ctx, place);
		return place;
	}
	place = vring_start_slow(vring, sgs->out + sgs->in, data, ctx, gfp);
	if (unlikely(place < 0))
		return RING_OP(no_room)(vring, sgs->out, place);
	return place;
}

static __always_inline int ring_add_mapped(struct vring_virtqueue *vring,
					   const struct virtqueue_sgs *sgs,
					   enum vring_place place)
{
	struct vring_state *state = vring_free_state(vring);
	bool indirect = place != VRING_IN_RING;
	struct ring_cursor cursor;	/* in registers */
	unsigned int num = 0;
	int err;

	ring_begin(vring, &cursor, state, place);
	err = ring_map_lists(vring, &cursor, sgs, &num, indirect);
	if (unlikely(err)) {
		*ring_cursor_of(vring) = cursor;
		ring_cancel(vring, num);
		vring_cancel(vring, num);
		return err;
	}
	ring_finish(vring, &cursor, state, num, indirect);
	ring_publish(vring);
	return 0;
}

static noinline int RING_OP(add_mapped)(struct virtqueue *vq,
					const struct virtqueue_sgs *sgs,
					void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	int place = ring_start(vring, sgs, data, ctx, gfp);

	if (unlikely(place < 0))
		return place;
	if (place == VRING_IN_RING)
		return ring_add_mapped(vring, sgs, VRING_IN_RING);
	return ring_add_mapped(vring, sgs, place);
}

static __always_inline void ring_add_phys(struct vring_virtqueue *vring,
					  const struct virtqueue_sgs *sgs,
					  enum vring_place place)
{
	struct vring_state *state = vring_free_state(vring);
	bool indirect = place != VRING_IN_RING;
	struct ring_cursor cursor;	/* in registers */
	unsigned int num;

	ring_begin(vring, &cursor, state, place);
	num = ring_append_lists(vring, &cursor, sgs, indirect);
	ring_finish(vring, &cursor, state, num, indirect);
	ring_publish(vring);
}

static noinline int RING_OP(add_phys)(struct virtqueue *vq,
				      const struct virtqueue_sgs *sgs,
				      void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	int place = ring_start(vring, sgs, data, ctx, gfp);

	if (unlikely(place < 0))
		return place;
	if (place == VRING_IN_RING)
		ring_add_phys(vring, sgs, VRING_IN_RING);
	else
		ring_add_phys(vring, sgs, place);
	return 0;
}

/* Some drivers never kick: a buffer of this call is published at once. */
int RING_OP(add_sgs)(struct virtqueue *vq, const struct virtqueue_sgs *sgs,
		     void *data, void *ctx, gfp_t gfp)
{
	if (unlikely(ring_has_dma_addresses(vq)))
		return RING_OP(add_mapped)(vq, sgs, data, ctx, gfp);
	return RING_OP(add_phys)(vq, sgs, data, ctx, gfp);
}

void RING_OP(publish)(struct virtqueue *vq)
{
	ring_publish(to_vring(vq));
}

/*
 * Taking used buffers
 */

static __always_inline void *ring_take_used(struct vring_virtqueue *vring,
					    struct vring_state *state, u32 id,
					    void **ctx, bool in_order)
{
	u16 pos = ring_step(vring, state);

	if (ctx)
		*ctx = vring_ctx(state);
	WRITE_ONCE(vring->last_used, pos);
	if (!READ_ONCE(vring->cb_disabled) && vring->event &&
	    !ring_has_more(vring, pos))
		ring_arm_event(vring);
	return vring_reclaim(vring, state, id, in_order);
}

/*
 * In order (2.7.9, 2.8.9): one used element may stand for a batch of buffers, of
 * which it names the last. It lies where the element of the first one would.
 * The other buffers have no element, and count as written in full.
 */
static __always_inline void *ring_take_in_order(struct vring_virtqueue *vring,
						unsigned int *len, void **ctx)
{
	u16 id = vring->in_order.oldest;
	struct vring_state *state = &vring->rings.state[id];
	u32 written = state->in_len;

	if (id == vring->in_order.batch_last) {
		written = vring->in_order.batch_len;
		WRITE_ONCE(vring->in_order.batch_last, -1);
	} else if (unlikely(ring_is_overrun(vring))) {
		return NULL;
	}
	vring->in_order.oldest = ring_after(vring, state, id);
	*len = written;
	return ring_take_used(vring, state, id, ctx, true);
}

static void *RING_OP(get_in_order)(struct vring_virtqueue *vring,
				   unsigned int *len, void **ctx);

/* The first buffer of the next batch */
static noinline void *RING_OP(get_batch_slow)(struct vring_virtqueue *vring,
					      unsigned int *len, void **ctx)
{
	u32 last;

	if (!ring_read_used(vring, &last, &vring->in_order.batch_len))
		return NULL;
	WRITE_ONCE(vring->in_order.batch_last, last);
	return RING_OP(get_in_order)(vring, len, ctx);
}

static noinline void *RING_OP(get_in_order)(struct vring_virtqueue *vring,
					    unsigned int *len, void **ctx)
{
	if (vring->in_order.batch_last < 0)
		return RING_OP(get_batch_slow)(vring, len, ctx);
	return ring_take_in_order(vring, len, ctx);
}

void *RING_OP(get_buf)(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u32 id;

	if (vring->in_order.enabled)
		return RING_OP(get_in_order)(vring, len, ctx);
	if (!ring_read_used(vring, &id, len))
		return NULL;
	return ring_take_used(vring, &vring->rings.state[id], id, ctx, false);
}

/*
 * Callbacks
 */

void RING_OP(disable_cb)(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (READ_ONCE(vring->cb_disabled))
		return;
	WRITE_ONCE(vring->cb_disabled, true);
	/* An event that has fired does not fire again until it is armed. */
	if (!READ_ONCE(vring->event_triggered))
		ring_refuse(vring);
}

/*
 * Written whatever cb_disabled is: a disable_cb on another CPU may have seen
 * false, and be about to write as well.
 */
static void ring_enable_cb(struct vring_virtqueue *vring, u16 pos)
{
	WRITE_ONCE(vring->event_triggered, false);
	ring_ask(vring, pos);
	WRITE_ONCE(vring->cb_disabled, false);
}

unsigned int RING_OP(enable_cb_prepare)(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	ring_enable_cb(vring, vring->last_used);
	return vring->last_used;
}

static void RING_OP(inspect)(const struct virtqueue *vq,
			     struct virtqueue_state *state)
{
	const struct vring_virtqueue *vring = to_vring_const(vq);

	vring_inspect(vring, state);
	/* A buffer may be built meanwhile. */
	state->next = data_race(ring_next_pos(vring));
	state->used = RING_OP(more_used)(vring);
}

const struct virtqueue_ops RING_OP(ops) = {
	.start_buf		= RING_OP(start_buf),
	.add_sg			= RING_OP(add_sg),
	.add_page		= RING_OP(add_page),
	.add_bvecs		= RING_OP(add_bvecs),
	.add_dma		= RING_OP(add_dma),
	.add_sgs		= RING_OP(add_sgs),
	.add_buf		= RING_OP(add_buf),
	.end_buf		= RING_OP(end_buf),
	.cancel_buf		= RING_OP(cancel_buf),
	.publish		= RING_OP(publish),
	.kick_prepare		= RING_OP(kick_prepare),
	.notify			= vring_notify,
	.get_buf		= RING_OP(get_buf),
	.disable_cb		= RING_OP(disable_cb),
	.enable_cb_prepare	= RING_OP(enable_cb_prepare),
	.enable_cb_delayed	= RING_OP(enable_cb_delayed),
	.poll			= RING_OP(poll),
	.detach_unused_buf	= vring_detach_unused_buf,
	.size			= vring_num,
	.fits			= vring_fits,
	.resize			= vring_resize,
	.reset			= vring_reset,
	.set_dma_premapped	= vring_set_dma_premapped,
	.inspect		= RING_OP(inspect),
};
