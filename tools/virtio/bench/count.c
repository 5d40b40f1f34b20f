// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs each row a fixed number of times, for callgrind to count; dumps the
 * counts as "row|side". See the script instructions.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#define BATCHES 64

static void count(const struct core *core, const struct queue_config *config,
		  const struct load *load, const char *name)
{
	void *queue = core->create(config);
	struct device_side dev;
	char text[128];

	core->attach(queue, &dev);
	dev.chain = chain_of(load->shape);
	dev.written = shapes[load->shape].written;
	core->prepare(queue, load);
	core->run(queue, load, &dev, config->ring / load->batch + 1);

	snprintf(text, sizeof(text), "%s|%s|%u", name, core->name,
		 BATCHES * load->batch);
	CALLGRIND_ZERO_STATS;
	core->run(queue, load, &dev, BATCHES);
	CALLGRIND_DUMP_STATS_AT(text);
	core->destroy(queue);
}

/* Stock has neither pieces nor in-order rings: it does the same without. */
static void row(const char *note, struct queue_config config, struct load load)
{
	struct queue_config stock_config = config;
	struct load stock_load;
	char name[96];

	fit(&load, &config);
	stock_config.in_order = false;
	stock_load = load;
	stock_load.api = OLD;
	snprintf(name, sizeof(name), "%s %s %s%s",
		 config.packed ? "packed" : "split", shapes[load.shape].name,
		 config.indirect ? "indirect" : "direct", note);
	count(&stock_counted, &stock_config, &stock_load, name);
	count(&ours_counted, &config, &load, name);
}

static void rows_of(struct queue_config config, enum shape shape)
{
	struct load load = { .shape = shape, .batch = 16 };
	struct queue_config dma = config, quiet = config, in_order = config;
	struct load one = load, pieces = load, list = load, half = load;
	struct load on = load, call = load;

	dma.dma = true;
	quiet.event = false;
	in_order.in_order = true;
	one.batch = 1;
	pieces.api = PIECE;
	list.api = PIECE_SG;
	call.api = ONE_CALL;
	half.fill = config.ring / 2;
	on.callbacks = CB_ON;

	row("", config, load);
	row(", batch 1", config, one);
	row(", pieces", config, pieces);
	row(", pieces from a list", config, list);
	if (chain_of(shape) == 1)
		row(", one call", config, call);
	row(", no event index", quiet, load);
	row(", callbacks on", config, on);
	row(", DMA API", dma, load);
	row(", in order", in_order, load);
	row(", pieces, in order", in_order, pieces);
	if (config.indirect)
		row(", half full", config, half);
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < 2 * SHAPES * 2; i++) {
		struct queue_config config = {
			.ring = 256,
			.event = true,
			.packed = i >= SHAPES * 2,
			.indirect = i & 1,
		};
		enum shape shape = i / 2 % SHAPES;

		if (!config.indirect || chain_of(shape) > 1)
			rows_of(config, shape);
	}
	return 0;
}
