// SPDX-License-Identifier: GPL-2.0-only
/*
 * More queues, and more buffers at a time: what a buffer costs then, and what a queue
 * costs to make and to give back. On one CPU, which takes a batch on each queue in turn.
 */
#include "measure.h"
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ROUNDS		101

static const unsigned int queues[] = { 1, 2, 4, 8, 16, 32 };
static const unsigned int batches[] = { 1, 4, 16, 64 };

static struct side side_of(const struct core *core, bool packed,
			   unsigned int batch, unsigned int n)
{
	struct side side = {
		.core = core,
		.config = {
			.ring = 256, .packed = packed, .indirect = true, .event = true,
		},
		.load = {
			.shape = BLOCK_4K, .batch = batch,
			.api = core == &ours_plain ? PIECE : OLD,
		},
		.queues = n,
	};

	fit(&side.load, &side.config);
	return side;
}

static void print_head(void)
{
	unsigned int i;

	printf("%-6s %9s", "", "at a time");
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		printf(" %12u %5s", queues[i], "ratio");
	printf(" %12s\n", "most/least");
}

/* Most and least of what the numbers of queues cost, in one row */
struct range {
	double least, most;
};

static void widen(struct range *range, double ns)
{
	if (!range->least || ns < range->least)
		range->least = ns;
	if (ns > range->most)
		range->most = ns;
}

static void print_range(const struct range range[2])
{
	printf("  %4.2f / %4.2f\n", range[0].most / range[0].least,
	       range[1].most / range[1].least);
}

static void print_pair(const struct result *result, struct range range[2])
{
	unsigned int s;

	for (s = 0; s < 2; s++)
		widen(&range[s], result->side[s].median);
	printf(" %5.1f /%5.1f %5.2f", result->side[0].median,
	       result->side[1].median, result->ratio.median);
	fflush(stdout);
}

/* ns for each queue */
static double life(const struct side *side)
{
	void *queue[MAX_QUEUES];
	double start = now_ns();
	unsigned int q;

	for (q = 0; q < side->queues; q++)
		queue[q] = side->core->create(&side->config);
	for (q = 0; q < side->queues; q++)
		side->core->destroy(queue[q]);
	return (now_ns() - start) / side->queues;
}

/* As measure() in measure.c, of queues that nothing is sent through */
static void measure_life(const struct side side[2], unsigned int rounds,
			 struct result *result)
{
	double us[2][rounds], ratio[rounds];
	unsigned int i, s;

	for (i = 0; i < rounds; i++) {
		/* Neither is always first. */
		for (s = 0; s < 2; s++)
			us[s ^ (i & 1)][i] = life(&side[s ^ (i & 1)]) / 1000;
		ratio[i] = us[1][i] / us[0][i];
	}
	for (s = 0; s < 2; s++)
		result->side[s] = quartiles(us[s], rounds);
	result->ratio = quartiles(ratio, rounds);
}

/* The rest of a row, after its name */
static void print_row(bool packed, unsigned int batch,
		      void (*measured)(const struct side side[2], unsigned int rounds,
				       struct result *result))
{
	struct range range[2] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		struct side side[2] = {
			side_of(&stock_plain, packed, batch, queues[i]),
			side_of(&ours_plain, packed, batch, queues[i]),
		};
		struct result result;

		measured(side, ROUNDS, &result);
		print_pair(&result, range);
	}
	print_range(range);
}

static void row_of_buffers(bool packed, unsigned int batch)
{
	printf("%-6s %9u", packed ? "packed" : "split", batch);
	print_row(packed, batch, measure);
}

static void row_of_queues(bool packed)
{
	printf("%-6s %9s", packed ? "packed" : "split", "");
	print_row(packed, 1, measure_life);
}

int main(void)
{
	unsigned int i;

	printf("ns for each request of 4 KiB (stock / ours), by queues that take turns\n");
	print_head();
	for (i = 0; i < 2 * ARRAY_SIZE(batches); i++)
		row_of_buffers(i >= ARRAY_SIZE(batches), batches[i % ARRAY_SIZE(batches)]);
	printf("\nus to make a queue of 256 and to give it back (stock / ours)\n");
	print_head();
	row_of_queues(false);
	row_of_queues(true);
	return 0;
}
