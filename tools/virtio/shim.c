// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small kernel under the core: memory that is counted and can fail,
 * messages that are kept, warnings, barriers, scatterlists.
 */
#include <linux/device.h>
#include <linux/kmsan.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include "shim.h"
#include "test.h"

struct shim shim;
bool shim_xen;
u64 shim_phys_offset = 1ULL << 52;

/* Memory */

bool shim_alloc_fails(void)
{
	shim.alloc_calls++;
	if (shim.alloc_fail_all)
		return true;
	return shim.alloc_fail_at && !--shim.alloc_fail_at;
}

void *shim_alloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || shim_alloc_fails())
		return NULL;
	p = malloc(bytes);
	check(p, "out of memory");
	memset(p, (unsigned int)gfp & __GFP_ZERO ? 0 : 0xa5, bytes);
	shim.alloc_live++;
	return p;
}

void shim_free(const void *p)
{
	if (!p)
		return;
	shim.alloc_live--;
	free((void *)p);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	void *p;

	if (shim_alloc_fails())
		return NULL;
	p = aligned_alloc(PAGE_SIZE, PAGE_ALIGN(size));
	check(p, "out of memory");
	memset(p, (unsigned int)gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_ALIGN(size));
	shim.alloc_live++;
	return p;
}

void free_pages_exact(void *virt, size_t size)
{
	shim_free(virt);
}

/* Work */

static struct work_struct *works, *delayed_works;

static bool enqueue(struct work_struct **list, struct work_struct *work)
{
	if (work->queued || work->disabled)
		return false;
	while (*list)
		list = &(*list)->next;
	*list = work;
	work->next = NULL;
	work->queued = true;
	return true;
}

static bool dequeue(struct work_struct **list, struct work_struct *work)
{
	if (!work->queued)
		return false;
	while (*list != work)
		list = &(*list)->next;
	*list = work->next;
	work->queued = false;
	return true;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return enqueue(&works, work);
}

bool cancel_work_sync(struct work_struct *work)
{
	return dequeue(&works, work);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	return enqueue(&delayed_works, &work->work);
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	return dequeue(&delayed_works, &work->work);
}

bool flush_work(struct work_struct *work)
{
	if (!cancel_work_sync(work))
		return false;
	work->fn(work);
	return true;
}

/* As if it had run just before that */
bool disable_work_sync(struct work_struct *work)
{
	work->disabled++;
	return flush_work(work);
}

bool work_waits(void)
{
	return works;
}

bool work_step(void)
{
	return works && flush_work(works);
}

bool work_run(void)
{
	unsigned int left = 64;

	while (left-- && work_step())
		;
	return !works;
}

void time_passes(void)
{
	struct work_struct *due = delayed_works, *work;

	for (work = due; work; work = work->next)
		work->queued = false;
	delayed_works = NULL;
	while ((work = due)) {
		due = work->next;
		work->fn(work);
	}
}

/* Messages */

void shim_dev_err(const struct device *dev, const char *fmt, ...)
{
	va_list ap;

	shim.errs++;
	va_start(ap, fmt);
	vsnprintf(shim.last_err, sizeof(shim.last_err), fmt, ap);
	va_end(ap);
}

void shim_dev_warn(const struct device *dev, const char *fmt, ...)
{
	shim.dev_warns++;
}

void shim_dev_info(const struct device *dev, const char *fmt, ...)
{
	shim.dev_infos++;
}

void shim_bug(const char *file, int line, const char *what)
{
	test_fail(file, line, "BUG: %s", what);
}

void shim_warn(const char *file, int line, const char *what)
{
	shim.warns++;
	if (!shim.expect_warns)
		test_fail(file, line, "WARN: %s", what);
}

/* Where the device may act */

void shim_point(void)
{
	if (unlikely(shim.point))
		shim.point();
}

void shim_barrier(enum shim_barrier kind, bool smp)
{
	shim.barriers[kind][smp]++;
	shim_point();
	barrier();
}

void kmsan_handle_dma(struct page *page, size_t offset, size_t size,
		      enum dma_data_direction dir)
{
	shim.kmsan_calls++;
}

/* Scatterlists: lib/scatterlist.c has much more that nothing here needs. */

struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg_is_last(sg))
		return NULL;
	sg++;
	return sg_is_chain(sg) ? sg_chain_ptr(sg) : sg;
}

int sg_nents(struct scatterlist *sg)
{
	int n;

	for (n = 0; sg; sg = sg_next(sg))
		n++;
	return n;
}

void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	memset(sgl, 0, nents * sizeof(*sgl));
	sg_init_marker(sgl, nents);
}

void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_init_table(sg, 1);
	sg_set_buf(sg, buf, len);
}
