/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_QUEUE_H
#define TOOLS_VIRTIO_QUEUE_H
/*
 * A queue of the core with a device on its other side, and buffers with data
 * that is verified both ways.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "device.h"
#include "shim.h"
#include "test.h"

#define TQ_MAX_REQS	1024

/**
 * struct tq_config - what queue a test wants
 * @num: size; 0 is taken for 8
 * @num_max: largest size; 0 is taken for @num
 * @packed: the packed layout
 * @legacy: without VIRTIO_F_VERSION_1
 * @indirect: with indirect descriptors
 * @event: with event index
 * @access: with VIRTIO_F_ACCESS_PLATFORM: through the DMA API
 * @order: with VIRTIO_F_ORDER_PLATFORM
 * @in_order: with VIRTIO_F_IN_ORDER
 * @notify_data: with VIRTIO_F_NOTIFICATION_DATA
 * @bounce: DMA mappings are copies
 * @ctx: buffers have a context
 * @premapped: the driver maps all buffers
 * @no_callback: the queue has no callback
 * @may_reduce: the queue may be smaller if memory is short
 */
struct tq_config {
	unsigned int num;
	unsigned int num_max;
	bool packed;
	bool legacy;
	bool indirect;
	bool event;
	bool access;
	bool order;
	bool in_order;
	bool notify_data;
	bool bounce;
	bool ctx;
	bool premapped;
	bool no_callback;
	bool may_reduce;
};

/* How elements are added */
enum tq_how {
	HOW_OLD,	/* virtqueue_add_sgs() and its siblings */
#ifndef STOCK
	HOW_SG,		/* virtqueue_add_sg(), one list for each direction */
	HOW_SGS,	/* the same, in many lists */
	HOW_PAGE,
	HOW_PTR,
	HOW_BVEC,
	HOW_BVECS,	/* virtqueue_add_bvecs(), an array for each direction */
	HOW_DMA,	/* virtqueue_add_dma() */
	HOW_BUF_PTR,	/* virtqueue_add_buf_ptr(), for one element */
	HOW_BUF_DMA,	/* virtqueue_add_buf_dma(), the same */
	HOW_MIX,	/* something else for each element */
#endif
	HOWS,
	/* virtqueue_add_{out,in}buf_premapped(), for one direction only */
	HOW_PREMAPPED
};

struct req_elem {
	void *data;
	u32 len;
	dma_addr_t dma;
	bool mapped;	/* by the driver, at @dma */
};

/**
 * struct req - a buffer and what is known about it
 * @out: readable elements
 * @in: writable elements after them
 * @in_len: bytes in these
 * @elem: the elements
 * @buf: how the device sees it
 * @used_len: used length that the device reported
 * @written: what the device wrote
 * @ctx: context
 */
struct req {
	unsigned int out;
	unsigned int in;
	u32 in_len;
	struct req_elem elem[DEVICE_MAX_ELEMS];
	struct device_buf buf;
	u32 used_len;
	u8 *written;
	void *ctx;
};

/* Requests in order */
struct req_list {
	struct req *req[TQ_MAX_REQS];
	unsigned int first;
	unsigned int count;
};

/**
 * struct tq - a queue under test
 * @config: what it was made of
 * @vdev: the virtio device
 * @parent: the device that does the DMA
 * @vq: the queue, on the driver's side
 * @dq: the queue, on the device's side
 * @added: buffers that were added and not yet taken by the device
 * @held: buffers that the device has
 * @used: buffers that were used and not yet taken back by the driver
 * @kicked: position up to which the device was told, or need not be
 * @notifies: notifications so far
 * @callbacks: callbacks so far
 * @notify_fails: notifications fail
 * @callback: called for each callback, if set
 * @racing: a buffer may be used while the driver finds none
 * @failing: tq_traffic() lets mappings and allocations fail
 * @hostile: the device has ruined the ring and looks no more
 * @reset_fails: the transport can't disable the queue
 * @enable_fails: the transport can't enable the queue again
 * @gone: registers read as all ones
 * @in_reset: called when the transport disables or enables the queue, if set
 * @resets: how often the transport reset the queue
 * @foreign: what calls the driver is not vring_interrupt()
 */
struct tq {
	struct tq_config config;
	struct virtio_device vdev;
	struct device parent;
	struct virtqueue *vq;
	struct device_queue dq;
	struct req_list added;
	struct req_list held;
	struct req_list used;
	u64 kicked;
	unsigned long notifies;
	unsigned long callbacks;
	bool notify_fails;
	bool racing;
	bool hostile;
	bool failing;
	void (*callback)(struct tq *tq);
	bool reset_fails;
	bool enable_fails;
	bool gone;
	void (*in_reset)(struct tq *tq);
	unsigned int resets;
	bool foreign;
};

/* Make a virtio device for @config, without a queue yet. */
void tq_init(struct tq *tq, const struct tq_config *config);
/* Make its queue; false if that fails. */
bool tq_create(struct tq *tq);
/* Both, in memory of the test, and no failure. */
struct tq *tq_new(const struct tq_config *config);
/* Let the device start at the beginning of the queue. */
void tq_attach_device(struct tq *tq);
/* Called at the end of that, to put another device in its place */
extern void (*tq_attach_hook)(struct tq *tq);
/* Take all buffers back and delete the queue; nothing may be left over. */
void tq_delete(struct tq *tq);
/* Nothing is allocated or mapped any more. */
void tq_check_clean(void);

/* A buffer with random lengths up to @max_len, and data in it */
struct req *req_new(unsigned int out, unsigned int in, u32 max_len);
void req_free(struct tq *tq, struct req *req);

/* Add a buffer: 0 or what the core returned; then it still is the caller's. */
int tq_add(struct tq *tq, struct req *req, enum tq_how how);
/* The same with a buffer of a kind, which is freed if it can't be added */
int tq_add_new(struct tq *tq, unsigned int out, unsigned int in,
	       enum tq_how how);
/* Add a buffer for which there must be room. */
struct req *tq_must_add(struct tq *tq, unsigned int out, unsigned int in,
			enum tq_how how);

#ifndef STOCK
/* Start a buffer and add its elements, without its end */
int tq_start(struct tq *tq, struct req *req, enum tq_how how);
#endif

/* Publish, and check that the device is told exactly when it has to be. */
void tq_kick(struct tq *tq);

/* The device takes the next buffer and checks data; false: there is none. */
bool tq_pop(struct tq *tq);
void tq_pop_all(struct tq *tq);
/* The device writes to the n-th buffer that it has, and is done with it. */
void tq_use(struct tq *tq, unsigned int n, u32 len);
/* The same with a random length; all buffers in random order */
void tq_use_some(struct tq *tq, unsigned int n);
void tq_use_all(struct tq *tq);
/* The device uses the first @n buffers, with one used element for all. */
void tq_use_batch(struct tq *tq, unsigned int n);
/* Interrupt the driver if it wants that; true if so. */
bool tq_irq(struct tq *tq);

/* The driver takes the next used buffer and checks it; false: there is none. */
bool tq_get(struct tq *tq);
unsigned int tq_get_all(struct tq *tq);

/* Add, publish, take, use, take back @rounds buffers at random. */
void tq_traffic(struct tq *tq, unsigned int rounds);

/* Largest number of elements of a buffer on an empty queue */
unsigned int tq_max_elems(const struct tq *tq);

/* "split indirect event n=8" in a static buffer */
const char *tq_name(const struct tq_config *config);

/* Call @fn for all combinations of features that are worth it. */
typedef void tq_config_fn(const struct tq_config *config);
void tq_all_configs(tq_config_fn *fn);
/* The same with VIRTIO_F_IN_ORDER, which stock doesn't know */
void tq_all_in_order(tq_config_fn *fn);

void req_list_push(struct req_list *list, struct req *req);
struct req *req_list_take(struct req_list *list, unsigned int n);

#endif
