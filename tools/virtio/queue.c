// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue of the core with a device on its other side.
 */
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "queue.h"

#define QUEUE_INDEX	3

void (*tq_attach_hook)(struct tq *tq);

/* Lists of requests */

void req_list_push(struct req_list *list, struct req *req)
{
	check(list->count < TQ_MAX_REQS, "test: too many requests");
	list->req[(list->first + list->count++) % TQ_MAX_REQS] = req;
}

struct req *req_list_take(struct req_list *list, unsigned int n)
{
	unsigned int first = list->first % TQ_MAX_REQS;
	struct req *req;
	unsigned int i;

	check(n < list->count, "test: no request %u", n);
	req = list->req[(first + n) % TQ_MAX_REQS];
	for (i = n; i > 0; i--)
		list->req[(first + i) % TQ_MAX_REQS] =
			list->req[(first + i - 1) % TQ_MAX_REQS];
	list->first++;
	list->count--;
	return req;
}

/* The transport */

static bool tq_notify(struct virtqueue *vq)
{
	struct tq *tq = vq->vdev->priv;
	u32 data;

	tq->notifies++;
	if (tq->hostile)
		return true;
	tq->kicked = tq->dq.ops->look(&tq->dq);
	if (tq->config.notify_data) {
		data = vring_notification_data(vq);
		check((data & 0xffff) == QUEUE_INDEX,
		      "notification for queue %u", data & 0xffff);
		check(data >> 16 ==
		      tq->dq.ops->notify_data(&tq->dq, tq->kicked),
		      "notification data is %#x", data >> 16);
	}
	return !tq->notify_fails;
}

static void tq_callback(struct virtqueue *vq)
{
	struct tq *tq = vq->vdev->priv;

	tq->callbacks++;
	if (tq->callback)
		tq->callback(tq);
}

static int tq_disable(struct virtqueue *vq)
{
	struct tq *tq = vq->vdev->priv;

	if (tq->reset_fails)
		return -EIO;
	vq->reset = true;
	tq->resets++;
	if (tq->in_reset)
		tq->in_reset(tq);
	return 0;
}

static int tq_enable(struct virtqueue *vq)
{
	struct tq *tq = vq->vdev->priv;

	if (tq->in_reset)
		tq->in_reset(tq);
	if (tq->enable_fails)
		return -EIO;
	vq->reset = false;
	tq_attach_device(tq);
	return 0;
}

static u8 tq_get_status(struct virtio_device *vdev)
{
	struct tq *tq = vdev->priv;

	return tq->gone ? 0xff : VIRTIO_CONFIG_S_DRIVER_OK;
}

static const struct virtio_config_ops tq_config_ops = {
	.get_status = tq_get_status,
	.disable_vq_and_reset = tq_disable,
	.enable_vq_after_reset = tq_enable,
};

/* virtio_config.h wants it; rings have no feature bits of drivers. */
void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}

/* Queues */

void tq_init(struct tq *tq, const struct tq_config *config)
{
	const struct tq_config *c = &tq->config;
	struct virtio_device *vdev = &tq->vdev;

	memset(tq, 0, sizeof(*tq));
	tq->config = *config;
	if (!tq->config.num)
		tq->config.num = 8;
	tq->parent.name = "parent";
	vdev->dev.parent = &tq->parent;
	vdev->dev.name = "virtio0";
	vdev->config = &tq_config_ops;
	vdev->priv = tq;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);
	shim.bounce = c->bounce;

	if (!c->legacy)
		__virtio_set_bit(vdev, VIRTIO_F_VERSION_1);
	if (c->packed)
		__virtio_set_bit(vdev, VIRTIO_F_RING_PACKED);
	if (c->indirect)
		__virtio_set_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	if (c->event)
		__virtio_set_bit(vdev, VIRTIO_RING_F_EVENT_IDX);
	if (c->access)
		__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	if (c->order)
		__virtio_set_bit(vdev, VIRTIO_F_ORDER_PLATFORM);
	if (c->in_order)
		__virtio_set_bit(vdev, VIRTIO_F_IN_ORDER);
	if (c->notify_data)
		__virtio_set_bit(vdev, VIRTIO_F_NOTIFICATION_DATA);
}

void tq_attach_device(struct tq *tq)
{
	struct device_queue *dq = &tq->dq;

	memset(dq, 0, sizeof(*dq));
	dq->ops = tq->config.packed ? &device_packed : &device_split;
	dq->num = virtqueue_get_vring_size(tq->vq);
	dq->desc = virtqueue_get_desc_addr(tq->vq);
	dq->driver = virtqueue_get_avail_addr(tq->vq);
	dq->device = virtqueue_get_used_addr(tq->vq);
	dq->indirect = tq->config.indirect;
	dq->event = tq->config.event;
	dq->in_order = tq->config.in_order;
	dq->iommu = tq->config.access;
	dq->native = tq->config.legacy;
	dq->kicks = KICKS_ON;
	tq->kicked = 0;
	check(dq->desc % 16 == 0, "descriptor area is not aligned");
	check(dq->driver % (tq->config.packed ? 4 : 2) == 0,
	      "driver area is not aligned");
	check(dq->device % 4 == 0, "device area is not aligned");
	if (tq->config.legacy)
		check(dq->device % PAGE_SIZE == 0,
		      "legacy used ring is not on a page of its own");
	if (tq_attach_hook)
		tq_attach_hook(tq);
}

bool tq_create(struct tq *tq)
{
	const struct tq_config *c = &tq->config;
	unsigned int align = c->legacy ? PAGE_SIZE : 64;

	tq->vq = vring_create_virtqueue(QUEUE_INDEX, c->num, align, &tq->vdev,
					true, c->may_reduce, c->ctx, tq_notify,
					c->no_callback ? NULL : tq_callback,
					"requests");
	if (!tq->vq)
		return false;
	tq->vq->num_max = c->num_max ?: c->num;
	if (c->premapped)
		check(!virtqueue_set_dma_premapped(tq->vq),
		      "an empty queue can't be made premapped");
	tq_attach_device(tq);
	return true;
}

struct tq *tq_new(const struct tq_config *config)
{
	static struct tq tq;

	tq_init(&tq, config);
	check(tq_create(&tq), "the queue can't be created");
	check(tq.dq.num == tq.config.num, "queue of %u is of %u", tq.config.num,
	      tq.dq.num);
	check(tq.vq->num_free == tq.config.num, "%u free of %u when created",
	      tq.vq->num_free, tq.config.num);
	return &tq;
}

void tq_check_clean(void)
{
	check(!shim.alloc_live, "%ld allocations left over", shim.alloc_live);
	check(!shim.map_live, "%ld mappings left over", shim.map_live);
	check(!shim.coherent_live, "%ld pieces of coherent memory left over",
	      shim.coherent_live);
}

/* All buffers that the core still has, in whatever order it gives them. */
static void tq_detach_all(struct tq *tq)
{
	struct req_list *lists[] = { &tq->used, &tq->held, &tq->added };
	unsigned int left = 0, i, n;
	struct req *req;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		left += lists[i]->count;
	while ((req = virtqueue_detach_unused_buf(tq->vq))) {
		check(left--, "detached more buffers than were added");
		for (i = 0; i < ARRAY_SIZE(lists); i++) {
			for (n = 0; n < lists[i]->count; n++)
				if (lists[i]->req[(lists[i]->first + n) %
						  TQ_MAX_REQS] == req)
					break;
			if (n < lists[i]->count)
				break;
		}
		check(i < ARRAY_SIZE(lists), "detached an unknown buffer");
		req_list_take(lists[i], n);
		req_free(tq, req);
	}
	check(!left, "%u buffers were lost", left);
	check(tq->vq->num_free == virtqueue_get_vring_size(tq->vq),
	      "%u free of %u when all buffers are back", tq->vq->num_free,
	      virtqueue_get_vring_size(tq->vq));
}

void tq_delete(struct tq *tq)
{
	tq_detach_all(tq);
	check(!list_empty(&tq->vdev.vqs), "the queue is not on the list");
	vring_del_virtqueue(tq->vq);
	check(list_empty(&tq->vdev.vqs), "the deleted queue is on the list");
	tq_check_clean();
}

unsigned int tq_max_elems(const struct tq *tq)
{
	unsigned int num = virtqueue_get_vring_size(tq->vq);

	if (tq->config.indirect && !tq->config.ctx)
		num += 5;
	return min_t(unsigned int, num, DEVICE_MAX_ELEMS);
}

/* Requests */

struct req *req_new(unsigned int out, unsigned int in, u32 max_len)
{
	struct req *req = calloc(1, sizeof(*req));
	struct req_elem *elem;
	unsigned int n;
	u32 i;

	check(req && out + in <= DEVICE_MAX_ELEMS, "test: request");
	req->out = out;
	req->in = in;
	for (n = 0; n < out + in; n++) {
		elem = &req->elem[n];
		elem->len = 1 + rnd_below(max_len);
		elem->data = malloc(elem->len);
		for (i = 0; i < elem->len; i++)
			((u8 *)elem->data)[i] = rnd();
		if (n >= out)
			req->in_len += elem->len;
	}
	req->written = malloc(req->in_len + 1);
	return req;
}

static enum dma_data_direction elem_dir(const struct req *req, unsigned int n)
{
	return n < req->out ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

static void elem_map(struct tq *tq, struct req *req, unsigned int n)
{
	struct req_elem *elem = &req->elem[n];

	unsigned long fail_at = shim.map_fail_at;

	/* The failures are for the core. */
	shim.map_fail_at = 0;
	elem->dma = virtqueue_dma_map_single_attrs(tq->vq, elem->data,
						   elem->len, elem_dir(req, n),
						   0);
	check(!virtqueue_dma_mapping_error(tq->vq, elem->dma),
	      "test: mapping failed");
	shim.map_fail_at = fail_at;
	elem->mapped = true;
}

static void req_unmap(struct tq *tq, struct req *req)
{
	struct req_elem *elem;
	unsigned int n;

	for (n = 0; n < req->out + req->in; n++) {
		elem = &req->elem[n];
		if (elem->mapped)
			virtqueue_dma_unmap_single_attrs(tq->vq, elem->dma,
							 elem->len,
							 elem_dir(req, n), 0);
		elem->mapped = false;
	}
}

void req_free(struct tq *tq, struct req *req)
{
	unsigned int n;

	req_unmap(tq, req);
	for (n = 0; n < req->out + req->in; n++)
		free(req->elem[n].data);
	free(req->written);
	free(req);
}

static void set_sg(struct tq *tq, struct scatterlist *sg, struct req *req,
		   unsigned int n)
{
	struct req_elem *elem = &req->elem[n];

	sg_set_buf(sg, elem->data, elem->len);
	if (tq->config.premapped) {
		elem_map(tq, req, n);
		sg_dma_address(sg) = elem->dma;
	}
}

/*
 * A scatterlist of elements, in random pieces that are chained, each in memory
 * of its own, so that an access beyond one is found.
 */
struct sg_pieces {
	struct scatterlist *piece[DEVICE_MAX_ELEMS];
	unsigned int count;
};

static struct scatterlist *build_sg(struct tq *tq, struct sg_pieces *pieces,
				    struct req *req, unsigned int first,
				    unsigned int num)
{
	struct scatterlist *sg, *head = NULL, *prev = NULL;
	unsigned int len, prev_len = 0, i;

	while (num) {
		len = one_in(2) ? num : 1 + rnd_below(num);
		/* One entry more for the link to the next piece. */
		sg = malloc((len + (len < num)) * sizeof(*sg));
		sg_init_table(sg, len + (len < num));
		for (i = 0; i < len; i++)
			set_sg(tq, &sg[i], req, first + i);
		if (prev)
			sg_chain(prev, prev_len + 1, sg);
		else
			head = sg;
		pieces->piece[pieces->count++] = sg;
		prev = sg;
		prev_len = len;
		first += len;
		num -= len;
	}
	return head;
}

static void free_pieces(struct sg_pieces *pieces)
{
	while (pieces->count)
		free(pieces->piece[--pieces->count]);
}

/* Split elements of one direction in scatterlists; returns how many. */
static unsigned int build_sgs(struct tq *tq, struct sg_pieces *pieces,
			      struct req *req, unsigned int first,
			      unsigned int num, struct scatterlist *sgs[])
{
	unsigned int lists = 0, len;

	while (num) {
		len = one_in(2) ? num : 1 + rnd_below(num);
		sgs[lists++] = build_sg(tq, pieces, req, first, len);
		first += len;
		num -= len;
	}
	return lists;
}

static int add_old(struct tq *tq, struct req *req)
{
	struct scatterlist *sgs[DEVICE_MAX_ELEMS];
	struct sg_pieces pieces = {};
	unsigned int out, in;
	int err;

	if (!req->in && one_in(2)) {
		req->ctx = NULL;
		sgs[0] = build_sg(tq, &pieces, req, 0, req->out);
		err = virtqueue_add_outbuf(tq->vq, sgs[0], req->out, req,
					   GFP_ATOMIC);
	} else if (!req->out && (req->ctx || one_in(2))) {
		sgs[0] = build_sg(tq, &pieces, req, 0, req->in);
		err = req->ctx ?
		      virtqueue_add_inbuf_ctx(tq->vq, sgs[0], req->in, req,
					      req->ctx, GFP_ATOMIC) :
		      virtqueue_add_inbuf(tq->vq, sgs[0], req->in, req,
					  GFP_ATOMIC);
	} else {
		out = build_sgs(tq, &pieces, req, 0, req->out, sgs);
		in = build_sgs(tq, &pieces, req, req->out, req->in, sgs + out);
		req->ctx = NULL;
		err = virtqueue_add_sgs(tq->vq, sgs, out, in, req, GFP_ATOMIC);
	}
	free_pieces(&pieces);
	return err;
}

#ifndef STOCK
/* Add elements as scatterlists, one for a direction or many. */
static void add_lists(struct tq *tq, struct req *req, bool many)
{
	struct scatterlist *sgs[DEVICE_MAX_ELEMS];
	struct sg_pieces pieces = {};
	unsigned int out, in, i;

	if (many) {
		out = build_sgs(tq, &pieces, req, 0, req->out, sgs);
		in = build_sgs(tq, &pieces, req, req->out, req->in, sgs + out);
	} else {
		out = !!req->out;
		in = !!req->in;
		sgs[0] = build_sg(tq, &pieces, req, 0, req->out);
		sgs[out] = build_sg(tq, &pieces, req, req->out, req->in);
	}
	/* As many elements as the list has at most, or no limit at all */
	for (i = 0; i < out + in; i++)
		virtqueue_add_sg(tq->vq, sgs[i],
				 one_in(2) ? UINT_MAX : DEVICE_MAX_ELEMS,
				 i < out ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	free_pieces(&pieces);
}

/*
 * Add elements as an array of vectors, which may begin before the part that is
 * added, and end behind it.
 */
static void add_bvecs(struct tq *tq, struct req *req, unsigned int first,
		      unsigned int num, enum dma_data_direction dir)
{
	unsigned int before = rnd_below(3), offset, i;
	struct bvec_iter iter = { .bi_idx = before };
	struct bio_vec *bvecs;

	if (!num)
		return;
	bvecs = calloc(before + num, sizeof(*bvecs));
	for (i = 0; i < num; i++) {
		struct req_elem *elem = &req->elem[first + i];

		bvec_set_virt(&bvecs[before + i], elem->data, elem->len);
		iter.bi_size += elem->len;
	}
	bvecs[before + num - 1].bv_len += rnd_below(3);
	offset = bvecs[before].bv_offset;
	iter.bi_bvec_done = rnd_below(min(offset, 100u) + 1);
	bvecs[before].bv_offset -= iter.bi_bvec_done;
	bvecs[before].bv_len += iter.bi_bvec_done;
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, 5000, dir);
	free(bvecs);
}

static void add_elem(struct tq *tq, struct req *req, unsigned int n,
		     enum tq_how how)
{
	enum dma_data_direction dir = elem_dir(req, n);
	struct req_elem *elem = &req->elem[n];
	struct scatterlist sg[2];
	struct bio_vec bvec;

	switch (how) {
	case HOW_PAGE:
		virtqueue_add_page(tq->vq, virt_to_page(elem->data),
				   offset_in_page(elem->data), elem->len, dir);
		break;
	case HOW_PTR:
	case HOW_BUF_PTR:
		virtqueue_add_ptr(tq->vq, elem->data, elem->len, dir);
		break;
	case HOW_BVEC:
		bvec_set_virt(&bvec, elem->data, elem->len);
		virtqueue_add_bvec(tq->vq, &bvec, dir);
		break;
	case HOW_BVECS:
		add_bvecs(tq, req, n, 1, dir);
		break;
	case HOW_DMA:
	case HOW_BUF_DMA:
		elem_map(tq, req, n);
		virtqueue_add_dma(tq->vq, elem->dma, elem->len, dir);
		break;
	default:
		/* Part of a longer list */
		sg_init_table(sg, 2);
		set_sg(tq, &sg[0], req, n);
		virtqueue_add_sg(tq->vq, sg, 1, dir);
		break;
	}
}

static const enum tq_how elem_hows[] = {
	HOW_SG, HOW_PAGE, HOW_PTR, HOW_BVEC, HOW_BVECS, HOW_DMA,
};

int tq_start(struct tq *tq, struct req *req, enum tq_how how)
{
	unsigned int n;
	int err;

	err = virtqueue_start_buf(tq->vq, req->out, req->in, req, req->ctx,
				  GFP_ATOMIC);
	if (err)
		return err;
	if (how == HOW_SG || how == HOW_SGS) {
		add_lists(tq, req, how == HOW_SGS);
		return 0;
	}
	if (how == HOW_BVECS) {
		add_bvecs(tq, req, 0, req->out, DMA_TO_DEVICE);
		add_bvecs(tq, req, req->out, req->in, DMA_FROM_DEVICE);
		return 0;
	}
	for (n = 0; n < req->out + req->in; n++)
		add_elem(tq, req, n, how != HOW_MIX ? how :
			 elem_hows[rnd_below(ARRAY_SIZE(elem_hows))]);
	return 0;
}

static int add_premapped(struct tq *tq, struct req *req)
{
	struct scatterlist sg[DEVICE_MAX_ELEMS];
	unsigned int num = req->out + req->in, n;

	sg_init_table(sg, num);
	for (n = 0; n < num; n++) {
		/* What the core must not look at */
		sg_set_buf(&sg[n], sg, req->elem[n].len);
		elem_map(tq, req, n);
		sg_dma_address(&sg[n]) = req->elem[n].dma;
	}
	if (req->in)
		return virtqueue_add_inbuf_premapped(tq->vq, sg, num, req,
						     req->ctx, GFP_ATOMIC);
	req->ctx = NULL;
	return virtqueue_add_outbuf_premapped(tq->vq, sg, num, req, GFP_ATOMIC);
}

static int add_whole(struct tq *tq, struct req *req, enum tq_how how)
{
	struct req_elem *elem = &req->elem[0];

	if (how == HOW_BUF_PTR)
		return virtqueue_add_buf_ptr(tq->vq, elem->data, elem->len,
					     elem_dir(req, 0), req);
	elem_map(tq, req, 0);
	return virtqueue_add_buf_dma(tq->vq, elem->dma, elem->len,
				     elem_dir(req, 0), req);
}

static int add_pieces(struct tq *tq, struct req *req, enum tq_how how)
{
	int err;

	if (how == HOW_PREMAPPED)
		return add_premapped(tq, req);
	if (req->out + req->in == 1 && !req->ctx &&
	    (how == HOW_BUF_PTR || how == HOW_BUF_DMA))
		return add_whole(tq, req, how);
	err = tq_start(tq, req, how);
	return err ?: virtqueue_end_buf(tq->vq);
}
#else
static int add_pieces(struct tq *tq, struct req *req, enum tq_how how)
{
	return -EINVAL;
}
#endif

static int add_once(struct tq *tq, struct req *req, enum tq_how how)
{
	return how == HOW_OLD ? add_old(tq, req) : add_pieces(tq, req, how);
}

int tq_add(struct tq *tq, struct req *req, enum tq_how how)
{
	int err;

	if (tq->config.ctx)
		req->ctx = (void *)(unsigned long)(1 + rnd());
	err = add_once(tq, req, how);
	/* A table is there as soon as work has run: try once more then. */
	if (work_waits()) {
		check(work_run(), "work has no end");
		if (err == -ENOMEM || err == -ENOSPC) {
			req_unmap(tq, req);
			err = add_once(tq, req, how);
		}
	}
	if (err)
		req_unmap(tq, req);
	else
		req_list_push(&tq->added, req);
	return err;
}

int tq_add_new(struct tq *tq, unsigned int out, unsigned int in,
	       enum tq_how how)
{
	struct req *req = req_new(out, in, one_in(20) ? 5000 : 40);
	int err = tq_add(tq, req, how);

	if (err)
		req_free(tq, req);
	return err;
}

struct req *tq_must_add(struct tq *tq, unsigned int out, unsigned int in,
			enum tq_how how)
{
	struct req *req = req_new(out, in, 40);
	int err = tq_add(tq, req, how);

	check(!err, "adding %u+%u elements with %u free fails with %d", out, in,
	      tq->vq->num_free, err);
	return req;
}

/*
 * Between two kicks a driver may be around the ring more than once, which stock's
 * comparison of event indices doesn't take into account.
 */
static bool must_judge(const struct tq *tq, u64 old, u64 new)
{
#ifdef STOCK
	return false;
#endif
	return new != old;
}

/* The device is told exactly when it has to be. */
void tq_kick(struct tq *tq)
{
	u64 old = tq->kicked, new;
	bool kick, wants;

	kick = virtqueue_kick_prepare(tq->vq);
	new = tq->dq.ops->look(&tq->dq);
	wants = tq->dq.ops->wants_kick(&tq->dq, old, new);
	tq->kicked = new;
	check(tq->dq.popped + tq->added.count == new || tq->config.packed,
	      "device sees %llu buffers, %u were added",
	      (unsigned long long)(new - tq->dq.popped), tq->added.count);
	if (must_judge(tq, old, new)) {
		check(kick || !wants, "device waits and is not notified");
		check(!kick || wants, "device is notified for nothing");
	}
	if (kick)
		virtqueue_notify(tq->vq);
}

/* The device */

static void check_readable(struct tq *tq, const struct req *req)
{
	const struct device_elem *seen;
	const struct req_elem *elem;
	unsigned int n;

	check(req->buf.out == req->out && req->buf.in == req->in,
	      "device: %u+%u elements were added, %u+%u are seen", req->out,
	      req->in, req->buf.out, req->buf.in);
	for (n = 0; n < req->out + req->in; n++) {
		elem = &req->elem[n];
		seen = &req->buf.elem[n];
		check(seen->len == elem->len, "device: %u bytes added, %u seen",
		      elem->len, seen->len);
		if (!seen->write)
			check(!memcmp(device_read(&tq->dq, seen->addr,
						  seen->len),
				      elem->data, elem->len),
			      "device: wrong data in element %u", n);
	}
}

bool tq_pop(struct tq *tq)
{
	struct req *req;

	if (!tq->added.count) {
		struct device_buf buf;

		check(!device_pop(&tq->dq, &buf),
		      "device: a buffer that was not added");
		return false;
	}
	req = tq->added.req[tq->added.first % TQ_MAX_REQS];
	if (!device_pop(&tq->dq, &req->buf))
		return false;
	req_list_take(&tq->added, 0);
	check_readable(tq, req);
	req_list_push(&tq->held, req);
	return true;
}

void tq_pop_all(struct tq *tq)
{
	while (tq_pop(tq))
		;
}

/* Fill what the device may write with what @written gets as well. */
static void fill_writable(struct tq *tq, struct req *req, u32 len)
{
	const struct device_elem *elem = &req->buf.elem[req->out];
	u8 *written = req->written;
	u32 part, i;

	for (i = 0; i < len; i++)
		written[i] = rnd();
	for (; len; elem++) {
		part = min(len, elem->len);
		memcpy(device_write(&tq->dq, elem->addr, part), written, part);
		written += part;
		len -= part;
	}
}

void tq_use(struct tq *tq, unsigned int n, u32 len)
{
	struct req *req = req_list_take(&tq->held, n);

	req->used_len = len;
	fill_writable(tq, req, len);
	device_use(&tq->dq, &req->buf, len);
	req_list_push(&tq->used, req);
}

void tq_use_some(struct tq *tq, unsigned int n)
{
	unsigned int first = tq->held.first + n;
	const struct req *req = tq->held.req[first % TQ_MAX_REQS];

	tq_use(tq, n, one_in(2) ? req->in_len : rnd_below(req->in_len + 1));
}

/* 2.7.9, 2.8.9: buffers of a batch that aren't named count as full. */
void tq_use_batch(struct tq *tq, unsigned int n)
{
	unsigned int steps = 0;
	struct req *req;

	do {
		req = req_list_take(&tq->held, 0);
		req->used_len = n > 1 ? req->in_len :
					rnd_below(req->in_len + 1);
		fill_writable(tq, req, req->used_len);
		tq->dq.ops->forget(&tq->dq, &req->buf);
		req_list_push(&tq->used, req);
		steps += req->buf.steps;
	} while (--n);
	tq->dq.ops->put_used(&tq->dq, req->buf.id, req->used_len, steps);
}

/* Any buffer, or in order a batch of them */
static void use_any(struct tq *tq)
{
	unsigned int held = tq->held.count;

	if (!tq->config.in_order)
		tq_use_some(tq, rnd_below(held));
	else
		tq_use_batch(tq, one_in(2) ? 1 : 1 + rnd_below(held));
}

void tq_use_all(struct tq *tq)
{
	while (tq->held.count)
		use_any(tq);
}

bool tq_irq(struct tq *tq)
{
	if (!device_wants_irq(&tq->dq))
		return false;
	if (tq->foreign)
		tq_callback(tq->vq);
	else
		vring_interrupt(0, tq->vq);
	return true;
}

/* The driver */

static void check_written(const struct req *req, u32 len)
{
	const u8 *written = req->written;
	unsigned int n;
	u32 part;

	check(len == req->used_len, "used length is %u, device wrote %u", len,
	      req->used_len);
	for (n = req->out; len; n++) {
		part = min(len, req->elem[n].len);
		check(!memcmp(req->elem[n].data, written, part),
		      "wrong data in element %u", n);
		written += part;
		len -= part;
	}
}

bool tq_get(struct tq *tq)
{
	unsigned int len = 0xdeadbeef;
	void *ctx = (void *)-1;
	struct req *req, *want;

	if (tq->config.ctx || one_in(2)) {
		req = virtqueue_get_buf_ctx(tq->vq, &len, &ctx);
	} else {
		req = virtqueue_get_buf(tq->vq, &len);
		ctx = req ? req->ctx : NULL;
	}
	if (!req) {
		check(!tq->used.count || tq->racing, "%u used buffers can't be had",
		      tq->used.count);
		return false;
	}
	check(tq->used.count, "a buffer came back that was not used");
	want = req_list_take(&tq->used, 0);
	check(req == want, "a wrong buffer came back");
	if (tq->config.ctx)
		check(ctx == req->ctx, "a wrong context came back");
	req_unmap(tq, req);
	check_written(req, len);
	req_free(tq, req);
	return true;
}

unsigned int tq_get_all(struct tq *tq)
{
	unsigned int n = 0;

	while (tq_get(tq))
		n++;
	return n;
}

static enum tq_how random_how(const struct tq *tq)
{
#ifndef STOCK
	static const enum tq_how premapped[] = {
		HOW_OLD, HOW_SG, HOW_SGS, HOW_DMA,
	};

	if (tq->config.premapped)
		return premapped[rnd_below(ARRAY_SIZE(premapped))];
#endif
	return rnd_below(HOWS);
}

static void random_add(struct tq *tq)
{
	unsigned int max = tq_max_elems(tq), elems, out;
	int err;

	/* Small ones mostly, the largest that is possible sometimes */
	elems = one_in(30) ? max : 1 + rnd_below(min(max, 6u));
	out = rnd_below(elems + 1);
	if (tq->failing) {
		shim.map_fail_at = one_in(4) ? 1 + rnd_below(elems) : 0;
		shim.alloc_fail_at = one_in(4);
	}
	err = tq_add_new(tq, out, elems - out, random_how(tq));
	shim.map_fail_at = 0;
	shim.alloc_fail_at = 0;
	if (tq->failing && err == -ENOMEM)
		return;
	check(!err || err == -ENOSPC, "adding a buffer failed with %d", err);
	if (err)
		check(elems > tq->vq->num_free,
		      "no room for %u elements, %u free", elems,
		      tq->vq->num_free);
}

static void random_kicks(struct tq *tq)
{
	u64 ahead = rnd_below(tq->dq.num);

	if (one_in(2)) {
		device_set_kicks(&tq->dq, one_in(2) ? KICKS_ON : KICKS_OFF, 0);
	} else if (tq->config.event) {
		tq->dq.ops->look(&tq->dq);
		device_set_kicks(&tq->dq, KICKS_EVENT, tq->dq.seen + ahead);
	}
}

void tq_traffic(struct tq *tq, unsigned int rounds)
{
	unsigned int n;

	while (rounds--) {
		for (n = rnd_below(5); n; n--)
			random_add(tq);
		if (one_in(4))
			random_kicks(tq);
		if (!one_in(4))
			tq_kick(tq);
		for (n = rnd_below(6); n && tq_pop(tq); n--)
			;
		for (n = rnd_below(6); n && tq->held.count; n--)
			use_any(tq);
		for (n = rnd_below(6); n && tq_get(tq); n--)
			;
	}
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	check(tq->vq->num_free == tq->dq.num, "%u of %u free on an idle queue",
	      tq->vq->num_free, tq->dq.num);
}

/* Names and combinations */

const char *tq_name(const struct tq_config *c)
{
	static char name[200];

	snprintf(name, sizeof(name), "%s%s%s%s%s%s%s%s%s%s%s n=%u",
		 c->packed ? "packed" : "split", c->legacy ? " legacy" : "",
		 c->indirect ? " indirect" : "", c->event ? " event" : "",
		 c->access ? " access" : "", c->order ? " order" : "",
		 c->in_order ? " in-order" : "",
		 c->bounce ? " bounce" : "", c->ctx ? " ctx" : "",
		 c->premapped ? " premapped" : "",
		 c->no_callback ? " no-callback" : "", c->num ?: 8);
	return name;
}

void tq_all_configs(tq_config_fn *fn)
{
	unsigned int bits;

	for (bits = 0; bits < 64; bits++) {
		struct tq_config config = {
			.packed = bits & 1,
			.indirect = bits & 2,
			.event = bits & 4,
			.access = bits & 8,
			.order = bits & 16,
			.legacy = bits & 32,
		};

		if (config.legacy &&
		    (config.packed || config.access || config.order))
			continue;
		fn(&config);
	}
}

void tq_all_in_order(tq_config_fn *fn)
{
#ifndef STOCK
	unsigned int bits;

	for (bits = 0; bits < 16; bits++) {
		struct tq_config config = {
			.in_order = true,
			.packed = bits & 1,
			.indirect = bits & 2,
			.event = bits & 4,
			.access = bits & 8,
		};

		fn(&config);
	}
#endif
}
