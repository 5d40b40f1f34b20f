// SPDX-License-Identifier: GPL-2.0-only
/* The rows of the benchmark, and their table */
#define _GNU_SOURCE
#include "measure.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const char * const api_names[APIS] = {
	"old", "old+list", "pieces sg", "pieces", "one call",
};

static const char * const callback_names[CB_MODES] = {
	"off", "batch", "on",
};

struct row {
	const char *group;
	const char *build;
	struct side side[2];
	double goal;		/* ratio to reach; 0: none */
	bool polled;
};

static struct {
	unsigned int rounds;
	bool quick;
	bool list;
	const char *match;
	FILE *csv;
	struct cpu_pair cpus;
	unsigned int missed;
} options = { .rounds = 101 };

/*
 * Ratios to stock that a prototype with the same checks reached: ring 256,
 * batch 16, one thread.
 */
static const double goals[2][2][SHAPES] = {
	/* 1 readable, 1 writable, net, block 4 KiB, block 128 KiB */
	{ { 0.73, 0.73, 0.68, 0.67, 0.42 }, { 0.73, 0.73, 0.50, 0.51, 0.30 } },
	{ { 0.63, 0.63, 0.63, 0.66, 0.43 }, { 0.63, 0.63, 0.50, 0.50, 0.34 } },
};

/* The same on two cores, for the rows that it was measured for */
static const double polled_goals[2][2][SHAPES] = {
	{ { [READABLE] = 0.47 }, { [BLOCK_4K] = 0.28, [BLOCK_128K] = 0.34 } },
	{ { [READABLE] = 0.74 }, { [BLOCK_4K] = 0.41, [BLOCK_128K] = 0.40 } },
};

static const char *layout_name(const struct queue_config *config)
{
	if (config->packed)
		return config->in_order ? "packed in-order" : "packed";
	return config->in_order ? "split in-order" : "split";
}

static void print_head(const char *group)
{
	static const char *last;

	if (last && !strcmp(last, group))
		return;
	last = group;
	printf("\n%s\n%-6s %-13s %-8s %-9s %5s %5s %3s %8s %8s %17s %6s %5s %5s\n",
	       group, "ring", "shape", "table", "api", "batch", "size", "ev",
	       "ns", "ns", "quartiles", "ratio", "goal", "tabl%");
}

static void print_row(const struct row *row, const struct result *result)
{
	const struct side *a = &row->side[0], *b = &row->side[1];
	double ratio = result->ratio.median;
	bool missed = row->goal && ratio > row->goal;
	char text[64];

	snprintf(text, sizeof(text), "[%.1f..%.1f]", result->side[1].low,
		 result->side[1].high);
	printf("%-6.6s %-13s %-8s %-9s %5u %5u %3s %8.1f %8.1f %17s %6.2f ",
	       layout_name(&b->config), shapes[b->load.shape].name,
	       a->config.indirect ? "indirect" : "direct",
	       api_names[b->load.api], b->load.batch, b->config.ring,
	       b->config.event ? "yes" : "no", result->side[0].median,
	       result->side[1].median, text, ratio);
	if (row->goal)
		printf("%5.2f%s", row->goal, missed ? "!" : " ");
	else
		printf("%6s", "");
	printf("%4.0f", 100 * result->tables[1]);
	if (row->polled)
		printf("  ping-pong %.0f", result->ping_pong);
	printf("\n");
	fflush(stdout);
	options.missed += missed;
}

static void csv_head(void)
{
	static const char * const columns[] = {
		"group", "build", "layout", "shape", "elements", "table",
		"batch", "ring", "event", "callbacks", "dma", "fill", "core_a",
		"api_a", "core_b", "api_b", "a_q1", "a_median", "a_q3", "b_q1",
		"b_median", "b_q3", "ratio_q1", "ratio", "ratio_q3", "goal",
		"a_tables", "b_tables", "ping_pong",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		fprintf(options.csv, "%s%s", i ? "," : "", columns[i]);
	fprintf(options.csv, "\n");
}

static const char *core_name(const struct side *side)
{
	return side->core ? side->core->name : "bare";
}

static void csv_quartiles(const struct quartiles *q)
{
	fprintf(options.csv, "%.3f,%.3f,%.3f,", q->low, q->median, q->high);
}

static void csv_row(const struct row *row, const struct result *result)
{
	const struct side *a = &row->side[0], *b = &row->side[1];

	if (!options.csv)
		return;
	fprintf(options.csv, "%s,%s,%s,%s,%u,%s,%u,%u,%d,%s,%d,%u,%s,%s,%s,%s,",
		row->group, row->build, layout_name(&b->config),
		shapes[b->load.shape].name, chain_of(b->load.shape),
		a->config.indirect ? "indirect" : "direct", b->load.batch,
		b->config.ring, b->config.event,
		callback_names[b->load.callbacks], b->config.dma, b->load.fill,
		core_name(a), api_names[a->load.api],
		core_name(b), api_names[b->load.api]);
	csv_quartiles(&result->side[0]);
	csv_quartiles(&result->side[1]);
	csv_quartiles(&result->ratio);
	fprintf(options.csv, "%.2f,%.2f,%.2f,%.0f\n", row->goal,
		result->tables[0], result->tables[1], result->ping_pong);
	fflush(options.csv);
}

static bool selected(const struct row *row)
{
	char name[256];

	if (!options.match)
		return true;
	snprintf(name, sizeof(name), "%s %s %s %s %s", row->group,
		 layout_name(&row->side[1].config),
		 shapes[row->side[1].load.shape].name,
		 row->side[0].config.indirect ? "indirect" : "direct",
		 api_names[row->side[1].load.api]);
	return strstr(name, options.match);
}

static void run_row(struct row *row)
{
	struct result result = {};
	unsigned int s;

	if (!selected(row))
		return;
	for (s = 0; s < 2; s++)
		fit(&row->side[s].load, &row->side[s].config);
	if (row->polled) {
		if (options.cpus.driver < 0)
			return;
		for (s = 0; s < 2; s++)
			row->side[s].load.requests = row->side[s].config.ring;
		measure_polled(row->side, &options.cpus, options.rounds,
			       &result);
	} else {
		measure(row->side, options.rounds, &result);
	}
	print_head(row->group);
	print_row(row, &result);
	csv_row(row, &result);
}

/* Ours against stock, both with this configuration and load */
static void compare(const char *group, const struct queue_config *config,
		    const struct load *load, enum api stock_api, double goal)
{
	struct row row = {
		.group = group,
		.build = "plain",
		.side = {
			{ &stock_plain, *config, *load },
			{ &ours_plain, *config, *load },
		},
		.goal = goal,
	};

	row.side[0].load.api = stock_api;
	run_row(&row);
}

static double goal_of(const struct queue_config *config,
		      const struct load *load)
{
	if (load->batch == 1)
		return 0.95;
	return goals[config->packed][config->indirect][load->shape];
}

struct maker {
	void (*row)(struct queue_config *config, struct load *load,
		    const void *data);
	const void *data;
};

/* Makes a row for each layout, shape, and with or without tables. */
static void make_rows(struct maker maker)
{
	struct queue_config config;
	struct load load;
	unsigned int i;

	for (i = 0; i < 2 * SHAPES * 2; i++) {
		config = (struct queue_config) {
			.ring = 256,
			.event = true,
			.packed = i >= SHAPES * 2,
			.indirect = i & 1,
		};
		load = (struct load) {
			.shape = i / 2 % SHAPES,
			.batch = 16,
		};
		/* One element never takes a table. */
		if (config.indirect && chain_of(load.shape) == 1)
			continue;
		maker.row(&config, &load, maker.data);
	}
}

static void row_quick(struct queue_config *config, struct load *load,
		      const void *batch)
{
	load->batch = *(const unsigned int *)batch;
	compare(load->batch == 1 ? "quick: batch 1" : "quick: batch 16",
		config, load, OLD, goal_of(config, load));
}

static void row_quick_pieces(struct queue_config *config, struct load *load,
			     const void *data)
{
	load->api = PIECE;
	compare("quick: pieces, no list, against the old call without building its list",
		config, load, OLD, goal_of(config, load));
}

/* Tables on both sides: the ring is half full all the time. */
static void row_full(struct queue_config *config, struct load *load,
		     const void *data)
{
	if (!config->indirect)
		return;
	load->fill = config->ring / 2;
	compare("ring half full", config, load, OLD, goal_of(config, load));
}

/* Stock has the old calls only. */
static void row_polled(struct queue_config *config, struct load *load,
		       const void *data)
{
	struct row row = {
		.group = "two cores",
		.build = "plain",
		.side = {
			{ &stock_plain, *config, *load },
			{ &ours_plain, *config, *load },
		},
		.goal = polled_goals[config->packed][config->indirect][load->shape],
		.polled = true,
	};

	row.side[1].load.api = *(const enum api *)data;
	run_row(&row);
}

static void find_cpus(void)
{
	options.cpus = find_cpu_pair();
	if (options.cpus.driver < 0) {
		printf("two cores: skipped, there is one CPU only\n");
		return;
	}
	printf("two cores: CPUs %d and %d, ping-pong %.0f ns\n",
	       options.cpus.driver, options.cpus.device,
	       options.cpus.ping_pong);
}

static void quick(void)
{
	static const unsigned int batches[] = { 16, 1 };
	static const enum api api = PIECE;

	make_rows((struct maker) { .row = row_quick, .data = &batches[0] });
	make_rows((struct maker) { .row = row_full });
	make_rows((struct maker) { .row = row_quick_pieces });
	make_rows((struct maker) { .row = row_quick, .data = &batches[1] });
	make_rows((struct maker) { .row = row_polled, .data = &api });
}

static void row_driver(struct queue_config *config, struct load *load,
		       const void *data)
{
	static const unsigned int batches[] = { 1, 16, 64 };
	unsigned int i;

	for (i = 0; i < 3 * 2 * 2; i++) {
		struct queue_config c = *config;
		struct load l = *load;

		l.batch = batches[i % 3];
		c.ring = i / 3 % 2 ? 1024 : 256;
		c.event = i / 6;
		l.api = *(const enum api *)data;
		compare("driver alone", &c, &l, OLD,
			c.ring == 256 && l.batch <= 16 ? goal_of(&c, &l) : 1.0);
	}
}

static void row_list(struct queue_config *config, struct load *load,
		     const void *data)
{
	load->api = OLD_LIST;
	compare("building the list for each request", config, load, OLD_LIST,
		1.0);
	load->api = PIECE;
	compare("building the list for each request", config, load, OLD_LIST,
		1.0);
}

static void row_variant(struct queue_config *config, struct load *load,
			const void *data)
{
	const struct row *variant = data;
	struct row row = *variant;
	unsigned int s;

	/* Stock with checks takes its own END_USE() twice for a bug here. */
	if (row.side[0].core == &stock_debug && config->packed &&
	    config->indirect)
		return;

	for (s = 0; s < 2; s++) {
		bool in_order = row.side[s].config.in_order;
		bool dma = row.side[s].config.dma;
		enum callbacks callbacks = row.side[s].load.callbacks;

		row.side[s].config = *config;
		row.side[s].load = *load;
		row.side[s].config.in_order = in_order;
		row.side[s].config.dma = dma;
		row.side[s].load.callbacks = callbacks;
	}
	run_row(&row);
}

static const struct row variants[] = {
	{ "DMA API", "plain",
	  { { .core = &stock_plain, .config.dma = true },
	    { .core = &ours_plain, .config.dma = true } }, 1.0, false },
	{ "retpolines", "retpoline",
	  { { .core = &stock_retpoline }, { .core = &ours_retpoline } },
	  1.0, false },
	{ "build with checks", "debug",
	  { { .core = &stock_debug }, { .core = &ours_debug } }, 1.0, false },
	{ "callbacks off for each batch", "plain",
	  { { .core = &stock_plain, .load.callbacks = CB_BATCH },
	    { .core = &ours_plain, .load.callbacks = CB_BATCH } }, 1.0, false },
	{ "callbacks always on", "plain",
	  { { .core = &stock_plain, .load.callbacks = CB_ON },
	    { .core = &ours_plain, .load.callbacks = CB_ON } }, 1.0, false },
	{ "in-order against out-of-order (both ours)", "plain",
	  { { .core = &ours_plain },
	    { .core = &ours_plain, .config.in_order = true } }, 1.0, false },
	{ "bare loop against stock: the limit", "plain",
	  { { .core = &stock_plain }, { .core = NULL } }, 0, false },
};

static void full(void)
{
	static const enum api apis[] = { OLD, PIECE_SG, PIECE };
	unsigned int i;

	for (i = 0; i < 3; i++)
		make_rows((struct maker) { .row = row_driver, .data = &apis[i] });
	make_rows((struct maker) { .row = row_full });
	make_rows((struct maker) { .row = row_list });
	for (i = 0; i < ARRAY_SIZE(variants); i++)
		make_rows((struct maker) { .row = row_variant, .data = &variants[i] });
	for (i = 0; i < 3; i++)
		make_rows((struct maker) { .row = row_polled, .data = &apis[i] });
}

static void open_csv(const char *name)
{
	options.csv = fopen(name, "w");
	if (!options.csv) {
		fprintf(stderr, "error: cannot write %s\n", name);
		exit(1);
	}
	csv_head();
}

static void usage(void)
{
	fprintf(stderr,
		"options: [--quick] [--rounds N] [--match TEXT] [--csv FILE]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "match", required_argument, NULL, 'm' },
		{ "csv", required_argument, NULL, 'c' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'q')
			options.quick = true;
		else if (c == 'r' && atoi(optarg) > 3)
			options.rounds = atoi(optarg);
		else if (c == 'm')
			options.match = optarg;
		else if (c == 'c')
			open_csv(optarg);
		else
			usage();
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	printf("ns for each buffer: stock, ours; ratio of ours to stock; !: goal missed\n");
	find_cpus();
	if (options.cpus.driver >= 0)
		pin(options.cpus.driver);
	if (options.quick)
		quick();
	else
		full();
	printf("\n%u rows above their goal\n", options.missed);
	return 0;
}
