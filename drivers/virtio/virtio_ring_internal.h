/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_VIRTIO_RING_INTERNAL_H
#define _DRIVERS_VIRTIO_RING_INTERNAL_H
/*
 * What virtio_ring.c and the ring layouts share.
 *
 * All state here is private: the device can't reach it, and nothing that was
 * written to the ring is ever read back.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/dma-mapping.h>
#include <linux/kmsan.h>
#include <linux/log2.h>
#include <linux/virtio.h>
#include <linux/virtio_ring.h>

/* Memory that both sides see */
struct vring_mem {
	void *addr;
	dma_addr_t dma;
	size_t size;
};

/* What to unmap once the device is done with an element */
struct vring_map {
	dma_addr_t addr;
	u32 len;
	u8 dir;			/* DMA_NONE: the driver maps and unmaps it */
};

/* An indirect descriptor table of 1 << order elements */
struct vring_table {
	struct vring_table *next;
	void *desc;
	dma_addr_t dma;
	struct vring_map *map;	/* of each element; NULL: no DMA API */
	u16 num;		/* elements in use */
	u8 order;
};

#define VRING_TABLE_MIN_ORDER	2
#define VRING_TABLE_MAX_ORDER	16
/* Elements of a buffer that may do without, if it may have a table */
#define VRING_DIRECT_MAX	8

/*
 * Tables that no buffer owns now, by size.  They are carved from chunks, which
 * live as long as the ring does, so that no buffer allocates, maps or bounces
 * a table of its own.  A chunk is added only when all tables of a size are in
 * flight: at most the size of the ring, rounded up to a chunk, for each size
 * that the driver uses.
 */
struct vring_tables {
	struct vring_table *free[VRING_TABLE_MAX_ORDER + 1];
	struct vring_chunk *chunks;
};

/*
 * State of a buffer, valid from the start of its making.  Two fit in a cache
 * line: an add and a get touch one line each.  The split ring indexes it by
 * head descriptor and links descriptors with @next, the packed ring indexes it
 * by buffer ID.
 */
struct vring_state {
	void *data;		/* token; NULL when there is no buffer */
	union {
		void *ctx;
		struct vring_table *table;
	};
	u32 in_len;		/* bytes that the device may write */
	u16 num;		/* descriptors taken in the ring */
	u16 next;
	u16 batch;		/* what vring_virtqueue.batch was */
	u16 last;		/* last one of the chain */
	bool indirect;		/* the union has a table */
};

/*
 * The buffer being built.  Each element is written as if another one followed;
 * the end takes that back from the last one, so its flags are kept here.
 */
struct split_build {
	struct vring_desc *desc;	/* the ring's or the table's */
	struct vring_desc *last;	/* the last element */
	u32 in_len;			/* bytes that the device may write */
	unsigned int cur;		/* index of the next element */
	unsigned int last_flags;
	bool indirect;
};

/* Where the next element in the ring goes */
struct packed_place {
	struct vring_packed_desc *desc;
	unsigned int lap_flags;		/* of available descriptors there */
	unsigned int flags;		/* those, or others to hide it */
};

struct packed_build {
	struct packed_place at;		/* valid also between buffers */
	struct vring_packed_desc *last;	/* the last element in the ring */
	struct vring_packed_desc *table;	/* the next one, or NULL */
	u32 in_len;			/* bytes that the device may write */
	unsigned int last_flags;
	unsigned int head_flags;	/* VRING_DESC_F_WRITE of the first */
};

/* Packed virtqueue (2.8) */
struct vring_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc *end;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
};

/* What a change of the queue's size replaces */
struct vring_rings {
	unsigned int num;
	struct vring_state *state;
	struct vring_map *map;	/* of each descriptor; NULL: no DMA API */
	struct vring_mem mem;	/* not set when the transport brought it */
	union {
		struct vring split;
		struct vring_packed packed;
	};
};

struct vring_virtqueue {
	struct virtqueue vq;

	struct vring_rings rings;
	/*
	 * Free running indices (split), or positions with the wrap counter in
	 * bit 15 (packed).
	 */
	u16 next_avail;		/* split: where the next buffer goes */
	u16 published;		/* split: what the device may see ends here */
	u16 last_used;		/* the next used one to look at */
	u16 used_seen;		/* split: the device's index when last read */
	struct vring_packed_desc *held_desc;	/* packed: first that isn't public */
	u16 held_flags;		/* what makes it available */
	u16 free_head;		/* unused state */
	u16 batch;		/* of buffers that are not public, never 0 */
	u16 map_next;		/* packed: ID that keeps the next mapping */
	u16 map_last;		/* packed: ID that keeps the last mapping */
	u16 oldest;		/* in order: the next buffer to be used */
	u16 detached;		/* ID that is looked at next for detaching */
	/* When the driver last had reason to notify: */
	u16 notify_next;	/* where the next buffer was to go */
	u32 added;		/* buffers (split) or descriptors added since */
	unsigned int reserve;	/* descriptors that long buffers leave free */
	bool weak_barriers;
	bool indirect;		/* VIRTIO_RING_F_INDIRECT_DESC, and no ctx */
	bool event;		/* VIRTIO_RING_F_EVENT_IDX */
	bool in_order;		/* VIRTIO_F_IN_ORDER */
	bool cb_disabled;
	bool event_triggered;	/* the event fired and isn't armed again */
	bool plain;		/* no DMA API, and not premapped */
	union {
		struct split_build split_build;
		struct packed_build packed_build;
	};
	int batch_last;		/* in order: last of the batch, -1 if none */
	u32 batch_len;		/* in order: used length of @batch_last */

	bool we_own_ring;
	bool may_reduce_num;
	unsigned int align;
	bool (*notify)(struct virtqueue *vq);
	u32 len_errors;		/* used lengths that didn't fit the buffer */
	struct vring_tables tables;
};

/* A ring layout: a complete virtqueue, and what virtio_ring.c asks of it */
struct vring_layout {
	struct virtqueue_ops ops;
	/* Allocate, zeroed, what the device sees, and set rings->num. */
	int (*alloc)(struct vring_virtqueue *vring, struct vring_rings *rings,
		     unsigned int num);
	/* Start at the first descriptor; what the device sees is zero. */
	void (*init)(struct vring_virtqueue *vring);
	/* Runs concurrently with all but changes of the size. */
	bool (*more_used)(const struct vring_virtqueue *vring);
	/* Where descriptor area, driver area and device area are. */
	dma_addr_t (*desc_addr)(const struct vring_virtqueue *vring);
	dma_addr_t (*driver_addr)(const struct vring_virtqueue *vring);
	dma_addr_t (*device_addr)(const struct vring_virtqueue *vring);
};

extern const struct vring_layout vring_split_layout;
extern const struct vring_layout vring_packed_layout;

static inline struct vring_virtqueue *to_vring(struct virtqueue *vq)
{
	return container_of(vq, struct vring_virtqueue, vq);
}

int vring_mem_alloc(struct vring_virtqueue *vring, struct vring_mem *mem,
		    size_t size, gfp_t gfp);
void vring_mem_free(struct vring_virtqueue *vring, struct vring_mem *mem);
bool vring_tables_grow(struct vring_virtqueue *vring, unsigned int order,
		       gfp_t gfp);
void *vring_unmap_used(struct vring_virtqueue *vring,
		       const struct vring_state *state, u16 id, void *data);
int vring_no_room(struct vring_virtqueue *vring, unsigned int num, bool want);
void vring_cancel(struct vring_virtqueue *vring, unsigned int num);
void vring_age_batches(struct vring_virtqueue *vring);

__printf(2, 3)
void vring_break(struct vring_virtqueue *vring, const char *fmt, ...);

bool vring_notify(struct virtqueue *vq);
void *vring_detach_unused_buf(struct virtqueue *vq);
unsigned int vring_num(const struct virtqueue *vq);
int vring_resize(struct virtqueue *vq, u32 num,
		 void (*recycle)(struct virtqueue *vq, void *buf),
		 void (*recycle_done)(struct virtqueue *vq));
int vring_reset(struct virtqueue *vq,
		void (*recycle)(struct virtqueue *vq, void *buf),
		void (*recycle_done)(struct virtqueue *vq));
int vring_set_dma_premapped(struct virtqueue *vq);

/* What vring_interrupt() calls without a detour through struct vring_layout */
bool vring_split_more_used(const struct vring_virtqueue *vring);
bool vring_packed_more_used(const struct vring_virtqueue *vring);

/* What virtqueue.c calls without a detour through struct virtqueue_ops */
int vring_split_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			unsigned int lists, unsigned int out, unsigned int in,
			void *data, void *ctx, gfp_t gfp);
int vring_split_add_list(struct virtqueue *vq, struct scatterlist *sgl,
			 unsigned int num, enum dma_data_direction dir,
			 void *data, gfp_t gfp);
int vring_split_start_buf(struct virtqueue *vq, unsigned int out,
			  unsigned int in, void *data, void *ctx, gfp_t gfp);
int vring_split_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
		       unsigned int nents, enum dma_data_direction dir);
void vring_split_add_page(struct virtqueue *vq, struct page *page,
			  unsigned int offset, unsigned int len,
			  enum dma_data_direction dir);
int vring_split_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			  const struct bvec_iter *iter, unsigned int max,
			  unsigned int room, enum dma_data_direction dir);
void vring_split_add_dma(struct virtqueue *vq, dma_addr_t addr,
			 unsigned int len, enum dma_data_direction dir);
int vring_split_end_buf(struct virtqueue *vq);
void vring_split_cancel_buf(struct virtqueue *vq);
bool vring_split_kick_prepare(struct virtqueue *vq);
void *vring_split_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx);
void vring_split_disable_cb(struct virtqueue *vq);
unsigned int vring_split_enable_cb_prepare(struct virtqueue *vq);
bool vring_split_enable_cb_delayed(struct virtqueue *vq);
bool vring_split_poll(struct virtqueue *vq, unsigned int state);

int vring_packed_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			 unsigned int lists, unsigned int out, unsigned int in,
			 void *data, void *ctx, gfp_t gfp);
int vring_packed_add_list(struct virtqueue *vq, struct scatterlist *sgl,
			  unsigned int num, enum dma_data_direction dir,
			  void *data, gfp_t gfp);
int vring_packed_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp);
int vring_packed_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
			unsigned int nents, enum dma_data_direction dir);
void vring_packed_add_page(struct virtqueue *vq, struct page *page,
			   unsigned int offset, unsigned int len,
			   enum dma_data_direction dir);
int vring_packed_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			   const struct bvec_iter *iter, unsigned int max,
			   unsigned int room, enum dma_data_direction dir);
void vring_packed_add_dma(struct virtqueue *vq, dma_addr_t addr,
			  unsigned int len, enum dma_data_direction dir);
int vring_packed_end_buf(struct virtqueue *vq);
void vring_packed_cancel_buf(struct virtqueue *vq);
bool vring_packed_kick_prepare(struct virtqueue *vq);
void *vring_packed_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx);
void vring_packed_disable_cb(struct virtqueue *vq);
unsigned int vring_packed_enable_cb_prepare(struct virtqueue *vq);
bool vring_packed_enable_cb_delayed(struct virtqueue *vq);
bool vring_packed_poll(struct virtqueue *vq, unsigned int state);

/*
 * The one rule for indirect tables.  A few descriptors in the ring are cheaper
 * for both sides than a table, but take room: use them while @reserve others
 * stay free.  Many are not: those of a table follow each other and need no ID.
 * A buffer with a context has no place for a table.
 *
 * Half of the ring is the reserve of a queue, and all of it once it was full.
 */
static inline bool vring_prefers_ring(const struct vring_virtqueue *vring,
				      unsigned int num, unsigned int reserve)
{
	return num + reserve <= vring->vq.num_free && num <= VRING_DIRECT_MAX;
}

/* Does a queue that was full have little to do again? */
static inline void vring_check_reserve(struct vring_virtqueue *vring)
{
	unsigned int num = vring->rings.num;

	if (vring->vq.num_free > num - num / 4)
		vring->reserve = num / 2;
}

static inline bool vring_wants_table(const struct vring_virtqueue *vring,
				     unsigned int num, unsigned int reserve,
				     const void *ctx)
{
	return vring->indirect && num > 1 && !ctx &&
	       !vring_prefers_ring(vring, num, reserve);
}

static inline struct vring_table *
vring_table_get(struct vring_virtqueue *vring, unsigned int num, gfp_t gfp)
{
	unsigned int order = max(order_base_2(num), VRING_TABLE_MIN_ORDER);
	struct vring_table *table;

	if (unlikely(!vring->tables.free[order]) &&
	    !vring_tables_grow(vring, order, gfp))
		return NULL;
	table = vring->tables.free[order];
	vring->tables.free[order] = table->next;
	return table;
}

static inline void vring_table_put(struct vring_virtqueue *vring,
				   struct vring_table *table)
{
	table->next = vring->tables.free[table->order];
	vring->tables.free[table->order] = table;
}

/* The state of the buffer that is started next, or is being built */
static inline struct vring_state *
vring_free_state(const struct vring_virtqueue *vring)
{
	return &vring->rings.state[vring->free_head];
}

static inline void vring_start_direct(struct vring_state *state, void *data,
				      void *ctx)
{
	state->data = data;
	state->ctx = ctx;
	state->indirect = false;
}

/*
 * Begin a buffer of @num elements with the state at @free_head, if there is
 * room in the ring.  1 if it has a table, 0 if not; -ENOSPC or -ENOMEM.
 */
static __always_inline int vring_start(struct vring_virtqueue *vring,
				       struct vring_state *state,
				       unsigned int num, unsigned int reserve,
				       void *data, void *ctx, gfp_t gfp)
{
	bool want = vring_wants_table(vring, num, reserve, ctx);
	struct vring_table *table = NULL;

	if (want && vring->vq.num_free)
		table = vring_table_get(vring, num, gfp);
	if (unlikely(!table && num > vring->vq.num_free))
		return vring_no_room(vring, num, want);

	if (!table) {
		vring_start_direct(state, data, ctx);
		return 0;
	}
	state->data = data;
	state->table = table;
	state->indirect = true;
	return 1;
}

/* KMSAN learns of what a device does from the DMA API, or from us. */
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

	addr = dma_map_page(dma_dev, page, offset, len, dir);
	if (unlikely(dma_mapping_error(dma_dev, addr)))
		return DMA_MAPPING_ERROR;
	map->addr = addr;
	map->len = len;
	map->dir = dir;
	return addr;
}

/*
 * What add_sg returns: those before the one that failed count as added, as
 * cancel_buf has to undo them.
 */
static inline int vring_appended(struct vring_virtqueue *vring,
				 unsigned int num, int err)
{
	if (likely(!err))
		return num;
	vring->vq.build.added += num;
	return err;
}

/* sg_next() for one that isn't the last, without a call for each element */
static inline struct scatterlist *vring_sg_next(struct scatterlist *sg)
{
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

/*
 * The buffer goes to the device, which may write @in_len bytes, and takes @num
 * descriptors in the ring.
 */
static __always_inline void vring_commit(struct vring_virtqueue *vring,
					 struct vring_state *state,
					 u32 in_len, unsigned int num)
{
	state->in_len = in_len;
	state->num = num;
	state->batch = vring->batch;
	vring->vq.num_free -= num;
}

/*
 * All that was added up to @next will be notified of, or need not be.  It is
 * public: another CPU may send @next to the device from now on.
 */
static inline u32 vring_take_added(struct vring_virtqueue *vring, u16 next)
{
	u32 added = vring->added;

	vring->added = 0;
	WRITE_ONCE(vring->notify_next, next);
	return added;
}

/* What was added so far is the device's. */
static inline void vring_end_batch(struct vring_virtqueue *vring)
{
	if (unlikely(!++vring->batch))
		vring_age_batches(vring);
}

/* Has the device a buffer with this state? */
static inline bool vring_in_flight(const struct vring_virtqueue *vring,
				   const struct vring_state *state)
{
	return state->data && state->batch != vring->batch;
}

/* The state is free, and so is the table. */
static __always_inline void vring_release(struct vring_virtqueue *vring,
					  struct vring_state *state)
{
	state->data = NULL;
	if (state->indirect)
		vring_table_put(vring, state->table);
}

/* Give the room of a buffer back, and return its token @data. */
static __always_inline void *vring_put_buf(struct vring_virtqueue *vring,
					   struct vring_state *state, u16 id,
					   void *data, bool in_order)
{
	unsigned int num = state->num;

	vring_release(vring, state);
	vring->vq.num_free += num;
	if (!in_order) {
		vring->rings.state[state->last].next = vring->free_head;
		vring->free_head = id;
	}
	/* Nobody takes the room before we return. */
	if (unlikely(vring->rings.map))
		return vring_unmap_used(vring, state, id, data);
	return data;
}

/*
 * Some devices report wrong lengths and work well otherwise (2.7.8.2): don't
 * refuse them, but nobody shall read what wasn't written.
 */
static __always_inline u32 vring_used_len(struct vring_virtqueue *vring,
					  const struct vring_state *state,
					  u32 written)
{
	if (likely(written <= state->in_len))
		return written;
	vring->len_errors++;
	return state->in_len;
}

/* The token and the context of a used buffer */
static __always_inline void *vring_take(const struct vring_state *state,
					void **ctx)
{
	if (ctx)
		*ctx = state->indirect ? NULL : state->ctx;
	return state->data;
}

#endif /* _DRIVERS_VIRTIO_RING_INTERNAL_H */
