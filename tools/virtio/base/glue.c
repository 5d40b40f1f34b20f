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

/*
 * vringh_test looks for a buffer that was added and not kicked, as the base's core
 * publishes each buffer at once; that is more than virtqueue_kick() promises, and
 * ours does it when it is kicked.  So this publishes for it, and keeps in mind
 * whether a kick has to notify.
 */
static bool must_notify;

static int publish(struct virtqueue *vq, int err)
{
	if (!err)
		must_notify |= virtqueue_kick_prepare(vq);
	return err;
}

int __wrap_virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
				unsigned int num, void *data, gfp_t gfp)
{
	return publish(vq, __real_virtqueue_add_outbuf(vq, sg, num, data, gfp));
}

int __wrap_virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			     unsigned int out_sgs, unsigned int in_sgs,
			     void *data, gfp_t gfp)
{
	return publish(vq, __real_virtqueue_add_sgs(vq, sgs, out_sgs, in_sgs,
						    data, gfp));
}

bool __wrap_virtqueue_kick(struct virtqueue *vq)
{
	bool notify = must_notify;

	must_notify = false;
	return notify ? virtqueue_notify(vq) : __real_virtqueue_kick(vq);
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
