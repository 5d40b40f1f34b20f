// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers count on that add whole buffers, with virtqueue_add_sgs() and
 * its siblings: the base's ring passes as well.
 */
#include "queue.h"

/*
 * Drivers fill the event queues of an IOMMU or a sound card and don't kick: the
 * device looks when it has something to tell.
 */
static void add_without_kick(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, n, count;

	for (round = 0; round < 3 * tq->dq.num; round++) {
		count = 1 + round % tq->dq.num;
		for (n = 0; n < count; n++) {
			tq_must_add(tq, n & 1, !(n & 1), HOW_OLD);
			check(tq_pop(tq), "device doesn't see the buffer");
		}
		tq_use_all(tq);
		check(tq_get_all(tq) == count, "buffers got lost");
	}
	tq_delete(tq);
}

/* With indirect descriptors there is room for as many as there are in the ring. */
static void room_for_all(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n;

	for (n = 0; n < tq->dq.num; n++)
		tq_must_add(tq, 2, 1, HOW_OLD);
	check(tq_add_new(tq, 2, 1, HOW_OLD) == -ENOSPC, "room for more");
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	check(tq_get_all(tq) == n, "buffers got lost");
	tq_delete(tq);
}

/* What fits when buffers were used is worth waiting for: many wait for no more. */
static void no_memory_is_no_room(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n;

	for (n = 0; n < tq->dq.num - 2; n++)
		tq_must_add(tq, 1, 0, HOW_OLD);
	shim.alloc_fail_all = true;
	check(tq_add_new(tq, 5, 5, HOW_OLD) == -ENOSPC, "not told to wait");
	shim.alloc_fail_all = false;
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_must_add(tq, 5, 5, HOW_OLD);
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_delete(tq);
}

static void no_recycle(struct virtqueue *vq, void *buf)
{
	check(false, "an empty queue has a buffer");
}

/* A queue that starts afresh has callbacks, whatever was before. */
static void callbacks_after_reset(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	virtqueue_disable_cb(tq->vq);
	check(!virtqueue_reset(tq->vq, no_recycle, NULL), "reset fails");
	tq_must_add(tq, 1, 0, HOW_OLD);
	tq_kick(tq);
	check(tq_pop(tq), "device sees no buffer");
	tq_use_some(tq, 0);
	check(device_wants_irq(&tq->dq), "no callbacks after a reset");
	check(tq_get(tq), "the buffer doesn't come back");
	tq_traffic(tq, 100);
	tq_delete(tq);
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;
	const char *name;

	if (config.legacy)
		return;
	config.num = 8;
	name = tq_name(&config);
	test_add(add_without_kick, &config, "old calls: no kick, %s", name);
	test_add(callbacks_after_reset, &config,
		 "old calls: callbacks after a reset, %s", name);
	if (!config.indirect)
		return;
	test_add(room_for_all, &config, "old calls: room for all, %s", name);
	config.num = 16;
	name = tq_name(&config);
	test_add(no_memory_is_no_room, &config,
		 "old calls: no memory is no room, %s", name);
}

void old_calls_tests(void)
{
	tq_all_configs(add_tests_for);
}
