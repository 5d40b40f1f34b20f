// SPDX-License-Identifier: GPL-2.0-only
/*
 * Known defects of the ring in stock 6.12, which ours must not have. The same
 * tests, built with the base's ring, have to fail there. Those of stock's
 * defects that no longer show in the base, or that need a weakly ordered
 * machine, are tests like any other: see test_notify.c for the races with
 * enable_cb, and test_failure.c for the state after a mapping failed.
 */
#include <string.h>
#include "queue.h"

#define DESC_F_NEXT	1
#define DESC_FLAGS	12	/* offset in a descriptor of the split ring */

/*
 * A device sets NEXT in the descriptor of a buffer that it has used: a driver
 * that follows it frees the neighbour's descriptor, which is in flight.
 */
static void next_in_used(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n, round, free;
	u64 flags;

	for (round = 0; round < 3 * tq->dq.num; round++) {
		for (n = 0; n < 4; n++)
			tq_must_add(tq, 0, 1, HOW_OLD);
		free = tq->vq->num_free;
		tq_kick(tq);
		tq_pop_all(tq);
		flags = tq->dq.desc + 16 * tq->held.req[tq->held.first %
						TQ_MAX_REQS]->buf.id +
			DESC_FLAGS;
		tq_use_some(tq, 0);
		device_write16(&tq->dq, flags,
			       device_read16(&tq->dq, flags) | DESC_F_NEXT);
		check(tq_get(tq), "the buffer doesn't come back");
		check(tq->vq->num_free == free + 1,
		      "freed %u descriptors of 1", tq->vq->num_free - free);
		tq_must_add(tq, 1, 3, HOW_OLD);
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
	tq_delete(tq);
}

/* The same in all descriptors: stock loops for ever. */
static void next_everywhere(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n, i, round;

	for (round = 0; round < 3 * tq->dq.num; round++) {
		for (n = 0; n < 4; n++)
			tq_must_add(tq, 0, 1, HOW_OLD);
		tq_kick(tq);
		tq_pop_all(tq);
		for (i = 0; i < tq->dq.num; i++)
			device_write16(&tq->dq, tq->dq.desc + 16 * i +
				       DESC_FLAGS, DESC_F_NEXT);
		tq_use_all(tq);
		tq_get_all(tq);
		check(tq->vq->num_free == tq->dq.num,
		      "freed more than there is: %u", tq->vq->num_free);
	}
	tq_delete(tq);
}

#if defined(DEBUG) || !defined(STOCK)
/* With checks built in, an indirect buffer on a packed ring is no bug. */
static void checked_indirect(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int i;

	for (i = 0; i < 8; i++)
		check(!tq_add_new(tq, 2, 2, HOW_OLD), "adding fails");
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	check(tq_get_all(tq) == 8, "not all buffers come back");
	tq_delete(tq);
}
#endif

/* A mapping that fails is for trying again, not an I/O error. */
static void mapping_errno(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int fail;
	int err;

	for (fail = 1; fail <= 3; fail++) {
		shim.map_fail_at = fail;
		err = tq_add_new(tq, 1, 2, HOW_OLD);
		check(err == -ENOMEM, "a failed mapping gives %d", err);
	}
	tq_traffic(tq, 100);
	tq_delete(tq);
}

/*
 * enable_cb() on one CPU while disable_cb() runs on another, in the callback:
 * whatever the outcome, the next enable_cb() that returns true has enabled
 * callbacks.
 */
static struct tq *race_tq;
static unsigned int race_at;

static void race_enable(void)
{
	if (race_at--)
		return;
	shim.point = NULL;
	virtqueue_enable_cb(race_tq->vq);
}

static void disable_races(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int at;

	race_tq = tq;
	for (at = 0; at < 10; at++) {
		race_at = at;
		shim.point = race_enable;
		virtqueue_disable_cb(tq->vq);
		shim.point = NULL;

		check(virtqueue_enable_cb(tq->vq), "a phantom");
		tq_must_add(tq, 0, 1, HOW_OLD);
		tq_kick(tq);
		check(tq_pop(tq), "device sees no buffer");
		tq_use_some(tq, 0);
		check(device_wants_irq(&tq->dq), "callbacks stay disabled");
		tq_get_all(tq);
	}
	tq_delete(tq);
}

static void add_split(struct tq_config config)
{
	defect_add(next_in_used, &config, "freed 2 descriptors of 1",
		   "defect: NEXT set in a used descriptor, %s",
		   tq_name(&config));
	test_add(next_everywhere, &config,
		 "defect: NEXT set in all descriptors, %s", tq_name(&config));
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;

	if (config.order || config.legacy)
		return;
	config.num = 8;
	if (!config.packed)
		add_split(config);
	if (config.packed && config.access && !config.indirect)
		defect_add(mapping_errno, &config, "gives -5",
			   "defect: errno of a failed mapping, %s",
			   tq_name(&config));
	if (!config.packed && !config.event)
		defect_add(disable_races, &config, "callbacks stay disabled",
			   "defect: disable_cb meets enable_cb, %s",
			   tq_name(&config));
	else
		test_add(disable_races, &config,
			 "disable_cb meets enable_cb, %s", tq_name(&config));
#if defined(DEBUG) || !defined(STOCK)
	if (config.packed && config.indirect)
		defect_add(checked_indirect, &config, "BUG: !(vq)->in_use",
			   "defect: indirect with checks, %s",
			   tq_name(&config));
#endif
}

void defect_tests(void)
{
	tq_all_configs(add_tests_for);
}
