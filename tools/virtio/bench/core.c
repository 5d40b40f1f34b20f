// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for the benchmark: compiled once against stock and once against
 * ours, with the same flags as the core under it.
 */
#include <linux/bvec.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "bench.h"

#define PAGES		32
#define MAX_ELEMENTS	(PAGES + 2)

#ifndef VIRTIO_F_IN_ORDER
#define VIRTIO_F_IN_ORDER 35
#endif

struct request {
	u8 header[16];
	u8 status;
	struct scatterlist *sgs[3];
	struct scatterlist header_sg[2];
	struct scatterlist status_sg;
	struct scatterlist data_sg[PAGES];
	struct bio_vec data[PAGES];
	u8 packet[64];
};

struct queue {
	struct virtio_device vdev;
	struct device parent;
	u64 dma_mask;
	struct virtqueue *vq;
	struct queue_config config;
	unsigned int requests;	/* a power of 2 */
	unsigned int next;
	struct request *request;
	u8 *data;
};

static bool notify(struct virtqueue *vq)
{
	return true;
}

static void callback(struct virtqueue *vq)
{
}

/* Scatterlists of a request, as a driver fills them in for each I/O */

static __always_inline void fill_data_list(struct request *request,
					   unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		const struct bio_vec *bvec = &request->data[i];

		sg_set_page(&request->data_sg[i], bvec->bv_page, bvec->bv_len,
			    bvec->bv_offset);
	}
	sg_mark_end(&request->data_sg[pages - 1]);
}

static __always_inline void fill_block_list(struct request *request,
					    unsigned int pages)
{
	sg_init_one(request->header_sg, request->header,
		    sizeof(request->header));
	fill_data_list(request, pages);
	sg_init_one(&request->status_sg, &request->status, 1);
	request->sgs[0] = request->header_sg;
	request->sgs[1] = request->data_sg;
	request->sgs[2] = &request->status_sg;
}

static __always_inline void fill_list(struct request *request,
				      enum shape shape)
{
	switch (shape) {
	case READABLE:
		sg_init_one(request->header_sg, request->packet,
			    sizeof(request->packet));
		break;
	case WRITABLE:
		sg_init_table(request->data_sg, 1);
		fill_data_list(request, 1);
		break;
	case NET_TX:
		sg_init_table(request->header_sg, 2);
		sg_set_buf(&request->header_sg[0], request->header, 12);
		sg_set_buf(&request->header_sg[1], request->packet,
			   sizeof(request->packet));
		break;
	case BLOCK_4K:
		fill_block_list(request, 1);
		break;
	default:
		fill_block_list(request, PAGES);
		break;
	}
}

static __always_inline int add_old(struct virtqueue *vq,
				   struct request *request, enum shape shape)
{
	switch (shape) {
	case READABLE:
		return virtqueue_add_outbuf(vq, request->header_sg, 1, request,
					    GFP_ATOMIC);
	case WRITABLE:
		return virtqueue_add_inbuf(vq, request->data_sg, 1, request,
					   GFP_ATOMIC);
	case NET_TX:
		return virtqueue_add_outbuf(vq, request->header_sg, 2, request,
					    GFP_ATOMIC);
	default:
		return virtqueue_add_sgs(vq, request->sgs, 1, 2, request,
					 GFP_ATOMIC);
	}
}

#ifdef BENCH_PIECEWISE

static __always_inline void add_data_sg(struct virtqueue *vq,
					struct request *request,
					enum shape shape)
{
	switch (shape) {
	case READABLE:
		virtqueue_add_sg(vq, request->header_sg, 1, DMA_TO_DEVICE);
		break;
	case WRITABLE:
		virtqueue_add_sg(vq, request->data_sg, 1, DMA_FROM_DEVICE);
		break;
	case NET_TX:
		virtqueue_add_sg(vq, request->header_sg, 2, DMA_TO_DEVICE);
		break;
	default:
		virtqueue_add_sg(vq, request->header_sg, 1, DMA_TO_DEVICE);
		virtqueue_add_sg(vq, request->data_sg,
				 shape == BLOCK_128K ? PAGES : 1,
				 DMA_FROM_DEVICE);
		virtqueue_add_sg(vq, &request->status_sg, 1, DMA_FROM_DEVICE);
		break;
	}
}

static __always_inline void add_data(struct virtqueue *vq,
				     struct request *request, enum shape shape)
{
	struct bvec_iter iter = {
		.bi_size = (shape == BLOCK_128K ? PAGES : 1) * PAGE_SIZE,
	};

	switch (shape) {
	case READABLE:
		virtqueue_add_ptr(vq, request->packet, sizeof(request->packet),
				  DMA_TO_DEVICE);
		break;
	case WRITABLE:
		virtqueue_add_bvec(vq, request->data, DMA_FROM_DEVICE);
		break;
	case NET_TX:
		virtqueue_add_ptr(vq, request->header, 12, DMA_TO_DEVICE);
		virtqueue_add_ptr(vq, request->packet, sizeof(request->packet),
				  DMA_TO_DEVICE);
		break;
	default:
		virtqueue_add_ptr(vq, request->header, sizeof(request->header),
				  DMA_TO_DEVICE);
		virtqueue_add_bvecs(vq, request->data, &iter, UINT_MAX,
				    DMA_FROM_DEVICE);
		virtqueue_add_ptr(vq, &request->status, 1, DMA_FROM_DEVICE);
		break;
	}
}

static __always_inline int add_piecewise(struct virtqueue *vq,
					 struct request *request,
					 enum shape shape, enum api api)
{
	static const u8 out[] = { 1, 0, 2, 1, 1 };
	static const u8 in[] = { 0, 1, 0, 2, PAGES + 1 };
	int err;

	err = virtqueue_start_buf(vq, out[shape], in[shape], request, NULL,
				  GFP_ATOMIC);
	if (unlikely(err))
		return err;
	if (api == PIECE_SG)
		add_data_sg(vq, request, shape);
	else
		add_data(vq, request, shape);
	return virtqueue_end_buf(vq);
}

static __always_inline int add_one(struct virtqueue *vq, struct request *request,
				   enum shape shape)
{
	if (shape == READABLE)
		return virtqueue_add_buf_ptr(vq, request->packet,
					     sizeof(request->packet),
					     DMA_TO_DEVICE, request);
	return virtqueue_add_buf_ptr(vq, page_address(request->data->bv_page),
				     request->data->bv_len, DMA_FROM_DEVICE,
				     request);
}

#else

static inline int add_piecewise(struct virtqueue *vq, struct request *request,
				enum shape shape, enum api api)
{
	return -EINVAL;
}

static inline int add_one(struct virtqueue *vq, struct request *request,
			  enum shape shape)
{
	return -EINVAL;
}

#endif

static __always_inline int add(struct queue *queue, enum shape shape,
			       enum api api)
{
	unsigned int i = queue->next & (queue->requests - 1);
	struct request *request = &queue->request[i];
	int err;

	if (api == OLD_LIST)
		fill_list(request, shape);
	if (api == OLD || api == OLD_LIST)
		err = add_old(queue->vq, request, shape);
	else if (api == ONE_CALL)
		err = add_one(queue->vq, request, shape);
	else
		err = add_piecewise(queue->vq, request, shape, api);
	if (likely(!err))
		queue->next++;
	return err;
}

static __always_inline void kick(struct virtqueue *vq)
{
	if (virtqueue_kick_prepare(vq))
		virtqueue_notify(vq);
}

static __always_inline void get_batch(struct queue *queue,
				      const struct load *load)
{
	unsigned int len, i;

	if (load->callbacks == CB_BATCH)
		virtqueue_disable_cb(queue->vq);
	for (i = 0; i < load->batch; i++)
		BUG_ON(!virtqueue_get_buf(queue->vq, &len));
	if (load->callbacks == CB_BATCH)
		BUG_ON(!virtqueue_enable_cb(queue->vq));
}

/* What to run: with a device that is called, or on another CPU (@dev NULL) */
struct job {
	struct queue *queue;
	const struct load *load;
	struct device_side *dev;
	unsigned int limit;
	unsigned int count;
};

static __always_inline void run_called(const struct job *job, enum shape shape,
				       enum api api)
{
	unsigned int batches, i;

	for (batches = job->count; batches; batches--) {
		for (i = 0; i < job->load->batch; i++)
			BUG_ON(add(job->queue, shape, api));
		kick(job->queue->vq);
		device_use(job->dev, job->load->batch);
		get_batch(job->queue, job->load);
	}
}

static __always_inline void run_polled(const struct job *job, enum shape shape,
				       enum api api)
{
	unsigned int count = job->count, in_flight = 0, len;

	while (count || in_flight) {
		unsigned int n = 0;

		while (n < job->load->batch && count &&
		       in_flight < job->limit &&
		       !add(job->queue, shape, api)) {
			n++;
			count--;
			in_flight++;
		}
		if (n)
			kick(job->queue->vq);
		while (virtqueue_get_buf(job->queue->vq, &len))
			in_flight--;
	}
}

static __always_inline void run_this(const struct job *job, enum shape shape,
				     enum api api)
{
	if (job->dev)
		run_called(job, shape, api);
	else
		run_polled(job, shape, api);
}

/* A loop of its own for each shape and API, as drivers have one */
static __always_inline void run_shape(const struct job *job, enum shape shape)
{
	switch (job->load->api) {
	case OLD:
		run_this(job, shape, OLD);
		break;
	case OLD_LIST:
		run_this(job, shape, OLD_LIST);
		break;
	case PIECE_SG:
		run_this(job, shape, PIECE_SG);
		break;
	case ONE_CALL:
		run_this(job, shape, ONE_CALL);
		break;
	default:
		run_this(job, shape, PIECE);
		break;
	}
}

static void run_job(const struct job *job)
{
	switch (job->load->shape) {
	case READABLE:
		run_shape(job, READABLE);
		break;
	case WRITABLE:
		run_shape(job, WRITABLE);
		break;
	case NET_TX:
		run_shape(job, NET_TX);
		break;
	case BLOCK_4K:
		run_shape(job, BLOCK_4K);
		break;
	default:
		run_shape(job, BLOCK_128K);
		break;
	}
}

static void core_run(void *queue, const struct load *load,
		     struct device_side *dev, unsigned int count)
{
	run_job(&(struct job) {
		.queue = queue, .load = load, .dev = dev, .count = count,
	});
}

static void core_run_polled(void *queue, const struct load *load,
			    unsigned int limit, unsigned int count)
{
	run_job(&(struct job) {
		.queue = queue, .load = load, .limit = limit, .count = count,
	});
}

static void init_request(struct queue *queue, struct request *request)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		request->data[i].bv_page = virt_to_page(queue->data +
							i * PAGE_SIZE);
		request->data[i].bv_len = PAGE_SIZE;
		request->data[i].bv_offset = 0;
	}
}

static void make_requests(struct queue *queue, unsigned int n)
{
	unsigned int i;

	queue->data = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	queue->request = aligned_alloc(CACHE_LINE, n *
				       ALIGN(sizeof(struct request), CACHE_LINE));
	memset(queue->request, 0, n * sizeof(struct request));
	for (i = 0; i < n; i++)
		init_request(queue, &queue->request[i]);
}

static void core_prepare(void *p, const struct load *load)
{
	struct queue *queue = p;
	unsigned int i;

	make_requests(queue, queue->config.ring);
	queue->requests = load->requests;
	for (i = 0; i < queue->requests; i++)
		fill_list(&queue->request[i], load->shape);
	if (load->callbacks != CB_ON)
		virtqueue_disable_cb(queue->vq);
	for (i = 0; i < load->fill; i++)
		BUG_ON(add(queue, load->shape, OLD));
	if (load->fill)
		kick(queue->vq);
}

static void add_features(struct queue *queue)
{
	const struct queue_config *config = &queue->config;
	u64 features = BIT_ULL(VIRTIO_F_VERSION_1);

	if (config->packed)
		features |= BIT_ULL(VIRTIO_F_RING_PACKED);
	if (config->indirect)
		features |= BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	if (config->event)
		features |= BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	if (config->dma)
		features |= BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	if (config->in_order)
		features |= BIT_ULL(VIRTIO_F_IN_ORDER);
	queue->vdev.features = features;
	vring_transport_features(&queue->vdev);
}

static void *core_create(const struct queue_config *config)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	queue->config = *config;
	queue->dma_mask = ~0ULL;
	queue->parent.dma_mask = &queue->dma_mask;
	queue->vdev.dev.parent = &queue->parent;
	INIT_LIST_HEAD(&queue->vdev.vqs);
	spin_lock_init(&queue->vdev.vqs_list_lock);
	add_features(queue);

	queue->vq = vring_create_virtqueue(0, config->ring, PAGE_SIZE,
					   &queue->vdev, true, false, false,
					   notify, callback, "bench");
	BUG_ON(!queue->vq);
#ifdef CONFIG_VIRTIO_HARDEN_NOTIFICATION
	__virtqueue_unbreak(queue->vq);
#endif
	return queue;
}

static void core_destroy(void *p)
{
	struct queue *queue = p;

	vring_del_virtqueue(queue->vq);
	free(queue->request);
	free(queue->data);
	free(queue);
}

static void core_attach(void *p, struct device_side *dev)
{
	struct queue *queue = p;
	struct virtqueue *vq = queue->vq;

	memset(dev, 0, sizeof(*dev));
	dev->packed = queue->config.packed;
	dev->in_order = virtio_has_feature(&queue->vdev, VIRTIO_F_IN_ORDER);
	dev->ring = queue->config.ring;
	dev->wrap = true;
	dev->desc = (void *)virtqueue_get_desc_addr(vq);
	dev->avail = (void *)virtqueue_get_avail_addr(vq);
	if (dev->packed)
		dev->used = (void *)dev->desc;
	else
		dev->used = (void *)virtqueue_get_used_addr(vq);
}

const struct core BENCH_CORE = {
	.name		= BENCH_NAME,
	.create		= core_create,
	.destroy	= core_destroy,
	.attach		= core_attach,
	.run		= core_run,
	.run_polled	= core_run_polled,
	.prepare	= core_prepare,
};
