// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring in shared memory as a virtqueue: creation and destruction, memory and
 * DMA mappings, change of size, interrupts. What is in the ring, and where,
 * is known to virtio_ring_split.c and virtio_ring_packed.c only.
 *
 * Replaces, with the files next to it, what was one file:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <trace/events/virtio.h>
#include <xen/xen.h>
#include "virtio_ring_internal.h"

/* The largest size that a queue may have (2.6) */
#define VRING_MAX_NUM	32768

/*
 * True for a vring. Drivers and transports may call the functions below with
 * any virtqueue, and only a vring has a struct vring_virtqueue around it.
 */
static bool is_vring(const struct virtqueue *vq)
{
	if (vring_is_ring(vq))
		return true;
	WARN_ONCE(1, "%s: a function for vrings is called, and this is none\n",
		  vq->name);
	return false;
}

/*
 * Memory
 */

/*
 * Without VIRTIO_F_ACCESS_PLATFORM a device takes physical addresses, whatever
 * IOMMU it seems to be behind; Xen is the exception: its guests reach other
 * domains through the DMA API only.
 */
static bool vring_use_dma_api(const struct virtio_device *vdev)
{
	return !virtio_has_dma_quirk(vdev) || xen_domain();
}

/**
 * virtio_max_dma_size - how large an element of a buffer may be
 * @vdev: the device
 *
 * Context: Any.
 *
 * Return: The limit in bytes that DMA mappings impose, SIZE_MAX if none.
 */
size_t virtio_max_dma_size(const struct virtio_device *vdev)
{
	if (!vring_use_dma_api(vdev))
		return SIZE_MAX;
	return dma_max_mapping_size(vdev->dev.parent);
}
EXPORT_SYMBOL_GPL(virtio_max_dma_size);

/* Get zeroed memory that the device can reach. */
int vring_mem_alloc(struct vring_virtqueue *vring, struct vring_mem *mem,
		    size_t size, gfp_t gfp)
{
	struct device *dma_dev = vring->vq.dma_dev;

	mem->size = PAGE_ALIGN(size);
	gfp |= __GFP_ZERO | __GFP_NOWARN;
	if (dma_dev) {
		mem->addr = dma_alloc_coherent(dma_dev, mem->size, &mem->dma,
					       gfp);
		return mem->addr ? 0 : -ENOMEM;
	}

	mem->addr = alloc_pages_exact(mem->size, gfp);
	if (!mem->addr)
		return -ENOMEM;
	mem->dma = virt_to_phys(mem->addr);
	/* A dma_addr_t can't hold it: the device would get another page. */
	if (WARN_ON_ONCE(mem->dma != virt_to_phys(mem->addr))) {
		vring_mem_free(vring, mem);
		return -ENOMEM;
	}
	return 0;
}

void vring_mem_free(struct vring_virtqueue *vring, struct vring_mem *mem)
{
	struct device *dma_dev = vring->vq.dma_dev;

	if (dma_dev)
		dma_free_coherent(dma_dev, mem->size, mem->addr, mem->dma);
	else
		free_pages_exact(mem->addr, mem->size);
}

static inline void vring_unmap(struct device *dma_dev,
			       const struct vring_map *map)
{
	if (map->dir != DMA_NONE)
		dma_unmap_page(dma_dev, map->addr, map->len, map->dir);
}

static void vring_unmap_chain(struct vring_virtqueue *vring, u16 id,
			      unsigned int num)
{
	for (; num; num--) {
		vring_unmap(vring->vq.dma_dev, &vring->rings.map[id]);
		id = vring->rings.state[id].next;
	}
}

/* The end of vring_reclaim() with the DMA API */
void *vring_unmap_slow(struct vring_virtqueue *vring,
		       const struct vring_state *state, u16 id, void *data)
{
	const struct vring_map *map;
	unsigned int num;

	if (state->place == VRING_IN_RING) {
		vring_unmap_chain(vring, id, state->num);
		return data;
	}
	map = vring_table_maps(vring, state, id);
	for (num = state->table_num; num; num--)
		vring_unmap(vring->vq.dma_dev, map++);
	vring_release_table(vring, state);
	return data;
}

/* The buffer at free_head, of which @num elements were appended, is given up. */
void vring_cancel(struct vring_virtqueue *vring, unsigned int num)
{
	struct vring_state *state = vring_free_state(vring);

	state->data = NULL;
	if (!vring->vq.dma_dev) {
		vring_release_table(vring, state);
		return;
	}
	state->num = num;
	state->table_num = num;
	vring_unmap_slow(vring, state, vring->free_head, NULL);
}

/* There is neither room in the ring for a buffer, nor a table. */
static int vring_refuse(const struct vring_virtqueue *vring, unsigned int num,
			bool table)
{
	/* There are fewer free than that, so buffers are outstanding. */
	if (num <= vring->rings.num || (table && !vring->vq.num_free))
		return -ENOSPC;
	/* It takes a table, for which there may be memory soon. */
	return table ? -ENOMEM : -E2BIG;
}

/*
 * Begin a buffer that takes a table from a pool, or for which there is no room
 * at first sight.
 */
int vring_start_slow(struct vring_virtqueue *vring, unsigned int num,
		     void *data, void *ctx, gfp_t gfp)
{
	struct vring_state *state = vring_free_state(vring);
	bool may_have_table = vring->indirect && num > 1 && !ctx;

	if (may_have_table && vring->vq.num_free) {
		state->table = vring_table_get(vring, num, gfp);
		if (state->table) {
			state->data = data;
			state->place = VRING_IN_POOL_TABLE;
			return VRING_IN_POOL_TABLE;
		}
	}
	if (num > vring->vq.num_free)
		return vring_refuse(vring, num, may_have_table);
	vring_set_state(state, data, ctx, VRING_IN_RING);
	return VRING_IN_RING;
}

/*
 * Creation, change of size, reset
 */

static void vring_private_free(struct vring_virtqueue *vring,
			       struct vring_rings *rings)
{
	vring_own_tables_free(vring, rings);
	kvfree(rings->state);
	kvfree(rings->map);
}

static int vring_private_alloc(struct vring_virtqueue *vring,
			       struct vring_rings *rings)
{
	int node = dev_to_node(&vring->vq.vdev->dev);
	unsigned int num = rings->num;

	rings->state = kvmalloc_node(array_size(num, sizeof(*rings->state)),
				     GFP_KERNEL | __GFP_ZERO, node);
	if (!rings->state)
		return -ENOMEM;
	vring_own_tables_alloc(vring, rings);
	if (!vring->vq.dma_dev)
		return 0;

	rings->map = kvmalloc_node(array_size(num, sizeof(*rings->map)),
				   GFP_KERNEL | __GFP_ZERO, node);
	if (!rings->map) {
		vring_private_free(vring, rings);
		return -ENOMEM;
	}
	return 0;
}

static int vring_rings_alloc(struct vring_virtqueue *vring,
			     struct vring_rings *rings, unsigned int num)
{
	int err;

	if (!num || num > VRING_MAX_NUM) {
		dev_warn(&vring->vq.vdev->dev, "%s: queue size %u is not in 1..%u\n",
			 vring->vq.name, num, VRING_MAX_NUM);
		return -EINVAL;
	}
	err = vring->layout->alloc(vring, rings, num);
	if (err)
		return err;
	err = vring_private_alloc(vring, rings);
	if (err)
		vring_mem_free(vring, &rings->mem);
	return err;
}

static void vring_rings_free(struct vring_virtqueue *vring,
			     struct vring_rings *rings)
{
	if (vring->we_own_ring)
		vring_mem_free(vring, &rings->mem);
	vring_private_free(vring, rings);
}

/* Begin with an empty ring, all of it zero. */
static void vring_init_queue(struct vring_virtqueue *vring)
{
	struct vring_rings *rings = &vring->rings;
	unsigned int i;

	/* The last one leads to the first: in-order queues go round. */
	for (i = 0; i < rings->num; i++)
		rings->state[i].next = i + 1 < rings->num ? i + 1 : 0;
	vring->free_head = 0;
	vring->detached = 0;
	vring->in_order.oldest = 0;
	vring->in_order.batch_last = -1;
	vring->kick.added = 0;
	vring->epoch = 1;
	vring->vq.num_free = rings->num;
	vring->cb_disabled = !vring->vq.callback;
	vring->event_triggered = false;
	vring->layout->init(vring);
}

static struct vring_virtqueue *
vring_new(unsigned int index, unsigned int align, struct virtio_device *vdev,
	  bool weak_barriers, bool ctx, bool (*notify)(struct virtqueue *vq),
	  void (*callback)(struct virtqueue *vq), const char *name,
	  struct device *dma_dev)
{
	struct vring_virtqueue *vring;

	vring = kzalloc_node(sizeof(*vring), GFP_KERNEL,
			     dev_to_node(&vdev->dev));
	if (!vring)
		return NULL;

	vring->vq.ops = &vring_split_ops;
	vring->layout = &vring_split_layout;
	if (virtio_has_feature(vdev, VIRTIO_F_RING_PACKED)) {
		vring->vq.ops = &vring_packed_ops;
		vring->layout = &vring_packed_layout;
	}
	vring->vq.index = index;
	vring->vq.vdev = vdev;
	vring->vq.name = name;
	vring->vq.callback = callback;
	if (vring_use_dma_api(vdev))
		vring->vq.dma_dev = dma_dev;

	vring_tables_init(&vring->tables);
	vring->align = align;
	vring->notify = notify;
	vring->weak_barriers = weak_barriers &&
			       !virtio_has_feature(vdev, VIRTIO_F_ORDER_PLATFORM);
	vring->indirect = !ctx &&
			  virtio_has_feature(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	vring->event = virtio_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX);
	vring->in_order.enabled = virtio_has_feature(vdev, VIRTIO_F_IN_ORDER);
	return vring;
}

/**
 * vring_create_virtqueue_dma - create a virtqueue in memory of its own
 * @index: number of the queue in the device
 * @num: size in descriptors; for the split layout a power of 2
 * @vring_align: alignment in bytes of the used ring (split, 2.7.2), a power of
 *               2
 * @vdev: the device, with its features negotiated
 * @weak_barriers: the device is a CPU that is coherent with this one; without
 *                 effect when VIRTIO_F_ORDER_PLATFORM is negotiated
 * @may_reduce_num: make a smaller split queue if memory is short; ask
 *                  virtqueue_get_vring_size() for the size
 * @ctx: buffers will have a context, so that none may have an indirect table
 * @notify: tells the device that there are buffers; false if that failed. May
 *          be called in any context.
 * @callback: called when buffers were used, see vring_interrupt(); may be NULL
 * @name: name of the queue, for messages; not copied
 * @dma_dev: the device to map memory for
 *
 * The layout depends on VIRTIO_F_RING_PACKED (2.7, 2.8).
 *
 * Context: Process context; may sleep.
 *
 * Return: The queue, to be destroyed by vring_del_virtqueue(), or NULL.
 */
struct virtqueue *
vring_create_virtqueue_dma(unsigned int index, unsigned int num,
			   unsigned int vring_align, struct virtio_device *vdev,
			   bool weak_barriers, bool may_reduce_num, bool ctx,
			   bool (*notify)(struct virtqueue *vq),
			   void (*callback)(struct virtqueue *vq),
			   const char *name, struct device *dma_dev)
{
	struct vring_virtqueue *vring;

	vring = vring_new(index, vring_align, vdev, weak_barriers, ctx, notify,
			  callback, name, dma_dev);
	if (!vring)
		return NULL;
	vring->we_own_ring = true;
	vring->may_reduce_num = may_reduce_num;
	if (vring_rings_alloc(vring, &vring->rings, num)) {
		kfree(vring);
		return NULL;
	}
	vring_init_queue(vring);
	virtqueue_register(&vring->vq);
	return &vring->vq;
}
EXPORT_SYMBOL_GPL(vring_create_virtqueue_dma);

/**
 * vring_create_virtqueue - create a virtqueue in memory of its own
 * @index: number of the queue in the device
 * @num: size in descriptors
 * @vring_align: alignment in bytes of the used ring
 * @vdev: the device; its parent does the DMA
 * @weak_barriers: the device is a CPU that is coherent with this one
 * @may_reduce_num: make a smaller split queue if memory is short
 * @ctx: buffers will have a context
 * @notify: tells the device that there are buffers
 * @callback: called when buffers were used; may be NULL
 * @name: name of the queue; not copied
 *
 * See vring_create_virtqueue_dma().
 *
 * Context: Process context; may sleep.
 *
 * Return: The queue, to be destroyed by vring_del_virtqueue(), or NULL.
 */
struct virtqueue *
vring_create_virtqueue(unsigned int index, unsigned int num,
		       unsigned int vring_align, struct virtio_device *vdev,
		       bool weak_barriers, bool may_reduce_num, bool ctx,
		       bool (*notify)(struct virtqueue *vq),
		       void (*callback)(struct virtqueue *vq), const char *name)
{
	return vring_create_virtqueue_dma(index, num, vring_align, vdev,
					  weak_barriers, may_reduce_num, ctx,
					  notify, callback, name,
					  vdev->dev.parent);
}
EXPORT_SYMBOL_GPL(vring_create_virtqueue);

/**
 * vring_new_virtqueue - make a virtqueue of a split ring that exists already
 * @index: number of the queue in the device
 * @num: size in descriptors, a power of 2
 * @vring_align: alignment in bytes of the used ring
 * @vdev: the device; its parent does the DMA
 * @weak_barriers: the device is a CPU that is coherent with this one
 * @ctx: buffers will have a context
 * @pages: the ring: vring_size() bytes, zeroed; stays the caller's
 * @notify: tells the device that there are buffers
 * @callback: called when buffers were used; may be NULL
 * @name: name of the queue; not copied
 *
 * Such a queue can be neither resized nor reset. See
 * vring_create_virtqueue_dma() for the arguments.
 *
 * Context: Process context; may sleep.
 *
 * Return: The queue, to be destroyed by vring_del_virtqueue(), or NULL, also
 * when the device has negotiated packed rings.
 */
struct virtqueue *
vring_new_virtqueue(unsigned int index, unsigned int num,
		    unsigned int vring_align, struct virtio_device *vdev,
		    bool weak_barriers, bool ctx, void *pages,
		    bool (*notify)(struct virtqueue *vq),
		    void (*callback)(struct virtqueue *vq), const char *name)
{
	struct vring_virtqueue *vring;

	if (virtio_has_feature(vdev, VIRTIO_F_RING_PACKED))
		return NULL;

	vring = vring_new(index, vring_align, vdev, weak_barriers, ctx, notify,
			  callback, name, vdev->dev.parent);
	if (!vring)
		return NULL;
	vring->rings.num = num;
	vring_init(&vring->rings.split, num, pages, vring_align);
	if (vring_private_alloc(vring, &vring->rings)) {
		kfree(vring);
		return NULL;
	}
	vring_init_queue(vring);
	virtqueue_register(&vring->vq);
	return &vring->vq;
}
EXPORT_SYMBOL_GPL(vring_new_virtqueue);

/**
 * vring_del_virtqueue - destroy a virtqueue
 * @vq: a queue of vring_create_virtqueue(), vring_create_virtqueue_dma() or
 *      vring_new_virtqueue()
 *
 * The device must not use the queue any more, and no call for it be under way.
 * Buffers should have been taken back with virtqueue_detach_unused_buf().
 *
 * Context: Process context; may sleep.
 */
void vring_del_virtqueue(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (!is_vring(vq))
		return;
	virtqueue_unregister(vq);
	if (vring->len_errors)
		dev_info(&vq->vdev->dev,
			 "%s: %u used lengths were larger than their buffers\n",
			 vq->name, vring->len_errors);
	vring_rings_free(vring, &vring->rings);
	vring_tables_free(vring);
	kfree(vring);
}
EXPORT_SYMBOL_GPL(vring_del_virtqueue);

/*
 * The number of the epoch wrapped. All buffers in the queue are the device's,
 * and shall be so whatever the number is from now on: let them have 0, which is
 * left out.
 */
void vring_restart_epochs(struct vring_virtqueue *vring)
{
	unsigned int id;

	for (id = 0; id < vring->rings.num; id++)
		vring->rings.state[id].epoch = 0;
	vring->epoch = 1;
}

/* 0 if the queue can be reset, and will work then */
static int vring_can_reset(const struct vring_virtqueue *vring)
{
	struct virtio_device *vdev = vring->vq.vdev;
	const struct virtio_config_ops *config = vdev->config;

	if (!vring->we_own_ring)
		return -EPERM;
	if (!config->disable_vq_and_reset || !config->enable_vq_after_reset)
		return -ENOENT;
	/* The transport would wait until it has stopped. */
	if (virtio_device_is_gone(vdev))
		virtio_break_device(vdev);
	return READ_ONCE(vring->vq.lost) ? -EIO : 0;
}

/* Stop the queue (2.6.1) and give all its buffers to @recycle. */
static int vring_disable_and_recycle(struct virtqueue *vq,
				     void (*recycle)(struct virtqueue *vq,
						     void *buf),
				     void (*recycle_done)(struct virtqueue *vq))
{
	void *buf;
	int err;

	err = vq->vdev->config->disable_vq_and_reset(vq);
	if (err)
		return err;
	while ((buf = virtqueue_detach_unused_buf(vq)))
		recycle(vq, buf);
	if (recycle_done)
		recycle_done(vq);
	return 0;
}

/*
 * Hand the fresh queue to the device. Whatever broke the old one has to be
 * forgotten before, as the device may break the new one at once.
 */
static int vring_enable(struct virtqueue *vq)
{
	__virtqueue_unbreak(vq);
	if (vq->vdev->config->enable_vq_after_reset(vq)) {
		virtqueue_lose(vq);
		return -EBUSY;
	}
	/* The device may have gone away meanwhile. */
	return READ_ONCE(vq->lost) ? -EIO : 0;
}

int vring_reset(struct virtqueue *vq,
		void (*recycle)(struct virtqueue *vq, void *buf),
		void (*recycle_done)(struct virtqueue *vq))
{
	struct vring_virtqueue *vring = to_vring(vq);
	int err;

	err = vring_can_reset(vring);
	if (err)
		return err;
	err = vring_disable_and_recycle(vq, recycle, recycle_done);
	if (err)
		return err;
	memset(vring->rings.mem.addr, 0, vring->rings.mem.size);
	vring_init_queue(vring);
	return vring_enable(vq);
}

int vring_resize(struct virtqueue *vq, u32 num,
		 void (*recycle)(struct virtqueue *vq, void *buf),
		 void (*recycle_done)(struct virtqueue *vq))
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_rings rings = {};
	int err;

	err = vring_can_reset(vring);
	if (err)
		return err;
	err = vring_rings_alloc(vring, &rings, num);
	if (err)
		return err;
	err = vring_disable_and_recycle(vq, recycle, recycle_done);
	if (err) {
		vring_rings_free(vring, &rings);
		return err;
	}
	vring_tables_free(vring);
	/* Not while vring_inspect() looks at the old ones */
	spin_lock(&vq->vdev->vqs_list_lock);
	swap(vring->rings, rings);
	vring_init_queue(vring);
	spin_unlock(&vq->vdev->vqs_list_lock);
	vring_rings_free(vring, &rings);
	return vring_enable(vq);
}

int vring_set_dma_premapped(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	return vq->num_free == vring->rings.num ? 0 : -EINVAL;
}

/* Goes on where the last call stopped, so that one round detaches all. */
void *vring_detach_unused_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	unsigned int num = vring->rings.num, left, id;
	struct vring_state *state;

	for (left = num; left; left--) {
		id = vring->detached;
		vring->detached = id + 1 < num ? id + 1 : 0;
		state = &vring->rings.state[id];
		if (state->data)
			return vring_reclaim(vring, state, id,
					     vring->in_order.enabled);
	}
	WARN_ON_ONCE(vq->num_free != num);
	return NULL;
}

/*
 * Dealing with the device
 */

/* The device broke a rule: say which, and stop using the queue. */
void vring_break(struct vring_virtqueue *vring, const char *fmt, ...)
{
	va_list args;

	if (virtqueue_is_broken(&vring->vq))
		return;
	va_start(args, fmt);
	vsnprintf(vring->why, sizeof(vring->why), fmt, args);
	va_end(args);
	virtqueue_break_because(&vring->vq, vring->why);
	dev_err(&vring->vq.vdev->dev, "%s: broken by the device: %s\n",
		vring->vq.name, vring->why);
}

bool vring_notify(struct virtqueue *vq)
{
	return to_vring(vq)->notify(vq);
}

unsigned int vring_num(const struct virtqueue *vq)
{
	return to_vring_const(vq)->rings.num;
}

/* Larger buffers may find tables in a pool, but that is not certain. */
unsigned int vring_fits(const struct virtqueue *vq, unsigned int num)
{
	return num <= to_vring_const(vq)->rings.own.max ? vq->num_free :
							   vq->num_free / num;
}

/* Calls for the queue go on meanwhile: each figure was right when it was read. */
void vring_inspect(const struct vring_virtqueue *vring,
		   struct virtqueue_state *state)
{
	unsigned int id;

	for (id = 0; id < vring->rings.num; id++)
		/* Written for each buffer, without a mark */
		state->buffers += !!data_race(vring->rings.state[id].data);
	state->kicked = READ_ONCE(vring->kick.next);
	state->taken = READ_ONCE(vring->last_used);
	state->callbacks = !READ_ONCE(vring->cb_disabled);
	/* Written without a mark as well */
	state->bad_lens = data_race(vring->len_errors);
	if (vring->rings.own.max)
		state->tables = vring->rings.num;
	vring_tables_count(&vring->tables, state);
}

/**
 * vring_interrupt - the device used buffers
 * @irq: not used
 * @vq: the queue, a &struct virtqueue
 *
 * Has the prototype of an interrupt handler.
 *
 * Context: Any context in which the callback of the queue may run, usually
 * interrupt context.
 *
 * Return: IRQ_HANDLED if the interrupt was for this queue, else IRQ_NONE.
 */
irqreturn_t vring_interrupt(int irq, void *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	bool more;

	if (!is_vring(vq))
		return IRQ_NONE;
	more = vring_is_split(vq) ? vring_split_more_used(vring) :
				    vring_packed_more_used(vring);
	if (!more) {
		trace_virtqueue_interrupt(vq, 0);
		return IRQ_NONE;
	}
	trace_virtqueue_interrupt(vq, 1);

	if (unlikely(virtqueue_is_broken(vq))) {
		if (!IS_ENABLED(CONFIG_VIRTIO_HARDEN_NOTIFICATION))
			return IRQ_HANDLED;
		dev_warn_once(&vring->vq.vdev->dev,
			      "%s: interrupt before DRIVER_OK\n",
			      vring->vq.name);
		return IRQ_NONE;
	}

	/* A hint that spares a write: it may be wrong. */
	if (vring->event)
		WRITE_ONCE(vring->event_triggered, true);
	if (vring->vq.callback)
		vring->vq.callback(vq);
	return IRQ_HANDLED;
}
EXPORT_SYMBOL_GPL(vring_interrupt);

/**
 * vring_notification_data - what to write with VIRTIO_F_NOTIFICATION_DATA
 * @vq: a vring
 *
 * Implements "Available Buffer Notification" (2.9).
 *
 * Context: Any; meant to be called by the transport's notify function.
 *
 * Return: The number of the queue in bits 0 to 15, and in bits 16 to 31 where
 * the next buffer will be put: an index (split), or an offset and the wrap
 * counter in bit 31 (packed).
 */
u32 vring_notification_data(struct virtqueue *vq)
{
	if (!is_vring(vq))
		return vq->index;
	return (u32)READ_ONCE(to_vring(vq)->kick.next) << 16 | vq->index;
}
EXPORT_SYMBOL_GPL(vring_notification_data);

/**
 * vring_transport_features - drop the features that vrings don't know
 * @vdev: the device; @vdev->features is changed
 *
 * Of the bits from VIRTIO_TRANSPORT_F_START on, which are not the driver's
 * (2.2), those remain that this implementation supports.
 *
 * Context: Any; meant to be called by the transport's finalize_features.
 */
void vring_transport_features(struct virtio_device *vdev)
{
	const u64 known = BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
			  BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
			  BIT_ULL(VIRTIO_F_VERSION_1) |
			  BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
			  BIT_ULL(VIRTIO_F_RING_PACKED) |
			  BIT_ULL(VIRTIO_F_IN_ORDER) |
			  BIT_ULL(VIRTIO_F_ORDER_PLATFORM) |
			  BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);

	vdev->features &= known | ~GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1,
					       VIRTIO_TRANSPORT_F_START);
}
EXPORT_SYMBOL_GPL(vring_transport_features);

/*
 * Where the ring is
 */

/**
 * virtqueue_get_desc_addr - find the descriptor area
 * @vq: a vring in memory of its own
 *
 * Context: Any.
 *
 * Return: The DMA address for the device (2.6); DMA_MAPPING_ERROR, after a
 * warning, if @vq is no vring.
 */
dma_addr_t virtqueue_get_desc_addr(const struct virtqueue *vq)
{
	const struct vring_virtqueue *vring = to_vring_const(vq);

	if (!is_vring(vq))
		return DMA_MAPPING_ERROR;
	return vring->rings.mem.dma;
}
EXPORT_SYMBOL_GPL(virtqueue_get_desc_addr);

/**
 * virtqueue_get_avail_addr - find the driver area
 * @vq: a vring in memory of its own
 *
 * Context: Any.
 *
 * Return: The DMA address for the device (2.6); DMA_MAPPING_ERROR, after a
 * warning, if @vq is no vring.
 */
dma_addr_t virtqueue_get_avail_addr(const struct virtqueue *vq)
{
	const struct vring_virtqueue *vring = to_vring_const(vq);

	if (!is_vring(vq))
		return DMA_MAPPING_ERROR;
	return vring->rings.mem.dma + vring->rings.driver_offset;
}
EXPORT_SYMBOL_GPL(virtqueue_get_avail_addr);

/**
 * virtqueue_get_used_addr - find the device area
 * @vq: a vring in memory of its own
 *
 * Context: Any.
 *
 * Return: The DMA address for the device (2.6); DMA_MAPPING_ERROR, after a
 * warning, if @vq is no vring.
 */
dma_addr_t virtqueue_get_used_addr(const struct virtqueue *vq)
{
	const struct vring_virtqueue *vring = to_vring_const(vq);

	if (!is_vring(vq))
		return DMA_MAPPING_ERROR;
	return vring->rings.mem.dma + vring->rings.device_offset;
}
EXPORT_SYMBOL_GPL(virtqueue_get_used_addr);

/**
 * virtqueue_get_vring - look into a split vring
 * @vq: a vring
 *
 * Context: Any.
 *
 * Return: The parts of the ring (2.7), NULL if its layout is not split.
 */
const struct vring *virtqueue_get_vring(const struct virtqueue *vq)
{
	if (!vring_is_split(vq))
		return NULL;
	return &to_vring_const(vq)->rings.split;
}
EXPORT_SYMBOL_GPL(virtqueue_get_vring);
