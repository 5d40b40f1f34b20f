/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "bench.h"

#define MAX_QUEUES	32

/* One of the two that a row compares */
struct side {
	const struct core *core;	/* NULL: no core, see bare.c */
	struct queue_config config;
	struct load load;
	unsigned int queues;		/* a batch on each in turn; 0: one queue */
};

struct quartiles {
	double low, median, high;
};

/* ns for each buffer, without what the device costs */
struct result {
	struct quartiles side[2];
	struct quartiles ratio;		/* of side[1] to side[0] */
	double tables[2];		/* share of buffers that went indirect */
	double ping_pong;		/* ns, on two cores only */
};

/* CPUs of driver and device when they run on two */
struct cpu_pair {
	int driver, device;
	double ping_pong;		/* ns there and back */
};

double now_ns(void);
void pin(int cpu);
struct quartiles quartiles(double *values, unsigned int n);

/* Both sides in turns, @rounds times. */
void measure(const struct side side[2], unsigned int rounds,
	     struct result *result);

struct cpu_pair find_cpu_pair(void);
void measure_polled(const struct side side[2], const struct cpu_pair *cpus,
		    unsigned int rounds, struct result *result);

#endif
