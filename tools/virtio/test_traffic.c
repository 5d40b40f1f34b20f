// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random traffic with verified data on every combination of features and
 * sizes: buffers of all shapes, added in all ways, used in any order, around
 * the end of the ring many times, on a ring that is empty, full and between.
 */
#include "queue.h"

static void traffic(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	tq_traffic(tq, 1500);
	tq_delete(tq);
	check(!shim.errs && !shim.dev_warns, "a message: %s", shim.last_err);
}

static const unsigned int split_sizes[] = { 1, 2, 4, 8, 256 };
static const unsigned int packed_sizes[] = { 1, 2, 3, 4, 5, 7, 8, 255, 256 };

static void add_sizes(const struct tq_config *base)
{
	const unsigned int *sizes = base->packed ? packed_sizes : split_sizes;
	unsigned int count = base->packed ? ARRAY_SIZE(packed_sizes) :
					    ARRAY_SIZE(split_sizes);
	struct tq_config config = *base;
	unsigned int i;

	for (i = 0; i < count; i++) {
		config.num = sizes[i];
		config.notify_data = i % 2 && !config.legacy;
		test_add(traffic, &config, "traffic: %s", tq_name(&config));
	}
}

#ifndef STOCK
static void add_in_order(const struct tq_config *base)
{
	static const unsigned int sizes[] = { 1, 2, 8, 64 };
	struct tq_config config = *base;
	unsigned int i;

	config.in_order = true;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		config.num = sizes[i] - (config.packed && i > 1);
		config.ctx = i & 1;
		test_add(traffic, &config, "traffic: %s", tq_name(&config));
	}
}
#endif

/* What doesn't combine with everything else */
static void add_variants(const struct tq_config *base)
{
	struct tq_config config = *base;

	if (config.order || config.legacy)
		return;
	config.num = config.packed ? 13 : 16;
	config.ctx = true;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
	config.ctx = false;
#ifndef STOCK
	add_in_order(&config);
#endif
	config.no_callback = true;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
	config.no_callback = false;
	config.premapped = true;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
	if (!config.access)
		return;
	config.bounce = true;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
	config.premapped = false;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
	config.ctx = true;
	test_add(traffic, &config, "traffic: %s", tq_name(&config));
}

void traffic_tests(void)
{
	tq_all_configs(add_sizes);
	tq_all_configs(add_variants);
}
