/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_KUNIT_TEST_H
#define _SHIM_KUNIT_TEST_H
/*
 * As much of KUnit as the kernel's tests of the rings need: see kunit.c. Here
 * an expectation ends the test like an assertion.
 */
#include <linux/err.h>
#include <linux/types.h>
#include <stdio.h>
#include "../../test.h"

#define KUNIT_PARAM_DESC_SIZE	128

struct kunit {
	void *priv;
	const void *param_value;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

/* The suite that the program has */
extern const struct kunit_suite *const kunit_suite;

#define kunit_test_suite(suite)	\
	const struct kunit_suite *const kunit_suite = &(suite)
#define KUNIT_CASE_PARAM(fn, params) \
	{ .run_case = fn, .name = #fn, .generate_params = params }

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp);
__noreturn void kunit_end_test(void);

#define kunit_skip(test, ...)	({ (void)(test); kunit_end_test(); })

#define KUNIT_ASSERT_TRUE_MSG(test, cond, ...) \
	do { (void)(test); check(cond, __VA_ARGS__); } while (0)
#define KUNIT_ASSERT_TRUE(test, cond) \
	KUNIT_ASSERT_TRUE_MSG(test, cond, "not true: %s", #cond)
#define KUNIT_ASSERT_FALSE(test, cond) \
	KUNIT_ASSERT_TRUE_MSG(test, !(cond), "true: %s", #cond)
#define KUNIT_ASSERT_EQ(test, want, is) \
	KUNIT_ASSERT_TRUE_MSG(test, (want) == (is), "%s is not %s", #is, #want)
#define KUNIT_ASSERT_PTR_NE(test, a, b) \
	KUNIT_ASSERT_TRUE_MSG(test, (a) != (b), "%s is %s", #a, #b)
#define KUNIT_ASSERT_NOT_NULL(test, p)	KUNIT_ASSERT_PTR_NE(test, p, NULL)
#define KUNIT_EXPECT_TRUE	KUNIT_ASSERT_TRUE
#define KUNIT_EXPECT_FALSE	KUNIT_ASSERT_FALSE
#define KUNIT_EXPECT_EQ		KUNIT_ASSERT_EQ
#define KUNIT_EXPECT_NULL(test, p)	KUNIT_ASSERT_EQ(test, NULL, p)

#endif
