// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the base's vringh_test.c and virtio_test.c want of the kernel under them.
 * vringh_test has a part of its memory for what a device reads: rings, tables and data.
 * It makes the ring, and expects the core to allocate a table for each buffer, which it
 * places by __kmalloc_fake. The core makes tables with the ring, and more of them later,
 * from a work.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../shim.h"
#include "../test.h"
#include "glue.h"

/* What the guest of --parallel has for tables, whole pages of it */
#define ROOM	(5 * PAGE_SIZE)

/* Cut from the beginning, and free again when nothing of it is in use */
struct place {
	void *start;
	size_t cut;
	unsigned int used;
};

static struct place at_ring, at_fake;

static void *place_cut(struct place *place, void *start, size_t room, size_t size)
{
	void *virt;

	if (!place->used) {
		place->start = start;
		place->cut = 0;
	}
	if (place->cut + size > room)
		return NULL;
	virt = place->start + place->cut;
	place->cut += size;
	place->used++;
	return memset(virt, 0, size);
}

static bool place_free(struct place *place, const void *virt)
{
	if (!place->used || virt < place->start || virt >= place->start + place->cut)
		return false;
	place->used--;
	return true;
}

/* The memory of a single process has nothing in its second quarter. */
static void *place_with_ring(size_t size)
{
	size_t quarter = (__user_addr_max - __user_addr_min) / 4;

	return place_cut(&at_ring, __user_addr_min + quarter, quarter, size);
}

void *__wrap_alloc_pages_exact(size_t size, gfp_t gfp)
{
	/* virtio_test shows all of its memory to the device. */
	if (!&__user_addr_min)
		return __real_alloc_pages_exact(size, gfp);
	if (__user_addr_min)
		return place_with_ring(size);
	return __kmalloc_fake ? place_cut(&at_fake, __kmalloc_fake, ROOM, size) : NULL;
}

void __wrap_free_pages_exact(void *virt, size_t size)
{
	if (!place_free(&at_ring, virt) && !place_free(&at_fake, virt))
		__real_free_pages_exact(virt, size);
}

/* Works run soon after they were asked for. */

int __wrap_virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			     unsigned int out_sgs, unsigned int in_sgs, void *data,
			     gfp_t gfp)
{
	int err = __real_virtqueue_add_sgs(vq, sgs, out_sgs, in_sgs, data, gfp);

	work_run();
	return err;
}

int __wrap_virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
				unsigned int num, void *data, gfp_t gfp)
{
	int err = __real_virtqueue_add_outbuf(vq, sg, num, data, gfp);

	work_run();
	return err;
}

int __wrap_virtqueue_add_inbuf(struct virtqueue *vq, struct scatterlist sg[],
			       unsigned int num, void *data, gfp_t gfp)
{
	int err = __real_virtqueue_add_inbuf(vq, sg, num, data, gfp);

	work_run();
	return err;
}

/* The device takes addresses as they are. */
__attribute__((constructor))
static void no_offset(void)
{
	shim_phys_offset = 0;
}

void vringh_says(const char *fmt, va_list ap)
{
	vfprintf(stderr, fmt, ap);
}

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}
