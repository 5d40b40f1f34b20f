// SPDX-License-Identifier: GPL-2.0-only
/* Driver and device on a CPU each, both polling */
#define _GNU_SOURCE
#include "measure.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Short, so that few rounds see an interrupt */
#define WARM_UP		512
#define BUFFERS		2048
#define DEVICE_BATCH	16
#define PINGS		2000

/* What the device's thread is to do; what is hot has a line of its own */
static struct {
	struct device_side *device;
	bool quit;
	char line1[CACHE_LINE];
	unsigned int ball;
	char line2[CACHE_LINE];
	bool playing;
	char line3[CACHE_LINE];
	bool idle;
	char line4[CACHE_LINE];
} shared;

#define load(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, v)	__atomic_store_n(p, v, __ATOMIC_SEQ_CST)

static void play(void)
{
	unsigned int ball;

	while (load(&shared.playing)) {
		ball = load(&shared.ball);
		if (ball & 1)
			__atomic_store_n(&shared.ball, ball + 1,
					 __ATOMIC_RELEASE);
	}
}

static void *device_thread(void *p)
{
	pin(*(int *)p);
	while (!load(&shared.quit)) {
		struct device_side *dev = load(&shared.device);

		if (dev) {
			store(&shared.idle, false);
			while (load(&shared.device))
				device_poll(dev, DEVICE_BATCH);
		}
		store(&shared.idle, true);
		play();
	}
	return NULL;
}

static double ping_pong(void)
{
	double start = 0;
	unsigned int i;

	store(&shared.ball, 0);
	store(&shared.playing, true);
	for (i = 0; i < 2 * PINGS; i += 2) {
		if (i == PINGS)
			start = now_ns();
		__atomic_store_n(&shared.ball, i + 1, __ATOMIC_RELEASE);
		while (load(&shared.ball) != i + 2)
			;
	}
	start = (now_ns() - start) / (PINGS / 2);
	store(&shared.playing, false);
	return start;
}

static pthread_t start_device(const int *cpu)
{
	pthread_t thread;

	store(&shared.quit, false);
	if (pthread_create(&thread, NULL, device_thread, (void *)cpu)) {
		fprintf(stderr, "error: cannot start a thread: raise ulimit -u\n");
		exit(1);
	}
	return thread;
}

static void stop_device(pthread_t thread)
{
	store(&shared.quit, true);
	pthread_join(thread, NULL);
}

static double pair_ping_pong(int a, int b)
{
	pthread_t thread = start_device(&b);
	double ns, best = 1e9;
	int i;

	pin(a);
	for (i = 0; i < 5; i++) {
		ns = ping_pong();
		if (ns < best)
			best = ns;
	}
	stop_device(thread);
	return best;
}

/* The two CPUs that are closest to each other */
struct cpu_pair find_cpu_pair(void)
{
	struct cpu_pair best = { -1, -1, 1e9 };
	cpu_set_t allowed;
	int a, b;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (a = 0; a < CPU_SETSIZE; a++) {
		for (b = a + 1; b < CPU_SETSIZE; b++) {
			double ns;

			if (!CPU_ISSET(a, &allowed) || !CPU_ISSET(b, &allowed))
				continue;
			ns = pair_ping_pong(a, b);
			if (ns < best.ping_pong)
				best = (struct cpu_pair) { a, b, ns };
		}
	}
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return best;
}

/* Buffers in flight that fill the ring */
static unsigned int limit_of(const struct side *side)
{
	if (side->config.indirect)
		return side->config.ring;
	return side->config.ring / chain_of(side->load.shape);
}

struct polled {
	const struct side *side;
	void *queue;
	struct device_side device;
};

static void start(struct polled *it, const struct side *side)
{
	it->side = side;
	it->queue = side->core->create(&side->config);
	side->core->attach(it->queue, &it->device);
	it->device.written = shapes[side->load.shape].written;
	side->core->prepare(it->queue, &side->load);
}

static double run(struct polled *it)
{
	const struct side *side = it->side;
	const struct core *core = side->core;
	double start;

	store(&shared.device, &it->device);
	core->run_polled(it->queue, &side->load, limit_of(side), WARM_UP);
	start = now_ns();
	core->run_polled(it->queue, &side->load, limit_of(side), BUFFERS);
	start = now_ns() - start;

	store(&shared.idle, false);
	store(&shared.device, NULL);
	while (!load(&shared.idle))
		;
	return start / BUFFERS;
}

void measure_polled(const struct side side[2], const struct cpu_pair *cpus,
		    unsigned int rounds, struct result *result)
{
	double ns[2][rounds], ratio[rounds], ping[rounds];
	struct polled it[2] = {};
	pthread_t thread = start_device(&cpus->device);
	cpu_set_t allowed;
	unsigned int i, s;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	pin(cpus->driver);
	for (s = 0; s < 2; s++)
		start(&it[s], &side[s]);
	for (i = 0; i < rounds; i++) {
		ping[i] = ping_pong();
		for (s = 0; s < 2; s++) {
			/* Neither is always first. */
			unsigned int t = s ^ (i & 1);

			ns[t][i] = run(&it[t]);
		}
		ratio[i] = ns[1][i] / ns[0][i];
	}
	stop_device(thread);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	for (s = 0; s < 2; s++) {
		result->tables[s] = (double)it[s].device.indirect /
				    it[s].device.buffers;
		side[s].core->destroy(it[s].queue);
	}
	result->side[0] = quartiles(ns[0], rounds);
	result->side[1] = quartiles(ns[1], rounds);
	result->ratio = quartiles(ratio, rounds);
	result->ping_pong = quartiles(ping, rounds).median;
}
