// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct virtqueue_ops without a ring.
 *
 * What the device is told of, and what it has done, are lists of messages in
 * private memory; no memory is shared but that of the buffers. The device is a
 * work item, so that it runs concurrently with the driver; the driver's callback
 * runs from an irq_work, in interrupt context, as drivers expect it.
 *
 * Documentation/virtio/virtqueue-ops.rst says what each op has to do.
 */
#include <linux/highmem.h>
#include <linux/slab.h>
#include "message_queue.h"

/* Make every Nth start_buf or element fail, for want of memory. 0: none. */
unsigned int mq_fail_start;
unsigned int mq_fail_add;

/* Execute the newest message first: queues need not keep the order. */
bool mq_reverse;

/* So many notifications of the device, and calls of the driver, get lost. */
unsigned int mq_lose_notifications;
unsigned int mq_lose_calls;

static bool mq_fails(unsigned int every)
{
	static atomic_t count;

	return every && atomic_inc_return(&count) % every == 0;
}

/* Tests lose a few: it does not matter that this is not atomic. */
static bool mq_is_lost(unsigned int *left)
{
	unsigned int num = READ_ONCE(*left);

	if (num)
		WRITE_ONCE(*left, num - 1);
	return num;
}

/*
 * Adding buffers: the driver serialises these, and only it sees the message
 */

/* All that ended becomes the device's. Does it have to be told? */
static bool mq_publish(struct message_queue *mq)
{
	struct message *msg;
	unsigned long flags;
	bool tell;

	spin_lock_irqsave(&mq->lock, flags);
	list_for_each_entry(msg, &mq->ended, list)
		mq->offered_count++;
	list_splice_tail_init(&mq->ended, &mq->offered);
	tell = mq->idle && !list_empty(&mq->offered);
	spin_unlock_irqrestore(&mq->lock, flags);
	return tell;
}

static bool mq_notify(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);

	if (READ_ONCE(mq->gone))
		return false;
	if (!mq_is_lost(&mq_lose_notifications))
		queue_work(system_unbound_wq, &mq->work);
	return true;
}

static int mq_start_buf(struct virtqueue *vq, unsigned int out,
			unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct message_queue *mq = to_mq(vq);
	struct message *msg;

	if (out + in > vq->num_free) {
		/* The driver may have kicked nothing yet, and now waits. */
		if (out) {
			mq_publish(mq);
			mq_notify(vq);
		}
		return -ENOSPC;
	}
	if (mq_fails(READ_ONCE(mq_fail_start)))
		return -ENOMEM;
	msg = kzalloc(struct_size(msg, segments, out + in), gfp);
	if (!msg)
		return -ENOMEM;
	msg->data = data;
	msg->ctx = ctx;
	mq->building = msg;
	return 0;
}

static int mq_add(struct virtqueue *vq, struct page *page, unsigned int offset,
		  unsigned int len, enum dma_data_direction dir)
{
	struct message *msg = to_mq(vq)->building;

	if (mq_fails(READ_ONCE(mq_fail_add)))
		return -ENOMEM;
	msg->segments[msg->out + msg->in] = (struct message_segment) {
		.page = page, .offset = offset, .len = len,
	};
	if (dir == DMA_TO_DEVICE) {
		msg->out++;
		msg->out_len += len;
	} else {
		msg->in++;
		msg->in_len += len;
	}
	return 0;
}

static void mq_add_page(struct virtqueue *vq, struct page *page,
			unsigned int offset, unsigned int len,
			enum dma_data_direction dir)
{
	int err = mq_add(vq, page, offset, len, dir);

	if (err)
		virtqueue_add_failed(vq, err);
}

/* There is no dma_dev: addresses that drivers map are physical ones. */
static void mq_add_dma(struct virtqueue *vq, dma_addr_t addr, unsigned int len,
		       enum dma_data_direction dir)
{
	mq_add_page(vq, pfn_to_page(PHYS_PFN(addr)), offset_in_page(addr), len,
		    dir);
}

static int mq_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
		     unsigned int nents, enum dma_data_direction dir)
{
	unsigned int n;
	int err;

	for (n = 0; n < nents && sgl; n++, sgl = sg_next(sgl)) {
		err = mq_add(vq, sg_page(sgl), sgl->offset, sgl->length, dir);
		if (err)
			return err;
	}
	return n;
}

static int mq_end_buf(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);
	struct message *msg = mq->building;

	vq->num_free -= msg->out + msg->in;
	list_add_tail(&msg->list, &mq->ended);
	mq->building = NULL;
	return 0;
}

static void mq_cancel_buf(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);

	kfree(mq->building);
	mq->building = NULL;
}

static bool mq_kick_prepare(struct virtqueue *vq)
{
	return mq_publish(to_mq(vq));
}

/*
 * Taking used buffers
 */

static struct message *mq_pop(struct list_head *list)
{
	struct message *msg;

	msg = list_first_entry_or_null(list, struct message, list);
	if (msg)
		list_del(&msg->list);
	return msg;
}

/* The driver has its buffer back: forget the message. */
static void *mq_release(struct message_queue *mq, struct message *msg)
{
	void *data = msg->data;

	mq->vq.num_free += msg->out + msg->in;
	kfree(msg);
	return data;
}

static void *mq_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct message_queue *mq = to_mq(vq);
	struct message *msg;
	unsigned long flags;

	spin_lock_irqsave(&mq->lock, flags);
	msg = mq_pop(&mq->used);
	if (msg)
		mq->taken_count++;
	spin_unlock_irqrestore(&mq->lock, flags);
	if (!msg)
		return NULL;

	*len = min(msg->used_len, msg->in_len);
	if (ctx)
		*ctx = msg->ctx;
	return mq_release(mq, msg);
}

static void *mq_detach_unused_buf(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);
	struct message *msg;
	unsigned long flags;

	spin_lock_irqsave(&mq->lock, flags);
	msg = mq_pop(&mq->used);
	if (!msg)
		msg = mq_pop(&mq->offered);
	if (!msg)
		msg = mq_pop(&mq->ended);
	spin_unlock_irqrestore(&mq->lock, flags);
	return msg ? mq_release(mq, msg) : NULL;
}

/*
 * Callbacks
 */

static void mq_disable_cb(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);
	unsigned long flags;

	spin_lock_irqsave(&mq->lock, flags);
	mq->callbacks = false;
	spin_unlock_irqrestore(&mq->lock, flags);
}

/*
 * Ask for callbacks once more than so many quarters of the messages that are out
 * have been used. Returns whether that is still to come.
 */
static bool mq_ask(struct message_queue *mq, unsigned int quarters)
{
	unsigned long flags;
	unsigned int wait;
	bool to_come;

	spin_lock_irqsave(&mq->lock, flags);
	wait = (mq->offered_count - mq->taken_count) * quarters / 4;
	mq->callback_after = mq->taken_count + wait;
	mq->callbacks = true;
	to_come = mq->used_count - mq->taken_count <= wait;
	spin_unlock_irqrestore(&mq->lock, flags);
	return to_come;
}

/*
 * The state is what the driver has taken: if the device is further, there is
 * something to take, whether it came before this call or after.
 */
static unsigned int mq_enable_cb_prepare(struct virtqueue *vq)
{
	struct message_queue *mq = to_mq(vq);

	mq_ask(mq, 0);
	return mq->taken_count;
}

static bool mq_enable_cb_delayed(struct virtqueue *vq)
{
	return mq_ask(to_mq(vq), 3);
}

static bool mq_poll(struct virtqueue *vq, unsigned int state)
{
	struct message_queue *mq = to_mq(vq);
	unsigned long flags;
	bool used;

	spin_lock_irqsave(&mq->lock, flags);
	used = mq->used_count != state;
	spin_unlock_irqrestore(&mq->lock, flags);
	return used;
}

static unsigned int mq_size(const struct virtqueue *vq)
{
	return to_mq(vq)->size;
}

/* Nobody wants answers any more: the connection is closed. */
static void mq_set_broken(struct virtqueue *vq, bool broken)
{
	struct message_queue *mq = to_mq(vq);

	WRITE_ONCE(mq->gone, broken);
	if (broken)
		atomic_inc(&mq->breaks);
}

static const struct virtqueue_ops mq_ops = {
	.start_buf		= mq_start_buf,
	.add_sg			= mq_add_sg,
	.add_page		= mq_add_page,
	.add_dma		= mq_add_dma,
	.end_buf		= mq_end_buf,
	.cancel_buf		= mq_cancel_buf,
	.kick_prepare		= mq_kick_prepare,
	.notify			= mq_notify,
	.get_buf		= mq_get_buf,
	.disable_cb		= mq_disable_cb,
	.enable_cb_prepare	= mq_enable_cb_prepare,
	.enable_cb_delayed	= mq_enable_cb_delayed,
	.poll			= mq_poll,
	.detach_unused_buf	= mq_detach_unused_buf,
	.size			= mq_size,
	.set_broken		= mq_set_broken,
};

/*
 * The device's side
 */

/* The next message to execute. If there is none, ask to be told. */
static struct message *mq_take(struct message_queue *mq)
{
	struct message *msg = NULL;

	spin_lock_irq(&mq->lock);
	mq->idle = !mq->running || READ_ONCE(mq->gone) ||
		   list_empty(&mq->offered);
	if (!mq->idle) {
		msg = mq_reverse ?
			list_last_entry(&mq->offered, struct message, list) :
			list_first_entry(&mq->offered, struct message, list);
		list_del(&msg->list);
	}
	spin_unlock_irq(&mq->lock);
	return msg;
}

static void mq_complete(struct message_queue *mq, struct message *msg)
{
	bool call;

	spin_lock_irq(&mq->lock);
	list_add_tail(&msg->list, &mq->used);
	mq->used_count++;
	call = mq->callbacks && (int)(mq->used_count - mq->callback_after) > 0;
	spin_unlock_irq(&mq->lock);
	if (call && !mq_is_lost(&mq_lose_calls))
		irq_work_queue(&mq->interrupt);
}

static void mq_work(struct work_struct *work)
{
	struct message_queue *mq =
		container_of(work, struct message_queue, work);
	struct message *msg;

	while ((msg = mq_take(mq))) {
		mq->execute(mq->vq.vdev, msg);
		mq_complete(mq, msg);
		cond_resched();
	}
}

static void mq_interrupt(struct irq_work *interrupt)
{
	struct message_queue *mq =
		container_of(interrupt, struct message_queue, interrupt);

	if (!virtqueue_is_broken(&mq->vq) && mq->vq.callback)
		mq->vq.callback(&mq->vq);
}

/* Copy the part of [from, from + len) that lies in one segment. */
static void segment_copy(const struct message_segment *seg, u32 from,
			 void *buf, u32 len, bool to_segment)
{
	size_t at = (size_t)seg->offset + from;

	while (len) {
		struct page *page = nth_page(seg->page, at / PAGE_SIZE);
		size_t offset = offset_in_page(at);
		u32 part = min_t(u32, len, PAGE_SIZE - offset);

		if (to_segment)
			memcpy_to_page(page, offset, buf, part);
		else
			memcpy_from_page(buf, page, offset, part);
		at += part;
		buf += part;
		len -= part;
	}
}

static void segments_copy(const struct message_segment *seg, u32 from,
			  void *buf, u32 len, bool to_segment)
{
	for (; len; seg++) {
		u32 part;

		if (from >= seg->len) {
			from -= seg->len;
			continue;
		}
		part = min(len, seg->len - from);
		segment_copy(seg, from, buf, part, to_segment);
		buf += part;
		len -= part;
		from = 0;
	}
}

/* from + len is at most out_len: the caller has checked. */
void message_read(const struct message *msg, u32 from, void *buf, u32 len)
{
	segments_copy(msg->segments, from, buf, len, false);
}

/* to + len is at most in_len: the caller has checked. */
void message_write(struct message *msg, u32 to, const void *buf, u32 len)
{
	segments_copy(msg->segments + msg->out, to, (void *)buf, len, true);
}

/*
 * The transport's side
 */

struct message_queue *mq_create(struct virtio_device *vdev, unsigned int index,
				unsigned int size,
				const struct virtqueue_info *info,
				void (*execute)(struct virtio_device *vdev,
						struct message *msg))
{
	struct message_queue *mq = kzalloc(sizeof(*mq), GFP_KERNEL);

	if (!mq)
		return NULL;
	mq->vq.ops = &mq_ops;
	mq->vq.vdev = vdev;
	mq->vq.index = index;
	mq->vq.name = info->name;
	mq->vq.callback = info->callback;
	mq->vq.num_free = size;
	mq->vq.num_max = size;
	mq->size = size;
	mq->callbacks = info->callback;
	mq->execute = execute;
	mq->idle = true;
	INIT_LIST_HEAD(&mq->ended);
	INIT_LIST_HEAD(&mq->offered);
	INIT_LIST_HEAD(&mq->used);
	spin_lock_init(&mq->lock);
	INIT_WORK(&mq->work, mq_work);
	init_irq_work(&mq->interrupt, mq_interrupt);
	virtqueue_register(&mq->vq);
	return mq;
}

/* DRIVER_OK: execute what is there already. */
void mq_start(struct message_queue *mq)
{
	spin_lock_irq(&mq->lock);
	mq->running = true;
	spin_unlock_irq(&mq->lock);
	queue_work(system_unbound_wq, &mq->work);
}

/* Reset: afterwards nothing is executed, and no callback runs. */
void mq_stop(struct message_queue *mq)
{
	spin_lock_irq(&mq->lock);
	mq->running = false;
	spin_unlock_irq(&mq->lock);
	cancel_work_sync(&mq->work);
	mq_synchronize(mq);
}

/* The connection is lost. */
void mq_lose(struct message_queue *mq)
{
	WRITE_ONCE(mq->gone, true);
}

void mq_synchronize(struct message_queue *mq)
{
	irq_work_sync(&mq->interrupt);
}

void mq_destroy(struct message_queue *mq)
{
	virtqueue_unregister(&mq->vq);
	/* A late notification may have queued the work once more. */
	mq_stop(mq);
	/* A message is ours, unlike its buffer: drivers need not detach. */
	while (mq_detach_unused_buf(&mq->vq))
		;
	kfree(mq);
}
