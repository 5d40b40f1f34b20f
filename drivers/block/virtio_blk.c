// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver for virtio block devices.
 *
 * A request goes to the device as one buffer: a header, the data straight from
 * the request's bio_vecs, and the byte in which the device puts the status.
 * Section numbers refer to the Virtual I/O Device (VIRTIO) specification,
 * version 1.2.
 *
 * Locking: the lock of a queue serialises all calls for its virtqueue.
 * vdev_mutex is for what may run after the device is gone, as long as somebody
 * has the disk open: it finds vdev to be NULL.
 */
#include <linux/blk-mq.h>
#include <linux/blk-mq-virtio.h>
#include <linux/blkdev.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/crash_dump.h>
#include <linux/delay.h>
#include <linux/dma-map-ops.h>
#include <linux/hdreg.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string_helpers.h>
#include <linux/swiotlb.h>
#include <linux/virtio.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ring.h>

#define VIRTBLK_MINORS		16
#define VIRTBLK_MAX_RANGES	256
#define VIRTBLK_MAX_ZONES	4096

/* Elements of a buffer that are no data: the header and the status */
#define VIRTBLK_EXTRA		2

/* An interrupt that has not come after this time is lost. */
#define VIRTBLK_IRQ_MS		20

static unsigned int num_request_queues;
module_param(num_request_queues, uint, 0644);
MODULE_PARM_DESC(num_request_queues, "Request queues to use at most, never more than CPUs (0: no limit)");

static unsigned int poll_queues;
module_param(poll_queues, uint, 0644);
MODULE_PARM_DESC(poll_queues, "How many of the queues are for polled I/O");

static unsigned int queue_depth;
module_param(queue_depth, uint, 0444);
MODULE_PARM_DESC(queue_depth, "Requests in flight for each queue (0: as many as the ring holds)");

static int virtblk_major;
static DEFINE_IDA(virtblk_ida);
static struct workqueue_struct *virtblk_wq;

/**
 * struct virtblk_vq - a queue of requests
 * @vq: the virtqueue, NULL while the device is reset, or could not be started again
 * @lock: serialises calls for @vq
 * @hctx: the block layer's side of this queue
 * @next_report: when to say next that requests take long, in jiffies
 * @starved_since: since when there has been no memory for a request, though
 *                 nothing else was under way
 * @starved_last: when that was last seen
 * @name: name of the queue
 */
struct virtblk_vq {
	struct virtqueue *vq;
	spinlock_t lock;		/* serialises calls for vq */
	struct blk_mq_hw_ctx *hctx;
	unsigned long next_report;
	unsigned long starved_since;
	unsigned long starved_last;
	char name[16];
} ____cacheline_aligned_in_smp;

/**
 * struct virtio_blk - a disk
 * @vdev_mutex: see the head of this file
 * @vdev: the device, NULL once it was removed
 * @disk: the block layer's disk
 * @tag_set: the block layer's requests
 * @config_work: reads the capacity again
 * @lost_work: ends what the device won't end any more
 * @lost: @lost_work was started, or a reset began, since the device was last set up
 * @writeback: the device was last told to have a write cache, or had one from the start
 * @index: number of the disk
 * @zone_sectors: size of a zone in sectors, 0 if there are none
 * @max_segments: elements of data that fit into each virtqueue
 * @in_align: alignment of the struct virtblk_in of each request
 * @io_queues: number of queues of each type
 * @num_vqs: number of @vqs
 * @vqs: all queues, by their index in the device
 */
struct virtio_blk {
	struct mutex vdev_mutex;	/* see the head of this file */
	struct virtio_device *vdev;
	struct gendisk *disk;
	struct blk_mq_tag_set tag_set;
	struct work_struct config_work;
	struct work_struct lost_work;
	unsigned long lost;
	bool writeback;
	int index;
	u32 zone_sectors;
	unsigned int max_segments;
	unsigned int in_align;
	unsigned int io_queues[HCTX_MAX_TYPES];
	unsigned int num_vqs;
	struct virtblk_vq vqs[] __counted_by(num_vqs);
};

/* What the device writes. All of it for a zone append, else only the status. */
struct virtblk_in {
	__virtio64 sector;
	u8 status;
};

/* What comes with each request; a struct virtblk_in follows. */
struct virtblk_req {
	struct virtio_blk_outhdr out;
};

/* Not written by any device: the status of a request it never answered */
#define VIRTBLK_NO_STATUS	0xff

/*
 * Without coherent DMA a cache line that the device writes must hold nothing
 * else. The payload of a request is aligned as the request is.
 */
static struct virtblk_in *virtblk_in(struct request *req)
{
	struct virtio_blk *vblk = req->q->queuedata;
	struct virtblk_req *vbr = blk_mq_rq_to_pdu(req);
	unsigned int align = __alignof__(struct virtblk_in);

	/* Most machines have no other alignment. */
	if (__alignof__(struct virtblk_in) < ARCH_DMA_MINALIGN)
		align = vblk->in_align;
	return PTR_ALIGN((struct virtblk_in *)(vbr + 1), align);
}

static unsigned int virtblk_payload(struct virtio_blk *vblk)
{
	struct device *dma_dev = virtqueue_dma_dev(vblk->vqs[0].vq);

	vblk->in_align = __alignof__(struct virtblk_in);
	if (dma_dev && !dev_is_dma_coherent(dma_dev))
		vblk->in_align = ARCH_DMA_MINALIGN;
	return sizeof(struct virtblk_req) + vblk->in_align -
	       __alignof__(struct virtblk_in) +
	       ALIGN(sizeof(struct virtblk_in), vblk->in_align);
}

/*
 * A lost device
 */

/*
 * The device went away, or broke the rules: have its requests ended. Before it
 * has a disk there are none.
 */
static void virtblk_lose(struct virtio_blk *vblk)
{
	if (READ_ONCE(vblk->disk) && !test_and_set_bit(0, &vblk->lost))
		queue_work(virtblk_wq, &vblk->lost_work);
}

/* For each request, not for each buffer: a lost answer has no buffer any more. */
static bool virtblk_fail(struct request *req, void *data)
{
	if (!blk_mq_request_completed(req)) {
		virtblk_in(req)->status = VIRTIO_BLK_S_IOERR;
		blk_mq_complete_request(req);
	}
	return true;
}

static void virtblk_detach_all(struct virtblk_vq *vq)
{
	spin_lock_irq(&vq->lock);
	/* There is none after a restart that failed. */
	while (vq->vq && virtqueue_detach_unused_buf(vq->vq))
		;
	spin_unlock_irq(&vq->lock);
}

/*
 * A request that ends gives its pages to others: only after the reset, when
 * the device can't write there any more.
 */
static void virtblk_lost_work(struct work_struct *work)
{
	struct virtio_blk *vblk = container_of(work, struct virtio_blk,
					       lost_work);
	struct request_queue *q = vblk->disk->queue;
	unsigned int i;

	dev_err(&vblk->vdev->dev, "[%s] lost the device, all I/O fails\n",
		vblk->disk->disk_name);

	virtio_break_device(vblk->vdev);
	blk_mq_quiesce_queue(q);
	virtio_synchronize_cbs(vblk->vdev);
	virtio_reset_device(vblk->vdev);
	for (i = 0; i < vblk->num_vqs; i++)
		virtblk_detach_all(&vblk->vqs[i]);
	blk_mq_tagset_busy_iter(&vblk->tag_set, virtblk_fail, NULL);
	blk_mq_start_stopped_hw_queues(q, true);
	blk_mq_unquiesce_queue(q);
}

/*
 * Requests on their way to the device
 */

enum virtblk_kind {
	VIRTBLK_UNKNOWN,
	VIRTBLK_PLAIN,		/* for the device as a whole */
	VIRTBLK_SECTOR,		/* for a place on it */
	VIRTBLK_RANGES,		/* the data says for which places */
};

static const struct {
	u8 type;
	u8 kind;
} virtblk_ops[] = {
	[REQ_OP_READ]		= { VIRTIO_BLK_T_IN, VIRTBLK_SECTOR },
	[REQ_OP_WRITE]		= { VIRTIO_BLK_T_OUT, VIRTBLK_SECTOR },
	[REQ_OP_FLUSH]		= { VIRTIO_BLK_T_FLUSH, VIRTBLK_PLAIN },
	[REQ_OP_DISCARD]	= { VIRTIO_BLK_T_DISCARD, VIRTBLK_RANGES },
	[REQ_OP_SECURE_ERASE]	= { VIRTIO_BLK_T_SECURE_ERASE, VIRTBLK_RANGES },
	[REQ_OP_WRITE_ZEROES]	= { VIRTIO_BLK_T_WRITE_ZEROES, VIRTBLK_RANGES },
	[REQ_OP_ZONE_APPEND]	= { VIRTIO_BLK_T_ZONE_APPEND, VIRTBLK_SECTOR },
	[REQ_OP_ZONE_OPEN]	= { VIRTIO_BLK_T_ZONE_OPEN, VIRTBLK_SECTOR },
	[REQ_OP_ZONE_CLOSE]	= { VIRTIO_BLK_T_ZONE_CLOSE, VIRTBLK_SECTOR },
	[REQ_OP_ZONE_FINISH]	= { VIRTIO_BLK_T_ZONE_FINISH, VIRTBLK_SECTOR },
	[REQ_OP_ZONE_RESET]	= { VIRTIO_BLK_T_ZONE_RESET, VIRTBLK_SECTOR },
	[REQ_OP_ZONE_RESET_ALL]	= { VIRTIO_BLK_T_ZONE_RESET_ALL, VIRTBLK_PLAIN },
};

static void virtblk_set_range(struct virtio_blk_discard_write_zeroes *range,
			      u64 sector, u32 num_sectors, u32 flags)
{
	range->sector = cpu_to_le64(sector);
	range->num_sectors = cpu_to_le32(num_sectors);
	range->flags = cpu_to_le32(flags);
}

/* Only discards are merged with others that are not next to them. */
static bool virtblk_has_many_ranges(struct request *req)
{
	return req_op(req) == REQ_OP_DISCARD &&
	       queue_max_discard_segments(req->q) > 1;
}

static blk_status_t virtblk_add_ranges(struct request *req)
{
	bool many = virtblk_has_many_ranges(req);
	unsigned int num = many ? blk_rq_count_bios(req) : 1, n = 0;
	struct virtio_blk_discard_write_zeroes *ranges;
	struct bio *bio;
	u32 flags = 0;

	ranges = kmalloc_array(num, sizeof(*ranges), GFP_ATOMIC);
	if (!ranges)
		return BLK_STS_RESOURCE;

	/* Discards must not ask for it (5.2.6.1). */
	if (req_op(req) == REQ_OP_WRITE_ZEROES &&
	    !(req->cmd_flags & REQ_NOUNMAP))
		flags = VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (many) {
		__rq_for_each_bio(bio, req)
			virtblk_set_range(&ranges[n++], bio->bi_iter.bi_sector,
					  bio_sectors(bio), flags);
	} else {
		virtblk_set_range(ranges, blk_rq_pos(req), blk_rq_sectors(req),
				  flags);
	}

	bvec_set_virt(&req->special_vec, ranges, num * sizeof(*ranges));
	req->rq_flags |= RQF_SPECIAL_PAYLOAD;
	return BLK_STS_OK;
}

static void virtblk_free_ranges(struct request *req)
{
	if (!(req->rq_flags & RQF_SPECIAL_PAYLOAD))
		return;
	kfree(bvec_virt(&req->special_vec));
	req->rq_flags &= ~RQF_SPECIAL_PAYLOAD;
}

static blk_status_t virtblk_set_header(struct virtio_blk *vblk,
				       struct request *req)
{
	struct virtio_device *vdev = vblk->vdev;
	struct virtblk_req *vbr = blk_mq_rq_to_pdu(req);
	unsigned int op = (__force unsigned int)req_op(req);
	unsigned int kind;

	vbr->out.ioprio = cpu_to_virtio32(vdev, req_get_ioprio(req));
	virtblk_in(req)->status = VIRTBLK_NO_STATUS;
	/* Whoever sent it has set the rest. */
	if (op == (__force unsigned int)REQ_OP_DRV_IN)
		return BLK_STS_OK;

	kind = op < ARRAY_SIZE(virtblk_ops) ? virtblk_ops[op].kind :
					      VIRTBLK_UNKNOWN;
	if (WARN_ON_ONCE(kind == VIRTBLK_UNKNOWN))
		return BLK_STS_NOTSUPP;

	vbr->out.type = cpu_to_virtio32(vdev, virtblk_ops[op].type);
	vbr->out.sector = cpu_to_virtio64(vdev, kind == VIRTBLK_SECTOR ?
						blk_rq_pos(req) : 0);
	return kind == VIRTBLK_RANGES ? virtblk_add_ranges(req) : BLK_STS_OK;
}

/* All that can be done for a request without the lock of its queue */
static blk_status_t virtblk_prepare(struct virtblk_vq *vq, struct request *req)
{
	blk_status_t status;

	if (unlikely(!vq->vq))
		return BLK_STS_IOERR;
	status = virtblk_set_header(req->q->queuedata, req);
	/* Once it is added it may come back at any time. */
	if (likely(!status))
		blk_mq_start_request(req);
	return status;
}

static void virtblk_add_data(struct virtqueue *vq, struct request *req,
			     enum dma_data_direction dir)
{
	unsigned int max = queue_max_segment_size(req->q);
	struct bio *bio;

	if (req->rq_flags & RQF_SPECIAL_PAYLOAD) {
		virtqueue_add_bvec(vq, &req->special_vec, dir);
		return;
	}
	__rq_for_each_bio(bio, req)
		virtqueue_add_bvecs(vq, bio->bi_io_vec, &bio->bi_iter, max,
				    dir);
}

/*
 * Nobody else has merged the segments of different bios when they are added,
 * nor split the vectors at other places than their maximum: there are never
 * more elements than the block layer has counted.
 */
static int virtblk_add(struct virtqueue *vq, struct request *req)
{
	struct virtblk_req *vbr = blk_mq_rq_to_pdu(req);
	struct virtblk_in *in = virtblk_in(req);
	unsigned int num = blk_rq_nr_phys_segments(req);
	bool write = op_is_write(req_op(req));
	int err;

	err = virtqueue_start_buf(vq, 1 + (write ? num : 0),
				  1 + (write ? 0 : num), req, NULL, GFP_ATOMIC);
	if (unlikely(err))
		return err;

	virtqueue_add_ptr(vq, &vbr->out, sizeof(vbr->out), DMA_TO_DEVICE);
	if (num)
		virtblk_add_data(vq, req,
				 write ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	if (unlikely(req_op(req) == REQ_OP_ZONE_APPEND))
		virtqueue_add_ptr(vq, in, offsetofend(struct virtblk_in, status),
				  DMA_FROM_DEVICE);
	else
		virtqueue_add_ptr(vq, &in->status, sizeof(in->status),
				  DMA_FROM_DEVICE);
	return virtqueue_end_buf(vq);
}

/* True if no queue has a request in flight that would give memory back */
static bool virtblk_is_idle(struct virtio_blk *vblk)
{
	unsigned int i;

	for (i = 0; i < vblk->num_vqs; i++) {
		struct virtqueue *vq = vblk->vqs[i].vq;

		/* Without the lock: it is asked again and again. */
		if (data_race(vq->num_free) != virtqueue_get_vring_size(vq))
			return false;
	}
	return true;
}

/*
 * Usually others give memory back, and the block layer tries again every few ms.
 * But if this disk has nothing under way, and there is no memory for as long as a
 * request may take, there never will be: bounce buffers may be too small for it.
 */
static blk_status_t virtblk_starve(struct virtblk_vq *vq, struct request *req)
{
	struct virtio_blk *vblk = req->q->queuedata;

	if (!virtblk_is_idle(vblk) || time_after(jiffies, vq->starved_last + HZ))
		vq->starved_since = jiffies;
	vq->starved_last = jiffies;
	if (time_before(jiffies, vq->starved_since + req->timeout))
		return BLK_STS_RESOURCE;

	dev_err_ratelimited(&vblk->vdev->dev,
			    "[%s] %s: no memory to send a request of %u bytes\n",
			    vblk->disk->disk_name, vq->name, blk_rq_bytes(req));
	return BLK_STS_IOERR;
}

/*
 * Called with the lock of @vq held. When the ring is full, the next completion
 * starts the queue again: it comes later, as it takes the same lock.
 * BLK_STS_RESOURCE, not DEV_RESOURCE: the queue may be started before the block
 * layer has put the request back, but then it also tries again by itself.
 */
static blk_status_t virtblk_refused(struct virtblk_vq *vq, struct request *req,
				    int err)
{
	virtblk_free_ranges(req);
	switch (err) {
	case -ENOSPC:
		blk_mq_stop_hw_queue(vq->hctx);
		return BLK_STS_RESOURCE;
	case -ENOMEM:
		return virtblk_starve(vq, req);
	case -EIO:
		virtblk_lose(vq->vq->vdev->priv);
		return BLK_STS_IOERR;
	default:
		return BLK_STS_IOERR;
	}
}

/* Publish what was added, and notify the device without the lock. */
static void virtblk_unlock_and_kick(struct virtblk_vq *vq, unsigned long flags)
	__releases(&vq->lock)
{
	bool kick = vq->vq && virtqueue_kick_prepare(vq->vq);

	spin_unlock_irqrestore(&vq->lock, flags);
	if (kick && unlikely(!virtqueue_notify(vq->vq)))
		virtblk_lose(vq->vq->vdev->priv);
}

static blk_status_t virtblk_queue_rq(struct blk_mq_hw_ctx *hctx,
				     const struct blk_mq_queue_data *bd)
{
	struct virtblk_vq *vq = hctx->driver_data;
	blk_status_t status;
	unsigned long flags;
	int err;

	status = virtblk_prepare(vq, bd->rq);
	if (unlikely(status))
		return status;

	spin_lock_irqsave(&vq->lock, flags);
	err = virtblk_add(vq->vq, bd->rq);
	if (unlikely(err))
		status = virtblk_refused(vq, bd->rq, err);
	if (bd->last || unlikely(err))
		virtblk_unlock_and_kick(vq, flags);
	else
		spin_unlock_irqrestore(&vq->lock, flags);
	return status;
}

static void virtblk_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct virtblk_vq *vq = hctx->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&vq->lock, flags);
	virtblk_unlock_and_kick(vq, flags);
}

/*
 * Send requests that are prepared. From the first failure on the block layer has
 * them back: it sends them one by one, and learns the reason.
 */
static void virtblk_send(struct virtblk_vq *vq, struct rq_list *list)
{
	struct request *req;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&vq->lock, flags);
	while (!err && (req = rq_list_pop(list)))
		err = virtblk_add(vq->vq, req);
	if (unlikely(err))
		virtblk_refused(vq, req, err);
	virtblk_unlock_and_kick(vq, flags);

	for (; unlikely(req); req = rq_list_pop(list)) {
		virtblk_free_ranges(req);
		blk_mq_requeue_request(req, true);
	}
}

/*
 * Send all requests of @list that are for the queue of the first one. What is
 * for other queues stays in @list, what can't be prepared goes to @failed.
 */
static void virtblk_queue_some(struct rq_list *list, struct rq_list *failed)
{
	struct blk_mq_hw_ctx *hctx = rq_list_peek(list)->mq_hctx;
	struct virtblk_vq *vq = hctx->driver_data;
	struct rq_list ready = {}, others = {};
	struct request *req;

	while ((req = rq_list_pop(list))) {
		if (req->mq_hctx != hctx)
			rq_list_add_tail(&others, req);
		else if (unlikely(virtblk_prepare(vq, req)))
			rq_list_add_tail(failed, req);
		else
			rq_list_add_tail(&ready, req);
	}
	virtblk_send(vq, &ready);
	*list = others;
}

static void virtblk_queue_rqs(struct rq_list *list)
{
	struct rq_list failed = {};

	while (!rq_list_empty(list))
		virtblk_queue_some(list, &failed);
	*list = failed;
}

/*
 * Requests on their way back
 */

static blk_status_t virtblk_status(u8 status)
{
	switch (status) {
	case VIRTIO_BLK_S_OK:
		return BLK_STS_OK;
	case VIRTIO_BLK_S_UNSUPP:
		return BLK_STS_NOTSUPP;
	case VIRTIO_BLK_S_ZONE_OPEN_RESOURCE:
		return BLK_STS_ZONE_OPEN_RESOURCE;
	case VIRTIO_BLK_S_ZONE_ACTIVE_RESOURCE:
		return BLK_STS_ZONE_ACTIVE_RESOURCE;
	default:
		return BLK_STS_IOERR;
	}
}

/* The device says where it has put the data: in the zone we named, or it lies. */
static blk_status_t virtblk_end_append(struct virtio_blk *vblk,
				       struct request *req, __virtio64 where)
{
	u64 sector = virtio64_to_cpu(vblk->vdev, where);

	if (sector < blk_rq_pos(req) ||
	    sector - blk_rq_pos(req) >= vblk->zone_sectors)
		return BLK_STS_IOERR;
	req->__sector = sector;
	return BLK_STS_OK;
}

/* End a request, or let a batch end it later. */
static void virtblk_end(struct request *req, struct io_comp_batch *iob)
{
	struct virtblk_in *in = virtblk_in(req);
	blk_status_t status = virtblk_status(READ_ONCE(in->status));

	virtblk_free_ranges(req);
	if (req_op(req) == REQ_OP_ZONE_APPEND && !status)
		status = virtblk_end_append(req->q->queuedata, req,
					    READ_ONCE(in->sector));
	/* A batch has no errors. */
	if (unlikely(status) ||
	    !blk_mq_add_to_batch(req, iob, false, blk_mq_end_request_batch))
		blk_mq_end_request(req, status);
}

static void virtblk_complete(struct request *req)
{
	virtblk_end(req, NULL);
}

/* Called with the lock of @vq held. Returns how many requests came back. */
static int virtblk_reap(struct virtblk_vq *vq, struct io_comp_batch *iob)
{
	struct request *req;
	unsigned int len;
	int found = 0;

	while ((req = virtqueue_get_buf(vq->vq, &len))) {
		found++;
		if (unlikely(blk_should_fake_timeout(req->q)))
			continue;
		if (!blk_mq_complete_request_remote(req))
			virtblk_end(req, iob);
	}
	if (found)
		blk_mq_start_stopped_hw_queue(vq->hctx, true);
	return found;
}

static void virtblk_done(struct virtqueue *virtqueue)
{
	struct virtio_blk *vblk = virtqueue->vdev->priv;
	struct virtblk_vq *vq = &vblk->vqs[virtqueue->index];
	DEFINE_IO_COMP_BATCH(iob);
	unsigned long flags;

	/* An interrupt while the queues are being set up: nothing was sent. */
	if (unlikely(!READ_ONCE(vq->vq)))
		return;

	spin_lock_irqsave(&vq->lock, flags);
	do {
		virtqueue_disable_cb(virtqueue);
		virtblk_reap(vq, &iob);
	} while (!virtqueue_enable_cb(virtqueue));
	spin_unlock_irqrestore(&vq->lock, flags);

	if (!rq_list_empty(&iob.req_list))
		iob.complete(&iob);
	if (unlikely(virtqueue_is_broken(virtqueue)))
		virtblk_lose(vblk);
}

static int virtblk_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob)
{
	struct virtblk_vq *vq = hctx->driver_data;
	bool broken = false;
	unsigned long flags;
	int found = 0;

	/* While the device is reset there is no queue. */
	spin_lock_irqsave(&vq->lock, flags);
	if (likely(vq->vq)) {
		found = virtblk_reap(vq, iob);
		broken = virtqueue_is_broken(vq->vq);
	}
	spin_unlock_irqrestore(&vq->lock, flags);

	if (unlikely(broken))
		virtblk_lose(hctx->queue->queuedata);
	return found;
}

/*
 * True if the device may still answer: not if it wants to be reset, or was reset by
 * somebody else. Once it is gone all bits are set, NEEDS_RESET among them.
 */
static bool virtblk_is_there(struct virtio_device *vdev)
{
	u8 status = vdev->config->get_status(vdev);

	return (status & (VIRTIO_CONFIG_S_DRIVER_OK |
			  VIRTIO_CONFIG_S_NEEDS_RESET)) ==
	       VIRTIO_CONFIG_S_DRIVER_OK;
}

static bool virtblk_has_answers(struct virtblk_vq *vq)
{
	bool found;

	spin_lock_irq(&vq->lock);
	found = !virtqueue_enable_cb(vq->vq);
	spin_unlock_irq(&vq->lock);
	return found;
}

static bool virtblk_has_ended(struct request *req)
{
	return blk_mq_rq_state(req) != MQ_RQ_IN_FLIGHT;
}

/*
 * Look for the answer to @req. It is nobody's fault if it came just now, or for
 * a polled queue that nobody polls: an interrupt was lost only if it does not
 * come by itself, although the answer is there.
 */
static bool virtblk_find_answer(struct virtio_blk *vblk, struct virtblk_vq *vq,
				struct request *req)
{
	bool polled = !vq->vq->callback;

	if (!polled) {
		if (!virtblk_has_answers(vq))
			return virtblk_has_ended(req);
		msleep(VIRTBLK_IRQ_MS);
		if (virtblk_has_ended(req))
			return true;
	}
	virtblk_poll(req->mq_hctx, NULL);
	if (!virtblk_has_ended(req))
		return false;
	if (!polled)
		dev_warn_ratelimited(&vblk->vdev->dev,
				     "[%s] %s: the device was done, and did not say so\n",
				     vblk->disk->disk_name, vq->name);
	return true;
}

static unsigned int virtblk_waited(struct request *req)
{
	/* Without statistics nobody has noted when it began. */
	if (!req->start_time_ns)
		return req->timeout / HZ;
	return div_u64(ktime_get_ns() - req->start_time_ns, NSEC_PER_SEC);
}

/* One line for each queue and timeout, however many requests wait */
static void virtblk_report_wait(struct virtio_blk *vblk, struct virtblk_vq *vq,
				struct request *req)
{
	if (time_before(jiffies, vq->next_report))
		return;
	vq->next_report = jiffies + req->timeout;
	dev_warn(&vblk->vdev->dev,
		 "[%s] %s: no answer for %u s to request %d, sector %llu: asking again\n",
		 vblk->disk->disk_name, vq->name, virtblk_waited(req), req->tag,
		 (unsigned long long)blk_rq_pos(req));
}

/*
 * A host may be slow for long, a guest may be paused: a device that is there
 * gets all the time it wants, even if it is to be removed. It may not know of
 * the request: a notification can get lost as an interrupt can, and one too many
 * does no harm.
 */
static enum blk_eh_timer_return virtblk_timeout(struct request *req)
{
	struct virtio_blk *vblk = req->q->queuedata;
	struct virtblk_vq *vq = req->mq_hctx->driver_data;

	/* The device is being reset or given up already. */
	if (test_bit(0, &vblk->lost))
		return BLK_EH_RESET_TIMER;
	if (virtblk_find_answer(vblk, vq, req))
		return BLK_EH_DONE;
	if (virtio_device_is_gone(vblk->vdev) || virtqueue_is_broken(vq->vq)) {
		virtblk_lose(vblk);
		return BLK_EH_RESET_TIMER;
	}
	/* The bus starts it again or breaks its queues, unless it is being stopped. */
	if (!virtblk_is_there(vblk->vdev)) {
		if (!virtio_device_check(vblk->vdev))
			virtblk_lose(vblk);
		return BLK_EH_RESET_TIMER;
	}
	virtblk_report_wait(vblk, vq, req);
	if (!virtqueue_notify(vq->vq))
		virtblk_lose(vblk);
	return BLK_EH_RESET_TIMER;
}

/*
 * Queues
 */

static int virtblk_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			     unsigned int index)
{
	struct virtio_blk *vblk = data;

	vblk->vqs[index].hctx = hctx;
	hctx->driver_data = &vblk->vqs[index];
	return 0;
}

static void virtblk_map_queues(struct blk_mq_tag_set *set)
{
	struct virtio_blk *vblk = set->driver_data;
	unsigned int offset = 0, i;

	for (i = 0; i < set->nr_maps; i++) {
		struct blk_mq_queue_map *map = &set->map[i];

		map->nr_queues = vblk->io_queues[i];
		map->queue_offset = offset;
		offset += map->nr_queues;
		if (!map->nr_queues)
			continue;
		/* Only queues with interrupts have an affinity. */
		if (i == HCTX_TYPE_POLL)
			blk_mq_map_queues(map);
		else
			blk_mq_virtio_map_queues(map, vblk->vdev, 0);
	}
}

static const struct blk_mq_ops virtblk_mq_ops = {
	.queue_rq	= virtblk_queue_rq,
	.queue_rqs	= virtblk_queue_rqs,
	.commit_rqs	= virtblk_commit_rqs,
	.complete	= virtblk_complete,
	.poll		= virtblk_poll,
	.timeout	= virtblk_timeout,
	.init_hctx	= virtblk_init_hctx,
	.map_queues	= virtblk_map_queues,
};

/* Read a field of the configuration, see struct virtio_blk_config. */
#define virtblk_cread(size, vdev, field) \
	virtio_cread##size(vdev, offsetof(struct virtio_blk_config, field))

/*
 * A queue of CPUs that are all isolated from interrupts would disturb one of them.
 * A crash kernel has one CPU at work, and little memory.
 */
static unsigned int virtblk_max_vqs(void)
{
	unsigned int num;

	if (is_kdump_kernel())
		return 1;
	num = cpumask_weight_and(cpu_possible_mask,
				 housekeeping_cpumask(HK_TYPE_MANAGED_IRQ));
	return min_not_zero(num, num_request_queues) ?: 1;
}

static int virtblk_count_vqs(struct virtio_device *vdev)
{
	unsigned int num;

	if (!virtio_has_feature(vdev, VIRTIO_BLK_F_MQ))
		return 1;
	num = virtblk_cread(16, vdev, num_queues);
	if (!num) {
		dev_err(&vdev->dev, "a device with many queues that has none\n");
		return -EINVAL;
	}
	return min(num, virtblk_max_vqs());
}

/*
 * Elements of data that fit into each queue, at least one. After a resume there
 * are requests already, as large as the queues were before.
 */
static int virtblk_count_segments(struct virtio_blk *vblk,
				  struct virtqueue **vqs)
{
	unsigned int need = 1, size = U16_MAX, i;

	if (vblk->disk)
		need = queue_max_segments(vblk->disk->queue);
	for (i = 0; i < vblk->num_vqs; i++)
		size = min(size, virtqueue_get_vring_size(vqs[i]));
	/* A buffer has no more elements than the queue (2.7.5.3.1, 2.8.19). */
	if (size >= need + VIRTBLK_EXTRA)
		return size - VIRTBLK_EXTRA;
	dev_err(&vblk->vdev->dev, "queues of size %u hold no request of %u segments\n",
		size, need);
	return -EINVAL;
}

static int virtblk_find_vqs(struct virtio_blk *vblk)
{
	struct virtqueue_info *info;
	struct irq_affinity affinity = {};
	struct virtqueue **vqs;
	unsigned int i;
	int ret = -ENOMEM;

	info = kcalloc(vblk->num_vqs, sizeof(*info), GFP_KERNEL);
	vqs = kcalloc(vblk->num_vqs, sizeof(*vqs), GFP_KERNEL);
	if (!info || !vqs)
		goto out;

	for (i = 0; i < vblk->num_vqs; i++) {
		bool poll = i >= vblk->io_queues[HCTX_TYPE_DEFAULT];

		info[i].name = vblk->vqs[i].name;
		info[i].callback = poll ? NULL : virtblk_done;
		snprintf(vblk->vqs[i].name, sizeof(vblk->vqs[i].name),
			 poll ? "req_poll.%u" : "req.%u", i);
	}
	ret = virtio_find_vqs(vblk->vdev, vblk->num_vqs, vqs, info, &affinity);
	if (ret)
		goto out;

	ret = virtblk_count_segments(vblk, vqs);
	if (ret < 0) {
		vblk->vdev->config->del_vqs(vblk->vdev);
		goto out;
	}
	vblk->max_segments = ret;
	vblk->lost = 0;
	for (i = 0; i < vblk->num_vqs; i++)
		WRITE_ONCE(vblk->vqs[i].vq, vqs[i]);
	ret = 0;
out:
	kfree(vqs);
	kfree(info);
	return ret;
}

static unsigned int virtblk_default_depth(struct virtio_blk *vblk)
{
	unsigned int size = virtqueue_get_vring_size(vblk->vqs[0].vq);

	/* One descriptor for each request, or else two, for a flush. */
	if (virtio_has_feature(vblk->vdev, VIRTIO_RING_F_INDIRECT_DESC))
		return size;
	return size / VIRTBLK_EXTRA;
}

static int virtblk_alloc_tags(struct virtio_blk *vblk)
{
	vblk->tag_set = (struct blk_mq_tag_set) {
		.ops		= &virtblk_mq_ops,
		.queue_depth	= queue_depth ?: virtblk_default_depth(vblk),
		.numa_node	= NUMA_NO_NODE,
		.flags		= BLK_MQ_F_SHOULD_MERGE,
		.cmd_size	= virtblk_payload(vblk),
		.driver_data	= vblk,
		.nr_hw_queues	= vblk->num_vqs,
		.nr_maps	= vblk->io_queues[HCTX_TYPE_POLL] ?
				  HCTX_MAX_TYPES : 1,
	};
	return blk_mq_alloc_tag_set(&vblk->tag_set);
}

/*
 * Commands that the driver itself sends
 */

/* Have the device write into @buf. Sleeps until it has. */
static int virtblk_read_command(struct virtio_blk *vblk, u32 type, u64 sector,
				void *buf, size_t len)
{
	struct virtblk_req *vbr;
	struct request *req;
	int err;

	req = blk_mq_alloc_request(vblk->disk->queue, REQ_OP_DRV_IN, 0);
	if (IS_ERR(req))
		return PTR_ERR(req);

	vbr = blk_mq_rq_to_pdu(req);
	vbr->out.type = cpu_to_virtio32(vblk->vdev, type);
	vbr->out.sector = cpu_to_virtio64(vblk->vdev, sector);
	err = blk_rq_map_kern(req->q, req, buf, len, GFP_KERNEL);
	if (!err)
		err = blk_status_to_errno(blk_execute_rq(req, false));
	blk_mq_free_request(req);
	return err;
}

/*
 * Zones
 */

#ifdef CONFIG_BLK_DEV_ZONED
/* The specification and the block layer agree on all of these. */
static_assert((int)VIRTIO_BLK_ZT_CONV == (int)BLK_ZONE_TYPE_CONVENTIONAL);
static_assert((int)VIRTIO_BLK_ZT_SWR == (int)BLK_ZONE_TYPE_SEQWRITE_REQ);
static_assert((int)VIRTIO_BLK_ZT_SWP == (int)BLK_ZONE_TYPE_SEQWRITE_PREF);
static_assert((int)VIRTIO_BLK_ZS_NOT_WP == (int)BLK_ZONE_COND_NOT_WP);
static_assert((int)VIRTIO_BLK_ZS_EMPTY == (int)BLK_ZONE_COND_EMPTY);
static_assert((int)VIRTIO_BLK_ZS_IOPEN == (int)BLK_ZONE_COND_IMP_OPEN);
static_assert((int)VIRTIO_BLK_ZS_EOPEN == (int)BLK_ZONE_COND_EXP_OPEN);
static_assert((int)VIRTIO_BLK_ZS_CLOSED == (int)BLK_ZONE_COND_CLOSED);
static_assert((int)VIRTIO_BLK_ZS_RDONLY == (int)BLK_ZONE_COND_READONLY);
static_assert((int)VIRTIO_BLK_ZS_FULL == (int)BLK_ZONE_COND_FULL);
static_assert((int)VIRTIO_BLK_ZS_OFFLINE == (int)BLK_ZONE_COND_OFFLINE);

/* Set the write pointer where the device need not; check it where it must. */
static bool virtblk_check_wp(struct blk_zone *zone)
{
	switch (zone->cond) {
	case BLK_ZONE_COND_NOT_WP:
		return true;
	case BLK_ZONE_COND_EMPTY:
	case BLK_ZONE_COND_IMP_OPEN:
	case BLK_ZONE_COND_EXP_OPEN:
	case BLK_ZONE_COND_CLOSED:
		return zone->wp >= zone->start &&
		       zone->wp - zone->start <= zone->len;
	case BLK_ZONE_COND_FULL:
		zone->wp = zone->start + zone->len;
		return true;
	case BLK_ZONE_COND_READONLY:
	case BLK_ZONE_COND_OFFLINE:
		zone->wp = U64_MAX;
		return true;
	default:
		return false;
	}
}

static int virtblk_read_zone(struct virtio_blk *vblk,
			     const struct virtio_blk_zone_descriptor *desc,
			     sector_t start, struct blk_zone *zone)
{
	sector_t capacity = get_capacity(vblk->disk);
	struct virtio_device *vdev = vblk->vdev;

	*zone = (struct blk_zone) {
		.start	  = virtio64_to_cpu(vdev, READ_ONCE(desc->z_start)),
		.capacity = virtio64_to_cpu(vdev, READ_ONCE(desc->z_cap)),
		.wp	  = virtio64_to_cpu(vdev, READ_ONCE(desc->z_wp)),
		.type	  = READ_ONCE(desc->z_type),
		.cond	  = READ_ONCE(desc->z_state),
	};
	if (zone->start == start && start < capacity) {
		zone->len = min_t(u64, vblk->zone_sectors, capacity - start);
		if (zone->capacity <= zone->len && virtblk_check_wp(zone) &&
		    zone->type >= BLK_ZONE_TYPE_CONVENTIONAL &&
		    zone->type <= BLK_ZONE_TYPE_SEQWRITE_PREF)
			return 0;
	}
	dev_err_ratelimited(&vdev->dev,
			    "zone at %llu: bad report: start %llu, capacity %llu, wp %llu, type %u, state %u\n",
			    (u64)start, zone->start, zone->capacity, zone->wp,
			    zone->type, zone->cond);
	return -EIO;
}

/* Room for a report of @nr_zones, or for as many as one request takes */
static struct virtio_blk_zone_report *
virtblk_alloc_report(struct virtio_blk *vblk, unsigned int nr_zones,
		     size_t *room)
{
	struct request_queue *q = vblk->disk->queue;
	size_t max = min_t(u64, queue_max_segments(q) * PAGE_SIZE,
			   (u64)queue_max_hw_sectors(q) << SECTOR_SHIFT);
	struct virtio_blk_zone_report *report;

	*room = min3((size_t)nr_zones, (size_t)VIRTBLK_MAX_ZONES,
		     (max - sizeof(*report)) / sizeof(report->zones[0]));
	return kvmalloc(struct_size(report, zones, *room), GFP_KERNEL);
}

/* Called with vdev_mutex held. */
static int virtblk_walk_zones(struct virtio_blk *vblk, sector_t sector,
			      unsigned int nr_zones, report_zones_cb cb,
			      void *data, struct virtio_blk_zone_report *report,
			      size_t room)
{
	size_t size = struct_size(report, zones, room);
	unsigned int done = 0, i, n;
	struct blk_zone zone;
	int err;

	sector = round_down(sector, vblk->zone_sectors);
	while (done < nr_zones && sector < get_capacity(vblk->disk)) {
		memset(report, 0, size);
		err = virtblk_read_command(vblk, VIRTIO_BLK_T_ZONE_REPORT,
					   sector, report, size);
		if (err)
			return err;
		n = min3(virtio64_to_cpu(vblk->vdev,
					 READ_ONCE(report->nr_zones)),
			 (u64)room, (u64)nr_zones - done);
		if (!n)
			break;
		for (i = 0; i < n; i++) {
			err = virtblk_read_zone(vblk, &report->zones[i], sector,
						&zone);
			if (!err)
				err = cb(&zone, done, data);
			if (err)
				return err;
			sector += vblk->zone_sectors;
			done++;
		}
	}
	return done ?: -EINVAL;
}

static int virtblk_report_zones(struct gendisk *disk, sector_t sector,
				unsigned int nr_zones, report_zones_cb cb,
				void *data)
{
	struct virtio_blk *vblk = disk->private_data;
	struct virtio_blk_zone_report *report;
	size_t room;
	int ret = -ENXIO;

	if (!vblk->zone_sectors)
		return -EOPNOTSUPP;
	if (!nr_zones || !get_capacity(disk))
		return 0;
	report = virtblk_alloc_report(vblk, nr_zones, &room);
	if (!report)
		return -ENOMEM;

	mutex_lock(&vblk->vdev_mutex);
	if (vblk->vdev)
		ret = virtblk_walk_zones(vblk, sector, nr_zones, cb, data,
					 report, room);
	mutex_unlock(&vblk->vdev_mutex);
	kvfree(report);
	return ret;
}
#else
#define virtblk_report_zones	NULL
#endif

/*
 * Limits: what the device says of itself, and whether that can be true
 */

static int virtblk_refuse(struct virtio_device *vdev, const char *what, u64 value)
{
	dev_err(&vdev->dev, "can't drive this device: %s is %llu\n", what, value);
	return -EINVAL;
}

static void virtblk_ignore(struct virtio_device *vdev, const char *what, u64 value)
{
	dev_warn(&vdev->dev, "ignored: %s is %llu\n", what, value);
}

/*
 * What goes through bounce buffers, at least one slot for each segment, has to
 * fit into them as a whole. They are larger than one mapping: the limit that SCSI
 * hosts have, too.
 */
static void virtblk_bounce_limits(struct queue_limits *lim, size_t max)
{
	lim->max_hw_sectors = UINT_MAX;
	if (max == SIZE_MAX)
		return;
	lim->max_hw_sectors = min_t(size_t, max >> SECTOR_SHIFT, UINT_MAX);
	lim->max_segments = min_t(size_t, max >> IO_TLB_SHIFT,
				  lim->max_segments);
}

static int virtblk_segment_limits(struct virtio_blk *vblk,
				  struct queue_limits *lim)
{
	struct virtio_device *vdev = vblk->vdev;
	size_t max_dma = virtio_max_dma_size(vdev);
	u32 max = min_t(size_t, max_dma, U32_MAX);
	u32 num = 1;

	/* Every device takes one segment of data. */
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_SEG_MAX))
		num = virtblk_cread(32, vdev, seg_max) ?: 1;
	if (num > vblk->max_segments)
		virtblk_ignore(vdev, "segments (the ring holds less)", num);
	lim->max_segments = min(num, vblk->max_segments);

	/* qemu-storage-daemon offers a limit, and says 0. */
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_SIZE_MAX))
		max = min(max, virtblk_cread(32, vdev, size_max) ?:
			       BLK_MAX_SEGMENT_SIZE);
	/* The block layer needs room for a page in a segment. */
	if (max < PAGE_SIZE)
		return virtblk_refuse(vdev, "largest segment (less than a page)",
				      max);
	lim->max_segment_size = max;
	virtblk_bounce_limits(lim, max_dma);
	return 0;
}

static int virtblk_block_limits(struct virtio_blk *vblk,
				struct queue_limits *lim)
{
	struct virtio_device *vdev = vblk->vdev;
	u32 size = SECTOR_SIZE, optimal;
	u8 exp;

	if (virtio_has_feature(vdev, VIRTIO_BLK_F_BLK_SIZE))
		size = virtblk_cread(32, vdev, blk_size);
	if (!size) {
		virtblk_ignore(vdev, "block size", size);
		size = SECTOR_SIZE;
	}
	if (blk_validate_block_size(size))
		return virtblk_refuse(vdev, "block size", size);
	lim->logical_block_size = size;

	if (!virtio_has_feature(vdev, VIRTIO_BLK_F_TOPOLOGY))
		return 0;

	/* All are in logical blocks, and hints: I/O works without. */
	exp = virtblk_cread(8, vdev, physical_block_exp);
	if (exp >= 32 - ilog2(size))
		virtblk_ignore(vdev, "logarithm of the physical block size", exp);
	else if (exp)
		lim->physical_block_size = size << exp;
	lim->alignment_offset = size * virtblk_cread(8, vdev, alignment_offset);
	lim->io_min = size * virtblk_cread(16, vdev, min_io_size);
	optimal = virtblk_cread(32, vdev, opt_io_size);
	if (check_mul_overflow(size, optimal, &lim->io_opt)) {
		virtblk_ignore(vdev, "optimal number of blocks", optimal);
		lim->io_opt = 0;
	}
	return 0;
}

/*
 * The largest range of an operation, in sectors, 0 if the device can't have
 * meant what it said. It says 0 if it does not mind.
 */
static u32 virtblk_max_range(struct virtio_blk *vblk, struct queue_limits *lim,
			     const char *what, u32 max)
{
	u32 block = lim->logical_block_size >> SECTOR_SHIFT;

	if (!max)
		max = U32_MAX;
	if (max < block)
		virtblk_ignore(vblk->vdev, what, max);
	return round_down(max, block);
}

/* @align and @ranges are discard's, and become those that are good for both. */
static int virtblk_erase_limits(struct virtio_blk *vblk,
				struct queue_limits *lim, u32 *align,
				u32 *ranges)
{
	struct virtio_device *vdev = vblk->vdev;
	u32 max = virtblk_cread(32, vdev, max_secure_erase_sectors);
	u32 num = virtblk_cread(32, vdev, max_secure_erase_seg);
	u32 unit = virtblk_cread(32, vdev, secure_erase_sector_alignment);

	if (!max || !unit || !num)
		return virtblk_refuse(vdev, "a limit of secure erase", 0);
	lim->max_secure_erase_sectors =
		virtblk_max_range(vblk, lim, "secure erase's limit", max);
	*align = min_not_zero(*align, unit);
	*ranges = min_not_zero(*ranges, num);
	return 0;
}

/*
 * An alignment is a hint. The block layer rounds sizes down to it: it must not
 * be more than these.
 */
static void virtblk_set_granularity(struct virtio_device *vdev,
				    struct queue_limits *lim, u32 align)
{
	u32 range = min_not_zero(lim->max_hw_discard_sectors,
				 lim->max_secure_erase_sectors);

	if (align <= min(range, U32_MAX >> SECTOR_SHIFT))
		lim->discard_granularity = align << SECTOR_SHIFT;
	else
		virtblk_ignore(vdev, "discard's alignment", align);
}

static int virtblk_range_limits(struct virtio_blk *vblk,
				struct queue_limits *lim)
{
	struct virtio_device *vdev = vblk->vdev;
	u32 align = 0, ranges = 0;
	int err;

	if (virtio_has_feature(vdev, VIRTIO_BLK_F_WRITE_ZEROES))
		lim->max_write_zeroes_sectors =
			virtblk_max_range(vblk, lim, "write zeroes' limit",
					  virtblk_cread(32, vdev, max_write_zeroes_sectors));
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_DISCARD)) {
		lim->max_hw_discard_sectors =
			virtblk_max_range(vblk, lim, "discard's limit",
					  virtblk_cread(32, vdev, max_discard_sectors));
		ranges = virtblk_cread(32, vdev, max_discard_seg);
		align = virtblk_cread(32, vdev, discard_sector_alignment);
	}
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_SECURE_ERASE)) {
		err = virtblk_erase_limits(vblk, lim, &align, &ranges);
		if (err)
			return err;
	}
	if (!lim->max_hw_discard_sectors && !lim->max_secure_erase_sectors)
		return 0;
	lim->max_discard_segments = min(ranges ?: lim->max_segments,
					VIRTBLK_MAX_RANGES);
	virtblk_set_granularity(vdev, lim, align);
	return 0;
}

static int virtblk_zone_limits(struct virtio_blk *vblk,
			       struct queue_limits *lim)
{
	struct virtio_device *vdev = vblk->vdev;
	u32 unit = virtblk_cread(32, vdev, zoned.write_granularity);
	u32 zone = virtblk_cread(32, vdev, zoned.zone_sectors);
	u32 append = virtblk_cread(32, vdev, zoned.max_append_sectors);

	if (!IS_ENABLED(CONFIG_BLK_DEV_ZONED))
		return virtblk_refuse(vdev, "zone model (not configured)",
				      VIRTIO_BLK_Z_HM);
	if (!is_power_of_2(unit))
		return virtblk_refuse(vdev, "write granularity of zones", unit);
	if (unit < lim->logical_block_size) {
		virtblk_ignore(vdev, "write granularity (less than a block)",
			       unit);
		unit = lim->logical_block_size;
	}
	/* The specification allows other sizes, the block layer does not. */
	if (!is_power_of_2(zone) || zone < unit >> SECTOR_SHIFT)
		return virtblk_refuse(vdev, "zone size", zone);
	if (append < unit >> SECTOR_SHIFT)
		return virtblk_refuse(vdev, "zone append's limit", append);

	vblk->zone_sectors = zone;
	lim->features |= BLK_FEAT_ZONED;
	lim->chunk_sectors = zone;
	lim->zone_write_granularity = unit;
	lim->physical_block_size = unit;
	lim->io_min = unit;
	lim->max_zone_append_sectors = append;
	lim->max_open_zones = virtblk_cread(32, vdev, zoned.max_open_zones);
	lim->max_active_zones = virtblk_cread(32, vdev, zoned.max_active_zones);
	if (lim->max_active_zones &&
	    lim->max_open_zones > lim->max_active_zones) {
		virtblk_ignore(vdev, "open zones (less can be active)",
			       lim->max_open_zones);
		lim->max_open_zones = lim->max_active_zones;
	}
	/* Data in a zone goes with a reset. */
	if (lim->max_hw_discard_sectors)
		virtblk_ignore(vdev, "discard (of zones)", 1);
	lim->max_hw_discard_sectors = 0;
	return 0;
}

static bool virtblk_is_writeback(struct virtio_device *vdev)
{
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE))
		return virtblk_cread(8, vdev, wce);
	return virtio_has_feature(vdev, VIRTIO_BLK_F_FLUSH);
}

static int virtblk_read_limits(struct virtio_blk *vblk,
			       struct queue_limits *lim)
{
	struct virtio_device *vdev = vblk->vdev;
	u8 model = VIRTIO_BLK_Z_NONE;
	int err;

	vblk->writeback = virtblk_is_writeback(vdev);
	if (vblk->writeback)
		lim->features |= BLK_FEAT_WRITE_CACHE;
	err = virtblk_segment_limits(vblk, lim);
	if (!err)
		err = virtblk_block_limits(vblk, lim);
	if (!err)
		err = virtblk_range_limits(vblk, lim);
	if (err)
		return err;

	if (virtio_has_feature(vdev, VIRTIO_BLK_F_ZONED))
		model = virtblk_cread(8, vdev, zoned.model);
	switch (model) {
	case VIRTIO_BLK_Z_NONE:
	case VIRTIO_BLK_Z_HA:	/* works without regard to its zones */
		return 0;
	case VIRTIO_BLK_Z_HM:
		return virtblk_zone_limits(vblk, lim);
	default:
		return virtblk_refuse(vdev, "zone model", model);
	}
}

/*
 * The disk
 */

static void virtblk_update_capacity(struct virtio_blk *vblk, const char *what)
{
	unsigned int size = queue_logical_block_size(vblk->disk->queue);
	char decimal[16], binary[16];
	u64 capacity, blocks;

	capacity = virtblk_cread(64, vblk->vdev, capacity);
	blocks = DIV_ROUND_UP_ULL(capacity, size >> SECTOR_SHIFT);
	string_get_size(blocks, size, STRING_UNITS_10, decimal, sizeof(decimal));
	string_get_size(blocks, size, STRING_UNITS_2, binary, sizeof(binary));
	dev_notice(&vblk->vdev->dev, "[%s] %s%llu %u-byte logical blocks (%s/%s)\n",
		   vblk->disk->disk_name, what, blocks, size, decimal, binary);
	set_capacity_and_notify(vblk->disk, capacity);
}

static void virtblk_config_work(struct work_struct *work)
{
	virtblk_update_capacity(container_of(work, struct virtio_blk,
					     config_work), "new size: ");
}

static void virtblk_config_changed(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;

	queue_work(virtblk_wq, &vblk->config_work);
}

static void virtblk_read_geometry(struct virtio_device *vdev,
				  struct hd_geometry *geo)
{
	geo->cylinders = virtblk_cread(16, vdev, geometry.cylinders);
	geo->heads = virtblk_cread(8, vdev, geometry.heads);
	geo->sectors = virtblk_cread(8, vdev, geometry.sectors);
}

static int virtblk_getgeo(struct block_device *bdev, struct hd_geometry *geo)
{
	struct virtio_blk *vblk = bdev->bd_disk->private_data;
	int ret = 0;

	mutex_lock(&vblk->vdev_mutex);
	if (!vblk->vdev) {
		ret = -ENXIO;
	} else if (virtio_has_feature(vblk->vdev, VIRTIO_BLK_F_GEOMETRY)) {
		virtblk_read_geometry(vblk->vdev, geo);
	} else {
		/* Cylinders of a MiB, as SCSI disks pretend to have */
		geo->heads = 64;
		geo->sectors = 32;
		geo->cylinders = get_capacity(bdev->bd_disk) / (64 * 32);
	}
	mutex_unlock(&vblk->vdev_mutex);
	return ret;
}

static void virtblk_free_disk(struct gendisk *disk)
{
	struct virtio_blk *vblk = disk->private_data;

	ida_free(&virtblk_ida, vblk->index);
	mutex_destroy(&vblk->vdev_mutex);
	kfree(vblk);
}

static const struct block_device_operations virtblk_fops = {
	.owner		= THIS_MODULE,
	.getgeo		= virtblk_getgeo,
	.report_zones	= virtblk_report_zones,
	.free_disk	= virtblk_free_disk,
};

static struct virtio_blk *virtblk_of(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	int err;

	/* As long as it can be, it has no end mark (5.2.6). */
	buf[VIRTIO_BLK_ID_BYTES] = '\0';
	err = virtblk_read_command(virtblk_of(dev), VIRTIO_BLK_T_GET_ID, 0, buf,
				   VIRTIO_BLK_ID_BYTES);
	/* A device without a serial number refuses the command. */
	if (err == -EIO || err == -EOPNOTSUPP)
		return 0;
	return err ?: strlen(buf);
}
static DEVICE_ATTR_RO(serial);

static const char *const virtblk_cache_types[] = {
	"write through", "write back"
};

static ssize_t cache_type_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	bool writeback = virtblk_is_writeback(virtblk_of(dev)->vdev);

	return sysfs_emit(buf, "%s\n", virtblk_cache_types[writeback]);
}

static ssize_t cache_type_store(struct device *dev,
				struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct request_queue *q = dev_to_disk(dev)->queue;
	struct virtio_blk *vblk = virtblk_of(dev);
	struct virtio_device *vdev = vblk->vdev;
	int type = sysfs_match_string(virtblk_cache_types, buf);
	struct queue_limits lim;
	int err;

	if (type < 0)
		return type;
	/* First, for a reset that comes between: it undoes what the device was told. */
	WRITE_ONCE(vblk->writeback, type);
	virtio_cwrite8(vdev, offsetof(struct virtio_blk_config, wce), type);

	lim = queue_limits_start_update(q);
	lim.features &= ~BLK_FEAT_WRITE_CACHE;
	/* The device has the last word. */
	if (virtblk_is_writeback(vdev))
		lim.features |= BLK_FEAT_WRITE_CACHE;
	err = queue_limits_commit_update_frozen(q, &lim);
	return err ?: count;
}
static DEVICE_ATTR_RW(cache_type);

static struct attribute *virtblk_attrs[] = {
	&dev_attr_serial.attr,
	&dev_attr_cache_type.attr,
	NULL,
};

static umode_t virtblk_attr_mode(struct kobject *kobj, struct attribute *attr,
				 int n)
{
	struct virtio_device *vdev = virtblk_of(kobj_to_dev(kobj))->vdev;

	if (attr == &dev_attr_cache_type.attr &&
	    !virtio_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE))
		return 0444;
	return attr->mode;
}

static const struct attribute_group virtblk_group = {
	.attrs		= virtblk_attrs,
	.is_visible	= virtblk_attr_mode,
};

static const struct attribute_group *virtblk_groups[] = {
	&virtblk_group,
	NULL,
};

/* vda ... vdz, vdaa, vdab ...: the letters are the digits, the last one first. */
static void virtblk_set_name(struct gendisk *disk, int index)
{
	char digits[8], *p = digits + sizeof(digits) - 1;

	for (*p = '\0'; index >= 0; index = index / 26 - 1)
		*--p = 'a' + index % 26;
	snprintf(disk->disk_name, DISK_NAME_LEN, "vd%s", p);
}

static int virtblk_alloc_disk(struct virtio_blk *vblk)
{
	struct queue_limits lim = { .features = BLK_FEAT_ROTATIONAL };
	struct gendisk *disk;
	int err;

	err = virtblk_read_limits(vblk, &lim);
	if (err)
		return err;
	disk = blk_mq_alloc_disk(&vblk->tag_set, &lim, vblk);
	if (IS_ERR(disk))
		return PTR_ERR(disk);

	virtblk_set_name(disk, vblk->index);
	disk->major = virtblk_major;
	disk->first_minor = vblk->index * VIRTBLK_MINORS;
	disk->minors = VIRTBLK_MINORS;
	disk->fops = &virtblk_fops;
	disk->private_data = vblk;
	if (virtio_has_feature(vblk->vdev, VIRTIO_BLK_F_RO))
		set_disk_ro(disk, true);
	WRITE_ONCE(vblk->disk, disk);
	return 0;
}

/* The queues work now, and are used from here on. */
static int virtblk_go_live(struct virtio_blk *vblk)
{
	struct virtio_device *vdev = vblk->vdev;
	int err = 0;

	virtblk_update_capacity(vblk, "");
	virtio_device_ready(vdev);
	if (IS_ENABLED(CONFIG_BLK_DEV_ZONED) && vblk->zone_sectors)
		err = blk_revalidate_disk_zones(vblk->disk);
	if (!err)
		err = device_add_disk(&vdev->dev, vblk->disk, virtblk_groups);
	if (err) {
		disable_work_sync(&vblk->lost_work);
		virtio_reset_device(vdev);
	}
	return err;
}

/*
 * The device
 */

static struct virtio_blk *virtblk_alloc(struct virtio_device *vdev)
{
	int num = virtblk_count_vqs(vdev), i;
	struct virtio_blk *vblk;

	if (num < 0)
		return ERR_PTR(num);
	vblk = kzalloc(struct_size(vblk, vqs, num), GFP_KERNEL);
	if (!vblk)
		return ERR_PTR(-ENOMEM);

	vblk->num_vqs = num;
	vblk->io_queues[HCTX_TYPE_POLL] = min(poll_queues, num - 1U);
	vblk->io_queues[HCTX_TYPE_DEFAULT] =
		num - vblk->io_queues[HCTX_TYPE_POLL];
	dev_info(&vdev->dev, "%u/%u/%u default/read/poll queues\n",
		 vblk->io_queues[HCTX_TYPE_DEFAULT],
		 vblk->io_queues[HCTX_TYPE_READ],
		 vblk->io_queues[HCTX_TYPE_POLL]);

	vblk->vdev = vdev;
	mutex_init(&vblk->vdev_mutex);
	INIT_WORK(&vblk->config_work, virtblk_config_work);
	INIT_WORK(&vblk->lost_work, virtblk_lost_work);
	for (i = 0; i < num; i++) {
		spin_lock_init(&vblk->vqs[i].lock);
		vblk->vqs[i].next_report = jiffies;
		vblk->vqs[i].starved_since = jiffies;
		vblk->vqs[i].starved_last = jiffies;
	}
	return vblk;
}

static int virtblk_probe(struct virtio_device *vdev)
{
	struct virtio_blk *vblk;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "the transport can't read the configuration\n");
		return -EINVAL;
	}
	vblk = virtblk_alloc(vdev);
	if (IS_ERR(vblk))
		return PTR_ERR(vblk);
	vdev->priv = vblk;

	err = ida_alloc_max(&virtblk_ida, (1 << MINORBITS) / VIRTBLK_MINORS - 1,
			    GFP_KERNEL);
	if (err < 0)
		goto free;
	vblk->index = err;
	err = virtblk_find_vqs(vblk);
	if (err)
		goto free_index;
	err = virtblk_alloc_tags(vblk);
	if (err)
		goto del_vqs;
	err = virtblk_alloc_disk(vblk);
	if (err)
		goto free_tags;
	err = virtblk_go_live(vblk);
	if (err)
		goto put_disk;
	return 0;

put_disk:
	put_disk(vblk->disk);
free_tags:
	blk_mq_free_tag_set(&vblk->tag_set);
del_vqs:
	vdev->config->del_vqs(vdev);
free_index:
	/* An early interrupt may have found a queue to be broken. */
	disable_work_sync(&vblk->lost_work);
	ida_free(&virtblk_ida, vblk->index);
free:
	kfree(vblk);
	return err;
}

static void virtblk_remove(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;
	struct virtqueue *vq = vblk->vqs[0].vq;

	flush_work(&vblk->config_work);

	/* Writing back what is dirty would only fail. */
	if (!vq || virtqueue_is_broken(vq)) {
		if (vq)
			virtblk_lose(vblk);
		flush_work(&vblk->lost_work);
		blk_mark_disk_dead(vblk->disk);
	}
	del_gendisk(vblk->disk);
	disable_work_sync(&vblk->lost_work);
	blk_mq_free_tag_set(&vblk->tag_set);

	mutex_lock(&vblk->vdev_mutex);
	virtio_reset_device(vdev);
	vblk->vdev = NULL;
	vdev->config->del_vqs(vdev);
	mutex_unlock(&vblk->vdev_mutex);

	put_disk(vblk->disk);
}

/* After a reset, and while nothing is sent */
static void virtblk_del_vqs(struct virtio_blk *vblk)
{
	unsigned int i;

	flush_work(&vblk->config_work);
	flush_work(&vblk->lost_work);
	for (i = 0; i < vblk->num_vqs; i++) {
		struct virtblk_vq *vq = &vblk->vqs[i];

		/* Somebody may poll; virtblk_done() looks without the lock. */
		spin_lock_irq(&vq->lock);
		WRITE_ONCE(vq->vq, NULL);
		spin_unlock_irq(&vq->lock);
	}
	vblk->vdev->config->del_vqs(vblk->vdev);
}

/* What waited goes on: to the device, or without queues to its end. */
static void virtblk_go_on(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;
	struct request_queue *q = vblk->disk->queue;

	blk_mq_start_stopped_hw_queues(q, true);
	blk_mq_unquiesce_queue(q);
	blk_mq_kick_requeue_list(q);
}

/* The block layer does not flush a cache that it does not know of. */
static int virtblk_restore_cache(struct virtio_blk *vblk)
{
	struct virtio_device *vdev = vblk->vdev;

	if (!virtio_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE))
		return 0;
	virtio_cwrite8(vdev, offsetof(struct virtio_blk_config, wce),
		       READ_ONCE(vblk->writeback));
	if (vblk->disk->queue->limits.features & BLK_FEAT_WRITE_CACHE ||
	    !virtblk_is_writeback(vdev))
		return 0;
	dev_err(&vdev->dev, "[%s] the write cache can't be switched off again\n",
		vblk->disk->disk_name);
	return -EIO;
}

static int virtblk_start_again(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;
	int err;

	err = virtblk_restore_cache(vblk);
	if (!err)
		err = virtblk_find_vqs(vblk);
	if (err)
		return err;
	virtio_device_ready(vdev);
	virtblk_go_on(vdev);
	return 0;
}

/* The device has lost this request: it is sent again. */
static bool virtblk_send_again(struct request *req, void *data)
{
	if (!blk_mq_request_completed(req)) {
		virtblk_free_ranges(req);
		blk_mq_requeue_request(req, false);
	}
	return true;
}

/* The device is to be reset, or was, with requests in flight. */
static int virtblk_reset_prepare(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;
	struct request_queue *q = vblk->disk->queue;
	unsigned int i;

	if (test_and_set_bit(0, &vblk->lost))
		return -EIO;
	blk_mq_quiesce_queue(q);
	/* Pollers take no more answers. */
	virtio_break_device(vdev);
	blk_sync_queue(q);

	virtio_reset_device(vdev);
	for (i = 0; i < vblk->num_vqs; i++)
		virtblk_detach_all(&vblk->vqs[i]);
	/* Timeouts do nothing now, but with requests that go back not even that. */
	blk_sync_queue(q);
	blk_mq_tagset_busy_iter(&vblk->tag_set, virtblk_send_again, NULL);
	virtblk_del_vqs(vblk);
	return 0;
}

#ifdef CONFIG_PM_SLEEP
static int virtblk_freeze(struct virtio_device *vdev)
{
	struct virtio_blk *vblk = vdev->priv;
	struct request_queue *q = vblk->disk->queue;

	/* Wait for what is under way; what comes later waits for restore. */
	blk_mq_freeze_queue(q);
	blk_mq_quiesce_queue_nowait(q);
	blk_mq_unfreeze_queue(q);
	/* An answered request may be about to notify the device all the same. */
	blk_mq_wait_quiesce_done(&vblk->tag_set);

	virtio_reset_device(vdev);
	virtblk_del_vqs(vblk);
	return 0;
}
#endif

static const struct virtio_device_id virtblk_ids[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, virtblk_ids);

/* The last one is not for legacy devices. */
static const unsigned int virtblk_features[] = {
	VIRTIO_BLK_F_SIZE_MAX,
	VIRTIO_BLK_F_SEG_MAX,
	VIRTIO_BLK_F_GEOMETRY,
	VIRTIO_BLK_F_RO,
	VIRTIO_BLK_F_BLK_SIZE,
	VIRTIO_BLK_F_FLUSH,
	VIRTIO_BLK_F_TOPOLOGY,
	VIRTIO_BLK_F_CONFIG_WCE,
	VIRTIO_BLK_F_MQ,
	VIRTIO_BLK_F_DISCARD,
	VIRTIO_BLK_F_WRITE_ZEROES,
	VIRTIO_BLK_F_SECURE_ERASE,
	VIRTIO_BLK_F_ZONED,
};

static struct virtio_driver virtblk_driver = {
	.driver.name			= KBUILD_MODNAME,
	.id_table			= virtblk_ids,
	.feature_table			= virtblk_features,
	.feature_table_size		= ARRAY_SIZE(virtblk_features),
	.feature_table_legacy		= virtblk_features,
	.feature_table_size_legacy	= ARRAY_SIZE(virtblk_features) - 1,
	.probe				= virtblk_probe,
	.remove				= virtblk_remove,
	.config_changed			= virtblk_config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze				= virtblk_freeze,
	.restore			= virtblk_start_again,
#endif
	.reset_prepare			= virtblk_reset_prepare,
	.reset_done			= virtblk_start_again,
	.restart_failed			= virtblk_go_on,
};

static int __init virtblk_init(void)
{
	int err;

	/*
	 * Not WQ_MEM_RECLAIM, though it ends I/O: the reset of a transport may
	 * wait for queues that are without it, as VDUSE's does.
	 */
	virtblk_wq = alloc_workqueue("virtio-blk", 0, 0);
	if (!virtblk_wq)
		return -ENOMEM;
	err = register_blkdev(0, "virtblk");
	if (err < 0)
		goto destroy;
	virtblk_major = err;
	err = register_virtio_driver(&virtblk_driver);
	if (err)
		goto unregister;
	return 0;

unregister:
	unregister_blkdev(virtblk_major, "virtblk");
destroy:
	destroy_workqueue(virtblk_wq);
	return err;
}

static void __exit virtblk_exit(void)
{
	unregister_virtio_driver(&virtblk_driver);
	unregister_blkdev(virtblk_major, "virtblk");
	destroy_workqueue(virtblk_wq);
}

module_init(virtblk_init);
module_exit(virtblk_exit);

MODULE_DESCRIPTION("Virtio block driver");
MODULE_LICENSE("GPL");
