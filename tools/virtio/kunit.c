// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the kernel's own tests of the rings (drivers/virtio/tests/ring*.c) on the
 * pretended IOMMU: each case with each of its parameters is a test, in a process
 * of its own.
 */
#include <kunit/test-bug.h>
#include <stdlib.h>
#include "../../drivers/virtio/tests/ring.h"
#include "queue.h"

static struct kunit current;

struct kunit *kunit_get_current_test(void)
{
	return &current;
}

/* A test's process ends soon, and this is none of the core's memory. */
void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return calloc(1, size);
}

static void clean_up(void)
{
	kunit_suite->exit(&current);
	tq_check_clean();
}

void kunit_end_test(void)
{
	clean_up();
	exit(0);
}

/* Memory of the queue */

void ring_init_memory(struct ring *ring)
{
	static struct device parent = { .name = "parent" };

	ring->parent = &parent;
	ring->vdev.dev.name = "ring_test";
	shim.bounce = ring->config & RING_ACCESS;
}

bool ring_bounces(const struct ring *ring)
{
	return shim.bounce;
}

/* @num is the number of the case, @num_max its parameter. */
static void run_case(const struct tq_config *config)
{
	current.param_value = (void *)(unsigned long)config->num_max;
	check(!kunit_suite->init(&current), "the suite's init fails");
	kunit_suite->test_cases[config->num].run_case(&current);
	clean_up();
}

static void add_case(unsigned int num)
{
	const struct kunit_case *kcase = &kunit_suite->test_cases[num];
	struct tq_config config = { .num = num };
	char desc[KUNIT_PARAM_DESC_SIZE];
	const void *param;

	for (param = kcase->generate_params(NULL, desc); param;
	     param = kcase->generate_params(param, desc)) {
		config.num_max = (unsigned long)param;
		test_add(run_case, &config, "%s: %s, %s", kunit_suite->name,
			 kcase->name, desc);
	}
}

void add_tests(void)
{
	unsigned int num;

	for (num = 0; kunit_suite->test_cases[num].run_case; num++)
		add_case(num);
}
