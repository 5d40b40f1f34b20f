/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_THREADS_H
#define TOOLS_VIRTIO_THREADS_H
/*
 * The driver in one thread and the device in another. Both wait only when the
 * protocol says that they will be told, so that a lost wake-up is found.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <semaphore.h>
#include "../shim.h"
#include "../test.h"

#define PAIR_NUM	64
#define PAIR_REQS	(4 * PAIR_NUM)
#define REQ_ELEMS	3
#define REQ_BYTES	64
#define WAIT_SECONDS	20

/* What the device writes at the start of a buffer's writable part */
struct reply {
	u64 sum;	/* of the readable part */
	u32 len;	/* bytes written, this included */
	u8 fill;	/* all that follows */
} __packed;

/**
 * struct pair - a queue with a thread on each side
 * @packed: layout
 * @indirect: VIRTIO_RING_F_INDIRECT_DESC
 * @event: VIRTIO_RING_F_EVENT_IDX
 * @in_order: VIRTIO_F_IN_ORDER
 * @vdev: the virtio device
 * @parent: its parent
 * @vq: the queue
 * @kick: the driver tells the device
 * @irq: the device tells the driver
 * @stop: the device is to end
 * @waits: how often the driver waited
 * @device_waits: how often the device did
 * @batches: in order: batches of more than one buffer
 */
struct pair {
	bool packed;
	bool indirect;
	bool event;
	bool in_order;
	struct virtio_device vdev;
	struct device parent;
	struct virtqueue *vq;
	sem_t kick;
	sem_t irq;
	bool stop;
	unsigned long waits;
	unsigned long device_waits;
	unsigned long batches;
};

/* The device's thread; returns when pair->stop is set and it is told. */
void *device_thread(void *pair);

/* Wait to be told; ends the program when that takes too long. */
void wait_for(sem_t *sem, const char *who);

/* Forget being told before one asks for it: a lost wake-up can't hide. */
void forget_old(sem_t *sem);

/* Random numbers of a thread */
static inline u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static inline u64 add_up(u64 sum, const u8 *data, u32 len)
{
	while (len--)
		sum = sum * 31 + *data++;
	return sum;
}

#endif
