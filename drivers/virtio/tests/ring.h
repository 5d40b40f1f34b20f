/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING_H
#define RING_H
/*
 * A ring with a device on its other side: the one that tests the core in user
 * space, where these tests run as well, on memory of its own.
 */
#include <kunit/test.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "device.h"

#define RING_BUFS	32
#define RING_ELEMS	6
#define RING_ELEM_SIZE	128

/* What is negotiated: the parameter of a test is any sum of these. */
enum ring_config {
	RING_PACKED = 1,
	RING_IN_ORDER = 2,
	RING_INDIRECT = 4,
	RING_EVENT = 8,
	RING_ACCESS = 16,	/* through the DMA API */
	RING_CONFIGS = 32,
};

/* How a buffer is added: before RING_HOWS any, after it one of one element */
enum ring_how {
	BY_OLD, BY_PTR, BY_PAGE, BY_BVEC, BY_SG, BY_DMA,
	RING_HOWS,
	BY_BUF_PTR, BY_BUF_DMA
};

/**
 * struct ring_buf - a buffer; its address is the token
 * @memory: where its elements lie, RING_ELEM_SIZE for each
 * @seen: how the device sees it
 * @in_flight: added and not taken back
 * @out: readable elements
 * @in: writable elements after them
 * @seed: what its data and lengths are made of
 * @used_len: bytes that the device wrote
 * @dma: where the driver mapped the elements, if @mapped
 * @mapped: it did
 */
struct ring_buf {
	u8 *memory;
	struct device_buf *seen;
	bool in_flight;
	unsigned int out;
	unsigned int in;
	u8 seed;
	u32 used_len;
	dma_addr_t dma[RING_ELEMS];
	bool mapped;
};

/**
 * struct ring - the queue under test
 * @test: whose it is
 * @config: what was negotiated, of enum ring_config
 * @vdev: the virtio device
 * @parent: the device that does the DMA
 * @vq: the driver's side
 * @dq: the device's side
 * @bufs: all buffers
 * @added: those that the device has not taken, oldest first
 * @num_added: how many these are
 * @callbacks: callbacks so far
 * @notified: notifications so far
 */
struct ring {
	struct kunit *test;
	unsigned long config;
	struct virtio_device vdev;
	struct device *parent;
	struct virtqueue *vq;
	struct device_queue *dq;
	struct ring_buf bufs[RING_BUFS];
	struct ring_buf *added[RING_BUFS];
	unsigned int num_added;
	unsigned int callbacks;
	unsigned int notified;
};

/* Parameters of a test: all sums of enum ring_config */
const void *ring_gen_configs(const void *prev, char *desc);

int ring_init(struct kunit *test);
void ring_exit(struct kunit *test);

/* The device starts at the beginning of the queue. */
void ring_attach(struct ring *ring);

/* Make the device that does the DMA, and what names the virtio device. */
void ring_init_memory(struct ring *ring);
/* Are mappings copies (swiotlb=force)? */
bool ring_bounces(const struct ring *ring);

u32 ring_elem_len(const struct ring_buf *buf, unsigned int n);

/* A buffer that is not in flight, with data in its readable elements */
struct ring_buf *ring_buf_new(struct ring *ring, unsigned int out,
			      unsigned int in);
/* What virtqueue_end_buf() or an old call returns */
int ring_add(struct ring *ring, struct ring_buf *buf, enum ring_how how);
void ring_must_add(struct ring *ring, unsigned int out, unsigned int in,
		   enum ring_how how);
/* Is there a buffer for the device? */
bool ring_is_seen(struct ring *ring);
/* The device takes all, verifies what it reads, writes, and uses all. */
unsigned int ring_serve(struct ring *ring);
/* The device interrupts, if the driver wants that. */
void ring_irq(struct ring *ring);
/* The driver takes all back, and verifies what was written. */
unsigned int ring_get_all(struct ring *ring);
/* A token came back. */
void ring_take_back(struct ring *ring, struct ring_buf *buf);

#endif
