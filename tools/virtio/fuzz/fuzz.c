// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's side of the fuzzer, for libFuzzer: makes a queue, does what the
 * input says with it, and checks after each step that the driver could not be
 * made to lose, to get twice or to overrun anything.
 */
#include <linux/slab.h>
#include <stdlib.h>
#include <string.h>
#include <linux/workqueue.h>
#include "../../../drivers/virtio/virtio_ring_internal.h"
#include "fuzz.h"

struct fuzz fuzz;

/* Buffers are parts of this. */
static u8 memory[4 * 4096] __aligned(4096);

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}

/* The transport */

static bool notify(struct virtqueue *vq)
{
	return !fuzz.notify_fails;
}

static void callback(struct virtqueue *vq)
{
	virtqueue_disable_cb(vq);
}

static int disable_queue(struct virtqueue *vq)
{
	if (fuzz.reset_fails)
		return -EIO;
	/* The device is stopped from here on. */
	call_end();
	return 0;
}

static int enable_queue(struct virtqueue *vq)
{
	liar_attach(0);
	return fuzz.enable_fails ? -EIO : 0;
}

static u8 get_status(struct virtio_device *vdev)
{
	return VIRTIO_CONFIG_S_DRIVER_OK;
}

static const struct virtio_config_ops config_ops = {
	.get_status = get_status,
	.disable_vq_and_reset = disable_queue,
	.enable_vq_after_reset = enable_queue,
};

/* Invariants */

static void check_queue(void)
{
	bool broken = virtqueue_is_broken(fuzz.vq);
	unsigned int taken = 0, i;

	for (i = 0; i < fuzz.count; i++)
		taken += fuzz.order[i]->taken;
	check(taken + fuzz.vq->num_free == fuzz.num,
	      "%u taken and %u free of %u", taken, fuzz.vq->num_free, fuzz.num);
	check(shim.errs <= 1, "%u messages", shim.errs);
	check(!shim.errs || broken, "a message, and the queue is not broken");
	check(shim.errs || !broken || fuzz.broken_by_us,
	      "the queue broke without a message");
	check(shim.warns == fuzz.warns, "a warning");
	liar_look();
}

/* A buffer is the driver's again. */
static void take_back(struct fuzz_buf *buf)
{
	unsigned int i, n;

	check(buf >= fuzz.bufs && buf < fuzz.bufs + FUZZ_MAX_BUFS &&
	      ((char *)buf - (char *)fuzz.bufs) % sizeof(*buf) == 0,
	      "a token that was never given");
	check(buf->in_flight, "a token came back twice");
	for (i = 0; fuzz.order[i] != buf; i++)
		;
	fuzz.count--;
	for (; i < fuzz.count; i++)
		fuzz.order[i] = fuzz.order[i + 1];
	buf->in_flight = false;

	for (n = 0; n < buf->out + buf->in; n++) {
		if (!buf->elem[n].mapped)
			continue;
		virtqueue_dma_unmap_single_attrs(fuzz.vq, buf->elem[n].dma,
						 buf->elem[n].len,
						 n < buf->out ? DMA_TO_DEVICE :
								DMA_FROM_DEVICE,
						 0);
	}
}

/* Adding buffers */

static struct fuzz_buf *buf_new(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_MAX_BUFS; i++)
		if (!fuzz.bufs[i].in_flight)
			break;
	check(i < FUZZ_MAX_BUFS, "test: too many buffers");
	memset(&fuzz.bufs[i], 0, sizeof(fuzz.bufs[i]));
	return &fuzz.bufs[i];
}

static void *elem_data(const struct fuzz_buf *buf, unsigned int n)
{
	return memory + (buf - fuzz.bufs) * FUZZ_MAX_ELEMS + n;
}

static enum dma_data_direction elem_dir(const struct fuzz_buf *buf,
					unsigned int n)
{
	return n < buf->out ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

static void elem_map(struct fuzz_buf *buf, unsigned int n)
{
	struct fuzz_elem *elem = &buf->elem[n];
	unsigned long fail_at = shim.map_fail_at;

	/* The failures are for the core. */
	shim.map_fail_at = 0;
	elem->dma = virtqueue_dma_map_single_attrs(fuzz.vq, elem_data(buf, n),
						   elem->len, elem_dir(buf, n),
						   0);
	shim.map_fail_at = fail_at;
	elem->mapped = true;
}

static void set_sg(struct fuzz_buf *buf, struct scatterlist *sg, unsigned int n)
{
	sg_set_buf(sg, elem_data(buf, n), buf->elem[n].len);
	if (fuzz.premapped) {
		elem_map(buf, n);
		sg_dma_address(sg) = buf->elem[n].dma;
	}
}

/* Lists of readable and of writable elements, cut where @cut says */
static void build_lists(struct fuzz_buf *buf, struct scatterlist *sg,
			struct scatterlist *sgs[], unsigned int lists[2],
			u8 cut)
{
	unsigned int num = buf->out + buf->in, total = 0, n;

	lists[0] = 0;
	lists[1] = 0;
	sg_init_table(sg, num);
	for (n = 0; n < num; n++) {
		set_sg(buf, &sg[n], n);
		if (!n || n == buf->out || cut >> n % 8 & 1) {
			sgs[total++] = &sg[n];
			lists[n >= buf->out]++;
			if (n)
				sg_mark_end(&sg[n - 1]);
		}
	}
}

static int add_old(struct fuzz_buf *buf, u8 how)
{
	struct scatterlist sg[FUZZ_MAX_ELEMS], *sgs[FUZZ_MAX_ELEMS];
	unsigned int lists[2];

	build_lists(buf, sg, sgs, lists, how);
	if (!buf->in && lists[0] == 1)
		return virtqueue_add_outbuf(fuzz.vq, sg, buf->out, buf,
					    GFP_ATOMIC);
	if (!buf->out && lists[1] == 1 && fuzz.with_ctx) {
		buf->ctx = buf;
		return virtqueue_add_inbuf_ctx(fuzz.vq, sg, buf->in, buf, buf,
					       GFP_ATOMIC);
	}
	if (!buf->out && lists[1] == 1)
		return virtqueue_add_inbuf(fuzz.vq, sg, buf->in, buf,
					   GFP_ATOMIC);
	return virtqueue_add_sgs(fuzz.vq, sgs, lists[0], lists[1], buf,
				 GFP_ATOMIC);
}

static void add_piece(struct fuzz_buf *buf, unsigned int n, u8 how)
{
	enum dma_data_direction dir = elem_dir(buf, n);
	struct bvec_iter iter = { .bi_size = buf->elem[n].len };
	void *data = elem_data(buf, n);
	struct scatterlist sg;
	struct bio_vec bvec;

	switch (how % 3) {
	case 0:
		bvec_set_virt(&bvec, data, buf->elem[n].len);
		if (n & 1)
			virtqueue_add_bvecs(fuzz.vq, &bvec, &iter, UINT_MAX,
					    dir);
		else
			virtqueue_add_bvec(fuzz.vq, &bvec, dir);
		break;
	case 1:
		elem_map(buf, n);
		virtqueue_add_dma(fuzz.vq, buf->elem[n].dma, buf->elem[n].len,
				  dir);
		break;
	default:
		sg_init_table(&sg, 1);
		set_sg(buf, &sg, n);
		virtqueue_add_sg(fuzz.vq, &sg, 1, dir);
		break;
	}
}

/* Declare more than is added, or give up before the end, or use it wrongly. */
static int add_pieces(struct fuzz_buf *buf, u8 how)
{
	unsigned int num = buf->out + buf->in, n;
	int err;

	if (fuzz.with_ctx && how & 16)
		buf->ctx = buf;
	err = virtqueue_start_buf(fuzz.vq, buf->out + (how & 1),
				  buf->in + (how >> 1 & 1), buf, buf->ctx,
				  GFP_ATOMIC);
	if (err)
		return err;
	for (n = 0; n < num; n++)
		add_piece(buf, n, how + (how & 32 ? n : 0));
	if ((how & 0xc0) == 0xc0) {
		virtqueue_cancel_buf(fuzz.vq);
		return -ECANCELED;
	}
	if ((how & 0xcc) == 0x88) {
		shim.expect_warns = true;
		for (n = 0; n < 3; n++)
			virtqueue_add_dma(fuzz.vq, 0, 1, DMA_TO_DEVICE);
		shim.expect_warns = false;
		fuzz.warns = shim.warns;
	}
	return virtqueue_end_buf(fuzz.vq);
}

/* A buffer of one element */
static int add_one_call(struct fuzz_buf *buf, u8 how)
{
	enum dma_data_direction dir = elem_dir(buf, 0);
	u32 len = buf->elem[0].len;

	if (how & 1)
		return virtqueue_add_buf_ptr(fuzz.vq, elem_data(buf, 0), len,
					     dir, buf);
	elem_map(buf, 0);
	return virtqueue_add_buf_dma(fuzz.vq, buf->elem[0].dma, len, dir, buf);
}

static void unmap_failed(struct fuzz_buf *buf)
{
	unsigned int n;

	for (n = 0; n < buf->out + buf->in; n++)
		if (buf->elem[n].mapped)
			virtqueue_dma_unmap_single_attrs(fuzz.vq,
							 buf->elem[n].dma,
							 buf->elem[n].len,
							 elem_dir(buf, n), 0);
}

static void add(void)
{
	u8 shape = driver_byte(), how = driver_byte();
	struct fuzz_buf *buf = buf_new();
	unsigned int before = fuzz.vq->num_free, num, n;
	int err;

	buf->out = shape & 7;
	buf->in = shape >> 3 & 3;
	if (shape & 32)
		swap(buf->out, buf->in);
	if (!(buf->out + buf->in))
		buf->in = 1;
	num = buf->out + buf->in;
	for (n = 0; n < num; n++) {
		buf->elem[n].len = 1 + (how + n * 37) % 64;
		if (n >= buf->out)
			buf->in_len += buf->elem[n].len;
	}

	call_begin(40 * num);
	if (shape & 64)
		err = add_old(buf, how);
	else if (num == 1 && how & 32)
		err = add_one_call(buf, how);
	else
		err = add_pieces(buf, how);
	call_end();
	shim.map_fail_at = 0;
	shim.alloc_fail_at = 0;
	if (err) {
		check(fuzz.vq->num_free == before,
		      "a buffer that failed took room");
		unmap_failed(buf);
		return;
	}
	check(fuzz.vq->num_free < before, "a buffer took no room");
	buf->taken = before - fuzz.vq->num_free;
	check(buf->taken == 1 || buf->taken == num,
	      "%u elements took room for %u", num, buf->taken);
	buf->in_flight = true;
	fuzz.order[fuzz.count++] = buf;
	liar_see(buf);
}

/* Taking used buffers */

static bool get(void)
{
	unsigned int before = fuzz.vq->num_free, len = ~0U;
	struct fuzz_buf *buf, *oldest = fuzz.order[0];
	void *ctx = NULL;

	call_begin(0);
	buf = virtqueue_get_buf_ctx(fuzz.vq, &len, &ctx);
	call_end();
	if (!buf) {
		check(fuzz.vq->num_free == before, "no buffer, but room");
		return false;
	}
	check(fuzz.count, "a buffer of an idle queue");
	take_back(buf);
	check(buf->published, "a buffer that the device was never shown");
	check(len <= buf->in_len, "used length %u of a buffer of %u", len,
	      buf->in_len);
	check(fuzz.vq->num_free == before + buf->taken,
	      "a buffer of %u gave %u back", buf->taken,
	      fuzz.vq->num_free - before);
	check(!fuzz.in_order || buf == oldest, "a buffer out of order");
	if (fuzz.with_ctx)
		check(ctx == buf->ctx, "a wrong context");
	return true;
}

static void get_all(void)
{
	unsigned int max = fuzz.count;

	while (get())
		check(max--, "more used buffers than there were");
}

/* The queue as a whole */

static void recycle(struct virtqueue *vq, void *buf)
{
	take_back(buf);
}

/*
 * After a reset that was not refused the queue is empty, and as good as new. It
 * is refused also when the device is pulled out before it or meanwhile.
 */
static void was_reset(bool refused)
{
	if (refused || fuzz.unplugged)
		return;
	check(!fuzz.count, "%u buffers were lost in a reset", fuzz.count);
	/* The device did not enable it again. */
	__virtio_unbreak_device(&fuzz.vdev);
	fuzz.broken_by_us = false;
	shim.errs = 0;
}

static void reset(void)
{
	bool refused = fuzz.reset_fails;

	call_begin(100);
	virtqueue_reset(fuzz.vq, recycle, NULL);
	call_end();
	was_reset(refused);
}

static void resize(void)
{
	bool refused = fuzz.reset_fails;
	u32 num = 1 << driver_byte() % 6;
	bool same = num == fuzz.num;
	int err;

	call_begin(100);
	err = virtqueue_resize(fuzz.vq, num, recycle, NULL);
	call_end();
	shim.alloc_fail_at = 0;
	was_reset(refused || same || err == -ENOMEM);
}

/*
 * All buffers come back, each once, and after that the whole queue is free:
 * as many buffers fit in it, in descriptors of their own.
 */
static void take_all_back(void)
{
	struct fuzz_buf *buf;

	while ((buf = virtqueue_detach_unused_buf(fuzz.vq)))
		take_back(buf);
	check(!fuzz.count, "%u buffers were lost", fuzz.count);
	check_queue();
}

static void check_ids_differ(void)
{
	static u8 seen[1 << 16];
	unsigned int i;

	for (i = 0; i < fuzz.count; i++) {
		check(fuzz.order[i]->id < fuzz.num, "ID %u of a queue of %u",
		      fuzz.order[i]->id, fuzz.num);
		check(!seen[fuzz.order[i]->id]++, "ID %u is there twice",
		      fuzz.order[i]->id);
	}
	for (i = 0; i < fuzz.count; i++)
		seen[fuzz.order[i]->id] = 0;
}

static void fill(void)
{
	struct fuzz_buf *buf;
	unsigned int i;

	/* An in-order queue goes on after a reset only. */
	__virtio_unbreak_device(&fuzz.vdev);
	if (fuzz.in_order)
		virtqueue_reset(fuzz.vq, recycle, NULL);
	shim.errs = 0;
	for (i = 0; i < fuzz.num; i++) {
		buf = buf_new();
		buf->in = 1;
		buf->in_flight = true;
		check(!virtqueue_start_buf(fuzz.vq, 0, 1, buf, NULL,
					   GFP_ATOMIC),
		      "no room for buffer %u of %u", i, fuzz.num);
		virtqueue_add_dma(fuzz.vq, i, 1, DMA_FROM_DEVICE);
		check(!virtqueue_end_buf(fuzz.vq), "buffer %u of %u fails", i,
		      fuzz.num);
		buf->taken = 1;
		fuzz.order[fuzz.count++] = buf;
		liar_see(buf);
	}
	check_ids_differ();
	take_all_back();
}

/* What a driver may call at any time */
static void small_call(u8 which)
{
	call_begin(0);
	switch (which % 8) {
	case 0:
		virtqueue_disable_cb(fuzz.vq);
		break;
	case 1:
		virtqueue_enable_cb(fuzz.vq);
		break;
	case 2:
		fuzz.poll_state = virtqueue_enable_cb_prepare(fuzz.vq);
		break;
	case 3:
		virtqueue_poll(fuzz.vq, fuzz.poll_state);
		break;
	case 4:
		virtqueue_enable_cb_delayed(fuzz.vq);
		break;
	case 5:
		vring_interrupt(0, fuzz.vq);
		break;
	case 6:
		virtqueue_kick_prepare(fuzz.vq);
		break;
	default:
		virtqueue_notify(fuzz.vq);
		break;
	}
	call_end();
	if (fuzz.notify_fails && virtqueue_is_broken(fuzz.vq))
		fuzz.broken_by_us = true;
}

/* What goes wrong on the driver's machine */
static void trouble(u8 what)
{
	switch (what % 8) {
	case 0:
		shim.alloc_fail_at = 1 + what / 8 % 3;
		break;
	case 1:
		shim.map_fail_at = 1 + what / 8 % 8;
		break;
	case 2:
		fuzz.notify_fails = what & 8;
		break;
	case 3:
		fuzz.reset_fails = what & 8;
		break;
	case 4:
		fuzz.enable_fails = what & 8;
		break;
	case 5:
		if (!virtqueue_is_broken(fuzz.vq))
			fuzz.broken_by_us = true;
		__virtqueue_break(fuzz.vq);
		break;
	default:
		break;
	}
}

static void step(u8 op)
{
	switch (op % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		add();
		break;
	case 4:
	case 5:
		call_begin(0);
		virtqueue_kick(fuzz.vq);
		call_end();
		if (fuzz.notify_fails && virtqueue_is_broken(fuzz.vq))
			fuzz.broken_by_us = true;
		break;
	case 6:
	case 7:
		get();
		break;
	case 8:
		get_all();
		break;
	case 9:
	case 10:
	case 11:
		liar_act();
		break;
	case 12:
	case 13:
		small_call(op >> 4);
		break;
	case 14:
		trouble(driver_byte());
		break;
	default:
		if (op & 16)
			resize();
		else
			reset();
		break;
	}
	check(work_run(), "work has no end");
	time_passes();
	check_queue();
}

/* Begin elsewhere than at 0: the indices of a split queue wrap at 65536. */
static void move_indices(u16 pos)
{
	struct vring_virtqueue *vring = to_vring(fuzz.vq);

	vring->split.next_avail = pos;
	vring->split.published = pos;
	vring->last_used = pos;
	vring->split.used_seen = pos;
	vring->rings.split.avail->idx = pos;
	vring->rings.split.used->idx = pos;
}

static void set_feature(bool on, unsigned int bit)
{
	if (on)
		__virtio_set_bit(&fuzz.vdev, bit);
}

static bool create(void)
{
	static const u16 sizes[] = { 8, 4, 16, 2, 5, 13, 1, 64 };
	u8 features = driver_byte(), more = driver_byte();
	unsigned int num = sizes[more % 8], align = 64;
	struct virtio_device *vdev = &fuzz.vdev;
	bool legacy, has_callback = !(more & 32);
	u16 pos = 0;

	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.packed = features & 1;
	fuzz.access = features & 8;
	fuzz.in_order = features & 16;
	fuzz.with_ctx = features & 32;
	fuzz.premapped = features & 128;
	legacy = more & 16 && !fuzz.packed && !fuzz.access;
	if (!fuzz.packed)
		num = roundup_pow_of_two(num);
	if (legacy)
		align = PAGE_SIZE;

	fuzz.parent.name = "parent";
	vdev->dev.parent = &fuzz.parent;
	vdev->dev.name = "virtio0";
	vdev->config = &config_ops;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);
	set_feature(!legacy, VIRTIO_F_VERSION_1);
	set_feature(fuzz.packed, VIRTIO_F_RING_PACKED);
	set_feature(features & 2, VIRTIO_RING_F_INDIRECT_DESC);
	set_feature(features & 4, VIRTIO_RING_F_EVENT_IDX);
	set_feature(fuzz.access, VIRTIO_F_ACCESS_PLATFORM);
	set_feature(fuzz.in_order, VIRTIO_F_IN_ORDER);
	set_feature(more & 8, VIRTIO_F_ORDER_PLATFORM);
	memset(&shim, 0, sizeof(shim));
	shim.bounce = features & 64;

	fuzz.vq = vring_create_virtqueue(0, num, align, vdev, true, false,
					 fuzz.with_ctx, notify,
					 has_callback ? callback : NULL,
					 "fuzz");
	if (!fuzz.vq)
		return false;
	fuzz.vq->num_max = 64;
	if (fuzz.premapped)
		virtqueue_set_dma_premapped(fuzz.vq);
	if (more & 64 && !fuzz.packed) {
		pos = -1 - more / 128 * 20;
		move_indices(pos);
	}
	liar_attach(pos);
	return true;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input_set(data, size);
	check(create(), "no queue");
	while (!input_ended())
		step(driver_byte());

	fuzz.reset_fails = false;
	fuzz.enable_fails = false;
	shim.alloc_fail_at = 0;
	shim.map_fail_at = 0;
	take_all_back();
	fill();
	vring_del_virtqueue(fuzz.vq);
	check(!shim.alloc_live, "%ld allocations left over", shim.alloc_live);
	check(!shim.map_live, "%ld mappings left over", shim.map_live);
	check(!shim.coherent_live, "%ld pieces of coherent memory left over",
	      shim.coherent_live);
	check(shim.dev_warns <= 40, "%u warnings of a device", shim.dev_warns);
	return 0;
}
