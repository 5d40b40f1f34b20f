// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests what each op of a virtqueue has to do, as a driver sees it through
 * virtqueue_*(), on a device that sends back what it got. A block driver uses a
 * few of the calls in a few orders; this uses all.
 *
 * Probe runs all checks and prints a line for each: "contract: ok NAME" or
 * "contract: not ok NAME".
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include "message_queue.h"

/* Bytes that a buffer sends, and has room for */
#define SENT	48
#define ROOM	32

struct contract {
	struct virtio_device *vdev;
	struct virtqueue *vq;
	u8 *sent;
	u8 *room;
	atomic_t callbacks;
	bool in_interrupt;
	unsigned int checks;
	unsigned int failed;
};

static void contract_check(struct contract *c, bool passed, const char *name)
{
	c->checks++;
	c->failed += !passed;
	dev_info(&c->vdev->dev, "contract: %s %s\n", passed ? "ok" : "not ok",
		 name);
}

static void contract_callback(struct virtqueue *vq)
{
	struct contract *c = vq->vdev->priv;

	c->in_interrupt = in_hardirq();
	atomic_inc(&c->callbacks);
}

/* A buffer of two readable elements and a writable one */
static int contract_add(struct contract *c, void *token, void *ctx)
{
	struct virtqueue *vq = c->vq;
	int err;

	err = virtqueue_start_buf(vq, 2, 1, token, ctx, GFP_KERNEL);
	if (err)
		return err;
	virtqueue_add_ptr(vq, c->sent, SENT / 3, DMA_TO_DEVICE);
	virtqueue_add_ptr(vq, c->sent + SENT / 3, SENT - SENT / 3,
			  DMA_TO_DEVICE);
	virtqueue_add_ptr(vq, c->room, ROOM, DMA_FROM_DEVICE);
	return virtqueue_end_buf(vq);
}

static bool contract_wait_used(struct contract *c, unsigned int num)
{
	struct message_queue *mq = to_mq(c->vq);
	unsigned int tries = 1000;

	while (tries-- && READ_ONCE(mq->used_count) - mq->taken_count < num)
		usleep_range(500, 1000);
	/* The callback comes after the count. */
	mq_synchronize(mq);
	return mq->used_count - mq->taken_count == num;
}

static unsigned int contract_drain(struct contract *c)
{
	unsigned int num = 0, len;

	while (virtqueue_get_buf(c->vq, &len))
		num++;
	return num;
}

static void contract_transfer(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	unsigned int before = vq->num_free, len = 0, i;
	void *ctx = NULL;

	for (i = 0; i < SENT; i++)
		c->sent[i] = i ^ 0x5a;
	memset(c->room, 0, ROOM);

	contract_check(c, !contract_add(c, &len, &i), "a buffer is added");
	contract_check(c, vq->num_free == before - 3,
		       "its elements are counted");
	msleep(20);
	contract_check(c, !virtqueue_get_buf(vq, &len),
		       "the device sees nothing before the kick");
	contract_check(c, virtqueue_kick_prepare(vq),
		       "an idle device has to be told");
	contract_check(c, virtqueue_notify(vq) && contract_wait_used(c, 1),
		       "a notification makes the device look");
	contract_check(c, virtqueue_get_buf_ctx(vq, &len, &ctx) == &len,
		       "the token comes back");
	contract_check(c, ctx == &i, "the context comes back");
	contract_check(c, len == ROOM,
		       "the length is clamped to what was writable");
	contract_check(c, !memcmp(c->room, c->sent, ROOM),
		       "the data was transferred");
	contract_check(c, vq->num_free == before, "the room comes back");
	contract_check(c, !virtqueue_get_buf(vq, &len),
		       "a buffer comes back once");
}

static void contract_chained_and_mapped(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	struct scatterlist head[2], tail[3];
	unsigned int before = vq->num_free, len = 0;
	bool ok;

	sg_init_table(head, 2);
	sg_init_table(tail, 3);
	sg_set_buf(&head[0], c->sent, 10);
	sg_chain(head, 2, tail);
	sg_set_buf(&tail[0], c->sent + 10, 10);
	sg_set_buf(&tail[1], c->sent + 20, 5);
	sg_set_buf(&tail[2], c->sent + 25, SENT - 25);
	memset(c->room, 0, ROOM);

	ok = !virtqueue_start_buf(vq, 8, 4, c, NULL, GFP_KERNEL);
	if (ok) {
		virtqueue_add_sg(vq, head, 8, DMA_TO_DEVICE);
		virtqueue_add_dma(vq, virt_to_phys(c->room), 12,
				  DMA_FROM_DEVICE);
		virtqueue_add_dma(vq, virt_to_phys(c->room + 12), ROOM - 12,
				  DMA_FROM_DEVICE);
		ok = !virtqueue_end_buf(vq);
	}
	contract_check(c, ok && vq->num_free == before - 6,
		       "only elements that came are counted, not those announced");
	virtqueue_kick(vq);
	ok = contract_wait_used(c, 1) && virtqueue_get_buf(vq, &len) == c;
	contract_check(c, ok && !memcmp(c->room, c->sent, ROOM),
		       "a chained scatterlist and mapped memory are transferred");
}

static void contract_undo(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	unsigned int before = vq->num_free, len;
	int err;

	err = virtqueue_start_buf(vq, 1, 1, c, NULL, GFP_KERNEL);
	virtqueue_add_ptr(vq, c->sent, SENT, DMA_TO_DEVICE);
	virtqueue_cancel_buf(vq);
	virtqueue_kick(vq);
	msleep(20);
	contract_check(c, !err && vq->num_free == before &&
		       !virtqueue_get_buf(vq, &len),
		       "a cancelled buffer leaves nothing");

	mq_fail_add = 1;
	err = contract_add(c, c, NULL);
	mq_fail_add = 0;
	virtqueue_kick(vq);
	msleep(20);
	contract_check(c, err == -ENOMEM && vq->num_free == before &&
		       !virtqueue_get_buf(vq, &len),
		       "a failed element fails the buffer and leaves nothing");

	mq_fail_start = 1;
	err = contract_add(c, c, NULL);
	mq_fail_start = 0;
	contract_check(c, err == -ENOMEM && vq->num_free == before,
		       "no memory for a start is an error that may pass");
}

static void contract_full(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	unsigned int size = virtqueue_get_vring_size(vq), num = 0;

	while (!contract_add(c, c, NULL))
		num++;
	contract_check(c, num == size / 3 && vq->num_free == size % 3,
		       "a queue takes as many elements as it has room for");
	/* No kick: the failed start has to make the device look. */
	contract_check(c, contract_wait_used(c, num),
		       "a start that finds no room makes the device look");
	contract_check(c, contract_drain(c) == num && vq->num_free == size,
		       "a full queue comes back in full");
}

static void contract_callbacks(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	unsigned int size = virtqueue_get_vring_size(vq), state, i;
	unsigned int num = min(size / 3, 8U);
	struct message_queue *mq = to_mq(vq);
	bool ok;

	atomic_set(&c->callbacks, 0);
	contract_check(c, virtqueue_enable_cb(vq),
		       "nothing is used: callbacks can be waited for");
	ok = !contract_add(c, c, NULL) && virtqueue_kick(vq);
	contract_check(c, ok && contract_wait_used(c, 1) &&
		       atomic_read(&c->callbacks) == 1,
		       "a used buffer causes a callback");
	contract_check(c, c->in_interrupt, "callbacks run in interrupt context");

	virtqueue_disable_cb(vq);
	ok = !contract_add(c, c, NULL) && virtqueue_kick(vq);
	contract_check(c, ok && contract_wait_used(c, 2) &&
		       atomic_read(&c->callbacks) == 1,
		       "disabled callbacks do not come");
	contract_check(c, !virtqueue_enable_cb(vq),
		       "what was used meanwhile is noticed");
	contract_drain(c);

	state = virtqueue_enable_cb_prepare(vq);
	contract_check(c, !virtqueue_poll(vq, state), "nothing new: no poll");
	ok = !contract_add(c, c, NULL) && virtqueue_kick(vq);
	contract_check(c, ok && contract_wait_used(c, 1) &&
		       virtqueue_poll(vq, state),
		       "a used buffer is seen by poll");
	contract_check(c, !virtqueue_enable_cb_delayed(vq),
		       "delayed callbacks: all is used already");
	contract_drain(c);

	/* Keep the device away while the buffers are offered. */
	mq->running = false;
	virtqueue_disable_cb(vq);
	atomic_set(&c->callbacks, 0);
	for (i = 0, ok = true; i < num; i++)
		ok = ok && !contract_add(c, c, NULL);
	virtqueue_kick(vq);
	ok = ok && virtqueue_enable_cb_delayed(vq);
	contract_check(c, ok, "delayed callbacks: all is out");
	mq_start(mq);
	ok = contract_wait_used(c, num);
	i = atomic_read(&c->callbacks);
	contract_check(c, ok && i >= 1 && i <= num - num * 3 / 4,
		       "delayed callbacks come for the last quarter");
	contract_drain(c);
}

static void contract_not_supported(struct contract *c)
{
	unsigned int size = virtqueue_get_vring_size(c->vq);

	contract_check(c, virtqueue_resize(c->vq, size - 1, NULL, NULL) == -ENOENT &&
		       virtqueue_reset(c->vq, NULL, NULL) == -ENOENT &&
		       virtqueue_set_dma_premapped(c->vq) == -ENOENT,
		       "ops that are missing are refused");
	contract_check(c, virtqueue_resize(c->vq, size + 1, NULL, NULL) == -E2BIG,
		       "a size above the largest is refused");
}

/* One buffer used and not taken, one offered, one not yet kicked */
static void contract_detach(struct contract *c)
{
	unsigned int size = virtqueue_get_vring_size(c->vq), seen = 0, i;
	u8 tokens[3] = {};
	bool ok = true;
	u8 *token;

	for (i = 0; i < 3; i++) {
		ok = ok && !contract_add(c, &tokens[i], NULL);
		if (i < 2)
			virtqueue_kick(c->vq);
		if (!i) {
			ok = ok && contract_wait_used(c, 1);
			virtio_reset_device(c->vdev);
		}
	}
	while ((token = virtqueue_detach_unused_buf(c->vq))) {
		seen++;
		(*token)++;
	}
	contract_check(c, ok && seen == 3 && tokens[0] == 1 && tokens[1] == 1 &&
		       tokens[2] == 1 && c->vq->num_free == size,
		       "a stopped queue gives back each buffer once");
}

static void contract_broken(struct contract *c)
{
	struct virtqueue *vq = c->vq;
	unsigned int len;

	virtio_break_device(c->vdev);
	contract_check(c, atomic_read(&to_mq(vq)->breaks) == 1 &&
		       to_mq(vq)->gone,
		       "a queue hears that its device is gone");
	__virtio_unbreak_device(c->vdev);
	contract_check(c, !to_mq(vq)->gone, "a queue hears that it is mended");

	mq_lose(to_mq(vq));
	contract_check(c, !virtqueue_is_broken(vq) && !virtqueue_notify(vq) &&
		       virtqueue_is_broken(vq),
		       "a device that can't be told breaks the queue");
	contract_check(c, contract_add(c, c, NULL) == -EIO &&
		       !virtqueue_get_buf(vq, &len) &&
		       virtqueue_enable_cb(vq) &&
		       virtqueue_enable_cb_delayed(vq),
		       "a broken queue takes and gives nothing, and nobody waits");
}

static int contract_run(struct contract *c)
{
	c->vq = virtio_find_single_vq(c->vdev, contract_callback, "contract");
	if (IS_ERR(c->vq))
		return PTR_ERR(c->vq);
	virtio_device_ready(c->vdev);

	contract_transfer(c);
	contract_chained_and_mapped(c);
	contract_undo(c);
	contract_full(c);
	contract_callbacks(c);
	contract_not_supported(c);
	contract_detach(c);
	contract_broken(c);

	virtio_reset_device(c->vdev);
	c->vdev->config->del_vqs(c->vdev);
	dev_info(&c->vdev->dev, "contract: %u checks, %u failed\n", c->checks,
		 c->failed);
	return c->failed ? -EIO : 0;
}

static int contract_probe(struct virtio_device *vdev)
{
	struct contract c = { .vdev = vdev };
	int err = -ENOMEM;

	vdev->priv = &c;
	c.sent = kmalloc(SENT, GFP_KERNEL);
	c.room = kmalloc(ROOM, GFP_KERNEL);
	if (c.sent && c.room)
		err = contract_run(&c);
	kfree(c.room);
	kfree(c.sent);
	return err;
}

static void contract_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
}

static const struct virtio_device_id contract_ids[] = {
	{ VIRTIO_ID_ECHO, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

struct virtio_driver contract_driver = {
	.driver.name	= "virtqueue_contract",
	.id_table	= contract_ids,
	.probe		= contract_probe,
	.remove		= contract_remove,
};
