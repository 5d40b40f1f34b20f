// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much fits into a queue, what happens when it is full, and that a queue
 * at work needs no more memory.
 */
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

static unsigned int add_until_full(struct tq *tq)
{
	unsigned int n = 0;

	while (!tq_add_new(tq, 1, 2, HOW_PAGE))
		n++;
	tq_kick(tq);
	tq_pop_all(tq);
	return n;
}

/*
 * Short buffers have no table, until the queue gets full: from then on it takes
 * as many as it has descriptors, and that until it has little to do again.
 */
static void short_buffers(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int num = tq->dq.num, in_flight, got, i;

	in_flight = add_until_full(tq);
	check(in_flight < num && in_flight > num / 2,
	      "%u short buffers in a queue of %u", in_flight, num);
	for (i = 0; i < 2 * num; i++) {
		tq_use_some(tq, 0);
		got = tq_get_all(tq);
		check(got == 1, "%u buffers were used instead of 1", got);
		in_flight += add_until_full(tq) - got;
	}
	check(in_flight == num, "%u buffers in a full queue of %u", in_flight,
	      num);

	tq_use_all(tq);
	tq_get_all(tq);
	tq_must_add(tq, 1, 2, HOW_PAGE);
	check(tq->vq->num_free == num - 3, "a table in an empty queue");
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_delete(tq);
}

/* There is no room as long as buffers are outstanding, which the device sees. */
static void refused(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int num = tq->dq.num, n;
	int err;

	err = tq_add_new(tq, 0, num + 1, HOW_PTR);
	check(err == (config->indirect ? 0 : -E2BIG),
	      "more elements than the ring has: %d", err);
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	for (n = 0; n < num; n++)
		tq_must_add(tq, 0, 1, HOW_PTR);
	check(!tq_pop(tq), "device sees a buffer before the kick");
	check(tq_add_new(tq, 0, 1, HOW_PTR) == -ENOSPC,
	      "a full queue takes another buffer");
	for (n = 0; n < num; n++)
		check(tq_pop(tq), "device sees %u of %u buffers", n, num);
	tq_kick(tq);
	tq_use_all(tq);
	check(tq_get_all(tq) == num, "not all buffers came back");
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
	test_add(refused, &config, "room: refused, %s", tq_name(&config));
	config.num = 64;
	if (config.indirect)
		test_add(short_buffers, &config, "room: short buffers, %s",
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
