// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two CPUs that use one virtqueue, serialised as they have to be, or not: whether the
 * kernel sees the race that is then in the ring's code. It does no harm, as one of the
 * two changes nothing that the other one reads.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#define RACES_SIZE	64

static bool locked = true;
module_param(locked, bool, 0444);
MODULE_PARM_DESC(locked, "Serialise the calls");

static unsigned int seconds = 5;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "How long they are made");

struct races {
	struct virtio_device vdev;
	struct virtqueue *vq;
	spinlock_t lock;		/* for calls of the queue, if locked */
	char byte;
};

static void races_lock(struct races *races)
{
	if (locked)
		spin_lock(&races->lock);
}

static void races_unlock(struct races *races)
{
	if (locked)
		spin_unlock(&races->lock);
}

/* A buffer comes and goes. */
static int races_add(void *data)
{
	struct races *races = data;
	struct scatterlist sg;

	sg_init_one(&sg, &races->byte, 1);
	while (!kthread_should_stop()) {
		races_lock(races);
		if (!virtqueue_add_outbuf(races->vq, &sg, 1, races, GFP_ATOMIC))
			virtqueue_detach_unused_buf(races->vq);
		races_unlock(races);
		cond_resched();
	}
	return 0;
}

/* Asks for a callback when most buffers are used, so it has to know how many there are. */
static int races_ask(void *data)
{
	struct races *races = data;

	while (!kthread_should_stop()) {
		races_lock(races);
		virtqueue_enable_cb_delayed(races->vq);
		races_unlock(races);
		cond_resched();
	}
	return 0;
}

static bool races_notify(struct virtqueue *vq)
{
	return true;
}

static int races_run(struct races *races)
{
	struct task_struct *add, *ask;

	add = kthread_run_on_cpu(races_add, races, 0, "races_add/%u");
	if (IS_ERR(add))
		return PTR_ERR(add);
	ask = kthread_run_on_cpu(races_ask, races, 1, "races_ask/%u");
	if (!IS_ERR(ask)) {
		msleep(seconds * MSEC_PER_SEC);
		kthread_stop(ask);
	}
	kthread_stop(add);
	return PTR_ERR_OR_ZERO(ask);
}

static int __init races_init(void)
{
	static struct races races;
	void *pages;
	int err = -ENOMEM;

	pages = alloc_pages_exact(vring_size(RACES_SIZE, PAGE_SIZE), GFP_KERNEL | __GFP_ZERO);
	if (!pages)
		return -ENOMEM;
	/* How many buffers there are matters to events only. */
	__virtio_set_bit(&races.vdev, VIRTIO_RING_F_EVENT_IDX);
	INIT_LIST_HEAD(&races.vdev.vqs);
	spin_lock_init(&races.vdev.vqs_list_lock);
	spin_lock_init(&races.lock);
	races.vq = vring_new_virtqueue(0, RACES_SIZE, PAGE_SIZE, &races.vdev, true, false,
				       pages, races_notify, NULL, "races");
	if (races.vq) {
		err = races_run(&races);
		vring_del_virtqueue(races.vq);
	}
	free_pages_exact(pages, vring_size(RACES_SIZE, PAGE_SIZE));
	return err;
}
module_init(races_init);

static void __exit races_exit(void)
{
}
module_exit(races_exit);

MODULE_DESCRIPTION("Two CPUs that use one virtqueue");
MODULE_LICENSE("GPL");
