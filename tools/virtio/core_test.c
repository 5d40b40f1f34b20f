// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests of the ring core against the device of this folder.
 */
#include "test.h"

void add_tests(void)
{
	traffic_tests();
	notify_tests();
	room_tests();
	failure_tests();
	misuse_tests();
	hostile_tests();
	lifecycle_tests();
	clause_tests();
	defect_tests();
	old_calls_tests();
	foreign_tests();
	example_tests();
}
