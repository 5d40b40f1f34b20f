// SPDX-License-Identifier: GPL-2.0-only
/* Driver and device on one CPU; the device's own cost is subtracted */
#define _GNU_SOURCE
#include "measure.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Short enough that most rounds see no interrupt, long for the clock */
#define ROUND_NS	60000.0

struct one_queue {
	void *queue;
	struct device_side device;
	struct device_side copy;
};

struct instance {
	const struct side *side;
	struct one_queue queue[MAX_QUEUES];
	unsigned int queues;
	unsigned int count;
};

double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		fprintf(stderr, "error: cannot run on CPU %d: allow it with taskset\n",
			cpu);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct quartiles quartiles(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return (struct quartiles) {
		values[n / 4], values[n / 2], values[3 * n / 4]
	};
}

static void run_one(const struct side *side, struct one_queue *one,
		    unsigned int count)
{
	if (side->core)
		side->core->run(one->queue, &side->load, &one->device, count);
	else
		bare_run(&one->device, &side->load, side->config.indirect, count);
}

static void run(struct instance *it, unsigned int count)
{
	unsigned int i, q;

	/* Without a call for each batch, which would be measured */
	if (it->queues == 1) {
		run_one(it->side, it->queue, count);
		return;
	}
	for (i = 0; i < count; i++) {
		for (q = 0; q < it->queues; q++)
			run_one(it->side, &it->queue[q], 1);
	}
}

static void start_one(const struct side *side, struct one_queue *one)
{
	/* The limit borrows the ring of a queue. */
	const struct core *core = side->core ? side->core : &stock_plain;

	one->queue = core->create(&side->config);
	core->attach(one->queue, &one->device);
	one->device.chain = chain_of(side->load.shape);
	one->device.written = shapes[side->load.shape].written;
	if (side->core)
		core->prepare(one->queue, &side->load);
	else
		bare_start(&one->device);

	/* Once around the ring */
	one->device.inspect = side->core;
	run_one(side, one, one->device.ring / side->load.batch + 1);
	one->device.inspect = false;
	device_copy(&one->copy, &one->device);
}

static void start(struct instance *it, const struct side *side)
{
	unsigned int q;

	it->side = side;
	it->queues = side->queues ? side->queues : 1;
	for (q = 0; q < it->queues; q++)
		start_one(side, &it->queue[q]);
}

static void stop(struct instance *it)
{
	const struct core *core = it->side->core ? it->side->core : &stock_plain;
	unsigned int q;

	for (q = 0; q < it->queues; q++) {
		device_copy_free(&it->queue[q].copy);
		core->destroy(it->queue[q].queue);
	}
}

static double time_both(struct instance *it)
{
	double start = now_ns();

	run(it, it->count);
	return now_ns() - start;
}

static double time_device(struct instance *it)
{
	double start = now_ns();
	unsigned int i, q;

	for (i = 0; i < it->count; i++) {
		for (q = 0; q < it->queues; q++)
			device_use(&it->queue[q].copy, it->side->load.batch);
	}
	return now_ns() - start;
}

static double ns_per_buffer(struct instance *it)
{
	double ns = time_both(it) - time_device(it);

	return ns / it->count / it->queues / it->side->load.batch;
}

static void choose_count(struct instance *it)
{
	double ns;

	it->count = 16;
	time_both(it);
	ns = time_both(it);
	it->count = ROUND_NS / (ns / 16) + 1;
}

void measure(const struct side side[2], unsigned int rounds,
	     struct result *result)
{
	struct instance it[2] = {};
	double ns[2][rounds], ratio[rounds];
	unsigned int i, s;

	for (s = 0; s < 2; s++) {
		start(&it[s], &side[s]);
		choose_count(&it[s]);
	}
	for (i = 0; i < rounds; i++) {
		/* Neither is always first. */
		for (s = 0; s < 2; s++)
			ns[s ^ (i & 1)][i] = ns_per_buffer(&it[s ^ (i & 1)]);
		ratio[i] = ns[1][i] / ns[0][i];
	}
	for (s = 0; s < 2; s++) {
		result->side[s] = quartiles(ns[s], rounds);
		result->tables[s] = it[s].queue[0].device.buffers ?
			(double)it[s].queue[0].device.indirect /
			it[s].queue[0].device.buffers :
			side[s].config.indirect;
		stop(&it[s]);
	}
	result->ratio = quartiles(ratio, rounds);
}
