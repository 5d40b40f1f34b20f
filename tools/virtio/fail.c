// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a program that has no runner ends when a check fails.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "test.h"

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "error: %s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}
