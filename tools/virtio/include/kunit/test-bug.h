/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_KUNIT_TEST_BUG_H
#define _SHIM_KUNIT_TEST_BUG_H
#include <kunit/test.h>

struct kunit *kunit_get_current_test(void);

#endif
