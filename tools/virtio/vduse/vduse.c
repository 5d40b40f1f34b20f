// SPDX-License-Identifier: GPL-2.0-only
/*
 * VDUSE: the driver's memory and queues, and messages about them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vduse.h>
#include <linux/virtio_config.h>
#include "test.h"
#include "vduse.h"

#define CONTROL		"/dev/vduse/control"
#define MAX_REGIONS	128
#define RING_ALIGN	4096
#define BUSY_TRIES	100
#define BUSY_US		100000

/* Addresses of the driver's, and where they are */
struct region {
	u64 start;
	u64 last;
	void *place;
};

static struct {
	const struct vduse_device *device;
	int fd;
	bool works;
	int kicks[MAX_QUEUES];
	struct region regions[MAX_REGIONS];
	unsigned int num_regions;
} vduse = { .fd = -1 };

/* ---- memory ---- */

static const struct region *map_region(u64 addr)
{
	struct vduse_iotlb_entry entry = { .start = addr, .last = addr };
	struct region *region = &vduse.regions[vduse.num_regions];
	int fd = ioctl(vduse.fd, VDUSE_IOTLB_GET_FD, &entry);

	if (fd < 0)
		return NULL;
	check(vduse.num_regions < MAX_REGIONS, "too many regions of memory");
	region->start = entry.start;
	region->last = entry.last;
	region->place = mmap(NULL, entry.last - entry.start + 1, PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, entry.offset);
	check(region->place != MAP_FAILED, "memory of the driver's: %s", strerror(errno));
	close(fd);
	vduse.num_regions++;
	return region;
}

static const struct region *find_region(u64 addr)
{
	unsigned int i;

	for (i = 0; i < vduse.num_regions; i++)
		if (vduse.regions[i].start <= addr && addr <= vduse.regions[i].last)
			return &vduse.regions[i];
	return map_region(addr);
}

static void drop_regions(void)
{
	struct region *region;

	for (region = vduse.regions; region < vduse.regions + vduse.num_regions; region++)
		munmap(region->place, region->last - region->start + 1);
	vduse.num_regions = 0;
}

void *transport_memory(uint64_t addr, uint64_t len)
{
	const struct region *region = find_region(addr);

	if (!region || len > region->last - addr + 1)
		return NULL;
	return region->place + (addr - region->start);
}

/* ---- queues ---- */

bool transport_interrupt(int call)
{
	u32 n = call;

	return !ioctl(vduse.fd, VDUSE_VQ_INJECT_IRQ, &n);
}

static void take_kicks_of(unsigned int n)
{
	struct vduse_vq_eventfd kick = { .index = n, .fd = eventfd(0, EFD_NONBLOCK) };

	check(kick.fd >= 0, "no eventfd");
	check(!ioctl(vduse.fd, VDUSE_VQ_SETUP_KICKFD, &kick), "no notifications");
	if (vduse.kicks[n])
		close(vduse.kicks[n]);
	vduse.kicks[n] = kick.fd;
}

static void start_queue(unsigned int n, u64 features)
{
	struct vduse_vq_info info = { .index = n };
	struct transport_ring ring;
	bool resumed;

	check(!ioctl(vduse.fd, VDUSE_VQ_GET_INFO, &info), "no queue %u", n);
	if (!info.ready)
		return;
	take_kicks_of(n);
	ring = (struct transport_ring){
		.desc = info.desc_addr, .driver = info.driver_addr, .device = info.device_addr,
		.num = info.num, .features = features, .kick = vduse.kicks[n], .call = n,
	};
	if (features & FEATURE(VIRTIO_F_RING_PACKED))
		ring.base = info.packed.last_avail_idx | info.packed.last_avail_counter << 15;
	else
		ring.base = info.split.avail_index;
	resumed = journal_place(n, &ring, &ring.base);
	queue_start(n, &ring);
	/* What the other process used it may not have said. */
	if (resumed)
		transport_interrupt(n);
}

static void start_queues(void)
{
	unsigned int n;
	u64 features;

	if (vduse.works)
		return;
	check(!ioctl(vduse.fd, VDUSE_DEV_GET_FEATURES, &features), "no features");
	check(!(features & ~vduse.device->features), "features that were not offered: %#llx",
	      (unsigned long long)(features & ~vduse.device->features));
	for (n = 0; n < vduse.device->queues; n++)
		start_queue(n, features);
	queues_run(true);
	vduse.works = true;
}

static void reset_queues(void)
{
	unsigned int n;

	queues_run(false);
	for (n = 0; n < vduse.device->queues; n++)
		queue_reset(n);
	drop_regions();
	journal_clear();
	vduse.works = false;
}

/* ---- messages ---- */

static void set_status(u8 status)
{
	if (behave_has_lied())
		return;
	if (!status)
		reset_queues();
	else if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		start_queues();
}

/* virtio_vdpa asks for nothing else. */
static bool obey(const struct vduse_dev_request *request)
{
	switch (request->type) {
	case VDUSE_SET_STATUS:
		if (request->s.status & behaviour.refused)
			return false;
		set_status(request->s.status);
		return true;
	case VDUSE_UPDATE_IOTLB:
		return true;
	default:
		return false;
	}
}

static void *answer_messages(void *unused)
{
	struct vduse_dev_request request;

	while (read(vduse.fd, &request, sizeof(request)) == sizeof(request)) {
		struct vduse_dev_response response = { .request_id = request.request_id };

		if (request.type == VDUSE_SET_STATUS && request.s.status & behaviour.ignored)
			continue;
		if (!obey(&request))
			response.result = VDUSE_REQ_RESULT_FAILED;
		/* Who asked may not have waited. */
		if (write(vduse.fd, &response, sizeof(response)) < 0)
			fprintf(stderr, "an answer that nobody waits for\n");
	}
	return NULL;
}

void vduse_listen(void)
{
	pthread_t thread;

	check(!pthread_create(&thread, NULL, answer_messages, NULL), "no thread");
}

/* ---- devices ---- */

static int open_control(void)
{
	u64 version = VDUSE_API_VERSION;
	int fd = open(CONTROL, O_RDWR);

	check(fd >= 0 && !ioctl(fd, VDUSE_SET_API_VERSION, &version), CONTROL ": %s",
	      strerror(errno));
	return fd;
}

/* False if there is one of that name. */
static bool create(const struct vduse_device *device)
{
	size_t size = device->storage->config_size;
	struct vduse_dev_config *config = calloc(1, sizeof(*config) + size);
	int control = open_control(), error;

	check(config, "no memory");
	snprintf(config->name, sizeof(config->name), "%s", device->name);
	config->device_id = device->type;
	config->features = device->features;
	config->vq_num = device->queues;
	config->vq_align = RING_ALIGN;
	config->config_size = size;
	memcpy(config->config, device->storage->config, size);
	error = ioctl(control, VDUSE_CREATE_DEV, config) ? errno : 0;
	check(!error || error == EEXIST, "no device: %s", strerror(error));
	close(control);
	free(config);
	return !error;
}

/* One process has it at a time; the one before may be about to end. */
static void open_device(const char *name)
{
	unsigned int tries = BUSY_TRIES;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	do {
		vduse.fd = open(path, O_RDWR);
	} while (vduse.fd < 0 && errno == EBUSY && tries-- && !usleep(BUSY_US));
	check(vduse.fd >= 0, "%s: %s", path, strerror(errno));
}

static void set_up_queues(const struct vduse_device *device)
{
	struct vduse_vq_config queue = { .max_size = device->size };

	for (; queue.index < device->queues; queue.index++)
		check(!ioctl(vduse.fd, VDUSE_VQ_SETUP, &queue), "no queue: %s", strerror(errno));
}

static bool has_a_driver(void)
{
	struct vduse_vq_info info = { .index = 0 };

	return !ioctl(vduse.fd, VDUSE_VQ_GET_INFO, &info) && info.ready;
}

void vduse_open(const struct vduse_device *device)
{
	bool is_new = create(device);

	check(device->queues <= MAX_QUEUES, "too many queues");
	vduse.device = device;
	open_device(device->name);
	if (is_new)
		set_up_queues(device);
	else if (has_a_driver())
		start_queues();
}

void vduse_destroy(const char *name)
{
	char buf[VDUSE_NAME_MAX] = "";
	int control = open_control();

	snprintf(buf, sizeof(buf), "%s", name);
	check(!ioctl(control, VDUSE_DESTROY_DEV, buf), "%s stays: %s", name, strerror(errno));
	close(control);
}
