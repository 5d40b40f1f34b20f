// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtqueues as drivers see them, whatever implements them.
 *
 * All that is common is done here: misuse by a driver is caught before it
 * reaches an implementation, a broken queue takes no more buffers, and calls
 * go to the built-in ring layouts without an indirect branch.
 *
 * Unless stated otherwise the caller serialises all calls for a queue, and no
 * call sleeps.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/export.h>
#include <linux/kmsan.h>
#include <linux/module.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include "virtio_ring_ops.h"

#define CREATE_TRACE_POINTS
#include <trace/events/virtio.h>

/*
 * Events of calls that every request makes have a function of their own, named
 * ..._traced(): as long as they are off, a call costs a no-op more, and goes on to
 * the implementation without a frame.
 */

#ifdef DEBUG
/* Warn if a buffer is being built, or another call is under way. */
static void virtqueue_enter(struct virtqueue *vq)
{
	WARN(vq->build.open, "%s: called while a buffer is built\n", vq->name);
	WARN(!vq->build.open && READ_ONCE(vq->in_use),
	     "%s: calls are not serialised\n", vq->name);
	WRITE_ONCE(vq->in_use, true);
}

static void virtqueue_leave(struct virtqueue *vq)
{
	WRITE_ONCE(vq->in_use, vq->build.open);
}
#else
static inline void virtqueue_enter(struct virtqueue *vq) {}
static inline void virtqueue_leave(struct virtqueue *vq) {}
#endif

/**
 * virtqueue_register - add a queue to its device
 * @vq: the queue, zeroed but for @ops, @vdev, @index, @name, @callback,
 *      @num_free, @dma_dev and what the transport keeps there
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void virtqueue_register(struct virtqueue *vq)
{
	struct virtio_device *vdev = vq->vdev;

	/* Until DRIVER_OK the device has no reason to interrupt. */
	vq->broken = IS_ENABLED(CONFIG_VIRTIO_HARDEN_NOTIFICATION);

	spin_lock(&vdev->vqs_list_lock);
	list_add_tail(&vq->list, &vdev->vqs);
	spin_unlock(&vdev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(virtqueue_register);

/**
 * virtqueue_unregister - remove a queue from its device
 * @vq: the queue; it stays the caller's
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void virtqueue_unregister(struct virtqueue *vq)
{
	spin_lock(&vq->vdev->vqs_list_lock);
	list_del(&vq->list);
	spin_unlock(&vq->vdev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(virtqueue_unregister);

/*
 * Adding buffers piece by piece
 */

/* The buffer will fail: let no more elements through. */
static void virtqueue_fail(struct virtqueue *vq, int err)
{
	vq->build.out = 0;
	vq->build.in = 0;
	vq->build.err = err;
}

static int virtqueue_misuse(struct virtqueue *vq, const char *what)
{
	WARN(!vq->misused, "%s: driver bug: %s\n", vq->name, what);
	vq->misused = true;
	if (vq->build.open)
		virtqueue_fail(vq, -EINVAL);
	return -EINVAL;
}

/* 0 if a buffer may be started */
static inline int virtqueue_check(struct virtqueue *vq, unsigned int out,
				  unsigned int in, const void *data)
{
	if (unlikely(vq->build.open))
		return virtqueue_misuse(vq, "a buffer is being built already");
	if (unlikely(!data || (u64)out + in - 1 >= U16_MAX))
		return virtqueue_misuse(vq, "no token, or a bad number of elements");
	if (unlikely(READ_ONCE(vq->broken)))
		return -EIO;
	return 0;
}

/* The count of elements that may still be added in a direction */
static inline u16 *virtqueue_room(struct virtqueue *vq,
				  enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE)
		return &vq->build.out;
	/* Readable elements come first (2.7.4.2, 2.8.5). */
	vq->build.out = 0;
	return dir == DMA_FROM_DEVICE ? &vq->build.in : &vq->build.out;
}

/* There is no room, after an earlier error or because of a driver's bug. */
static void virtqueue_no_room(struct virtqueue *vq)
{
	if (!vq->build.err)
		virtqueue_misuse(vq, "more elements than declared, or out of order");
}

/* Take the room for one element. */
static __always_inline bool virtqueue_take_room(struct virtqueue *vq,
						enum dma_data_direction dir)
{
	struct virtqueue_build *build = &vq->build;

	if (dir == DMA_TO_DEVICE && likely(build->out)) {
		build->out--;
	} else if (dir == DMA_FROM_DEVICE && likely(build->in)) {
		build->in--;
		/* Readable elements come first (2.7.4.2, 2.8.5). */
		build->out = 0;
	} else {
		virtqueue_no_room(vq);
		return false;
	}
	build->added++;
	return true;
}

/**
 * virtqueue_add_failed - an element could not be added
 * @vq: the queue
 * @err: why, a negative error
 *
 * For implementations: what @add_page and @add_dma of &struct virtqueue_ops
 * call when they fail.
 *
 * Context: Any.
 */
void virtqueue_add_failed(struct virtqueue *vq, int err)
{
	/* Room was taken for it. */
	vq->build.added--;
	virtqueue_fail(vq, err);
}
EXPORT_SYMBOL_GPL(virtqueue_add_failed);

static __always_inline int virtqueue_start(struct virtqueue *vq,
					   unsigned int out, unsigned int in,
					   void *data, void *ctx, gfp_t gfp)
{
	int err;

	virtqueue_enter(vq);
	vq->build.out = out;
	vq->build.in = in;
	vq->build.added = 0;
	vq->build.err = 0;
	vq->build.open = true;
	err = vring_call(vq, start_buf, out, in, data, ctx, gfp);
	if (unlikely(err)) {
		vq->build = (struct virtqueue_build) {};
		virtqueue_leave(vq);
	}
	return err;
}

static noinline int virtqueue_start_traced(struct virtqueue *vq,
					   unsigned int out, unsigned int in,
					   void *data, void *ctx, gfp_t gfp)
{
	int err = virtqueue_start(vq, out, in, data, ctx, gfp);

	trace_virtqueue_add(vq, data, out, in, err);
	return err;
}

/**
 * virtqueue_start_buf - begin to build a buffer
 * @vq: the queue
 * @out: number of elements readable by the device that will be added at most
 * @in: number of elements writable by the device that will be added at most
 * @data: token that virtqueue_get_buf() will return; not NULL, stays the
 *        caller's
 * @ctx: context that virtqueue_get_buf_ctx() will return, or NULL.  A buffer
 *       with a context has no indirect table.
 * @gfp: how to allocate memory, should that be necessary
 *
 * Reserves room for the whole buffer, so that no element lacks it later. On
 * success add elements, readable ones first, then call virtqueue_end_buf() or
 * virtqueue_cancel_buf(); in between make no other call for this queue. The
 * device sees nothing of the buffer before the virtqueue_kick_prepare() that
 * follows its end.
 *
 * Implements "Supplying Buffers to The Device" (2.7.13, 2.8.21).
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: 0; -ENOSPC if there is no room until a buffer is taken back (the
 * device sees all that ended, and if the buffer is to have readable elements it
 * was told to look at the queue), -ENOMEM if trying again may help, -E2BIG if
 * the queue can never take that many elements, -EIO if the queue is broken,
 * -EINVAL for a driver's bug.
 */
int virtqueue_start_buf(struct virtqueue *vq, unsigned int out,
			unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	int err;

	err = virtqueue_check(vq, out, in, data);
	if (unlikely(err))
		return err;
	if (trace_virtqueue_add_enabled())
		return virtqueue_start_traced(vq, out, in, data, ctx, gfp);
	return virtqueue_start(vq, out, in, data, ctx, gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_start_buf);

/**
 * virtqueue_add_page - add memory in a page, or in contiguous ones
 * @vq: the queue on which a buffer was started
 * @page: the first page
 * @offset: where in @page the memory begins, in bytes; may lie beyond its end
 * @len: length in bytes
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * The memory stays the caller's and must be left alone until the buffer is
 * used or taken back. It is mapped for DMA here if the device needs that, and
 * unmapped then. The first error of all adders is what virtqueue_end_buf()
 * returns.
 *
 * Context: Any.
 */
void virtqueue_add_page(struct virtqueue *vq, struct page *page,
			unsigned int offset, unsigned int len,
			enum dma_data_direction dir)
{
	if (virtqueue_take_room(vq, dir))
		vring_call(vq, add_page, page, offset, len, dir);
}
EXPORT_SYMBOL_GPL(virtqueue_add_page);

/* @added elements of a list or an array were added, or it is an error. */
static __always_inline void virtqueue_count_added(struct virtqueue *vq,
						  u16 *room, int added)
{
	if (unlikely(added < 0)) {
		virtqueue_fail(vq, added);
		return;
	}
	*room -= added;
	vq->build.added += added;
}

/* For implementations that can't do better */
static void virtqueue_add_each_bvec(struct virtqueue *vq,
				    const struct bio_vec *bvecs,
				    struct bvec_iter iter, unsigned int max,
				    enum dma_data_direction dir)
{
	struct bio_vec bv;

	while (iter.bi_size) {
		bv = mp_bvec_iter_bvec(bvecs, iter);
		bv.bv_len = min(bv.bv_len, max);
		virtqueue_add_bvec(vq, &bv, dir);
		bvec_iter_advance_single(bvecs, &iter, bv.bv_len);
	}
}

/*
 * What is rare or long is noinline, here and below: its callers, which every
 * request goes through, then have no registers to save.
 */
static noinline void virtqueue_add_array(struct virtqueue *vq,
					 const struct bio_vec *bvecs,
					 const struct bvec_iter *iter,
					 unsigned int max,
					 enum dma_data_direction dir)
{
	u16 *room = virtqueue_room(vq, dir);
	int added;

	if (unlikely(!max)) {
		virtqueue_misuse(vq, "elements of no length");
		return;
	}
	if (!vq->ops->add_bvecs) {
		virtqueue_add_each_bvec(vq, bvecs, *iter, max, dir);
		return;
	}
	added = vring_call(vq, add_bvecs, bvecs, iter, max, *room, dir);
	if (unlikely(added == -E2BIG))
		virtqueue_no_room(vq);
	else
		virtqueue_count_added(vq, room, added);
}

/**
 * virtqueue_add_bvecs - add memory that an array of bio_vecs describes
 * @vq: the queue on which a buffer was started
 * @bvecs: the array; a vector may cross pages that are physically contiguous
 * @iter: which part of it
 * @max: size of the largest element to make of that, in bytes, not 0
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * As virtqueue_add_page() for each vector, or for each @max bytes of a longer
 * one. The array itself is no longer needed after the call.
 *
 * Context: Any.
 */
void virtqueue_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			 const struct bvec_iter *iter, unsigned int max,
			 enum dma_data_direction dir)
{
	unsigned int len = iter->bi_size;

	if (!len)
		return;
	/* Most arrays in use have one vector. */
	if (len <= max && len == mp_bvec_iter_len(bvecs, *iter))
		virtqueue_add_page(vq, mp_bvec_iter_page(bvecs, *iter),
				   mp_bvec_iter_offset(bvecs, *iter), len, dir);
	else
		virtqueue_add_array(vq, bvecs, iter, max, dir);
}
EXPORT_SYMBOL_GPL(virtqueue_add_bvecs);

/**
 * virtqueue_add_dma - add memory that is mapped already
 * @vq: the queue on which a buffer was started
 * @addr: its address for the device, see virtqueue_dma_dev()
 * @len: length in bytes
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * The mapping stays the caller's: it must last until the buffer is used or
 * taken back, and is not undone then.
 *
 * Context: Any.
 */
void virtqueue_add_dma(struct virtqueue *vq, dma_addr_t addr,
		       unsigned int len, enum dma_data_direction dir)
{
	if (virtqueue_take_room(vq, dir))
		vring_call(vq, add_dma, addr, len, dir);
}
EXPORT_SYMBOL_GPL(virtqueue_add_dma);

/* The length of a list, of which no more than @max elements are looked at */
static unsigned int virtqueue_sg_len_max(struct scatterlist *sg,
					 unsigned int max)
{
	unsigned int n;

	for (n = 1; n < max && !sg_is_last(sg); n++)
		sg = vring_sg_next(sg);
	return n;
}

/* The same for a list that is known to have an end mark */
static __always_inline unsigned int virtqueue_sg_len(struct scatterlist *sg)
{
	unsigned int n;

	for (n = 1; !sg_is_last(sg); n++)
		sg = vring_sg_next(sg);
	return n;
}

/* A list that is not a single element */
static noinline void virtqueue_add_long_list(struct virtqueue *vq,
					     struct scatterlist *sgl,
					     unsigned int nents,
					     enum dma_data_direction dir)
{
	u16 *room;
	int added;

	if (!nents)
		return;
	room = virtqueue_room(vq, dir);
	/* It may be shorter than that. */
	if (unlikely(nents > *room)) {
		nents = virtqueue_sg_len_max(sgl, nents);
		if (nents > *room) {
			virtqueue_no_room(vq);
			return;
		}
	}
	added = vring_call(vq, add_sg, sgl, nents, dir);
	virtqueue_count_added(vq, room, added);
}

/**
 * virtqueue_add_sg - add the elements of a scatterlist
 * @vq: the queue on which a buffer was started
 * @sgl: the list; chains are followed
 * @nents: how many elements to add at most; an end mark ends the list earlier
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * After virtqueue_set_dma_premapped() the DMA addresses in the list are used,
 * as by virtqueue_add_dma(); else as virtqueue_add_page() for each element.
 * The list itself is no longer needed after the call.
 *
 * Context: Any.
 */
void virtqueue_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
		      unsigned int nents, enum dma_data_direction dir)
{
	if (nents != 1)
		virtqueue_add_long_list(vq, sgl, nents, dir);
	else if (unlikely(vq->premapped))
		virtqueue_add_dma(vq, sg_dma_address(sgl), sgl->length, dir);
	else
		virtqueue_add_page(vq, sg_page(sgl), sgl->offset, sgl->length,
				   dir);
}
EXPORT_SYMBOL_GPL(virtqueue_add_sg);

/* There was an error, or nothing was built. */
static noinline int virtqueue_give_up(struct virtqueue *vq)
{
	int err = vq->build.err;

	if (!vq->build.open)
		return virtqueue_misuse(vq, "no buffer was started");
	if (!err)
		err = virtqueue_misuse(vq, "a buffer without elements");
	virtqueue_cancel_buf(vq);
	return err;
}

static __always_inline int virtqueue_end(struct virtqueue *vq)
{
	int err;

	/* The implementation looks at build.added. */
	vq->build.out = 0;
	vq->build.in = 0;
	vq->build.open = false;
	err = vring_call(vq, end_buf);
	virtqueue_leave(vq);
	return err;
}

static noinline int virtqueue_end_traced(struct virtqueue *vq)
{
	int err = virtqueue_end(vq);

	if (err)
		trace_virtqueue_cancel(vq, err);
	return err;
}

/**
 * virtqueue_end_buf - complete a buffer
 * @vq: the queue on which a buffer was started
 *
 * The buffer becomes the device's with the next virtqueue_kick_prepare(),
 * unless something went wrong: then all its memory is unmapped, the room given
 * back, and it is as if the buffer had never been started.
 *
 * Context: Any.
 *
 * Return: 0, or the first error since virtqueue_start_buf(): -ENOMEM if memory
 * could not be mapped and trying again may help, -EINVAL for a driver's bug.
 */
int virtqueue_end_buf(struct virtqueue *vq)
{
	if (unlikely(!vq->build.open || vq->build.err || !vq->build.added))
		return virtqueue_give_up(vq);
	if (trace_virtqueue_cancel_enabled())
		return virtqueue_end_traced(vq);
	return virtqueue_end(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_end_buf);

/**
 * virtqueue_cancel_buf - give up a buffer
 * @vq: the queue on which a buffer was started
 *
 * Undoes everything since virtqueue_start_buf().
 *
 * Context: Any.
 */
void virtqueue_cancel_buf(struct virtqueue *vq)
{
	if (unlikely(!vq->build.open)) {
		virtqueue_misuse(vq, "no buffer was started");
		return;
	}
	vring_call(vq, cancel_buf);
	trace_virtqueue_cancel(vq, vq->build.err);
	vq->build = (struct virtqueue_build) {};
	virtqueue_leave(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_cancel_buf);

/*
 * Adding buffers of one element
 */

/*
 * In pieces: the memory is to be mapped, tracing is on, the implementation can't do
 * better, or there is something wrong, which is for these calls to tell.
 */
static noinline int virtqueue_add_piece(struct virtqueue *vq, void *ptr,
					dma_addr_t addr, unsigned int len,
					enum dma_data_direction dir, void *data)
{
	unsigned int out = dir == DMA_TO_DEVICE;
	int err;

	err = virtqueue_start_buf(vq, out, !out, data, NULL, GFP_ATOMIC);
	if (unlikely(err))
		return err;
	if (ptr)
		virtqueue_add_ptr(vq, ptr, len, dir);
	else
		virtqueue_add_dma(vq, addr, len, dir);
	return virtqueue_end_buf(vq);
}

static __always_inline int virtqueue_add_one(struct virtqueue *vq,
					     dma_addr_t addr, unsigned int len,
					     enum dma_data_direction dir,
					     void *data)
{
	int err;

	if (unlikely(vq->build.open || !data || READ_ONCE(vq->broken) ||
		     (dir != DMA_TO_DEVICE && dir != DMA_FROM_DEVICE)) ||
	    trace_virtqueue_add_enabled() ||
	    (!vring_is_ring(vq) && !vq->ops->add_buf))
		return virtqueue_add_piece(vq, NULL, addr, len, dir, data);
	virtqueue_enter(vq);
	err = vring_call(vq, add_buf, addr, len, dir, data);
	virtqueue_leave(vq);
	return err;
}

/**
 * virtqueue_add_buf_dma - add a buffer of one element that is mapped already
 * @vq: the queue
 * @addr: its address for the device, see virtqueue_dma_dev()
 * @len: length in bytes
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 * @data: token that virtqueue_get_buf() will return; not NULL, stays the
 *        caller's
 *
 * The same as virtqueue_start_buf(), virtqueue_add_dma() and
 * virtqueue_end_buf() in half as many instructions. As with these, the device sees
 * nothing of the buffer before the next virtqueue_kick_prepare().
 *
 * Context: Any.
 *
 * Return: 0; -ENOSPC, -EIO and -EINVAL as virtqueue_start_buf().
 */
int virtqueue_add_buf_dma(struct virtqueue *vq, dma_addr_t addr,
			  unsigned int len, enum dma_data_direction dir,
			  void *data)
{
	return virtqueue_add_one(vq, addr, len, dir, data);
}
EXPORT_SYMBOL_GPL(virtqueue_add_buf_dma);

/**
 * virtqueue_add_buf_ptr - add a buffer of one element at a kernel address
 * @vq: the queue
 * @ptr: address in the kernel's linear mapping: not on a stack, not vmalloc()ed
 * @len: length in bytes
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 * @data: token that virtqueue_get_buf() will return; not NULL, stays the
 *        caller's
 *
 * As virtqueue_add_buf_dma(), but the memory is mapped for DMA here if the
 * device needs that, and unmapped when the buffer comes back.
 *
 * Context: Any.
 *
 * Return: 0; -ENOSPC, -EIO and -EINVAL as virtqueue_start_buf(), -ENOMEM if the
 * memory could not be mapped and trying again may help.
 */
int virtqueue_add_buf_ptr(struct virtqueue *vq, void *ptr, unsigned int len,
			  enum dma_data_direction dir, void *data)
{
	if (unlikely(vq->dma_dev))
		return virtqueue_add_piece(vq, ptr, 0, len, dir, data);
	kmsan_handle_dma(virt_to_page(ptr), offset_in_page(ptr), len, dir);
	return virtqueue_add_one(vq, virt_to_phys(ptr), len, dir, data);
}
EXPORT_SYMBOL_GPL(virtqueue_add_buf_ptr);

/*
 * Adding buffers in one call
 */

/* For implementations that can't do better */
static int virtqueue_add_pieces(struct virtqueue *vq,
				const struct virtqueue_sgs *sgs, void *data,
				void *ctx, gfp_t gfp)
{
	unsigned int i;
	int err;

	err = virtqueue_start_buf(vq, sgs->out, sgs->in, data, ctx, gfp);
	if (unlikely(err))
		return err;
	for (i = 0; i < sgs->num; i++) {
		if (vq->build.out)
			virtqueue_add_sg(vq, sgs->lists[i], vq->build.out,
					 DMA_TO_DEVICE);
		else
			virtqueue_add_sg(vq, sgs->lists[i], vq->build.in,
					 DMA_FROM_DEVICE);
	}
	return virtqueue_end_buf(vq);
}

static __always_inline int virtqueue_add_whole(struct virtqueue *vq,
					       const struct virtqueue_sgs *sgs,
					       void *data, void *ctx, gfp_t gfp)
{
	int err;

	virtqueue_enter(vq);
	err = vring_call(vq, add_sgs, sgs, data, ctx, gfp);
	virtqueue_leave(vq);
	return err;
}

static noinline int virtqueue_add_traced(struct virtqueue *vq,
					 const struct virtqueue_sgs *sgs,
					 void *data, void *ctx, gfp_t gfp)
{
	int err = virtqueue_add_whole(vq, sgs, data, ctx, gfp);

	trace_virtqueue_add(vq, data, sgs->out, sgs->in, err);
	return err;
}

static __always_inline int virtqueue_add(struct virtqueue *vq,
					 const struct virtqueue_sgs *sgs,
					 void *data, void *ctx, gfp_t gfp)
{
	int err;

	err = virtqueue_check(vq, sgs->out, sgs->in, data);
	if (unlikely(err))
		return err;
	if (!vring_is_ring(vq) && !vq->ops->add_sgs)
		return virtqueue_add_pieces(vq, sgs, data, ctx, gfp);
	if (trace_virtqueue_add_enabled())
		return virtqueue_add_traced(vq, sgs, data, ctx, gfp);
	return virtqueue_add_whole(vq, sgs, data, ctx, gfp);
}

/**
 * virtqueue_add_outbuf - add a buffer that the device reads
 * @vq: the queue
 * @sg: the memory, a well-formed list with an end mark
 * @num: number of elements in @sg
 * @data: token that virtqueue_get_buf() will return
 * @gfp: how to allocate memory, should that be necessary
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
			 unsigned int num, void *data, gfp_t gfp)
{
	const struct virtqueue_sgs sgs = { .lists = &sg, .num = 1, .out = num };

	return virtqueue_add(vq, &sgs, data, NULL, gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_outbuf);

/**
 * virtqueue_add_inbuf - add a buffer that the device writes
 * @vq: the queue
 * @sg: the memory, a well-formed list with an end mark
 * @num: number of elements in @sg
 * @data: token that virtqueue_get_buf() will return
 * @gfp: how to allocate memory, should that be necessary
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_inbuf(struct virtqueue *vq, struct scatterlist sg[],
			unsigned int num, void *data, gfp_t gfp)
{
	const struct virtqueue_sgs sgs = { .lists = &sg, .num = 1, .in = num };

	return virtqueue_add(vq, &sgs, data, NULL, gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_inbuf);

/**
 * virtqueue_add_inbuf_ctx - add a buffer that the device writes, with context
 * @vq: the queue, created for buffers with a context
 * @sg: the memory, a well-formed list with an end mark
 * @num: number of elements in @sg
 * @data: token that virtqueue_get_buf_ctx() will return
 * @ctx: context that virtqueue_get_buf_ctx() will return
 * @gfp: how to allocate memory, should that be necessary
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_inbuf_ctx(struct virtqueue *vq, struct scatterlist sg[],
			    unsigned int num, void *data, void *ctx, gfp_t gfp)
{
	const struct virtqueue_sgs sgs = { .lists = &sg, .num = 1, .in = num };

	return virtqueue_add(vq, &sgs, data, ctx, gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_inbuf_ctx);

/**
 * virtqueue_add_sgs - add a buffer of several scatterlists
 * @vq: the queue
 * @sgs: the lists, each with an end mark, none NULL
 * @out_sgs: number of lists that the device reads
 * @in_sgs: number of lists that the device writes, after those
 * @data: token that virtqueue_get_buf() will return
 * @gfp: how to allocate memory, should that be necessary
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
		      unsigned int out_sgs, unsigned int in_sgs,
		      void *data, gfp_t gfp)
{
	struct virtqueue_sgs all = { .lists = sgs, .num = out_sgs + in_sgs };
	unsigned int i;

	for (i = 0; i < out_sgs; i++)
		all.out += virtqueue_sg_len(sgs[i]);
	for (; i < all.num; i++)
		all.in += virtqueue_sg_len(sgs[i]);
	return virtqueue_add(vq, &all, data, NULL, gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_sgs);

static int virtqueue_add_premapped(struct virtqueue *vq, struct scatterlist *sg,
				   unsigned int num, enum dma_data_direction dir,
				   void *data, void *ctx, gfp_t gfp)
{
	unsigned int out = dir == DMA_TO_DEVICE ? num : 0;
	int err;

	err = virtqueue_start_buf(vq, out, num - out, data, ctx, gfp);
	if (unlikely(err))
		return err;
	for (; num; num--, sg = sg_next(sg))
		virtqueue_add_dma(vq, sg_dma_address(sg), sg->length, dir);
	return virtqueue_end_buf(vq);
}

/**
 * virtqueue_add_outbuf_premapped - add mapped memory that the device reads
 * @vq: the queue
 * @sg: DMA addresses and lengths, a well-formed list
 * @num: number of elements in @sg
 * @data: token that virtqueue_get_buf() will return
 * @gfp: how to allocate memory, should that be necessary
 *
 * The mappings stay the caller's, as with virtqueue_add_dma(). The device sees
 * the buffer at the next virtqueue_kick_prepare().
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_outbuf_premapped(struct virtqueue *vq, struct scatterlist *sg,
				   unsigned int num, void *data, gfp_t gfp)
{
	return virtqueue_add_premapped(vq, sg, num, DMA_TO_DEVICE, data, NULL,
				       gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_outbuf_premapped);

/**
 * virtqueue_add_inbuf_premapped - add mapped memory that the device writes
 * @vq: the queue
 * @sg: DMA addresses and lengths, a well-formed list
 * @num: number of elements in @sg
 * @data: token that virtqueue_get_buf() will return
 * @ctx: context that virtqueue_get_buf_ctx() will return, or NULL
 * @gfp: how to allocate memory, should that be necessary
 *
 * Otherwise as virtqueue_add_outbuf_premapped().
 *
 * Context: Any; may sleep if @gfp allows it.
 *
 * Return: As virtqueue_start_buf() and virtqueue_end_buf().
 */
int virtqueue_add_inbuf_premapped(struct virtqueue *vq, struct scatterlist *sg,
				  unsigned int num, void *data, void *ctx,
				  gfp_t gfp)
{
	return virtqueue_add_premapped(vq, sg, num, DMA_FROM_DEVICE, data, ctx,
				       gfp);
}
EXPORT_SYMBOL_GPL(virtqueue_add_inbuf_premapped);

/*
 * Notifications in both directions
 */

static __always_inline void virtqueue_show(struct virtqueue *vq)
{
	virtqueue_enter(vq);
	vring_call(vq, publish);
	virtqueue_leave(vq);
}

static noinline void virtqueue_show_traced(struct virtqueue *vq)
{
	trace_virtqueue_publish(vq);
	virtqueue_show(vq);
}

/**
 * virtqueue_publish - let the device see new buffers without notifying it
 * @vq: the queue
 *
 * For a device that is at work, and so will look at the queue anyway. Whether
 * it has to be notified is decided by the next virtqueue_kick_prepare(), which
 * is still due for these buffers.
 *
 * Context: Any.
 */
void virtqueue_publish(struct virtqueue *vq)
{
	if (!vq->ops->publish) {
		virtqueue_kick(vq);
		return;
	}
	if (trace_virtqueue_publish_enabled())
		virtqueue_show_traced(vq);
	else
		virtqueue_show(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_publish);

static __always_inline bool virtqueue_prepare(struct virtqueue *vq)
{
	bool needed;

	virtqueue_enter(vq);
	needed = vring_call(vq, kick_prepare);
	virtqueue_leave(vq);
	return needed;
}

static noinline bool virtqueue_prepare_traced(struct virtqueue *vq)
{
	bool needed = virtqueue_prepare(vq);

	trace_virtqueue_kick(vq, needed);
	return needed;
}

/**
 * virtqueue_kick_prepare - let the device see new buffers
 * @vq: the queue
 *
 * The first half of virtqueue_kick(), and the part of it that has to be
 * serialised. Call it once after a batch of buffers.
 *
 * Implements "Available Buffer Notification Suppression" (2.7.10, 2.8.14).
 *
 * Context: Any.
 *
 * Return: Whether virtqueue_notify() has to be called.
 */
bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	if (trace_virtqueue_kick_enabled())
		return virtqueue_prepare_traced(vq);
	return virtqueue_prepare(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_kick_prepare);

/**
 * virtqueue_notify - notify the device of new buffers
 * @vq: the queue
 *
 * The second half of virtqueue_kick(). If the transport can't notify the
 * device, the queue is marked broken.
 *
 * Context: Any. Need not be serialised.
 *
 * Return: False if the queue is broken, else true.
 */
bool virtqueue_notify(struct virtqueue *vq)
{
	if (unlikely(READ_ONCE(vq->broken)))
		return false;
	trace_virtqueue_notify(vq);
	if (likely(vring_call(vq, notify)))
		return true;
	virtqueue_break_because(vq, "the device can't be told");
	return false;
}
EXPORT_SYMBOL_GPL(virtqueue_notify);

/**
 * virtqueue_kick - let the device see new buffers, and notify it if necessary
 * @vq: the queue
 *
 * Context: Any.
 *
 * Return: False if the queue is broken, else true.
 */
bool virtqueue_kick(struct virtqueue *vq)
{
	if (virtqueue_kick_prepare(vq))
		return virtqueue_notify(vq);
	return true;
}
EXPORT_SYMBOL_GPL(virtqueue_kick);

static __always_inline void *virtqueue_get(struct virtqueue *vq,
					   unsigned int *len, void **ctx)
{
	void *data;

	virtqueue_enter(vq);
	data = vring_call(vq, get_buf, len, ctx);
	virtqueue_leave(vq);
	return data;
}

static noinline void *virtqueue_get_traced(struct virtqueue *vq,
					   unsigned int *len, void **ctx)
{
	void *data = virtqueue_get(vq, len, ctx);

	if (data)
		trace_virtqueue_get(vq, data, *len);
	return data;
}

/**
 * virtqueue_get_buf_ctx - take a used buffer back
 * @vq: the queue
 * @len: set to the number of bytes that the device wrote, at most the size of
 *       the writable elements
 * @ctx: set to the context of the buffer; may be NULL
 *
 * Implements "Receiving Used Buffers From The Device" (2.7.14, 2.8.22).
 *
 * Context: Any.
 *
 * Return: The token of the buffer, which is the caller's again with its
 * memory; NULL if there is none, or the queue is broken.
 */
void *virtqueue_get_buf_ctx(struct virtqueue *vq, unsigned int *len,
			    void **ctx)
{
	if (unlikely(READ_ONCE(vq->broken)))
		return NULL;
	if (trace_virtqueue_get_enabled())
		return virtqueue_get_traced(vq, len, ctx);
	return virtqueue_get(vq, len, ctx);
}
EXPORT_SYMBOL_GPL(virtqueue_get_buf_ctx);

/**
 * virtqueue_get_buf - take a used buffer back
 * @vq: the queue
 * @len: set to the number of bytes that the device wrote, at most the size of
 *       the writable elements
 *
 * Context: Any.
 *
 * Return: As virtqueue_get_buf_ctx().
 */
void *virtqueue_get_buf(struct virtqueue *vq, unsigned int *len)
{
	return virtqueue_get_buf_ctx(vq, len, NULL);
}
EXPORT_SYMBOL_GPL(virtqueue_get_buf);

static noinline void virtqueue_disable_traced(struct virtqueue *vq)
{
	trace_virtqueue_disable_cb(vq);
	vring_call(vq, disable_cb);
}

/**
 * virtqueue_disable_cb - ask for no callbacks
 * @vq: the queue
 *
 * A hint that saves work: there may be callbacks all the same.
 *
 * Implements "Used Buffer Notification Suppression" (2.7.7, 2.8.14).
 *
 * Context: Any. Need not be serialised.
 */
void virtqueue_disable_cb(struct virtqueue *vq)
{
	if (trace_virtqueue_disable_cb_enabled())
		virtqueue_disable_traced(vq);
	else
		vring_call(vq, disable_cb);
}
EXPORT_SYMBOL_GPL(virtqueue_disable_cb);

static __always_inline unsigned int virtqueue_ask(struct virtqueue *vq)
{
	unsigned int state;

	virtqueue_enter(vq);
	state = vring_call(vq, enable_cb_prepare);
	virtqueue_leave(vq);
	return state;
}

static noinline unsigned int virtqueue_ask_traced(struct virtqueue *vq)
{
	trace_virtqueue_enable_cb(vq);
	return virtqueue_ask(vq);
}

/**
 * virtqueue_enable_cb_prepare - ask for callbacks, without checking
 * @vq: the queue
 *
 * A buffer that was used before this took effect causes no callback: look for
 * it with virtqueue_poll().
 *
 * Context: Any.
 *
 * Return: A value for virtqueue_poll().
 */
unsigned int virtqueue_enable_cb_prepare(struct virtqueue *vq)
{
	if (trace_virtqueue_enable_cb_enabled())
		return virtqueue_ask_traced(vq);
	return virtqueue_ask(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_enable_cb_prepare);

/**
 * virtqueue_poll - look for used buffers
 * @vq: the queue
 * @state: what virtqueue_enable_cb_prepare() returned
 *
 * Context: Any. Need not be serialised.
 *
 * Return: True if a buffer was used that has not been taken back; false if
 * none was, or the queue is broken.
 */
bool virtqueue_poll(struct virtqueue *vq, unsigned int state)
{
	if (unlikely(READ_ONCE(vq->broken)))
		return false;
	return vring_call(vq, poll, state);
}
EXPORT_SYMBOL_GPL(virtqueue_poll);

/**
 * virtqueue_enable_cb - ask for callbacks
 * @vq: the queue
 *
 * Context: Any.
 *
 * Return: False if there are used buffers, which may cause no callback; true
 * if the next one will cause one, or the queue is broken.
 */
bool virtqueue_enable_cb(struct virtqueue *vq)
{
	return !virtqueue_poll(vq, virtqueue_enable_cb_prepare(vq));
}
EXPORT_SYMBOL_GPL(virtqueue_enable_cb);

static __always_inline bool virtqueue_ask_delayed(struct virtqueue *vq)
{
	bool enabled;

	virtqueue_enter(vq);
	enabled = vring_call(vq, enable_cb_delayed);
	virtqueue_leave(vq);
	return enabled;
}

static noinline bool virtqueue_ask_delayed_traced(struct virtqueue *vq)
{
	trace_virtqueue_enable_cb_delayed(vq);
	return virtqueue_ask_delayed(vq);
}

/**
 * virtqueue_enable_cb_delayed - ask for a callback when much was used
 * @vq: the queue
 *
 * With VIRTIO_RING_F_EVENT_IDX the device interrupts when it has used most of
 * the buffers that it has now; without, at the next one.
 *
 * Context: Any.
 *
 * Return: False if there are used buffers that should be taken back now; true
 * if a callback will come, or the queue is broken.
 */
bool virtqueue_enable_cb_delayed(struct virtqueue *vq)
{
	/* Nothing will ever come: callers must not try again. */
	if (unlikely(READ_ONCE(vq->broken)))
		return true;

	if (trace_virtqueue_enable_cb_delayed_enabled())
		return virtqueue_ask_delayed_traced(vq);
	return virtqueue_ask_delayed(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_enable_cb_delayed);

/*
 * The queue as a whole
 */

/**
 * virtqueue_detach_unused_buf - take a buffer back that was not used
 * @vq: the queue; its device must be stopped
 *
 * Context: Any.
 *
 * Return: The token of a buffer, which is the caller's again with its memory;
 * NULL if there is none left.
 */
void *virtqueue_detach_unused_buf(struct virtqueue *vq)
{
	void *data;

	virtqueue_enter(vq);
	data = vq->ops->detach_unused_buf(vq);
	virtqueue_leave(vq);
	return data;
}
EXPORT_SYMBOL_GPL(virtqueue_detach_unused_buf);

/**
 * virtqueue_get_vring_size - how many elements an empty queue has room for
 * @vq: the queue
 *
 * Context: Any. Need not be serialised.
 *
 * Return: The size of the queue.
 */
unsigned int virtqueue_get_vring_size(const struct virtqueue *vq)
{
	return vq->ops->size(vq);
}
EXPORT_SYMBOL_GPL(virtqueue_get_vring_size);

/**
 * virtqueue_fits - how many more buffers there is room for
 * @vq: the queue
 * @num: elements of each of them
 *
 * virtqueue_start_buf() takes at least as many without a context. With
 * indirect descriptors it may take more large ones, if it finds memory for
 * their tables.
 *
 * Context: Any.
 *
 * Return: The number of buffers, 0 also for a bad @num.
 */
unsigned int virtqueue_fits(const struct virtqueue *vq, unsigned int num)
{
	if (!num)
		return 0;
	return vq->ops->fits ? vq->ops->fits(vq, num) : vq->num_free / num;
}
EXPORT_SYMBOL_GPL(virtqueue_fits);

/**
 * virtqueue_resize - change the size of a queue
 * @vq: the queue
 * @num: the new size in elements
 * @recycle: takes the token of each buffer that the device did not use; not
 *           NULL
 * @recycle_done: called when there are no more of these; may be NULL
 *
 * Implements "Virtqueue Re-enable" (2.6.1.2) with another size.
 *
 * Context: Process context; may sleep.
 *
 * Return: 0; -E2BIG or -EINVAL if the device has no queues of that size;
 * -ENOENT if the queue can't be reset; -EPERM if its memory is not its own;
 * -ENOMEM: nothing has changed, and the queue works on with its old size.
 * -EBUSY if the device did not enable the queue again, -EIO if it is gone: the
 * queue is broken for good.
 */
int virtqueue_resize(struct virtqueue *vq, u32 num,
		     void (*recycle)(struct virtqueue *vq, void *buf),
		     void (*recycle_done)(struct virtqueue *vq))
{
	int err;

	if (num > vq->num_max)
		return -E2BIG;
	if (!num)
		return -EINVAL;
	if (num == virtqueue_get_vring_size(vq))
		return 0;
	if (!vq->ops->resize)
		return -ENOENT;
	err = vq->ops->resize(vq, num, recycle, recycle_done);
	trace_virtqueue_resize(vq, num, err);
	return err;
}
EXPORT_SYMBOL_GPL(virtqueue_resize);

/**
 * virtqueue_reset - empty a queue and start afresh
 * @vq: the queue
 * @recycle: takes the token of each buffer that the device did not use; not
 *           NULL
 * @recycle_done: called when there are no more of these; may be NULL
 *
 * Implements "Virtqueue Reset" (2.6.1). Mends a queue that is broken because
 * the device did not keep to the rules.
 *
 * Context: Process context; may sleep.
 *
 * Return: 0 if the queue works; -ENOENT if the queue can't be reset; -EPERM if
 * its memory is not its own. -EBUSY if the device did not enable the queue
 * again, -EIO if it is gone: the queue is broken for good.
 */
int virtqueue_reset(struct virtqueue *vq,
		    void (*recycle)(struct virtqueue *vq, void *buf),
		    void (*recycle_done)(struct virtqueue *vq))
{
	int err;

	if (!vq->ops->reset)
		return -ENOENT;
	err = vq->ops->reset(vq, recycle, recycle_done);
	trace_virtqueue_reset(vq, virtqueue_get_vring_size(vq), err);
	return err;
}
EXPORT_SYMBOL_GPL(virtqueue_reset);

/**
 * virtqueue_is_broken - whether a queue is out of use
 * @vq: the queue
 *
 * Context: Any. Need not be serialised.
 *
 * Return: True if no I/O is possible.
 */
bool virtqueue_is_broken(const struct virtqueue *vq)
{
	return READ_ONCE(vq->broken);
}
EXPORT_SYMBOL_GPL(virtqueue_is_broken);

/*
 * A queue with a reason is broken, one without works. The first reason is kept.
 * The implementation may want to know. Out of line, off the fast paths.
 */
static noinline void virtqueue_set_broken(struct virtqueue *vq, const char *why)
{
	if (!why || !vq->why)
		WRITE_ONCE(vq->why, why);
	WRITE_ONCE(vq->broken, why);
	if (why)
		trace_virtqueue_break(vq, why);
	if (vq->ops->set_broken)
		vq->ops->set_broken(vq, why);
}

/* The reason has to last as long as the queue. */
void virtqueue_break_because(struct virtqueue *vq, const char *why)
{
	virtqueue_set_broken(vq, why);
}

/**
 * __virtqueue_break - mark one queue broken
 * @vq: the queue
 *
 * For the core and transports, not for drivers. A reset of the queue mends it.
 *
 * Context: Any. Need not be serialised.
 */
void __virtqueue_break(struct virtqueue *vq)
{
	virtqueue_set_broken(vq, "its transport or driver said so");
}
EXPORT_SYMBOL_GPL(__virtqueue_break);

/**
 * virtqueue_lose - mark one queue broken for good
 * @vq: the queue
 *
 * For implementations: nothing but a reset of the device will help.
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void virtqueue_lose(struct virtqueue *vq)
{
	spin_lock(&vq->vdev->vqs_list_lock);
	WRITE_ONCE(vq->lost, true);
	virtqueue_set_broken(vq, "the device did not enable it");
	spin_unlock(&vq->vdev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(virtqueue_lose);

/**
 * __virtqueue_unbreak - mark one queue usable
 * @vq: the queue
 *
 * For the core and transports, not for drivers. Without effect when the device
 * is gone, see virtio_break_device().
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void __virtqueue_unbreak(struct virtqueue *vq)
{
	spin_lock(&vq->vdev->vqs_list_lock);
	if (!vq->lost)
		virtqueue_set_broken(vq, NULL);
	spin_unlock(&vq->vdev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(__virtqueue_unbreak);

/* All status bits at once, which no device has */
#define STATUS_OF_NOTHING	0xff

/**
 * virtio_device_is_gone - whether a device has vanished
 * @dev: the device
 *
 * Once a device was pulled out, or its function was lost, its registers read as
 * all ones.
 *
 * Context: Process context; may sleep.
 *
 * Return: True if waiting for an answer is pointless.
 */
bool virtio_device_is_gone(struct virtio_device *dev)
{
	return dev->config->get_status(dev) == STATUS_OF_NOTHING;
}
EXPORT_SYMBOL_GPL(virtio_device_is_gone);

/**
 * virtio_break_device - mark all queues of a device broken
 * @dev: the device
 *
 * The device is gone, or is treated as if it were: no reset of a queue makes it
 * usable again, not even one that is under way.
 *
 * Calls for the queues may still be running on other CPUs. To wait for them,
 * take the locks under which the driver makes them.
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void virtio_break_device(struct virtio_device *dev)
{
	struct virtqueue *vq;

	spin_lock(&dev->vqs_list_lock);
	virtio_device_for_each_vq(dev, vq) {
		WRITE_ONCE(vq->lost, true);
		virtqueue_set_broken(vq, "the device is gone");
	}
	spin_unlock(&dev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(virtio_break_device);

/**
 * __virtio_unbreak_device - mark all queues of a device usable
 * @dev: the device
 *
 * For the core, when it probes or restores a device.
 *
 * Context: Any but interrupt context. Takes the device's vqs_list_lock.
 */
void __virtio_unbreak_device(struct virtio_device *dev)
{
	struct virtqueue *vq;

	spin_lock(&dev->vqs_list_lock);
	virtio_device_for_each_vq(dev, vq) {
		WRITE_ONCE(vq->lost, false);
		virtqueue_set_broken(vq, NULL);
	}
	spin_unlock(&dev->vqs_list_lock);
}
EXPORT_SYMBOL_GPL(__virtio_unbreak_device);

/*
 * Memory that the driver maps itself
 */

/**
 * virtqueue_set_dma_premapped - let scatterlists carry DMA addresses
 * @vq: the queue; there must be no buffers in it
 *
 * From now on virtqueue_add_sg() and the calls on top of it take addresses and
 * lengths of memory that the driver has mapped, and do not unmap it.
 *
 * Context: Any.
 *
 * Return: 0; -EINVAL if the queue has buffers; -ENOENT if it can't do this.
 */
int virtqueue_set_dma_premapped(struct virtqueue *vq)
{
	int err;

	if (!vq->ops->set_dma_premapped)
		return -ENOENT;
	err = vq->ops->set_dma_premapped(vq);
	if (!err)
		vq->premapped = true;
	return err;
}
EXPORT_SYMBOL_GPL(virtqueue_set_dma_premapped);

/**
 * virtqueue_dma_dev - which device to map memory for
 * @vq: the queue
 *
 * Context: Any. Need not be serialised.
 *
 * Return: The device, NULL if the queue takes physical addresses.
 */
struct device *virtqueue_dma_dev(struct virtqueue *vq)
{
	return vq->dma_dev;
}
EXPORT_SYMBOL_GPL(virtqueue_dma_dev);

/**
 * virtqueue_dma_map_single_attrs - map memory for the device of a queue
 * @vq: the queue
 * @ptr: address in the kernel's linear mapping
 * @size: length in bytes
 * @dir: what the device does with it
 * @attrs: DMA_ATTR_*
 *
 * Context: Any. Need not be serialised.
 *
 * Return: The address for the device, to be checked with
 * virtqueue_dma_mapping_error().
 */
dma_addr_t virtqueue_dma_map_single_attrs(struct virtqueue *vq, void *ptr,
					  size_t size,
					  enum dma_data_direction dir,
					  unsigned long attrs)
{
	if (vq->dma_dev)
		return dma_map_single_attrs(vq->dma_dev, ptr, size, dir, attrs);
	kmsan_handle_dma(virt_to_page(ptr), offset_in_page(ptr), size, dir);
	return virt_to_phys(ptr);
}
EXPORT_SYMBOL_GPL(virtqueue_dma_map_single_attrs);

/**
 * virtqueue_dma_unmap_single_attrs - undo virtqueue_dma_map_single_attrs()
 * @vq: the queue
 * @addr: the address for the device
 * @size: length in bytes
 * @dir: what the device did with it
 * @attrs: DMA_ATTR_*
 *
 * Context: Any. Need not be serialised.
 */
void virtqueue_dma_unmap_single_attrs(struct virtqueue *vq, dma_addr_t addr,
				      size_t size, enum dma_data_direction dir,
				      unsigned long attrs)
{
	if (vq->dma_dev)
		dma_unmap_single_attrs(vq->dma_dev, addr, size, dir, attrs);
}
EXPORT_SYMBOL_GPL(virtqueue_dma_unmap_single_attrs);

/**
 * virtqueue_dma_mapping_error - whether virtqueue_dma_map_single_attrs() failed
 * @vq: the queue
 * @addr: what it returned
 *
 * Context: Any. Need not be serialised.
 *
 * Return: 0 or a negative error.
 */
int virtqueue_dma_mapping_error(struct virtqueue *vq, dma_addr_t addr)
{
	return vq->dma_dev ? dma_mapping_error(vq->dma_dev, addr) : 0;
}
EXPORT_SYMBOL_GPL(virtqueue_dma_mapping_error);

/**
 * virtqueue_dma_need_sync - whether mapped memory has to be synchronised
 * @vq: the queue
 * @addr: the address for the device
 *
 * Context: Any. Need not be serialised.
 *
 * Return: False if the virtqueue_dma_sync_*() calls may be left out.
 */
bool virtqueue_dma_need_sync(struct virtqueue *vq, dma_addr_t addr)
{
	return vq->dma_dev && dma_need_sync(vq->dma_dev, addr);
}
EXPORT_SYMBOL_GPL(virtqueue_dma_need_sync);

/**
 * virtqueue_dma_sync_single_range_for_cpu - let the CPU see the device's writes
 * @vq: the queue
 * @addr: the address for the device
 * @offset: where in the mapping to begin, in bytes
 * @size: length in bytes
 * @dir: what the device does with it
 *
 * Context: Any. Need not be serialised.
 */
void virtqueue_dma_sync_single_range_for_cpu(struct virtqueue *vq,
					     dma_addr_t addr,
					     unsigned long offset, size_t size,
					     enum dma_data_direction dir)
{
	if (vq->dma_dev)
		dma_sync_single_range_for_cpu(vq->dma_dev, addr, offset, size,
					      dir);
}
EXPORT_SYMBOL_GPL(virtqueue_dma_sync_single_range_for_cpu);

/**
 * virtqueue_dma_sync_single_range_for_device - let the device see our writes
 * @vq: the queue
 * @addr: the address for the device
 * @offset: where in the mapping to begin, in bytes
 * @size: length in bytes
 * @dir: what the device does with it
 *
 * Context: Any. Need not be serialised.
 */
void virtqueue_dma_sync_single_range_for_device(struct virtqueue *vq,
						dma_addr_t addr,
						unsigned long offset,
						size_t size,
						enum dma_data_direction dir)
{
	if (vq->dma_dev)
		dma_sync_single_range_for_device(vq->dma_dev, addr, offset,
						 size, dir);
}
EXPORT_SYMBOL_GPL(virtqueue_dma_sync_single_range_for_device);

MODULE_DESCRIPTION("Virtqueues and virtio rings");
MODULE_LICENSE("GPL");
