/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_VIRTIO_RING_OPS_H
#define _DRIVERS_VIRTIO_RING_OPS_H
/*
 * What virtqueue.c and the rings share: the operations of the built-in layouts,
 * by name, so that they can be called directly.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/virtio.h>

/* A function of the type that an operation has */
#define VRING_OP(layout, op) \
	extern typeof(*((struct virtqueue_ops *)NULL)->op) vring_##layout##_##op

#define VRING_OPS(layout)						\
	extern const struct virtqueue_ops vring_##layout##_ops;		\
	VRING_OP(layout, start_buf);					\
	VRING_OP(layout, add_sg);					\
	VRING_OP(layout, add_page);					\
	VRING_OP(layout, add_bvecs);					\
	VRING_OP(layout, add_dma);					\
	VRING_OP(layout, add_sgs);					\
	VRING_OP(layout, add_buf);					\
	VRING_OP(layout, end_buf);					\
	VRING_OP(layout, cancel_buf);					\
	VRING_OP(layout, publish);					\
	VRING_OP(layout, kick_prepare);					\
	VRING_OP(layout, get_buf);					\
	VRING_OP(layout, disable_cb);					\
	VRING_OP(layout, enable_cb_prepare);				\
	VRING_OP(layout, enable_cb_delayed);				\
	VRING_OP(layout, poll)

VRING_OPS(split);
VRING_OPS(packed);

/* The same for all layouts */
bool vring_notify(struct virtqueue *vq);
void *vring_detach_unused_buf(struct virtqueue *vq);
unsigned int vring_num(const struct virtqueue *vq);
unsigned int vring_fits(const struct virtqueue *vq, unsigned int num);
int vring_resize(struct virtqueue *vq, u32 num,
		 void (*recycle)(struct virtqueue *vq, void *buf),
		 void (*recycle_done)(struct virtqueue *vq));
int vring_reset(struct virtqueue *vq,
		void (*recycle)(struct virtqueue *vq, void *buf),
		void (*recycle_done)(struct virtqueue *vq));
int vring_set_dma_premapped(struct virtqueue *vq);

#define vring_split_notify	vring_notify
#define vring_packed_notify	vring_notify

/* The queue is broken, and says why when it is asked. */
void virtqueue_break_because(struct virtqueue *vq, const char *why);

static inline bool vring_is_split(const struct virtqueue *vq)
{
	return vq->ops == &vring_split_ops;
}

static inline bool vring_is_packed(const struct virtqueue *vq)
{
	return vq->ops == &vring_packed_ops;
}

static inline bool vring_is_ring(const struct virtqueue *vq)
{
	return likely(vring_is_split(vq)) || likely(vring_is_packed(vq));
}

/*
 * Call an operation of a queue: a comparison and a direct call if it is a ring,
 * whatever the kernel is configured for. Only other queues pay for an indirect
 * branch.
 */
#define vring_call(vq, op, ...)						\
	(likely(vring_is_split(vq)) ? vring_split_##op(vq, ##__VA_ARGS__) : \
	 likely(vring_is_packed(vq)) ? vring_packed_##op(vq, ##__VA_ARGS__) : \
	 (vq)->ops->op(vq, ##__VA_ARGS__))

/* sg_next() for one that isn't the last, without a call for each element */
static inline struct scatterlist *vring_sg_next(struct scatterlist *sg)
{
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

#endif /* _DRIVERS_VIRTIO_RING_OPS_H */
