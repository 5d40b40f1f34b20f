// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the base's vringh_test.c and virtio_test.c want of the kernel under them.
 * They place the memory that the core allocates for a device themselves, through
 * __kmalloc_fake, and know one table there; the core takes pages for many.  So the
 * first place is where pages are cut from.
 */
#include <linux/mm.h>
#include <linux/virtio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "../shim.h"
#include "../test.h"
#include "glue.h"

#define PLACES	5

static void *first_place;
static unsigned int places;

void *__wrap_alloc_pages_exact(size_t size, gfp_t gfp)
{
	if (!__kmalloc_fake)
		return __real_alloc_pages_exact(size, gfp);
	if (!first_place)
		first_place = __kmalloc_fake;
	check(places < PLACES && size == PAGE_SIZE,
	      "no place for %zu bytes of tables", size);
	return first_place + places++ * PAGE_SIZE;
}

void __wrap_free_pages_exact(void *virt, size_t size)
{
	if (virt < first_place || virt >= first_place + PLACES * PAGE_SIZE)
		__real_free_pages_exact(virt, size);
	else if (!--places)
		first_place = NULL;
}

/* The device takes addresses as they are. */
__attribute__((constructor))
static void no_offset(void)
{
	shim_phys_offset = 0;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

void vringh_says(const char *fmt, va_list ap)
{
	vfprintf(stderr, fmt, ap);
}

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}
