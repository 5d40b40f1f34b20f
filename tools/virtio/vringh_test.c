// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core against the base's drivers/vhost/vringh.c, compiled as it is: a
 * device that nobody here wrote. It knows the split layout only. Traffic
 * with verified data on every combination of options, through both of its
 * interfaces: for rings in user space, which translates addresses, and for
 * rings in the kernel.
 */
#include <stdio.h>
#include "queue.h"
#include <linux/vringh.h>

#define IOVS	4	/* few: vringh has to make room for more */

static struct vringh vrh;
static struct device_queue translate; /* to translate addresses */
static bool in_kernel;

void vringh_says(const char *fmt, va_list ap)
{
	char text[200];

	vsnprintf(text, sizeof(text), fmt, ap);
	test_fail(__FILE__, __LINE__, "vringh: %s", text);
}

/* What is mapped at an address for the device */
static bool getrange(struct vringh *vrh, u64 addr, struct vringh_range *range)
{
	size_t span = translate.iommu ? shim_dma_span(addr) : 1UL << 30;
	u64 cpu;

	if (!span)
		return false;
	if (translate.iommu)
		cpu = (unsigned long)shim_dma_to_cpu(addr, 1, DMA_NONE);
	else
		cpu = (unsigned long)shim_phys_to_cpu(addr, 1);
	range->start = addr;
	range->end_incl = addr + span - 1;
	range->offset = cpu - addr;
	return true;
}

static void add_elems(struct device_buf *buf, const struct iovec *iov,
		      unsigned int count, bool write)
{
	while (count--) {
		device_add_elem(buf, (unsigned long)iov->iov_base,
				iov->iov_len, write);
		iov++;
	}
}

/* The layouts of iovec and kvec are the same; vringh relies on that as well. */
static void vringh_pop(struct device_queue *dq, struct device_buf *buf)
{
	struct iovec riovs[IOVS], wiovs[IOVS];
	struct vringh_iov riov, wiov;
	u16 head;
	int ret;

	vringh_iov_init(&riov, riovs, IOVS);
	vringh_iov_init(&wiov, wiovs, IOVS);
	if (in_kernel)
		ret = vringh_getdesc_kern(&vrh, (struct vringh_kiov *)&riov,
					  (struct vringh_kiov *)&wiov, &head,
					  GFP_KERNEL);
	else
		ret = vringh_getdesc_user(&vrh, &riov, &wiov, getrange, &head);
	check(ret == 1, "vringh: getdesc returns %d", ret);
	buf->id = head;
	buf->descs = 1;
	buf->steps = 1;
	add_elems(buf, riov.iov, riov.used, false);
	add_elems(buf, wiov.iov, wiov.used, true);
	vringh_iov_cleanup(&riov);
	vringh_iov_cleanup(&wiov);
	dq->popped++;
}

static void vringh_put_used(struct device_queue *dq, u32 id, u32 len,
			    u16 steps)
{
	int err = in_kernel ? vringh_complete_kern(&vrh, id, len) :
			      vringh_complete_user(&vrh, id, len);

	check(!err, "vringh: complete returns %d", err);
	dq->used++;
}

static void vringh_forget(struct device_queue *dq,
			  const struct device_buf *buf)
{
}

static void vringh_set_kicks(struct device_queue *dq)
{
	bool on = dq->kicks != KICKS_OFF;

	if (in_kernel && on)
		vringh_notify_enable_kern(&vrh);
	else if (in_kernel)
		vringh_notify_disable_kern(&vrh);
	else if (on)
		vringh_notify_enable_user(&vrh);
	else
		vringh_notify_disable_user(&vrh);
}

static bool vringh_wants_irq(struct device_queue *dq, u64 old, u64 new)
{
	int ret = in_kernel ? vringh_need_notify_kern(&vrh) :
			      vringh_need_notify_user(&vrh);

	check(ret >= 0, "vringh: need_notify returns %d", ret);
	return ret;
}

/* vringh doesn't tell what is available, nor whether a kick is needed. */
static u64 vringh_look(struct device_queue *dq)
{
	return device_split.look(dq);
}

static bool vringh_wants_kick(struct device_queue *dq, u64 old, u64 new)
{
	return device_split.wants_kick(dq, old, new);
}

static u16 vringh_notify_data(const struct device_queue *dq, u64 pos)
{
	return pos;
}

static const struct device_ops device_vringh = {
	.look = vringh_look,
	.pop = vringh_pop,
	.put_used = vringh_put_used,
	.forget = vringh_forget,
	.set_kicks = vringh_set_kicks,
	.wants_kick = vringh_wants_kick,
	.wants_irq = vringh_wants_irq,
	.notify_data = vringh_notify_data,
};

static void *ring_part(u64 addr)
{
	if (translate.iommu)
		return shim_dma_to_cpu(addr, 1, DMA_NONE);
	return shim_phys_to_cpu(addr, 1);
}

/* Put vringh in the place of the device of this folder. */
static void attach_vringh(struct tq *tq)
{
	struct device_queue *dq = &tq->dq;
	void *desc, *avail, *used;
	int err;

	translate = *dq;
	desc = ring_part(dq->desc);
	avail = ring_part(dq->driver);
	used = ring_part(dq->device);
	if (in_kernel)
		err = vringh_init_kern(&vrh, tq->vdev.features, dq->num,
				       !tq->config.order, desc, avail, used);
	else
		err = vringh_init_user(&vrh, tq->vdev.features, dq->num,
				       !tq->config.order, desc, avail, used);
	check(!err, "vringh: init returns %d", err);
	dq->ops = &device_vringh;
	dq->driver = (unsigned long)avail;
	dq->device = (unsigned long)used;
	dq->cpu_addrs = true;
}

static void run(const struct tq_config *config)
{
	struct tq *tq;
	unsigned int round;

	tq_attach_hook = attach_vringh;
	if (in_kernel)
		shim_phys_offset = 0;
	tq = tq_new(config);
	tq_traffic(tq, 1500);

	/* And with callbacks: one buffer for each */
	for (round = 0; round < 1000; round++) {
		virtqueue_disable_cb(tq->vq);
		check(virtqueue_enable_cb(tq->vq), "a phantom");
		tq_must_add(tq, tq->dq.num > 1, 1, round % HOWS);
		tq_kick(tq);
		check(tq_pop(tq), "vringh sees no buffer");
		tq_use_some(tq, 0);
		check(tq_irq(tq), "no interrupt for buffer %u", round);
		check(tq_get(tq), "the interrupt came for nothing");
	}
	tq_delete(tq);
	check(!shim.errs && !shim.dev_warns, "a message: %s", shim.last_err);
}

static void run_user(const struct tq_config *config)
{
	run(config);
}

static void run_kernel(const struct tq_config *config)
{
	in_kernel = true;
	run(config);
}

static void add_tests_for(const struct tq_config *base)
{
	static const unsigned int sizes[] = { 1, 2, 8, 256 };
	struct tq_config config = *base;
	unsigned int i;

	if (config.packed)
		return;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		config.num = sizes[i];
		test_add(run_user, &config, "vringh: user, %s",
			 tq_name(&config));
		if (!config.access)
			test_add(run_kernel, &config, "vringh: kernel, %s",
				 tq_name(&config));
	}
	if (!config.access)
		return;
	config.bounce = true;
	test_add(run_user, &config, "vringh: user, %s", tq_name(&config));
}

void add_tests(void)
{
	tq_all_configs(add_tests_for);
}
