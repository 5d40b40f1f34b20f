// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues: the device's side of the rings is the one of the tests of the core. This
 * program's first thread serves them, the transport's starts and stops them.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "storage.h"
#include "test.h"
#include "transport.h"

#define BATCH		32

/**
 * struct queue - a queue and what was done with it
 * @on: the front end has set it up
 * @call: the device's interrupts
 * @kick: the driver's notifications
 * @requests: buffers that were served
 * @given_back: used elements that said so: in order, one does for many
 * @interrupts: of the driver
 * @ring: the device's side
 */
static struct queue {
	bool on;
	int call;
	int kick;
	unsigned long requests;
	unsigned long given_back;
	unsigned long interrupts;
	struct device_queue ring;
} queues[MAX_QUEUES];

/* What all queues have done: in a file for those who measure, else here */
static struct counts {
	u64 kicks;
	u64 interrupts;
	u64 busy_ns;
} counted_here, *counts = &counted_here;

static const struct storage *storage;
static bool polls;
static bool in_turn;
static unsigned int batch = BATCH;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool running;
static int changed;

/* ---- what the transport's thread does ---- */

static void tell_server(void)
{
	eventfd_write(changed, 1);
}

/* Elements before the first one count as used: by nobody, or by another back end. */
static u64 first_place(const struct transport_ring *from)
{
	if (!(from->features & FEATURE(VIRTIO_F_RING_PACKED)))
		return from->base;
	check((from->base & 0x7fff) < from->num, "device: the ring starts at %#x", from->base);
	return (from->base & 0x7fff) + (from->base >> 15 ? 0 : from->num);
}

static void set_up_ring(struct device_queue *ring, const struct transport_ring *from)
{
	bool packed = from->features & FEATURE(VIRTIO_F_RING_PACKED);

	memset(ring, 0, sizeof(*ring));
	ring->ops = packed ? &device_packed : &device_split;
	ring->num = from->num;
	ring->desc = from->desc;
	ring->driver = from->driver;
	ring->device = from->device;
	ring->indirect = from->features & FEATURE(VIRTIO_RING_F_INDIRECT_DESC);
	ring->event = from->features & FEATURE(VIRTIO_RING_F_EVENT_IDX);
	ring->in_order = from->features & FEATURE(VIRTIO_F_IN_ORDER);
	/* Then the next descriptor is known, and looked at. */
	check(packed || !ring->in_order || !from->base, "device: the ring starts at %#x",
	      from->base);
	ring->seen = first_place(from);
	ring->popped = ring->seen;
	ring->used = ring->seen;
	ring->told = ring->seen;
}

/* Offset and wrap counter, or the index: as VIRTIO_F_NOTIFICATION_DATA has it */
static u16 place_in(const struct device_queue *ring)
{
	return ring->ops->notify_data(ring, ring->popped);
}

/* Also after a stop of a moment, in which the front end has given other interrupts. */
void queue_start(unsigned int n, const struct transport_ring *from)
{
	struct queue *queue = &queues[n];
	struct device_queue *ring = &queue->ring;

	check(n < MAX_QUEUES, "device: queue %u", n);
	pthread_mutex_lock(&lock);
	if (!ring->ops || ring->desc != from->desc || place_in(ring) != from->base)
		set_up_ring(ring, from);
	queue->kick = from->kick;
	queue->call = from->call;
	/* One read takes all notifications, if there are any. */
	check(!fcntl(queue->kick, F_SETFL, O_NONBLOCK), "no notifications");
	queue->on = true;
	pthread_mutex_unlock(&lock);
	tell_server();
}

void queue_stop(unsigned int n)
{
	pthread_mutex_lock(&lock);
	queues[n].on = false;
	pthread_mutex_unlock(&lock);
	tell_server();
}

void queue_reset(unsigned int n)
{
	pthread_mutex_lock(&lock);
	queues[n].on = false;
	queues[n].ring.ops = NULL;
	pthread_mutex_unlock(&lock);
	tell_server();
}

bool queue_place(unsigned int n, uint16_t *place)
{
	if (n >= MAX_QUEUES || !queues[n].ring.ops)
		return false;
	*place = place_in(&queues[n].ring);
	return true;
}

void queues_run(bool run)
{
	pthread_mutex_lock(&lock);
	running = run;
	pthread_mutex_unlock(&lock);
	tell_server();
}

void queues_end(void)
{
	struct queue *queue;

	pthread_mutex_lock(&lock);
	for (queue = queues; queue < queues + MAX_QUEUES; queue++)
		if (queue->requests)
			printf("queue %zd: %lu requests, %lu used elements, %lu interrupts\n",
			       queue - queues, queue->requests, queue->given_back,
			       queue->interrupts);
	exit(0);
}

/* ---- what the first thread does ---- */

/* What device.c asks for: where the guest's memory is */
void *shim_phys_to_cpu(dma_addr_t addr, size_t len)
{
	void *place = transport_memory(addr, len);

	check(place, "device: %zu bytes at %#llx are not the guest's memory", len,
	      (unsigned long long)addr);
	return place;
}

void *shim_dma_to_cpu(dma_addr_t addr, size_t len, enum dma_data_direction dir)
{
	check(false, "device: there is no IOMMU");
	return NULL;
}

static u32 serve_one(struct queue *queue, const struct device_buf *buf)
{
	queue->requests++;
	return storage->serve(&queue->ring, queue - queues, buf);
}

/* One used element for all up to one that was not written in whole: its length counts. */
static void use_in_order(struct queue *queue, const struct device_buf *bufs, unsigned int n)
{
	struct device_queue *ring = &queue->ring;
	unsigned int i;
	u16 steps = 0;
	u32 len;

	for (i = 0; i < n; i++) {
		len = serve_one(queue, &bufs[i]);
		steps += bufs[i].steps;
		ring->ops->forget(ring, &bufs[i]);
		if (i + 1 < n && len == bufs[i].in_len)
			continue;
		ring->ops->put_used(ring, bufs[i].id, len, steps);
		queue->given_back++;
		steps = 0;
	}
}

/* The last one first, as no driver shall count on any order; but where one measures. */
static void use_each(struct queue *queue, const struct device_buf *bufs, unsigned int n)
{
	const struct device_buf *buf;
	unsigned int i;

	for (i = 0; i < n; i++) {
		buf = &bufs[in_turn ? i : n - 1 - i];
		device_use(&queue->ring, buf, serve_one(queue, buf));
		queue->given_back++;
	}
}

struct device_queue *queue_ring(unsigned int n)
{
	return &queues[n].ring;
}

void queue_interrupt(unsigned int n)
{
	struct queue *queue = &queues[n];

	/* What is used before what the driver asked for: its enable_cb is the other side. */
	__sync_synchronize();
	if (!device_wants_irq(&queue->ring))
		return;
	queue->interrupts++;
	counts->interrupts++;
	transport_interrupt(queue->call);
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static bool serve_batch(struct queue *queue)
{
	static struct device_buf bufs[BATCH];
	unsigned int n = 0;
	u64 start = now_ns();

	while (n < batch && device_pop(&queue->ring, &bufs[n]))
		n++;
	if (!n)
		return false;
	if (queue->ring.in_order)
		use_in_order(queue, bufs, n);
	else
		use_each(queue, bufs, n);
	queue_interrupt(queue - queues);
	counts->busy_ns += now_ns() - start;
	return true;
}

static bool take_kicks(struct queue *queue)
{
	eventfd_t kicks;

	if (eventfd_read(queue->kick, &kicks))
		return false;
	counts->kicks += kicks;
	return true;
}

static void serve_queue(struct queue *queue)
{
	struct device_queue *ring = &queue->ring;

	take_kicks(queue);
	if (queue - queues == storage->idle_queue)
		return;
	do {
		device_set_kicks(ring, KICKS_OFF, 0);
		while (serve_batch(queue))
			;
		device_set_kicks(ring, ring->event ? KICKS_EVENT : KICKS_ON, ring->popped);
		/* What is asked for before another look: the driver's kick_prepare */
		__sync_synchronize();
	} while (ring->ops->look(ring) != ring->popped);
}

void queues_prepare(const struct storage *kind)
{
	storage = kind;
	changed = eventfd(0, EFD_NONBLOCK);
	check(changed >= 0, "no eventfd");
}

void queues_one_by_one(void)
{
	in_turn = true;
	batch = 1;
}

void queues_measure(bool poll, const char *file)
{
	polls = poll;
	in_turn = true;
	counts = map_file(file, sizeof(*counts), O_TRUNC);
}

static void poll_queues(void)
{
	struct queue *queue;
	bool busy = false;

	pthread_mutex_lock(&lock);
	for (queue = queues; running && queue < queues + MAX_QUEUES; queue++) {
		if (!queue->on || queue - queues == storage->idle_queue)
			continue;
		if (serve_batch(queue))
			busy = true;
		else if (take_kicks(queue))
			device_set_kicks(&queue->ring, KICKS_OFF, 0);
	}
	pthread_mutex_unlock(&lock);
	/* DPDK's thread has the same CPU, and may have come to the lock. */
	if (!busy)
		sched_yield();
}

static void wait_for_queues(void)
{
	struct pollfd fds[MAX_QUEUES + 1];
	eventfd_t changes;
	unsigned int i, n = 1;

	fds[0] = (struct pollfd){ .fd = changed, .events = POLLIN };
	eventfd_read(changed, &changes);
	pthread_mutex_lock(&lock);
	for (i = 0; running && i < MAX_QUEUES; i++) {
		if (!queues[i].on)
			continue;
		serve_queue(&queues[i]);
		fds[n++] = (struct pollfd){ .fd = queues[i].kick, .events = POLLIN };
	}
	pthread_mutex_unlock(&lock);
	poll(fds, n, -1);
}

void queues_serve(void)
{
	for (;;) {
		if (polls)
			poll_queues();
		else
			wait_for_queues();
	}
}
