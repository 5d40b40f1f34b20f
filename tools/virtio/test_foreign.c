// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue that the core doesn't know: a ring under another name, with only those
 * operations that a virtqueue must have. All calls of the core take the ways that are
 * for foreign ones.
 */
#include "queue.h"

#ifndef STOCK
#include "../../drivers/virtio/virtio_ring_internal.h"

static struct tq *foreign_new(const struct tq_config *config)
{
	static struct vring_layout foreign;
	struct tq *tq = tq_new(config);

	foreign = *container_of(tq->vq->ops, struct vring_layout, ops);
	foreign.ops.add_sgs = NULL;
	foreign.ops.add_list = NULL;
	foreign.ops.add_bvecs = NULL;
	foreign.ops.resize = NULL;
	foreign.ops.reset = NULL;
	foreign.ops.set_dma_premapped = NULL;
	tq->vq->ops = &foreign.ops;
	return tq;
}

static void traffic(const struct tq_config *config)
{
	struct tq *tq = foreign_new(config);

	tq_traffic(tq, 2000);
	tq->failing = true;
	tq_traffic(tq, 1000);
	tq->failing = false;
	tq_traffic(tq, 100);
	tq_delete(tq);
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
	tq_delete(tq);
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
	tq_delete(tq);
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
