/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_H
#define BENCH_H
/*
 * What the parts of the benchmark share: plain C, no kernel headers, since
 * stock's and ours don't fit into one file.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define CACHE_LINE	64
#define MAX_RING	4096

enum shape {
	READABLE,		/* 1 readable element */
	WRITABLE,		/* 1 writable element */
	NET_TX,			/* header and packet, readable */
	BLOCK_4K,		/* header, 4 KiB writable, status */
	BLOCK_128K,		/* header, 32 writable pages, status */
	SHAPES
};

enum api {
	OLD,			/* the old calls, scatterlist at hand */
	OLD_LIST,		/* the old calls, building the list each time */
	PIECE_SG,		/* piecewise, scatterlist at hand */
	PIECE,			/* piecewise, no scatterlist anywhere */
	ONE_CALL,		/* virtqueue_add_buf_ptr(), of one element only */
	APIS
};

enum callbacks {
	CB_OFF,			/* disabled for good: polling */
	CB_BATCH,		/* off while a batch is taken, as virtio_blk */
	CB_ON,			/* never disabled */
	CB_MODES
};

/* How a queue is set up */
struct queue_config {
	unsigned int ring;	/* descriptors */
	bool packed;
	bool indirect;
	bool event;
	bool in_order;
	bool dma;		/* DMA API */
};

/* What is done with it */
struct load {
	enum shape shape;
	enum api api;
	enum callbacks callbacks;
	unsigned int batch;	/* buffers for each kick */
	unsigned int fill;	/* buffers that stay in flight all the time */
	unsigned int requests;	/* how many to cycle through: a power of 2 */
};

struct shape_info {
	const char *name;
	unsigned int out;
	unsigned int in;
	unsigned int written;	/* bytes that the device reports */
};

extern const struct shape_info shapes[SHAPES];

/* Elements of a buffer */
unsigned int chain_of(enum shape shape);
/* Make the batch small enough for the ring, and choose load->requests. */
void fit(struct load *load, const struct queue_config *config);

/* The device: see device.c */
struct device_side {
	bool packed;
	bool in_order;
	unsigned int ring;
	unsigned int chain;	/* elements of a buffer */
	unsigned int written;
	bool inspect;		/* look at the descriptors, count tables */
	/* What is read, and what is written: the same, but for measuring */
	const void *desc;
	const void *avail;
	void *used;
	/* Where it is */
	__u16 next;
	bool wrap;
	/* What it saw */
	__u64 buffers;
	__u64 indirect;
	__u64 sum;
};

/* Use the next @n buffers, which are there, doing as little as possible. */
void device_use(struct device_side *dev, unsigned int n);
/* Look for buffers, read all their descriptors, use up to @max. How many. */
unsigned int device_poll(struct device_side *dev, unsigned int max);
/* A device that works on copies of the rings of @dev: for its cost alone. */
void device_copy(struct device_side *copy, const struct device_side *dev);
void device_copy_free(struct device_side *copy);

/* The core as a benchmark sees it: one for stock, one for ours, per build */
struct core {
	const char *name;
	void *(*create)(const struct queue_config *config);
	void (*destroy)(void *queue);
	void (*attach)(void *queue, struct device_side *dev);
	/* @count batches of @load, with device_use() after each kick */
	void (*run)(void *queue, const struct load *load,
		    struct device_side *dev, unsigned int count);
	/* @count buffers, at most @limit in flight, device on another CPU */
	void (*run_polled)(void *queue, const struct load *load,
			   unsigned int limit, unsigned int count);
	/* Prepare for @load, once: its buffers in flight, callbacks on or off. */
	void (*prepare)(void *queue, const struct load *load);
};

extern const struct core stock_plain, stock_retpoline, stock_debug, stock_counted;
extern const struct core ours_plain, ours_retpoline, ours_debug, ours_counted;

/*
 * No core at all, see bare.c: the ring is that of a queue that nobody else
 * uses. One at a time.
 */
void bare_start(const struct device_side *dev);
void bare_run(struct device_side *dev, const struct load *load, bool indirect,
	      unsigned int count);

#endif
