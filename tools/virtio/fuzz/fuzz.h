/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_H
#define TOOLS_VIRTIO_FUZZ_H
/*
 * A queue whose driver and device both do what an input says. The driver keeps
 * to the API; the device keeps to nothing.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "../shim.h"
#include "../test.h"

#define FUZZ_MAX_BUFS	512
#define FUZZ_MAX_ELEMS	12

/*
 * The input is read from both ends: the driver's calls from the front, what the
 * device does from the back. 0 when they meet.
 */
void input_set(const u8 *data, size_t size);
bool input_ended(void);
u8 driver_byte(void);
u8 device_byte(void);

struct fuzz_elem {
	u32 len;
	dma_addr_t dma;
	bool mapped;		/* by the driver */
};

/**
 * struct fuzz_buf - a buffer; its address is the token
 * @in_flight: added and not back yet
 * @published: the device was shown it
 * @used: the device claims to have used it
 * @out: readable elements
 * @in: writable elements
 * @in_len: bytes in these
 * @taken: how much the add took from num_free
 * @id: head or buffer ID, as the device sees it
 * @ctx: context
 * @elem: the elements
 */
struct fuzz_buf {
	bool in_flight;
	bool published;
	bool used;
	unsigned int out;
	unsigned int in;
	u32 in_len;
	unsigned int taken;
	u16 id;
	void *ctx;
	struct fuzz_elem elem[FUZZ_MAX_ELEMS];
};

/**
 * struct fuzz - the queue, and what both sides know about it
 * @vdev: the virtio device
 * @parent: the device that does the DMA
 * @vq: the queue
 * @num: its size
 * @packed: its layout
 * @in_order: VIRTIO_F_IN_ORDER was negotiated
 * @with_ctx: buffers have a context
 * @premapped: scatterlists carry DMA addresses
 * @access: addresses go through the IOMMU
 * @bufs: all buffers
 * @order: those in flight, oldest first
 * @count: how many these are
 * @poll_state: what enable_cb_prepare returned last
 * @broken_by_us: the transport broke the queue
 * @warns: warnings of the core that are fine
 * @notify_fails: the device can't be told
 * @reset_fails: the transport can't disable a queue
 * @enable_fails: the transport can't enable it again
 * @added: split: buffers added since the start, packed: descriptors
 * @used_pos: where the device is, in the same units
 */
struct fuzz {
	struct virtio_device vdev;
	struct device parent;
	struct virtqueue *vq;
	unsigned int num;
	bool packed;
	bool in_order;
	bool with_ctx;
	bool premapped;
	bool access;
	struct fuzz_buf bufs[FUZZ_MAX_BUFS];
	struct fuzz_buf *order[FUZZ_MAX_BUFS];
	unsigned int count;
	unsigned int poll_state;
	bool broken_by_us;
	bool unplugged;
	unsigned int warns;
	bool notify_fails;
	bool reset_fails;
	bool enable_fails;
	u32 added;
	u32 used_pos;
};

extern struct fuzz fuzz;

/* The device: begins a queue, at a position of the driver's */
void liar_attach(u32 pos);
/* Does the next thing, between calls */
void liar_act(void);
/* Learns what the driver has published. */
void liar_look(void);
/* Learns about a buffer that was just added */
void liar_see(struct fuzz_buf *buf);

/* Let the device act within the next call, which has few points of its own. */
void call_begin(unsigned int points);
void call_end(void);

/* The linker puts these of liar.c around the functions of the same name. */
void *__real_alloc_pages_exact(size_t size, gfp_t gfp);
void *__wrap_alloc_pages_exact(size_t size, gfp_t gfp);
void __real_free_pages_exact(void *virt, size_t size);
void __wrap_free_pages_exact(void *virt, size_t size);
void *__real_dma_alloc_coherent(struct device *dev, size_t size,
				dma_addr_t *addr, gfp_t gfp);
void *__wrap_dma_alloc_coherent(struct device *dev, size_t size,
				dma_addr_t *addr, gfp_t gfp);
void __real_dma_free_coherent(struct device *dev, size_t size, void *cpu,
			      dma_addr_t addr);
void __wrap_dma_free_coherent(struct device *dev, size_t size, void *cpu,
			      dma_addr_t addr);

#endif
