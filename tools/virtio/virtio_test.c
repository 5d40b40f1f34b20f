// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core against a device that is a kernel: drivers/vhost/test.c of the base,
 * through /dev/vhost-test. It takes what is readable and reads only the lengths,
 * so what is verified is that each buffer comes back once and in order, with a
 * used length of 0, and that nobody waits for a wake-up that does not come.
 * vhost knows the split layout only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "drivers/vhost/test.h"
#include "queue.h"

#define MAX_ELEMS	8
#define WAIT_MS		10000
/* All that a process may map: addresses are the device's as they are. */
#define ALL_MEMORY	((1ULL << 47) - PAGE_SIZE)

static struct virtio_device vdev;
static struct virtqueue *vq;
static int control, kick, call, error;
static unsigned long added, back, recycled;

/* The transport */

static void command(unsigned long request, void *argument, const char *name)
{
	check(!ioctl(control, request, argument), "%s: %s", name,
	      strerror(errno));
}

#define vhost(request, argument) command(request, argument, #request)

static bool notify(struct virtqueue *vq)
{
	return !eventfd_write(kick, 1);
}

static void callback(struct virtqueue *vq)
{
}

static void tell_where_the_ring_is(void)
{
	struct vhost_vring_state num = {
		.num = virtqueue_get_vring_size(vq),
	};
	struct vhost_vring_state base = {};
	struct vhost_vring_addr addr = {
		.desc_user_addr = virtqueue_get_desc_addr(vq),
		.avail_user_addr = virtqueue_get_avail_addr(vq),
		.used_user_addr = virtqueue_get_used_addr(vq),
	};

	vhost(VHOST_SET_VRING_NUM, &num);
	vhost(VHOST_SET_VRING_BASE, &base);
	vhost(VHOST_SET_VRING_ADDR, &addr);
}

static void set_backend(bool on)
{
	struct vhost_vring_file file = { .fd = on ? 1 : -1 };

	vhost(VHOST_TEST_SET_BACKEND, &file);
}

static int stop_queue(struct virtqueue *vq)
{
	set_backend(false);
	return 0;
}

static int start_queue(struct virtqueue *vq)
{
	tell_where_the_ring_is();
	set_backend(true);
	return 0;
}

static u8 get_status(struct virtio_device *vdev)
{
	return VIRTIO_CONFIG_S_DRIVER_OK;
}

static const struct virtio_config_ops config_ops = {
	.get_status = get_status,
	.disable_vq_and_reset = stop_queue,
	.enable_vq_after_reset = start_queue,
};

static void open_device(void)
{
	struct {
		struct vhost_memory memory;
		struct vhost_memory_region region;
	} all = {
		.memory.nregions = 1,
		.region.memory_size = ALL_MEMORY,
	};

	control = open("/dev/vhost-test", O_RDWR);
	check(control >= 0, "no /dev/vhost-test: %s", strerror(errno));
	vhost(VHOST_SET_OWNER, NULL);
	vhost(VHOST_SET_MEM_TABLE, &all);
}

static int new_event(unsigned long request, const char *name)
{
	struct vhost_vring_file file = { .fd = eventfd(0, EFD_NONBLOCK) };

	check(file.fd >= 0, "no event: %s", strerror(errno));
	command(request, &file, name);
	return file.fd;
}

static void create(const struct tq_config *config)
{
	int run = 1;

	shim_phys_offset = 0;
	vdev.config = &config_ops;
	INIT_LIST_HEAD(&vdev.vqs);
	spin_lock_init(&vdev.vqs_list_lock);
	if (!config->legacy)
		__virtio_set_bit(&vdev, VIRTIO_F_VERSION_1);
	if (config->indirect)
		__virtio_set_bit(&vdev, VIRTIO_RING_F_INDIRECT_DESC);
	if (config->event)
		__virtio_set_bit(&vdev, VIRTIO_RING_F_EVENT_IDX);

	open_device();
	vhost(VHOST_SET_FEATURES, &vdev.features);
	vq = vring_create_virtqueue(0, config->num, PAGE_SIZE, &vdev, true,
				    false, false, notify, callback, "test");
	check(vq, "no queue");
	vq->num_max = config->num;
	tell_where_the_ring_is();
	kick = new_event(VHOST_SET_VRING_KICK, "VHOST_SET_VRING_KICK");
	call = new_event(VHOST_SET_VRING_CALL, "VHOST_SET_VRING_CALL");
	error = new_event(VHOST_SET_VRING_ERR, "VHOST_SET_VRING_ERR");
	vhost(VHOST_TEST_RUN, &run);
}

static void delete(void)
{
	eventfd_t errors;
	int run = 0;

	vhost(VHOST_TEST_RUN, &run);
	check(eventfd_read(error, &errors), "vhost found a fault in the ring");
	check(added == back, "%lu buffers were added, %lu came back", added,
	      back);
	vring_del_virtqueue(vq);
	check(!shim.errs && !shim.dev_warns, "a message: %s", shim.last_err);
	tq_check_clean();
}

/* Buffers: the token of each is its number, from 1 on */

static int add(void)
{
	static u8 data[PAGE_SIZE];
	struct scatterlist sg[MAX_ELEMS];
	unsigned int num = 1 + rnd_below(min(MAX_ELEMS, vq->num_max)), i;
	int err;

	sg_init_table(sg, num);
	for (i = 0; i < num; i++)
		sg_set_buf(&sg[i], data + rnd_below(64), 1 + rnd_below(1024));
	err = virtqueue_add_outbuf(vq, sg, num, (void *)(added + 1), GFP_KERNEL);
	if (!err)
		added++;
	return err;
}

/* At most @max; true if there was room for one */
static bool add_some(unsigned int max)
{
	unsigned long before = added;

	while (max--) {
		int err = add();

		check(!err || err == -ENOSPC, "add returns %d", err);
		if (err)
			break;
	}
	check(virtqueue_kick(vq), "the device can't be told");
	return added != before;
}

static bool get_all(void)
{
	unsigned long before = back, token;
	unsigned int len;

	while ((token = (unsigned long)virtqueue_get_buf(vq, &len))) {
		check(token == ++back, "buffer %lu came back instead of %lu",
		      token, back);
		check(!len, "a used length of %u", len);
	}
	return back != before;
}

static void wait_for_interrupt(void)
{
	struct pollfd fd = { .fd = call, .events = POLLIN };
	eventfd_t interrupts;

	check(poll(&fd, 1, WAIT_MS) == 1,
	      "no interrupt, and %lu buffers are with the device", added - back);
	eventfd_read(call, &interrupts);
	vring_interrupt(0, vq);
}

static void wait_for_some(bool delayed)
{
	virtqueue_disable_cb(vq);
	while (!get_all()) {
		if (delayed ? virtqueue_enable_cb_delayed(vq) :
			      virtqueue_enable_cb(vq))
			wait_for_interrupt();
		virtqueue_disable_cb(vq);
	}
}

static void move(unsigned long total, unsigned int batch, bool delayed)
{
	total += added;
	while (added < total) {
		add_some(batch ?: 1 + rnd_below(vq->num_max));
		wait_for_some(delayed);
	}
	while (back < added)
		wait_for_some(delayed);
}

/* Tests */

static void one_by_one(const struct tq_config *config)
{
	create(config);
	move(500, 1, false);
	delete();
}

static void batches(const struct tq_config *config)
{
	/* More than 65536: the indices wrap */
	unsigned long total = config->num == 16 ? 70000 : 5000;

	create(config);
	move(total, 0, false);
	delete();
}

static void delayed(const struct tq_config *config)
{
	create(config);
	move(5000, 0, true);
	delete();
}

static void recycle(struct virtqueue *vq, void *buf)
{
	check((unsigned long)buf > back && (unsigned long)buf <= added,
	      "buffer %lu came back of a reset", (unsigned long)buf);
	recycled++;
}

/* What the device has then is given up. */
static void resets(const struct tq_config *config)
{
	unsigned int round, num;
	int err;

	create(config);
	for (round = 0; round < 60; round++) {
		num = virtqueue_get_vring_size(vq);
		move(50, 0, false);
		add_some(1 + rnd_below(num));
		recycled = 0;
		if (round & 1)
			err = virtqueue_reset(vq, recycle, NULL);
		else
			err = virtqueue_resize(vq, num == config->num ? num / 2 :
					       config->num, recycle, NULL);
		check(!err, "a reset returns %d", err);
		check(recycled == added - back, "%lu buffers of %lu come back",
		      recycled, added - back);
		added = back;
	}
	delete();
}

static void no_packed(const struct tq_config *config)
{
	u64 features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_RING_PACKED;

	open_device();
	check(ioctl(control, VHOST_SET_FEATURES, &features) &&
	      errno == EOPNOTSUPP, "vhost takes packed rings: test them");
}

void add_tests(void)
{
	static const unsigned int sizes[] = { 2, 16, 256 };
	struct tq_config config = {};
	unsigned int i, features;

	test_add(no_packed, &config, "virtio_test: vhost has split rings only");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (features = 0; features < 8; features++) {
			config.num = sizes[i];
			config.indirect = features & 1;
			config.event = features & 2;
			config.legacy = features & 4;
			test_add(one_by_one, &config, "virtio_test: one by one, %s",
				 tq_name(&config));
			test_add(batches, &config, "virtio_test: batches, %s",
				 tq_name(&config));
			test_add(delayed, &config,
				 "virtio_test: delayed interrupts, %s",
				 tq_name(&config));
			if (sizes[i] > 2)
				test_add(resets, &config,
					 "virtio_test: resets, %s",
					 tq_name(&config));
		}
	}
}
