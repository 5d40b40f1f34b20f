/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_TEST_H
#define TOOLS_VIRTIO_TEST_H
/*
 * Tests, each run in a process of its own. A test passes when its function
 * returns; check() ends it with a message when something is wrong.
 */
#include <linux/compiler.h>
#include <linux/types.h>

struct tq_config;

typedef void test_fn(const struct tq_config *config);

/* Add a test. @config is copied; the name is formatted. */
void test_add(test_fn *fn, const struct tq_config *config, const char *name,
	      ...) __printf(3, 4);

/*
 * Add a test of a defect of stock 6.12. Built with the base's ring, the
 * program passes it if it fails and @stock is part of the message.
 */
void defect_add(test_fn *fn, const struct tq_config *config, const char *stock,
		const char *name, ...) __printf(4, 5);

__printf(3, 4) __noreturn
void test_fail(const char *file, int line, const char *fmt, ...);

#define check(cond, ...) do {						\
	if (__builtin_expect(!(cond), 0))				\
		test_fail(__FILE__, __LINE__, __VA_ARGS__);		\
} while (0)

/* Name of the test that runs */
const char *test_name(void);

/* Random numbers, the same in each run: of 32 bits, and below @n */
u32 rnd(void);
u32 rnd_below(u32 n);

/* True once in @n times. */
static inline bool one_in(u32 n)
{
	return !rnd_below(n);
}

/* A program adds all its tests here. */
void add_tests(void);

/* One function for each file of tests adds them. */
void traffic_tests(void);
void notify_tests(void);
void room_tests(void);
void failure_tests(void);
void misuse_tests(void);
void hostile_tests(void);
void lifecycle_tests(void);
void clause_tests(void);
void defect_tests(void);
void old_calls_tests(void);
void foreign_tests(void);
void example_tests(void);

#endif
