// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a fuzzer says that a check failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "fuzz.h"

/* Ends the program: the input is what libFuzzer keeps. */
void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nlast of %u messages: %s\n", shim.errs, shim.last_err);
	abort();
}
