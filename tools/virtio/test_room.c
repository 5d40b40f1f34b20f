// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much fits into a queue, what happens when it is full, and that a queue
 * at work needs no more memory.
 */
#include <linux/workqueue.h>
#include "queue.h"

/* As many buffers of one element as descriptors; then room for each one used */
static void full(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n, round, num = tq->dq.num;
	unsigned long notifies;
	enum tq_how how;
	bool out;

	for (round = 0; round < 40; round++) {
		how = round % HOWS;
		for (n = 0; n < num; n++)
			tq_must_add(tq, 1, 0, how);
		check(!tq->vq->num_free, "%u free in a full queue",
		      tq->vq->num_free);

		/* The device looks after the queue if it is to read. */
		notifies = tq->notifies;
		out = round & 1;
		check(tq_add_new(tq, out, !out, how) == -ENOSPC,
		      "a full queue takes another buffer");
		check(tq->notifies - notifies == out,
		      "%lu notifications when full, readable %d",
		      tq->notifies - notifies, out);
		if (!out)
			tq_kick(tq);
		for (n = 0; n < num; n++)
			check(tq_pop(tq), "device sees %u of %u buffers", n,
			      num);

		tq_use_some(tq, config->in_order ? 0 : rnd_below(num));
		check(tq_get(tq), "a used buffer can't be had");
		tq_must_add(tq, 1, 0, how);
		check(tq_add_new(tq, 0, 1, how) == -ENOSPC,
		      "a full queue takes another buffer");
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		check(tq_get_all(tq) == num, "not all buffers came back");
	}
	tq_delete(tq);
}

/* A buffer that doesn't fit changes nothing. */
static void too_large(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, used, left, num = tq->dq.num;

	for (round = 0; round < 20 * num; round++) {
		used = 1 + rnd_below(num);
		for (left = used; left; left--)
			tq_must_add(tq, 0, 1, round % HOWS);
		left = num - used;
		check(tq_add_new(tq, 1, left, round % HOWS) ==
		      (config->indirect && left ? 0 : -ENOSPC),
		      "%u elements with %u free", left + 1, left);
		if (!config->indirect)
			check(tq->vq->num_free == left, "%u of %u free",
			      tq->vq->num_free, left);
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
	tq_delete(tq);
}

#ifndef STOCK
/* All sizes of buffers, each until the queue is full */
static void fill_and_drain(struct tq *tq)
{
	unsigned int elems;

	for (elems = 1; elems <= tq_max_elems(tq); elems++) {
		while (!tq_add_new(tq, elems / 2, elems - elems / 2, HOW_PTR))
			;
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* Once it has been full, a queue allocates nothing, and maps only data. */
static void steady(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned long allocs, i;
	long live;

	fill_and_drain(tq);
	allocs = shim.alloc_calls;
	live = shim.alloc_live + shim.coherent_live;
	for (i = 0; i < 5; i++)
		fill_and_drain(tq);
	tq_traffic(tq, 2000);
	check(shim.alloc_calls == allocs, "%lu allocations in steady state",
	      shim.alloc_calls - allocs);
	check(shim.alloc_live + shim.coherent_live == live, "memory grows");
	check(!shim.map_live, "%ld mappings on an idle queue", shim.map_live);
	tq_delete(tq);
}

static void drain(struct tq *tq, unsigned int want)
{
	unsigned int got;

	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	got = tq_get_all(tq);
	check(got == want, "%u of %u buffers came back", got, want);
}

/*
 * As many buffers as there are descriptors, from idle: a driver's depth is the size
 * of its queue. The same for one that stops in time, without ever being refused.
 */
static void depth(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int num = tq->dq.num, elems, n;

	for (elems = 1; elems <= 8; elems++) {
		for (n = 0; n < num; n++)
			tq_must_add(tq, elems / 2, elems - elems / 2, HOW_PAGE);
		check(tq_add_new(tq, 1, elems - 1, HOW_PAGE) == -ENOSPC,
		      "a full queue takes another buffer");
		drain(tq, num);

		for (n = 0; tq->vq->num_free >= 19; n++)
			tq_must_add(tq, elems, 0, HOW_SG);
		check(n >= num - 26, "%u buffers of %u elements", n, elems);
		drain(tq, n);
	}
	tq_delete(tq);
}

/* At least as many buffers fit as the queue says. */
static void fits(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int num = tq->dq.num, round, elems, used, want, n;

	check(!virtqueue_fits(tq->vq, 0), "empty buffers fit");
	for (round = 0; round < 40; round++) {
		used = rnd_below(num + 1);
		for (n = 0; n < used; n++)
			tq_must_add(tq, 1, 0, HOW_PTR);
		elems = 1 + rnd_below(num);
		want = virtqueue_fits(tq->vq, elems);
		check(want >= (num - used) / elems, "%u of %u fit", want, num);
		for (n = 0; n < want; n++)
			tq_must_add(tq, 0, elems, HOW_PTR);
		if (elems <= 8 || !config->indirect)
			check(tq_add_new(tq, 0, elems, HOW_PTR) == -ENOSPC,
			      "more fit than %u", want);
		drain(tq, used + want);
	}
	tq_delete(tq);
}

/* There is no room where buffers are outstanding, which the device sees. */
static void refused(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int num = tq->dq.num, n;
	int err;

	err = tq_add_new(tq, 0, num + 1, HOW_PTR);
	check(err == (config->indirect ? 0 : -E2BIG),
	      "more elements than the ring has: %d", err);
	if (!err)
		drain(tq, 1);
	for (n = 0; n < num; n++)
		tq_must_add(tq, 0, 1, HOW_PTR);
	check(!tq_pop(tq), "device sees a buffer before the kick");
	check(tq_add_new(tq, 0, 1, HOW_PTR) == -ENOSPC,
	      "a full queue takes another buffer");
	for (n = 0; n < num; n++)
		check(tq_pop(tq), "device sees %u of %u buffers", n, num);
	drain(tq, num);
	tq_delete(tq);
}

static void publish(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, n;
	unsigned long notifies = 0;

	for (round = 0; round < 40; round++) {
		virtqueue_publish(tq->vq);
		for (n = 0; n < 1 + round % 3; n++)
			tq_must_add(tq, n, 1, HOW_PTR);
		check(!tq_pop(tq), "device sees a buffer that is not public");
		virtqueue_publish(tq->vq);
		check(tq->notifies == notifies, "a notification");
		check(tq_pop(tq), "device sees no buffer");
		/* Which checks that the device is told of all of them */
		drain(tq, n);
		notifies = tq->notifies;
	}
	tq_delete(tq);
}

/* What a queue has grown by it gives back some time after nothing needs it. */
static void given_back(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	long live = shim.alloc_live + shim.coherent_live, grown;
	unsigned int n;

	fill_and_drain(tq);
	for (n = 0; n < tq->dq.num; n++)
		tq_must_add(tq, 1, 8 + n, HOW_PTR);
	grown = shim.alloc_live + shim.coherent_live;
	check(grown > live, "no table was made");
	for (n = 0; n < 3; n++)
		time_passes();
	check(shim.alloc_live + shim.coherent_live == grown,
	      "tables that buffers have are gone");
	drain(tq, tq->dq.num);
	for (n = 0; n < 3; n++)
		time_passes();
	check(shim.alloc_live + shim.coherent_live == live,
	      "%ld pieces of memory were not given back",
	      shim.alloc_live + shim.coherent_live - live);
	fill_and_drain(tq);
	tq_delete(tq);
}

#endif

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;

	if (config.order || config.legacy)
		return;
	config.num = 8;
	test_add(full, &config, "room: full queue, %s", tq_name(&config));
	test_add(too_large, &config, "room: too large, %s", tq_name(&config));
#ifndef STOCK
	config.num = 16;
	test_add(steady, &config, "room: no allocation, %s", tq_name(&config));
	test_add(publish, &config, "room: publish, %s", tq_name(&config));
	test_add(refused, &config, "room: refused, %s", tq_name(&config));
	config.num = 32;
	test_add(fits, &config, "room: what fits, %s", tq_name(&config));
	if (config.indirect)
		test_add(given_back, &config, "room: memory is given back, %s",
			 tq_name(&config));
	config.num = 256;
	if (config.indirect)
		test_add(depth, &config, "room: the depth, %s",
			 tq_name(&config));
#endif
	if (config.packed) {
		config.num = 7;
		test_add(full, &config, "room: full queue, %s",
			 tq_name(&config));
		test_add(too_large, &config, "room: too large, %s",
			 tq_name(&config));
	}
}

void room_tests(void)
{
	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
}
