// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues as a whole: creation, resize, reset, broken ones, detached buffers,
 * memory that the driver maps, and what depends on the device's features.
 */
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>
#include "queue.h"

/* Resize and reset */

static struct tq *recycle_tq;
static unsigned int recycled, recycles_done;

static void recycle(struct virtqueue *vq, void *buf)
{
	struct req_list *lists[] = { &recycle_tq->added, &recycle_tq->held,
				     &recycle_tq->used };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		for (n = 0; n < lists[i]->count; n++) {
			if (lists[i]->req[(lists[i]->first + n) %
					  TQ_MAX_REQS] != buf)
				continue;
			req_free(recycle_tq, req_list_take(lists[i], n));
			recycled++;
			return;
		}
	}
	check(false, "an unknown buffer is recycled");
}

static void recycle_done(struct virtqueue *vq)
{
	check(!recycle_tq->added.count && !recycle_tq->held.count &&
	      !recycle_tq->used.count, "not all buffers were recycled");
	recycles_done++;
}

/* Buffers in every state */
static unsigned int make_busy(struct tq *tq)
{
	unsigned int i, added = 0;

	recycle_tq = tq;
	recycled = 0;
	recycles_done = 0;
	for (i = 0; i < 3 && tq->vq->num_free; i++) {
		tq_must_add(tq, 1, 0, i % HOWS);
		added++;
		if (i == 1)
			tq_kick(tq);
	}
	tq_pop(tq);
	tq_pop(tq);
	if (tq->held.count > 1)
		tq_use_some(tq, 0);
	return added;
}

static void resize_to(struct tq *tq, unsigned int num)
{
	unsigned int busy = make_busy(tq), resets = tq->resets;
	bool same = virtqueue_get_vring_size(tq->vq) == num;
	int err = virtqueue_resize(tq->vq, num, recycle, recycle_done);

	check(!err, "resize to %u fails with %d", num, err);
	check(virtqueue_get_vring_size(tq->vq) == num,
	      "queue of %u when resized to %u",
	      virtqueue_get_vring_size(tq->vq), num);
	if (same) {
		check(!recycled && tq->resets == resets,
		      "resize to the same size does something");
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	} else {
		check(recycled == busy && recycles_done == 1,
		      "%u of %u recycled", recycled, busy);
	}
	tq_traffic(tq, 200);
}

static void resize(const struct tq_config *config)
{
	static const unsigned int split[] = { 8, 16, 4, 4, 1, 64, 2, 64 };
	static const unsigned int packed[] = { 7, 16, 4, 4, 1, 64, 3, 63 };
	struct tq *tq = tq_new(config);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(split); i++)
		resize_to(tq, config->packed ? packed[i] : split[i]);
	tq_delete(tq);
}

/* A resize that failed took no buffer, and left the size. */
static void check_untouched(struct tq *tq, unsigned int busy, unsigned int num)
{
	check(!recycled, "%u of %u recycled", recycled, busy);
	check(virtqueue_get_vring_size(tq->vq) == num,
	      "the size changed to %u", virtqueue_get_vring_size(tq->vq));
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	check(tq_get_all(tq) == busy, "not all %u buffers come back", busy);
}

/* Without memory the queue goes on as it was, with the buffers that it has. */
static void resize_fails(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n, busy, num = tq->dq.num;
	int err;

	for (n = 1; n < 20; n++) {
		busy = make_busy(tq);
		shim.alloc_fail_at = n;
		err = virtqueue_resize(tq->vq, 2 * num, recycle, recycle_done);
		if (shim.alloc_fail_at)
			break;
		/* It can do without the tables of its descriptors. */
		if (!err && config->indirect) {
			tq_traffic(tq, 200);
			check(!virtqueue_resize(tq->vq, num, recycle,
						recycle_done),
			      "no way back to the old size");
			continue;
		}
		check(err == -ENOMEM, "resize without memory: %d", err);
		check_untouched(tq, busy, num);
		tq_traffic(tq, 200);
	}
	shim.alloc_fail_at = 0;
	check(n > 2 && !err, "no allocation failed");
	tq_traffic(tq, 200);
	tq_delete(tq);
}

/* No ring of the layout has this size. */
static void resize_to_bad_size(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int busy = make_busy(tq);

	check(virtqueue_resize(tq->vq, 12, recycle, recycle_done) == -EINVAL,
	      "a split ring of 12");
	check_untouched(tq, busy, tq->dq.num);
	tq_traffic(tq, 200);
	tq_delete(tq);
}

/* Broken, and no reset of the queue is even tried. */
static void check_lost(struct tq *tq)
{
#ifndef STOCK
	unsigned int resets = tq->resets, num = tq->vq->num_max;

	if (num == virtqueue_get_vring_size(tq->vq))
		num /= 2;
	check(virtqueue_reset(tq->vq, recycle, NULL) == -EIO &&
	      virtqueue_resize(tq->vq, num, recycle, NULL) == -EIO &&
	      tq->resets == resets, "a lost queue is reset");
	__virtqueue_unbreak(tq->vq);
	check(virtqueue_is_broken(tq->vq), "a lost queue is mended");
#endif
}

static void resize_errors(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	static struct virtio_config_ops none;
	const struct virtio_config_ops *ops = tq->vdev.config;

	make_busy(tq);
	check(virtqueue_resize(tq->vq, 65, recycle, NULL) == -E2BIG,
	      "more than the device has");
	check(virtqueue_resize(tq->vq, 0, recycle, NULL) == -EINVAL, "zero");
	tq->vdev.config = &none;
	check(virtqueue_resize(tq->vq, 4, recycle, NULL) == -ENOENT,
	      "resize that the transport can't");
	check(virtqueue_reset(tq->vq, recycle, NULL) == -ENOENT,
	      "reset that the transport can't");
	tq->vdev.config = ops;
	tq->reset_fails = true;
	check(virtqueue_resize(tq->vq, 4, recycle, NULL) == -EIO,
	      "the transport's error is lost");
	check(virtqueue_reset(tq->vq, recycle, NULL) == -EIO,
	      "the transport's error is lost");
	tq->reset_fails = false;
	check(!recycled, "buffers recycled in spite of an error");
	/* Buffers in flight are still good. */
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_traffic(tq, 200);

	tq->enable_fails = true;
	check(virtqueue_resize(tq->vq, 4, recycle, NULL) == -EBUSY,
	      "a queue that can't be enabled");
	check_lost(tq);
	tq->enable_fails = false;
	tq_attach_device(tq);
	check_lost(tq);
	tq_delete(tq);

	tq = tq_new(config);
	tq->enable_fails = true;
	check(virtqueue_reset(tq->vq, recycle, NULL) == -EBUSY,
	      "a queue that can't be enabled");
	check_lost(tq);
	tq_delete(tq);
}

static void reset(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, busy;

	for (round = 0; round < 10; round++) {
		busy = make_busy(tq);
		check(!virtqueue_reset(tq->vq, recycle, round & 1 ?
				       recycle_done : NULL), "reset fails");
		check(recycled == busy && recycles_done == (round & 1),
		      "%u of %u recycled", recycled, busy);
		tq_traffic(tq, 200);
	}
	tq_delete(tq);
}

#ifndef STOCK
static int reset_or_resize(struct tq *tq, bool size)
{
	unsigned int num = tq->vq->num_max;

	if (!size)
		return virtqueue_reset(tq->vq, recycle, NULL);
	if (num == virtqueue_get_vring_size(tq->vq))
		num /= 2;
	return virtqueue_resize(tq->vq, num, recycle, NULL);
}

/* The device broke a rule: that is over. */
static void reset_mends(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round;

	for (round = 0; round < 6; round++) {
		make_busy(tq);
		__virtqueue_break(tq->vq);
		check(!reset_or_resize(tq, round & 1), "reset fails");
		check(!virtqueue_is_broken(tq->vq), "still broken");
		tq_traffic(tq, 200);
	}
	tq_delete(tq);
}

static void break_device(struct tq *tq)
{
	virtio_break_device(&tq->vdev);
}

static void break_queue(struct tq *tq)
{
	__virtqueue_break(tq->vq);
}

static void break_when_enabled(struct tq *tq)
{
	if (!tq->added.count && !tq->held.count && !tq->used.count)
		break_device(tq);
}

/* The transport must not be asked to stop a queue of a device that isn't there. */
static void reset_of_gone(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	bool size = rnd() & 1;

	make_busy(tq);
	tq->gone = true;
	check(reset_or_resize(tq, size) == -EIO && !tq->resets && !recycled,
	      "a queue that nobody can stop is reset");
	check(virtqueue_is_broken(tq->vq), "not broken");
	tq->gone = false;
	check_lost(tq);
	tq_delete(tq);
}

/* The device goes before a reset, or while one is under way. */
static void reset_of_lost(const struct tq_config *config)
{
	static void (*const in_reset[])(struct tq *tq) = {
		NULL, break_device, break_when_enabled,
	};
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(in_reset); i++) {
		struct tq *tq = tq_new(config);

		make_busy(tq);
		tq->in_reset = in_reset[i / 2];
		if (!tq->in_reset)
			break_device(tq);
		check(reset_or_resize(tq, i & 1) == -EIO,
		      "a device that is gone is reset");
		check(virtqueue_is_broken(tq->vq), "mended");
		check_lost(tq);
		tq_delete(tq);
	}
}

/* The device breaks a rule between the start of a reset and its end. */
static void breaks_in_reset(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	bool size;

	for (size = false; !size; size = true) {
		tq->in_reset = break_queue;
		check(!reset_or_resize(tq, size), "reset fails");
		/* It broke the new queue: the next reset mends that. */
		tq->in_reset = NULL;
		check(virtqueue_is_broken(tq->vq), "forgotten");
		check(!reset_or_resize(tq, size), "reset fails");
		tq_traffic(tq, 200);
	}
	tq_delete(tq);
}
#endif

/* Creation */

static void bad_sizes(const struct tq_config *config)
{
	static const unsigned int bad[] = { 0, 3, 7, 12, 255 };
	static struct tq tq;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		tq_init(&tq, config);
		tq.config.num = bad[i];
		check(!tq_create(&tq), "a split queue of %u", bad[i]);
		tq_check_clean();
	}
	check(shim.dev_warns, "bad sizes without a word");
}

#ifndef STOCK
static void too_many(const struct tq_config *config)
{
	static struct tq tq;

	tq_init(&tq, config);
	tq.config.num = 65536;
	check(!tq_create(&tq), "a queue of 65536");
	tq_check_clean();
	tq_init(&tq, config);
	tq.config.num = 0;
	check(!tq_create(&tq), "a queue of 0");
	tq_check_clean();
}
#endif

/* When memory is short, a smaller queue if the transport agrees. */
static void reduce(const struct tq_config *config)
{
	struct tq_config may = *config;
	static struct tq tq;
	bool reduced = false;
	unsigned int n, num;

	may.may_reduce = true;
	for (n = 1; n < 8; n++) {
		tq_init(&tq, config);
		shim.alloc_fail_at = n;
		if (tq_create(&tq)) {
			check(tq.dq.num == config->num, "reduced to %u",
			      tq.dq.num);
			tq_delete(&tq);
		}
		tq_init(&tq, &may);
		shim.alloc_fail_at = n;
		if (tq_create(&tq)) {
			shim.alloc_fail_at = 0;
			num = tq.dq.num;
			check(num && !(num & (num - 1)) && num <= config->num,
			      "reduced to %u", num);
			reduced |= num < config->num;
			tq_traffic(&tq, 200);
			tq_delete(&tq);
		}
	}
	shim.alloc_fail_at = 0;
	check(reduced, "never reduced");
}

static bool foreign_notify(struct virtqueue *vq)
{
	return true;
}

/* A ring in memory of the transport */
static void new_virtqueue(const struct tq_config *config)
{
	size_t size = PAGE_ALIGN(vring_size(8, PAGE_SIZE));
	void *pages = aligned_alloc(PAGE_SIZE, size);
	const struct vring *ring;
	static struct tq tq;

	memset(pages, 0, size);
	tq_init(&tq, config);
	tq.vq = vring_new_virtqueue(0, 8, PAGE_SIZE, &tq.vdev, true, false,
				    pages, foreign_notify, NULL, "mine");
	if (config->packed) {
		check(!tq.vq, "a packed queue in foreign memory");
		tq_check_clean();
		return;
	}
	check(tq.vq, "no queue");
	ring = virtqueue_get_vring(tq.vq);
	check(ring->num == 8 && ring->desc == pages, "the ring isn't there");
	tq.dq.ops = &device_split;
	tq.dq.num = 8;
	tq.dq.native = config->legacy;
	tq.dq.desc = virt_to_phys(ring->desc);
	tq.dq.driver = virt_to_phys(ring->avail);
	tq.dq.device = virt_to_phys(ring->used);
	tq.dq.indirect = config->indirect;
	tq.dq.event = config->event;
	tq.vq->num_max = 64;
	check(virtqueue_resize(tq.vq, 4, recycle, NULL) == -EPERM,
	      "resize of foreign memory");
	check(virtqueue_reset(tq.vq, recycle, NULL) == -EPERM,
	      "reset of foreign memory");
	tq_traffic(&tq, 1000);
	tq_delete(&tq);
	free(pages);
}

/* Queues of a device */

static void broken(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int state, len;

	make_busy(tq);
	state = virtqueue_enable_cb_prepare(tq->vq);
	virtio_break_device(&tq->vdev);
	check(virtqueue_is_broken(tq->vq), "not broken");
	check(tq_add_new(tq, 1, 0, HOW_OLD) == -EIO, "takes a buffer");
	check(!virtqueue_get_buf(tq->vq, &len), "gives a buffer");
	check(!virtqueue_notify(tq->vq), "notifies");
	check(!virtqueue_poll(tq->vq, state), "poll says there is more");
	check(virtqueue_enable_cb(tq->vq), "enable_cb says there is more");
	check(virtqueue_enable_cb_delayed(tq->vq),
	      "enable_cb_delayed says there is more");
	__virtio_unbreak_device(&tq->vdev);
	check(!virtqueue_is_broken(tq->vq), "still broken");
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_traffic(tq, 200);

	__virtqueue_break(tq->vq);
	check(virtqueue_is_broken(tq->vq), "not broken");
	__virtqueue_unbreak(tq->vq);
	check(!virtqueue_is_broken(tq->vq), "still broken");

	/* A notification that fails breaks the queue. */
	tq->notify_fails = true;
	device_set_kicks(&tq->dq, KICKS_ON, 0);
	tq_must_add(tq, 1, 0, HOW_OLD);
	check(!virtqueue_kick(tq->vq), "a failed notification is no failure");
	check(virtqueue_is_broken(tq->vq), "not broken");
	check(!shim.errs, "a message: %s", shim.last_err);
	tq_delete(tq);
}

/* Detached in any state, each once; a queue that is reset then works. */
static void detach(const struct tq_config *config)
{
	unsigned int round;

	for (round = 0; round < 20; round++) {
		struct tq *tq = tq_new(config);

		tq_traffic(tq, round);
		make_busy(tq);
		while (!tq_add_new(tq, 1, round % 3, round % HOWS))
			;
		tq_delete(tq);
	}
}

static void features(const struct tq_config *config)
{
	static struct tq tq;
	u64 known = BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
		    BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
		    BIT_ULL(VIRTIO_F_VERSION_1) |
		    BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
		    BIT_ULL(VIRTIO_F_RING_PACKED) |
		    BIT_ULL(VIRTIO_F_ORDER_PLATFORM) |
#ifndef STOCK
		    BIT_ULL(VIRTIO_F_IN_ORDER) |
#endif
		    BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	/* Bits 28 to 41 are the transport's. */
	u64 transport = GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1,
				    VIRTIO_TRANSPORT_F_START);

	tq_init(&tq, config);
	tq.vdev.features = ~0ULL;
	vring_transport_features(&tq.vdev);
	check(tq.vdev.features == (known | ~transport), "features are %#llx",
	      (unsigned long long)tq.vdev.features);
}

/* Memory */

/* The DMA API is used when the device says so, and on Xen. */
static void dma_device(const struct tq_config *config)
{
	struct device other = { .name = "other" };
	struct virtqueue *vq;
	static struct tq tq;

	tq_init(&tq, config);
	check(virtio_max_dma_size(&tq.vdev) ==
	      (config->access ? dma_max_mapping_size(NULL) : SIZE_MAX),
	      "largest element is %zu", virtio_max_dma_size(&tq.vdev));
	vq = vring_create_virtqueue_dma(0, 8, 64, &tq.vdev, true, false, false,
					foreign_notify, NULL, "other", &other);
	check(vq, "no queue");
	check(virtqueue_dma_dev(vq) == (config->access ? &other : NULL),
	      "another device does the DMA");
	check(!shim.coherent_live == !config->access, "memory for the ring");
	vring_del_virtqueue(vq);
	tq_check_clean();
}

static void xen(const struct tq_config *config)
{
	struct tq *tq;

	shim_xen = true;
	tq = tq_new(config);
	tq->dq.iommu = true;
	check(virtqueue_dma_dev(tq->vq) == &tq->parent, "no DMA API on Xen");
	tq_must_add(tq, 1, 1, HOW_OLD);
	check(shim.map_live == 2, "%ld mappings", shim.map_live);
	tq_kick(tq);
	check(tq_pop(tq), "device sees no buffer");
	tq_use_some(tq, 0);
	check(tq_get(tq), "the buffer doesn't come back");
	tq_delete(tq);
}

/* Without the DMA API, KMSAN is told of each element. */
static void kmsan(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned long calls;
	enum tq_how how;

	for (how = 0; how < HOWS; how++) {
#ifndef STOCK
		/* The driver does it where it maps. */
		if (how == HOW_DMA || how == HOW_BUF_DMA || how == HOW_MIX)
			continue;
#endif
		calls = shim.kmsan_calls;
		tq_must_add(tq, 2, 3, how);
		tq_must_add(tq, 0, 1, how);
		check(shim.kmsan_calls - calls == (config->access ? 0 : 6),
		      "%lu calls for 6 elements", shim.kmsan_calls - calls);
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
	tq_delete(tq);
}

static void premapped(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	u8 byte = 1;
	dma_addr_t addr;

	make_busy(tq);
	check(virtqueue_set_dma_premapped(tq->vq) == -EINVAL,
	      "buffers in flight, and premapped");
	check(!virtqueue_reset(tq->vq, recycle, NULL), "reset fails");
	check(!virtqueue_set_dma_premapped(tq->vq), "premapped fails");
	tq->config.premapped = true;
	tq_traffic(tq, 500);

	addr = virtqueue_dma_map_single_attrs(tq->vq, &byte, 1,
					      DMA_FROM_DEVICE, 0);
	check(!virtqueue_dma_mapping_error(tq->vq, addr), "mapping fails");
	check(virtqueue_dma_need_sync(tq->vq, addr) == config->bounce,
	      "need_sync is wrong");
	*(u8 *)device_write(&tq->dq, addr, 1) = 2;
	virtqueue_dma_sync_single_range_for_cpu(tq->vq, addr, 0, 1,
						DMA_FROM_DEVICE);
	check(byte == 2, "sync for the CPU does nothing");
	virtqueue_dma_sync_single_range_for_device(tq->vq, addr, 0, 1,
						   DMA_FROM_DEVICE);
	virtqueue_dma_unmap_single_attrs(tq->vq, addr, 1, DMA_FROM_DEVICE, 0);
	shim.map_fail_at = config->access;
	addr = virtqueue_dma_map_single_attrs(tq->vq, &byte, 1,
					      DMA_TO_DEVICE, 0);
	check(!virtqueue_dma_mapping_error(tq->vq, addr) == !config->access,
	      "mapping_error is wrong");
	tq_delete(tq);
}

#ifndef STOCK
/* Lists that the driver has mapped, on a queue that maps others itself */
static void premapped_calls(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned long mapped, round;

	for (round = 0; round < 40; round++) {
		mapped = shim.map_live;
		tq_must_add(tq, round % 2 ? 0 : 3, round % 2 ? 2 : 0,
			    HOW_PREMAPPED);
		check(shim.map_live - mapped ==
		      (config->access ? 3 - round % 2 : 0),
		      "the core maps what is mapped");
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		check(tq_get_all(tq) == 1, "the buffer doesn't come back");
	}
	tq_delete(tq);
}
#endif

/* The barriers are those that the device needs. */
static void barriers(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int kind, round;

	for (round = 0; round < 20; round++) {
		tq_must_add(tq, 1, 1, HOW_OLD);
		tq_kick(tq);
		tq_pop_all(tq);
		virtqueue_disable_cb(tq->vq);
		tq_use_all(tq);
		tq_get_all(tq);
		virtqueue_enable_cb(tq->vq);
		virtqueue_disable_cb(tq->vq);
		virtqueue_enable_cb_delayed(tq->vq);
	}
	for (kind = 0; kind < SHIM_BARRIERS; kind++) {
		check(shim.barriers[kind][!config->order],
		      "no barrier of kind %u", kind);
		check(!shim.barriers[kind][config->order],
		      "wrong barriers of kind %u", kind);
	}
	tq_delete(tq);
}

#ifndef STOCK
static struct virtqueue_state inspected(const struct tq *tq)
{
	struct virtqueue_state state = {};

	tq->vq->ops->inspect(tq->vq, &state);
	return state;
}

/* What debugfs shows of a queue, at each step of a buffer */
static void inspect(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	struct virtqueue_state state = inspected(tq);
	u16 first = state.next;

	check(!state.buffers && !state.used && state.callbacks &&
	      state.next == state.kicked, "an empty queue isn't");
	check(state.tables == (config->indirect ? tq->dq.num : 0) &&
	      !state.pool_taken, "%u tables", state.tables);
	tq_must_add(tq, 1, 1, HOW_PTR);
	state = inspected(tq);
	check(state.buffers == 1 && state.next != first &&
	      state.kicked == first, "a buffer that waits for a kick");
	tq_kick(tq);
	state = inspected(tq);
	check(state.kicked == state.next && !state.used, "a kicked buffer");
	tq_pop(tq);
	tq_use_some(tq, 0);
	state = inspected(tq);
	check(state.used && state.buffers == 1, "a used buffer");
	virtqueue_disable_cb(tq->vq);
	tq_get(tq);
	state = inspected(tq);
	check(!state.used && !state.buffers && state.taken == state.next &&
	      !state.callbacks, "a buffer that was taken back");
	tq_delete(tq);
}

/* The first reason is the one that is kept. */
static void why_broken(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	check(!tq->vq->why, "a reason for nothing");
	tq->notify_fails = true;
	tq_must_add(tq, 1, 0, HOW_PTR);
	check(!virtqueue_kick(tq->vq), "the device was told");
	virtio_break_device(&tq->vdev);
	check(!strcmp(tq->vq->why, "the device can't be told"),
	      "another reason: %s", tq->vq->why);
	__virtio_unbreak_device(&tq->vdev);
	check(!tq->vq->why, "still broken: %s", tq->vq->why);
	tq_delete(tq);
}
#endif

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;
	const char *name;

	config.num = 8;
	config.num_max = 64;
	name = tq_name(&config);
	test_add(barriers, &config, "lifecycle: barriers, %s", name);
	if (config.order || config.event)
		return;
	test_add(resize, &config, "lifecycle: resize, %s", name);
	test_add(resize_fails, &config, "lifecycle: resize fails, %s", name);
	test_add(resize_errors, &config, "lifecycle: resize errors, %s", name);
	test_add(reset, &config, "lifecycle: reset, %s", name);
	test_add(broken, &config, "lifecycle: broken, %s", name);
	test_add(detach, &config, "lifecycle: detach, %s", name);
	test_add(premapped, &config, "lifecycle: premapped, %s", name);
	test_add(kmsan, &config, "lifecycle: KMSAN, %s", name);
	test_add(dma_device, &config, "lifecycle: DMA device, %s", name);
	if (!config.access) {
		test_add(new_virtqueue, &config,
			 "lifecycle: ring in foreign memory, %s", name);
		test_add(xen, &config, "lifecycle: Xen, %s", name);
	}
#ifndef STOCK
	test_add(reset_mends, &config, "lifecycle: reset mends, %s", name);
	test_add(reset_of_lost, &config, "lifecycle: device is gone, %s", name);
	test_add(reset_of_gone, &config, "lifecycle: vanished, %s", name);
	test_add(breaks_in_reset, &config, "lifecycle: breaks in reset, %s",
		 name);
	test_add(premapped_calls, &config, "lifecycle: premapped calls, %s",
		 name);
	test_add(too_many, &config, "lifecycle: too large, %s", name);
	test_add(inspect, &config, "lifecycle: inspect, %s", name);
	test_add(why_broken, &config, "lifecycle: why it broke, %s", name);
#endif
	if (config.access) {
		config.bounce = true;
		test_add(premapped, &config, "lifecycle: premapped, %s",
			 tq_name(&config));
	}
	if (config.packed)
		return;
	test_add(resize_to_bad_size, &config,
		 "lifecycle: resize to a bad size, %s", name);
	test_add(bad_sizes, &config, "lifecycle: bad sizes, %s", name);
	config.num = 2048;
	test_add(reduce, &config, "lifecycle: may reduce, %s",
		 tq_name(&config));
}

void lifecycle_tests(void)
{
	static const struct tq_config config;

	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
	test_add(features, &config, "lifecycle: transport features");
}
