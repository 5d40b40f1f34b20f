/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_VIRTIO_RING_INTERNAL_H
#define _DRIVERS_VIRTIO_RING_INTERNAL_H
/*
 * What virtio_ring.c, the tables and the ring layouts share.
 *
 * All state here is private: the device can't reach it, and nothing that was
 * written to the ring is ever read back.
 *
 * Functions whose names end in _slow are out of line, so that their callers
 * have no registers to save.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/dma-mapping.h>
#include <linux/kmsan.h>
#include <linux/virtio.h>
#include <linux/virtio_ring.h>
#include "virtio_ring_ops.h"
#include "virtio_ring_tables.h"

/* What to unmap once the device is done with an element */
struct vring_map {
	dma_addr_t addr;
	u32 len;
	u8 dir;			/* DMA_NONE: the driver maps and unmaps it */
};

/* Where the elements of a buffer are */
enum vring_place {
	VRING_IN_RING,
	VRING_IN_OWN_TABLE,	/* the one that belongs to the state */
	VRING_IN_POOL_TABLE,	/* one that vring_table_get() returned */
};

/*
 * State of a buffer, valid from virtqueue_start_buf() on. Two fit in a cache
 * line: an add and a get touch one line each. The split ring indexes it by
 * head descriptor and links descriptors with @next, the packed ring indexes it
 * by buffer ID.
 */
struct vring_state {
	void *data;		/* token; NULL when there is no buffer */
	union {
		void *ctx;
		struct vring_table *table;	/* VRING_IN_POOL_TABLE */
	};
	u32 in_len;		/* bytes that the device may write */
	u16 num;		/* descriptors taken in the ring */
	u16 next;
	u16 epoch;		/* vring_virtqueue.epoch when it was added */
	u16 last;		/* last one of the chain */
	u16 table_num;		/* elements in the table */
	u8 place;		/* enum vring_place */
};

/* Where the next element goes (split) */
struct split_cursor {
	struct vring_desc *table;	/* the next one in the table */
	struct vring_desc *last;	/* the last one in the ring */
	u64 in_len;			/* bytes that the device may write */
	unsigned int index;		/* of the next one in the ring */
	unsigned int last_flags;	/* of the last element, wherever it is */
	bool indirect;
};

/* Split virtqueue (2.7): free running indices */
struct vring_split {
	struct split_cursor cursor;
	u16 next_avail;		/* where the next buffer goes */
	u16 published;		/* what the device may see ends here */
	u16 used_seen;		/* the device's index when last read */
};

/* Where the next element in the ring goes (packed) */
struct packed_place {
	struct vring_packed_desc *desc;
	unsigned int lap_flags;		/* of available descriptors there */
	unsigned int flags;		/* those, or others to hide it */
};

struct packed_cursor {
	struct packed_place at;		/* valid also between buffers */
	struct vring_packed_desc *last;	/* the last element in the ring */
	struct vring_packed_desc *table;	/* the next one, or NULL */
	u64 in_len;			/* bytes that the device may write */
	unsigned int last_flags;
	unsigned int head_flags;	/* VRING_DESC_F_WRITE of the first */
};

/* Packed virtqueue (2.8) */
struct vring_packed {
	struct packed_cursor cursor;
	struct vring_packed_desc *held_desc;	/* first that isn't public */
	u16 held_flags;		/* what makes it available */
	u16 map_next;		/* ID that keeps the next mapping */
	u16 map_last;		/* ID that keeps the last mapping */
};

/* Parts of a packed ring */
struct vring_packed_ring {
	struct vring_packed_desc *desc;
	struct vring_packed_desc *end;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
};

/* What a change of the queue's size replaces */
struct vring_rings {
	unsigned int num;
	struct vring_state *state;
	struct vring_own_tables own;
	struct vring_map *map;	/* of each descriptor, with the DMA API */
	union {
		struct vring split;
		struct vring_packed_ring packed;
	};
	struct vring_mem mem;	/* not set when the transport brought it */
	size_t driver_offset;	/* of the driver area in @mem */
	size_t device_offset;	/* of the device area in @mem */
};

struct vring_virtqueue {
	struct virtqueue vq;

	struct vring_rings rings;

	u16 free_head;		/* unused state */
	u16 epoch;		/* of buffers that are not public; never 0 */
	/*
	 * The next used one to look at: an index (split), or a position with
	 * the wrap counter in bit 15 (packed)
	 */
	u16 last_used;
	bool weak_barriers;
	bool indirect;		/* VIRTIO_RING_F_INDIRECT_DESC, and no ctx */
	bool event;		/* VIRTIO_RING_F_EVENT_IDX */
	bool cb_disabled;
	bool event_triggered;	/* the event fired and isn't armed again */

	/* When the driver last had reason to notify: */
	struct {
		u32 added;	/* buffers (split) or descriptors added since */
		u16 next;	/* where the next buffer was to go */
	} kick;

	/* VIRTIO_F_IN_ORDER */
	struct {
		bool enabled;
		u16 oldest;	/* the next buffer to be used */
		int batch_last;	/* last one of the batch, -1 if none */
		u32 batch_len;	/* used length of @batch_last */
	} in_order;

	union {
		struct vring_split split;
		struct vring_packed packed;
	};

	/* With the DMA API: where a table's next mapping is kept */
	struct vring_map *table_map;

	/* Off the fast paths */
	const struct vring_layout *layout;
	bool (*notify)(struct virtqueue *vq);
	struct vring_tables tables;
	unsigned int align;
	unsigned int detached;	/* where to look for unused buffers next */
	u32 len_errors;		/* used lengths above the buffer's size */
	char why[56];		/* which rule the device broke */
	bool we_own_ring;
	bool may_reduce_num;
};

/* What virtio_ring.c asks of a layout, besides its virtqueue_ops */
struct vring_layout {
	/* Allocate, zeroed, what the device sees; set num and the areas. */
	int (*alloc)(struct vring_virtqueue *vring, struct vring_rings *rings,
		     unsigned int num);
	/* Start at the first descriptor; what the device sees is zero. */
	void (*init)(struct vring_virtqueue *vring);
	/* Write once what is the same in all tables of @num elements. */
	void (*init_table)(const struct vring_virtqueue *vring, void *table,
			   unsigned int num);
};

extern const struct vring_layout vring_split_layout;
extern const struct vring_layout vring_packed_layout;

/* May run concurrently with anything but a change of the queue's size. */
bool vring_split_more_used(const struct vring_virtqueue *vring);
bool vring_packed_more_used(const struct vring_virtqueue *vring);

static inline struct vring_virtqueue *to_vring(struct virtqueue *vq)
{
	return container_of(vq, struct vring_virtqueue, vq);
}

static inline const struct vring_virtqueue *
to_vring_const(const struct virtqueue *vq)
{
	return container_of(vq, struct vring_virtqueue, vq);
}

int vring_mem_alloc(struct vring_virtqueue *vring, struct vring_mem *mem,
		    size_t size, gfp_t gfp);
void vring_mem_free(struct vring_virtqueue *vring, struct vring_mem *mem);
void *vring_unmap_slow(struct vring_virtqueue *vring,
		       const struct vring_state *state, u16 id, void *data);
int vring_start_slow(struct vring_virtqueue *vring, unsigned int num,
		     void *data, void *ctx, gfp_t gfp);
void vring_cancel(struct vring_virtqueue *vring, unsigned int num);
void vring_restart_epochs(struct vring_virtqueue *vring);
void vring_inspect(const struct vring_virtqueue *vring,
		   struct virtqueue_state *state);

__printf(2, 3)
void vring_break(struct vring_virtqueue *vring, const char *fmt, ...);

/* The state of the buffer that is started next, or is being built */
static inline struct vring_state *
vring_free_state(const struct vring_virtqueue *vring)
{
	return &vring->rings.state[vring->free_head];
}

static __always_inline void vring_set_state(struct vring_state *state,
					    void *data, void *ctx,
					    enum vring_place place)
{
	state->data = data;
	state->ctx = ctx;
	state->place = place;
}

/*
 * Where to put a buffer of @num elements; VRING_IN_POOL_TABLE if it is for
 * vring_start_slow() to decide.
 *
 * The one rule for tables: a buffer of more than one element has a table, so
 * that it takes one descriptor, and a queue holds as many buffers as it has
 * descriptors. It goes without if it has a context, which is kept where a
 * table would be, or if there is no memory for a table; then it has to fit into
 * the ring.
 */
static __always_inline enum vring_place
vring_start(const struct vring_virtqueue *vring, unsigned int num,
	    const void *ctx)
{
	if (num == 1 || !vring->rings.own.max || ctx) {
		if (likely(num <= vring->vq.num_free))
			return VRING_IN_RING;
	} else if (num <= vring->rings.own.max && likely(vring->vq.num_free)) {
		return VRING_IN_OWN_TABLE;
	}
	return VRING_IN_POOL_TABLE;
}

static __always_inline dma_addr_t
vring_table_dma(const struct vring_virtqueue *vring,
		const struct vring_state *state, u16 id)
{
	if (state->place == VRING_IN_POOL_TABLE)
		return state->table->dma;
	return vring->rings.own.dma + ((size_t)id << VRING_OWN_SHIFT);
}

/* Where the mappings of a table's elements are kept */
static inline struct vring_map *
vring_table_maps(const struct vring_virtqueue *vring,
		 const struct vring_state *state, u16 id)
{
	if (state->place == VRING_IN_POOL_TABLE)
		return state->table->map;
	return &vring->rings.own.map[(size_t)id << VRING_OWN_ORDER];
}

/* The table of the buffer that is being started with @state */
static __always_inline void *vring_begin_table(struct vring_virtqueue *vring,
					       const struct vring_state *state,
					       enum vring_place place)
{
	if (unlikely(vring->vq.dma_dev))
		vring->table_map = vring_table_maps(vring, state,
						    vring->free_head);
	if (place == VRING_IN_POOL_TABLE)
		return state->table->desc;
	return vring->rings.own.desc +
	       ((size_t)vring->free_head << VRING_OWN_SHIFT);
}

/* Where the mapping of the next element in a table is kept */
static inline struct vring_map *vring_take_table_map(struct vring_virtqueue *vring)
{
	return vring->table_map++;
}

/* KMSAN learns from the DMA API, or else here, what a device does. */
static inline dma_addr_t vring_phys(struct page *page, unsigned int offset,
				    unsigned int len,
				    enum dma_data_direction dir)
{
	kmsan_handle_dma(page, offset, len, dir);
	return page_to_phys(page) + offset;
}

/* Map an element, and keep in @map how to unmap it. */
static __always_inline dma_addr_t
vring_map_page(struct vring_virtqueue *vring, struct vring_map *map,
	       struct page *page, unsigned int offset, unsigned int len,
	       enum dma_data_direction dir)
{
	struct device *dma_dev = vring->vq.dma_dev;
	dma_addr_t addr;

	map->len = len;
	map->dir = dir;
	addr = dma_map_page(dma_dev, page, offset, len, dir);
	if (unlikely(dma_mapping_error(dma_dev, addr)))
		return DMA_MAPPING_ERROR;
	map->addr = addr;
	return addr;
}

/*
 * The buffer goes to the device, which may write @in_len bytes, and takes @num
 * descriptors in the ring.
 */
static __always_inline void vring_commit(struct vring_virtqueue *vring,
					 struct vring_state *state,
					 u64 in_len, unsigned int num)
{
	/* A used length has 32 bits, the sum of all elements may have more. */
	state->in_len = min_t(u64, in_len, U32_MAX);
	state->num = num;
	state->epoch = vring->epoch;
	vring->vq.num_free -= num;
}

/*
 * Everything added before @next is public, and it is decided now whether the
 * device is notified of it. From here on another CPU may send @next to the
 * device, with VIRTIO_F_NOTIFICATION_DATA.
 */
static inline u32 vring_take_added(struct vring_virtqueue *vring, u16 next)
{
	u32 added = vring->kick.added;

	vring->kick.added = 0;
	WRITE_ONCE(vring->kick.next, next);
	return added;
}

/* Everything added so far belongs to the device now. */
static inline void vring_end_epoch(struct vring_virtqueue *vring)
{
	if (unlikely(!++vring->epoch))
		vring_restart_epochs(vring);
}

/* True if the device holds a buffer with this state */
static inline bool vring_in_flight(const struct vring_virtqueue *vring,
				   const struct vring_state *state)
{
	return state->data && state->epoch != vring->epoch;
}

/* A pool's table goes back, for another buffer or to be freed with the pool. */
static __always_inline void vring_release_table(struct vring_virtqueue *vring,
						const struct vring_state *state)
{
	if (state->place == VRING_IN_POOL_TABLE)
		vring_table_put(&vring->tables, state->table);
}

/* The buffer is the driver's again: return its token. */
static __always_inline void *vring_reclaim(struct vring_virtqueue *vring,
					   struct vring_state *state, u16 id,
					   bool in_order)
{
	void *data = state->data;

	state->data = NULL;
	vring->vq.num_free += state->num;
	if (!in_order) {
		vring->rings.state[state->last].next = vring->free_head;
		vring->free_head = id;
	}
	if (unlikely(vring->vq.dma_dev))
		return vring_unmap_slow(vring, state, id, data);
	vring_release_table(vring, state);
	return data;
}

/*
 * The device says that it used @id and wrote @written bytes: true if it has
 * such a buffer.
 *
 * Some devices report wrong lengths and work well otherwise (2.7.8.2): a length
 * is cut to the buffer's size, so that no driver reads past what the device
 * could write.
 */
static __always_inline bool vring_check_used(struct vring_virtqueue *vring,
					     u32 id, u32 written, u32 *len)
{
	const struct vring_state *state;

	if (unlikely(id >= vring->rings.num)) {
		vring_break(vring, "used id %u is out of range", id);
		return false;
	}
	state = &vring->rings.state[id];
	if (unlikely(!vring_in_flight(vring, state))) {
		vring_break(vring, "used id %u is not in flight", id);
		return false;
	}
	if (unlikely(written > state->in_len)) {
		written = state->in_len;
		vring->len_errors++;
	}
	*len = written;
	return true;
}

static __always_inline void *vring_ctx(const struct vring_state *state)
{
	return state->place == VRING_IN_POOL_TABLE ? NULL : state->ctx;
}

#endif /* _DRIVERS_VIRTIO_RING_INTERNAL_H */
