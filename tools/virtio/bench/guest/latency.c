// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long requests take from start to end. A system call for the time would take longer
 * than a request: the CPU's counter is read instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>
#include "load.h"

static unsigned long long *ticks;
static unsigned int noted, room;

unsigned long long ticks_now(void)
{
	return __rdtsc();
}

/* Written to now, so that no page of it is first touched while requests are timed */
void latency_prepare(unsigned int count)
{
	ticks = malloc(count * sizeof(*ticks));
	if (!ticks)
		die("malloc");
	for (room = 0; room < count; room++)
		ticks[room] = room;
}

void latency_restart(void)
{
	noted = 0;
}

void latency_note(unsigned long long started)
{
	if (noted < room)
		ticks[noted++] = ticks_now() - started;
}

static double tick_in_ns(void)
{
	struct timespec from, to;
	unsigned long long start;

	clock_gettime(CLOCK_MONOTONIC, &from);
	start = ticks_now();
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) /
	       (ticks_now() - start);
}

static int compare(const void *a, const void *b)
{
	const unsigned long long *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

static double part(unsigned int of_thousand)
{
	return ticks[(unsigned long long)noted * of_thousand / 1000];
}

void latency_print(void)
{
	double each = tick_in_ns();

	if (!noted)
		return;
	qsort(ticks, noted, sizeof(*ticks), compare);
	printf("|%.0f|%.0f|%.0f", each * part(500), each * part(990), each * part(999));
}
