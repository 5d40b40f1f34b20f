// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that keep each buffer as the driver described it.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "queue.h"

static uint queue_size = 64;
module_param(queue_size, uint, 0644);
MODULE_PARM_DESC(queue_size, "pieces that a queue has room for");

static uint kicks;
module_param(kicks, uint, 0644);
MODULE_PARM_DESC(kicks, "how often the driver has kicked the queue of requests");

static uint lose_kicks;
module_param(lose_kicks, uint, 0644);
MODULE_PARM_DESC(lose_kicks, "how many kicks of the request queue get lost");

static uint fail_start;
module_param(fail_start, uint, 0644);
MODULE_PARM_DESC(fail_start, "every Nth buffer finds no memory");

static uint fail_add;
module_param(fail_add, uint, 0644);
MODULE_PARM_DESC(fail_add, "every Nth piece finds no memory");

static int room = -1;
module_param(room, int, 0644);
MODULE_PARM_DESC(room, "after so many requests no more find memory; negative: all do");

/* For one queue only, so that one lock is held. */
static bool has_room(struct virtqueue *vq)
{
	if (vq->index != script_request || room < 0)
		return true;
	return room && room--;
}

static bool fails(uint every)
{
	static atomic_t count;

	return every && atomic_inc_return(&count) % every == 0;
}

static int queue_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct buffer *buf;

	if (out + in > vq->num_free)
		return -ENOSPC;
	if (fails(fail_start) || !has_room(vq))
		return -ENOMEM;
	buf = kzalloc(struct_size(buf, pieces, out + in), gfp);
	if (!buf)
		return -ENOMEM;
	buf->token = data;
	buf->ctx = ctx;
	buf->max = out + in;
	to_queue(vq)->building = buf;
	return 0;
}

static int queue_add(struct virtqueue *vq, void *addr, unsigned int len,
		     enum dma_data_direction dir, bool mapped)
{
	struct buffer *buf = to_queue(vq)->building;

	if (fails(fail_add))
		return -ENOMEM;
	buf->pieces[buf->out + buf->in] = (struct piece){ addr, len, mapped };
	if (dir == DMA_TO_DEVICE)
		buf->out++;
	else
		buf->in++;
	return 0;
}

static void queue_add_one(struct virtqueue *vq, void *addr, unsigned int len,
			  enum dma_data_direction dir, bool mapped)
{
	int err = queue_add(vq, addr, len, dir, mapped);

	if (err)
		virtqueue_add_failed(vq, err);
}

static void queue_add_page(struct virtqueue *vq, struct page *page,
			   unsigned int offset, unsigned int len,
			   enum dma_data_direction dir)
{
	queue_add_one(vq, page_address(page) + offset, len, dir, false);
}

static void queue_add_dma(struct virtqueue *vq, dma_addr_t addr,
			  unsigned int len, enum dma_data_direction dir)
{
	queue_add_one(vq, phys_to_virt(addr), len, dir, true);
}

static int queue_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
			unsigned int nents, enum dma_data_direction dir)
{
	unsigned int num = 0;
	int err;

	for (; sgl && num < nents; sgl = sg_next(sgl), num++) {
		err = queue_add(vq, sg_virt(sgl), sgl->length, dir, false);
		if (err)
			return err;
	}
	return num;
}

static int queue_end_buf(struct virtqueue *vq)
{
	struct script_queue *queue = to_queue(vq);
	struct buffer *buf = queue->building;

	vq->num_free -= buf->out + buf->in;
	queue->building = NULL;
	queue_move(queue, buf, &queue->ended);
	return 0;
}

static void queue_cancel_buf(struct virtqueue *vq)
{
	kfree(to_queue(vq)->building);
	to_queue(vq)->building = NULL;
}

static bool queue_kick_prepare(struct virtqueue *vq)
{
	struct script_queue *queue = to_queue(vq);
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_splice_tail_init(&queue->ended, &queue->offered);
	spin_unlock_irqrestore(&queue->lock, flags);
	return true;
}

static bool queue_notify(struct virtqueue *vq)
{
	kicks += vq->index == script_request;
	if (vq->index == script_request && lose_kicks) {
		lose_kicks--;
		return true;
	}
	queue_work(system_unbound_wq, &device_work);
	return true;
}

static struct buffer *queue_first(struct script_queue *queue,
				  struct list_head *list)
{
	struct buffer *buf;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	buf = list_first_entry_or_null(list, struct buffer, list);
	if (buf)
		list_del_init(&buf->list);
	spin_unlock_irqrestore(&queue->lock, flags);
	return buf;
}

/* As rings do: never more than there was room for */
static u32 writable(const struct buffer *buf)
{
	u32 len = 0, i;

	for (i = 0; i < buf->in; i++)
		len += buf->pieces[buf->out + i].len;
	return len;
}

static void *queue_take(struct script_queue *queue, struct list_head *list,
			unsigned int *len, void **ctx)
{
	struct buffer *buf = queue_first(queue, list);
	void *token;

	if (!buf)
		return NULL;
	token = buf->token;
	if (ctx)
		*ctx = buf->ctx;
	*len = min(buf->used_len, writable(buf));
	queue->vq.num_free += buf->out + buf->in;
	kfree(buf);
	return token;
}

static void *queue_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct script_queue *queue = to_queue(vq);

	*len = 0;
	return queue_take(queue, &queue->used, len, ctx);
}

static void *queue_detach_unused_buf(struct virtqueue *vq)
{
	struct script_queue *queue = to_queue(vq);
	unsigned int len;

	return queue_take(queue, &queue->used, &len, NULL) ?:
	       queue_take(queue, &queue->held, &len, NULL) ?:
	       queue_take(queue, &queue->offered, &len, NULL) ?:
	       queue_take(queue, &queue->ended, &len, NULL);
}

/* Callbacks are always on: what they are good for is tested elsewhere. */
static void queue_disable_cb(struct virtqueue *vq)
{
}

static unsigned int queue_enable_cb_prepare(struct virtqueue *vq)
{
	return 0;
}

static bool queue_poll(struct virtqueue *vq, unsigned int state)
{
	return !list_empty_careful(&to_queue(vq)->used);
}

static bool queue_enable_cb_delayed(struct virtqueue *vq)
{
	return !queue_poll(vq, 0);
}

static unsigned int queue_get_size(const struct virtqueue *vq)
{
	return to_queue(vq)->size;
}

/* The device works on none of the buffers, and on no other queue either. */
static int queue_reset(struct virtqueue *vq,
		       void (*recycle)(struct virtqueue *vq, void *buf),
		       void (*recycle_done)(struct virtqueue *vq))
{
	void *token;

	if (!virtio_has_feature(vq->vdev, VIRTIO_F_RING_RESET))
		return -ENOENT;
	cancel_work_sync(&device_work);
	while ((token = queue_detach_unused_buf(vq)))
		recycle(vq, token);
	if (recycle_done)
		recycle_done(vq);
	queue_work(system_unbound_wq, &device_work);
	return 0;
}

static int queue_resize(struct virtqueue *vq, u32 num,
			void (*recycle)(struct virtqueue *vq, void *buf),
			void (*recycle_done)(struct virtqueue *vq))
{
	int err = queue_reset(vq, recycle, recycle_done);

	if (err)
		return err;
	to_queue(vq)->size = num;
	vq->num_free = num;
	return 0;
}

static const struct virtqueue_ops queue_ops = {
	.start_buf		= queue_start_buf,
	.add_sg			= queue_add_sg,
	.add_page		= queue_add_page,
	.add_dma		= queue_add_dma,
	.end_buf		= queue_end_buf,
	.cancel_buf		= queue_cancel_buf,
	.kick_prepare		= queue_kick_prepare,
	.notify			= queue_notify,
	.get_buf		= queue_get_buf,
	.disable_cb		= queue_disable_cb,
	.enable_cb_prepare	= queue_enable_cb_prepare,
	.enable_cb_delayed	= queue_enable_cb_delayed,
	.poll			= queue_poll,
	.detach_unused_buf	= queue_detach_unused_buf,
	.size			= queue_get_size,
	.resize			= queue_resize,
	.reset			= queue_reset,
};

/*
 * For the device
 */

struct buffer *queue_next(struct script_queue *queue)
{
	return queue_first(queue, &queue->offered);
}

struct buffer *queue_held(struct script_queue *queue)
{
	return queue_first(queue, &queue->held);
}

/* Where the first piece of all buffers that are offered is, as an area. */
int queue_describe(struct script_queue *queue, char *to, size_t size)
{
	unsigned long start = ULONG_MAX, end = 0, addr, flags;
	unsigned int num = 0, mapped = 0;
	struct buffer *buf;

	spin_lock_irqsave(&queue->lock, flags);
	list_for_each_entry(buf, &queue->offered, list) {
		addr = (unsigned long)buf->pieces->addr;
		start = min(start, addr);
		end = max(end, addr + buf->pieces->len);
		mapped += buf->pieces->mapped;
		num++;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return scnprintf(to, size, "%u buffers, %u mapped, %lu bytes at %lu\n",
			 num, mapped, end - start, offset_in_page(start));
}

void queue_move(struct script_queue *queue, struct buffer *buf,
		struct list_head *list)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_add_tail(&buf->list, list);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* Copy between memory and the pieces from @first on, at @pos in these. */
static u32 copy(struct piece *piece, unsigned int num, u32 pos, void *mem,
		u32 len, bool write)
{
	u32 done = 0;

	for (; num && done < len; num--, piece++) {
		u32 part = min(len - done, piece->len - min(pos, piece->len));
		void *addr = piece->addr + pos;

		if (write)
			memcpy(addr, mem + done, part);
		else
			memcpy(mem + done, addr, part);
		done += part;
		pos -= min(pos, piece->len);
	}
	return done;
}

u32 buffer_read(const struct buffer *buf, u32 from, void *to, u32 len)
{
	return copy((struct piece *)buf->pieces, buf->out, from, to, len,
		    false);
}

u32 buffer_write(struct buffer *buf, u32 to, const void *from, u32 len)
{
	return copy(buf->pieces + buf->out, buf->in, to, (void *)from, len,
		    true);
}

struct script_queue *queue_create(struct virtio_device *vdev,
				  unsigned int index,
				  const struct virtqueue_info *info)
{
	struct script_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL);

	if (!queue)
		return NULL;
	queue->vq.ops = &queue_ops;
	queue->vq.vdev = vdev;
	queue->vq.index = index;
	queue->vq.name = info->name;
	queue->vq.callback = info->callback;
	queue->vq.num_free = queue_size;
	queue->vq.num_max = queue_size;
	queue->size = queue_size;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->ended);
	INIT_LIST_HEAD(&queue->offered);
	INIT_LIST_HEAD(&queue->held);
	INIT_LIST_HEAD(&queue->used);
	virtqueue_register(&queue->vq);
	return queue;
}

void queue_destroy(struct script_queue *queue)
{
	virtqueue_unregister(&queue->vq);
	while (queue_detach_unused_buf(&queue->vq))
		;
	kfree(queue);
}
