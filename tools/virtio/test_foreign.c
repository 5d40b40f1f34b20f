// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue that the core doesn't know: a ring under another name, with only those
 * operations that a virtqueue must have. All calls of the core take the ways that are
 * for foreign ones.
 */
#include "queue.h"

#ifndef STOCK
static const struct virtqueue_ops *ring_ops;
static unsigned int breaks, unbreaks;

static void set_broken(struct virtqueue *vq, bool broken)
{
	check(vq->broken == broken, "told of what isn't");
	if (broken)
		breaks++;
	else
		unbreaks++;
}

static struct tq *foreign_new(const struct tq_config *config)
{
	static struct virtqueue_ops foreign;
	struct tq *tq = tq_new(config);

	foreign = *tq->vq->ops;
	foreign.add_sgs = NULL;
	foreign.add_buf = NULL;
	foreign.add_bvecs = NULL;
	foreign.publish = NULL;
	foreign.fits = NULL;
	foreign.resize = NULL;
	foreign.reset = NULL;
	foreign.set_dma_premapped = NULL;
	tq->foreign = true;
	ring_ops = tq->vq->ops;
	tq->vq->ops = &foreign;
	return tq;
}

/* What made the ring takes it away. */
static void foreign_delete(struct tq *tq)
{
	tq->vq->ops = ring_ops;
	tq_delete(tq);
}

static void traffic(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);

	tq_traffic(tq, 2000);
	tq->failing = true;
	tq_traffic(tq, 1000);
	tq->failing = false;
	tq_traffic(tq, 100);
	foreign_delete(tq);
}

/* Without add_sgs buffers of the old calls are public when kicked. */
static void old_calls(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);
	unsigned int n;

	for (n = 0; n < 3 * tq->dq.num; n++) {
		tq_must_add(tq, n % 3, 1, HOW_OLD);
		check(!tq_pop(tq), "device sees the buffer before the kick");
		tq_kick(tq);
		check(tq_pop(tq), "device sees no buffer");
		tq_use_all(tq);
		check(tq_get_all(tq) == 1, "the buffer doesn't come back");
	}
	foreign_delete(tq);
}

static void no_recycle(struct virtqueue *vq, void *buf)
{
	check(false, "a buffer comes back");
}

static void lacks(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);
	unsigned int num = tq->dq.num;

	check(virtqueue_reset(tq->vq, no_recycle, NULL) == -ENOENT,
	      "reset of a queue that has none");
	tq->vq->num_max = 2 * num;
	check(virtqueue_resize(tq->vq, 2 * num, no_recycle, NULL) == -ENOENT,
	      "resize of a queue that has none");
	check(virtqueue_set_dma_premapped(tq->vq) == -ENOENT,
	      "premapped lists for a queue that takes none");
	tq_traffic(tq, 100);
	foreign_delete(tq);
}

/* A transport takes it for a ring: it is told so once, and nothing comes of it. */
static void no_ring(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);

	shim.expect_warns = true;
	check(vring_interrupt(0, tq->vq) == IRQ_NONE && !tq->callbacks,
	      "an interrupt of a queue that isn't a ring");
	check(virtqueue_get_desc_addr(tq->vq) == DMA_MAPPING_ERROR &&
	      virtqueue_get_avail_addr(tq->vq) == DMA_MAPPING_ERROR &&
	      virtqueue_get_used_addr(tq->vq) == DMA_MAPPING_ERROR,
	      "addresses of a ring that isn't");
	check(!virtqueue_get_vring(tq->vq), "a ring that isn't");
	check(vring_notification_data(tq->vq) == tq->vq->index,
	      "a place in a ring that isn't");
	vring_del_virtqueue(tq->vq);
	check(shim.warns == 1, "%u warnings", shim.warns);
	shim.expect_warns = false;
	tq_traffic(tq, 100);
	foreign_delete(tq);
}

static void hears_of_breaks(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);
	struct virtqueue_ops ops = *tq->vq->ops;

	ops.set_broken = set_broken;
	tq->vq->ops = &ops;
	breaks = 0;
	unbreaks = 0;
	__virtqueue_break(tq->vq);
	__virtqueue_unbreak(tq->vq);
	virtio_break_device(&tq->vdev);
	check(breaks == 2 && unbreaks == 1, "is not told");
	__virtqueue_unbreak(tq->vq);
	check(unbreaks == 1, "told of what the core refuses");
	__virtio_unbreak_device(&tq->vdev);
	check(unbreaks == 2, "is not told");
	device_set_kicks(&tq->dq, KICKS_ON, 0);
	tq->notify_fails = true;
	tq_must_add(tq, 1, 0, HOW_OLD);
	check(!virtqueue_kick(tq->vq) && breaks == 3, "is not told");
	foreign_delete(tq);
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;

	if (config.order || config.legacy)
		return;
	config.num = 8;
	test_add(traffic, &config, "foreign: traffic, %s", tq_name(&config));
	test_add(old_calls, &config, "foreign: old calls, %s",
		 tq_name(&config));
	test_add(no_ring, &config, "foreign: no ring, %s", tq_name(&config));
	test_add(hears_of_breaks, &config, "foreign: hears of breaks, %s",
		 tq_name(&config));
	test_add(lacks, &config, "foreign: what it lacks, %s",
		 tq_name(&config));
}
#endif

void foreign_tests(void)
{
#ifndef STOCK
	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
#endif
}
