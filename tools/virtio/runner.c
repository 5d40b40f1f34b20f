// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests, each in a process of its own, some at a time, and reports
 * them in TAP.  Arguments are parts of names: only such tests are run. -l
 * lists the tests. Built with the base's ring, only the tests of its known
 * defects run, and each has to fail in the expected way; -a runs all tests, as
 * they are.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "queue.h"

#define TEST_SECONDS	60

#ifdef STOCK
#define IS_STOCK	true
#else
#define IS_STOCK	false
#endif

struct test {
	test_fn *fn;
	struct tq_config config;
	const char *stock;	/* defect: part of stock's message */
	char name[160];
	pid_t pid;
	FILE *output;
	int status;
	bool done;
};

/*
 * Each test is a process: no time for a large quarantine. What isn't freed is
 * for tests to find: shim.alloc_live.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=2:detect_leaks=0";
}

static struct test *tests;
static unsigned int num_tests;
static bool as_they_are;
static u64 random_state;
static const struct test *running_test;

const char *test_name(void)
{
	return running_test->name;
}

u32 rnd(void)
{
	/* Knuth's linear congruential generator: the upper half is good. */
	random_state = random_state * 6364136223846793005ULL +
		       1442695040888963407ULL;
	return random_state >> 32;
}

u32 rnd_below(u32 n)
{
	return (u64)rnd() * n >> 32;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (shim.errs)
		printf("# last of %u messages: %s\n", shim.errs, shim.last_err);
	fflush(stdout);
	_exit(1);
}

static void add(test_fn *fn, const struct tq_config *config, const char *stock,
		const char *name, va_list ap)
{
	struct test *test;

	tests = realloc(tests, (num_tests + 1) * sizeof(*tests));
	test = &tests[num_tests++];
	memset(test, 0, sizeof(*test));
	test->fn = fn;
	if (config)
		test->config = *config;
	test->stock = stock;
	vsnprintf(test->name, sizeof(test->name), name, ap);
}

void test_add(test_fn *fn, const struct tq_config *config, const char *name,
	      ...)
{
	va_list ap;

	if (IS_STOCK && !as_they_are)
		return;
	va_start(ap, name);
	add(fn, config, NULL, name, ap);
	va_end(ap);
}

void defect_add(test_fn *fn, const struct tq_config *config, const char *stock,
		const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	add(fn, config, stock, name, ap);
	va_end(ap);
}

/* Only a build that measures coverage has it; exit() would call it. */
int __llvm_profile_write_file(void) __attribute__((weak));

static void start(struct test *test)
{
	test->output = tmpfile();
	fflush(stdout);
	test->pid = test->output ? fork() : -1;
	if (test->pid < 0) {
		perror("cannot start a test: out of memory or disk space");
		exit(2);
	}
	if (test->pid)
		return;
	dup2(fileno(test->output), STDOUT_FILENO);
	dup2(fileno(test->output), STDERR_FILENO);
	alarm(TEST_SECONDS);
	random_state = 1;
	running_test = test;
	test->fn(&test->config);
	fflush(stdout);
	if (__llvm_profile_write_file)
		__llvm_profile_write_file();
	_exit(0);
}

/* Wait until one of the tests that run has ended. */
static void reap(void)
{
	unsigned int i;
	int status;
	pid_t pid;

	pid = wait(&status);
	for (i = 0; i < num_tests; i++) {
		if (pid > 0 && tests[i].pid == pid) {
			tests[i].status = status;
			tests[i].done = true;
		}
	}
}

static void print_output(const struct test *test, bool comment)
{
	char line[1000];

	rewind(test->output);
	while (fgets(line, sizeof(line), test->output))
		printf("%s%s", line[0] == '#' || !comment ? "" : "# ", line);
	if (WIFSIGNALED(test->status))
		printf("# ended by signal %d%s\n", WTERMSIG(test->status),
		       WTERMSIG(test->status) == SIGALRM ? ": no end" : "");
}

static bool output_has(const struct test *test, const char *text)
{
	char line[1000];

	rewind(test->output);
	while (fgets(line, sizeof(line), test->output))
		if (strstr(line, text))
			return true;
	return false;
}

static bool report(const struct test *test, unsigned int number)
{
	bool ok = !test->status;

	if (IS_STOCK && !as_they_are) {
		ok = test->status && output_has(test, test->stock);
		printf("%sok %u - stock has the defect: %s\n", ok ? "" : "not ",
		       number, test->name);
		print_output(test, true);
	} else {
		printf("%sok %u - %s\n", ok ? "" : "not ", number, test->name);
		print_output(test, true);
	}
	fclose(test->output);
	fflush(stdout);
	return ok;
}

static bool run_all(void)
{
	long jobs = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int started = 0, reported = 0, running = 0, failed = 0;

	printf("TAP version 13\n1..%u\n", num_tests);
	while (reported < num_tests) {
		while (started < num_tests && running < jobs &&
		       started < reported + 200) {
			start(&tests[started++]);
			running++;
		}
		if (running) {
			reap();
			running--;
		}
		while (reported < num_tests && tests[reported].done) {
			if (!report(&tests[reported], reported + 1))
				failed++;
			reported++;
		}
	}
	printf("# %u passed, %u failed\n", num_tests - failed, failed);
	return !failed;
}

/* Keep the tests that have one of @parts in their names. */
static void select_tests(char *parts[], int num)
{
	unsigned int i, kept = 0;
	int part;

	for (i = 0; i < num_tests; i++) {
		for (part = 0; part < num; part++)
			if (strstr(tests[i].name, parts[part]))
				break;
		if (part < num)
			tests[kept++] = tests[i];
	}
	num_tests = kept;
}

int main(int argc, char *argv[])
{
	bool list = false;
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "al")) != -1) {
		if (opt == 'a') {
			as_they_are = true;
		} else if (opt == 'l') {
			list = true;
		} else {
			fprintf(stderr,
				"usage: %s [-a] [-l] [PART OF A NAME...]\n",
				argv[0]);
			return 2;
		}
	}
	add_tests();
	if (optind < argc)
		select_tests(argv + optind, argc - optind);
	if (!num_tests) {
		fprintf(stderr, "no test has such a name; -l lists them\n");
		return 2;
	}
	if (list) {
		for (i = 0; i < num_tests; i++)
			printf("%s\n", tests[i].name);
		return 0;
	}
	return run_all() ? 0 : 1;
}
