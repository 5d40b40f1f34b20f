/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING_TEST_H
#define RING_TEST_H
/* How the device's side ends a test */
#include <kunit/test.h>
#include <kunit/test-bug.h>

#define check(cond, fmt, ...) \
	KUNIT_ASSERT_TRUE_MSG(kunit_get_current_test(), cond, fmt, \
			      ##__VA_ARGS__)

#endif
