/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DRIVERS_VIRTIO_RING_INTERNAL_H
#define _DRIVERS_VIRTIO_RING_INTERNAL_H
/*
 * What virtio_ring.c and the ring layouts share.
 *
 * All state here is private: the device can't reach it, and nothing that was
 * written to the ring is ever read back.
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
	u16 next;
	u8 dir;
};

/* An indirect descriptor table of 1 << order elements */
struct vring_table {
	struct vring_table *next;
	void *desc;
	dma_addr_t dma;
	struct vring_map *map;
	u8 order;
};

#define VRING_TABLE_MIN_ORDER	2
#define VRING_TABLE_MAX_ORDER	16

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
 * State of a buffer in flight.  Two fit in a cache line: an add and a get
 * touch one line each.  The split ring indexes it by head descriptor and links
 * descriptors with @next, the packed ring indexes it by buffer ID.
 */
struct vring_state {
	void *data;		/* token; NULL when not in flight */
	union {
		void *ctx;
		struct vring_table *table;
	};
	u32 in_len;		/* bytes that the device may write */
	u16 num;		/* descriptors taken in the ring */
	u16 next;
	u16 last;		/* split: last descriptor of the chain */
	u16 map_head;
	u16 map_num;
	bool indirect;		/* the union has a table */
};

/*
 * The buffer being built.  An element's flags are written when the next one
 * comes, or at the end: only then is it known whether there is a next one.
 */
struct vring_build {
	void *data;
	void *ctx;
	struct vring_table *table;
	void *desc;		/* the table's or the ring's descriptors */
	struct vring_map *map;	/* the table's or the ring's; NULL: no DMA API */
	u32 in_len;
	u32 prev_len;		/* packed: length of the last element */
	u16 num;		/* elements so far */
	u16 head;		/* split: first descriptor in the ring */
	u16 cur;		/* where the next element goes */
	u16 prev;		/* where the last one went */
	u16 prev_flags;
	u16 head_flags;		/* packed: VRING_DESC_F_WRITE of the first one */
	u16 id;			/* packed: buffer ID */
	u16 map_cur;		/* next mapping to take */
	u16 map_head;
	u16 map_num;
};

/* Packed virtqueue (2.8) */
struct vring_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
};

/* What a change of the queue's size replaces */
struct vring_rings {
	unsigned int num;
	struct vring_state *state;
	struct vring_map *map;	/* a pool of @num; NULL: no DMA API */
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
	u16 next_avail;		/* where the next buffer goes */
	u16 published;		/* where the next one is that isn't public */
	u16 last_used;		/* the next used one to look at */
	u16 used_seen;		/* split: the device's index when last read */
	u16 published_flags;	/* packed: what makes @published available */
	u16 free_head;		/* unused state */
	u16 map_free;		/* unused mappings */
	bool weak_barriers;
	bool indirect;		/* VIRTIO_RING_F_INDIRECT_DESC, and no ctx */
	bool event;		/* VIRTIO_RING_F_EVENT_IDX */
	bool cb_disabled;
	bool event_triggered;	/* the event fired and isn't armed again */
	struct vring_build build;

	bool premapped;
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
	/* Give a buffer's descriptors, mappings and table back. */
	void (*free_buf)(struct vring_virtqueue *vring, u16 id);
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
u16 vring_unmap(struct vring_virtqueue *vring, struct vring_map *map,
		u16 head, u16 num);
int vring_dma_map(struct vring_virtqueue *vring, struct page *page,
		  unsigned int offset, unsigned int len,
		  enum dma_data_direction dir, dma_addr_t *addr);

__printf(2, 3)
void vring_break(struct vring_virtqueue *vring, const char *fmt, ...);
u32 vring_clamp_len(struct vring_virtqueue *vring, u32 len, u32 max);

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

/* What virtqueue.c calls without a detour through struct virtqueue_ops */
int vring_split_start_buf(struct virtqueue *vq, unsigned int out,
			  unsigned int in, void *data, void *ctx, gfp_t gfp);
int vring_split_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
		       unsigned int nents, enum dma_data_direction dir);
int vring_split_add_page(struct virtqueue *vq, struct page *page,
			 unsigned int offset, unsigned int len,
			 enum dma_data_direction dir);
int vring_split_add_dma(struct virtqueue *vq, dma_addr_t addr, unsigned int len,
			enum dma_data_direction dir);
int vring_split_end_buf(struct virtqueue *vq);
void vring_split_cancel_buf(struct virtqueue *vq);
bool vring_split_kick_prepare(struct virtqueue *vq);
void *vring_split_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx);
void vring_split_disable_cb(struct virtqueue *vq);
unsigned int vring_split_enable_cb_prepare(struct virtqueue *vq);
bool vring_split_enable_cb_delayed(struct virtqueue *vq);
bool vring_split_poll(struct virtqueue *vq, unsigned int state);

int vring_packed_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp);
int vring_packed_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
			unsigned int nents, enum dma_data_direction dir);
int vring_packed_add_page(struct virtqueue *vq, struct page *page,
			  unsigned int offset, unsigned int len,
			  enum dma_data_direction dir);
int vring_packed_add_dma(struct virtqueue *vq, dma_addr_t addr,
			 unsigned int len, enum dma_data_direction dir);
int vring_packed_end_buf(struct virtqueue *vq);
void vring_packed_cancel_buf(struct virtqueue *vq);
bool vring_packed_kick_prepare(struct virtqueue *vq);
void *vring_packed_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx);
void vring_packed_disable_cb(struct virtqueue *vq);
unsigned int vring_packed_enable_cb_prepare(struct virtqueue *vq);
bool vring_packed_enable_cb_delayed(struct virtqueue *vq);
bool vring_packed_poll(struct virtqueue *vq, unsigned int state);

/* What the device says it wrote, but no more than it could. */
static inline u32 vring_used_len(struct vring_virtqueue *vring,
				 const struct vring_state *state, u32 len)
{
	if (unlikely(len > state->in_len))
		return vring_clamp_len(vring, len, state->in_len);
	return len;
}

/*
 * The one rule for indirect tables.  Descriptors in the ring are cheaper for
 * both sides, but take room: use them while three quarters of the ring stay
 * free.  A buffer with a context has no place for a table.
 */
static inline bool vring_wants_table(const struct vring_virtqueue *vring,
				     unsigned int num, const void *ctx)
{
	unsigned int size = vring->rings.num;

	return vring->indirect && num > 1 && !ctx &&
	       num + size - size / 4 > vring->vq.num_free;
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

/*
 * Reserve room in the ring, and a table if the buffer is to have one.
 * -ENOSPC leaves the queue as it is; the caller makes the device look at it.
 */
static inline int vring_build_start(struct vring_virtqueue *vring,
				    unsigned int num, void *data, void *ctx,
				    gfp_t gfp, void *ring_desc)
{
	struct vring_build *build = &vring->build;
	bool want = vring_wants_table(vring, num, ctx);

	build->table = NULL;
	if (want && vring->vq.num_free)
		build->table = vring_table_get(vring, num, gfp);

	if (build->table) {
		build->desc = build->table->desc;
		build->map = build->table->map;
		build->map_cur = 0;
	} else if (likely(num <= vring->vq.num_free)) {
		build->desc = ring_desc;
		build->map = vring->rings.map;
		build->map_cur = vring->map_free;
	} else {
		return want && vring->vq.num_free ? -ENOMEM : -ENOSPC;
	}

	build->data = data;
	build->ctx = ctx;
	build->in_len = 0;
	build->num = 0;
	build->map_head = build->map_cur;
	build->map_num = 0;
	return 0;
}

/* Find the DMA address of an element, and keep what it takes to unmap it. */
static inline int vring_build_map(struct vring_virtqueue *vring,
				  struct vring_build *build, struct page *page,
				  unsigned int offset, unsigned int len,
				  enum dma_data_direction dir, dma_addr_t *addr)
{
	struct vring_map *map;
	int err;

	if (likely(!build->map)) {
		/* The device is no DMA device for KMSAN: tell it. */
		kmsan_handle_dma(page, offset, len, dir);
		*addr = page_to_phys(page) + offset;
		return 0;
	}

	err = vring_dma_map(vring, page, offset, len, dir, addr);
	if (unlikely(err))
		return err;

	map = &build->map[build->map_cur];
	map->addr = *addr;
	map->len = len;
	map->dir = dir;
	build->map_cur = map->next;
	build->map_num++;
	return 0;
}

static inline int vring_build_map_sg(struct vring_virtqueue *vring,
				     struct vring_build *build,
				     struct scatterlist *sg,
				     enum dma_data_direction dir,
				     dma_addr_t *addr)
{
	if (vring->premapped) {
		*addr = sg_dma_address(sg);
		return 0;
	}
	return vring_build_map(vring, build, sg_page(sg), sg->offset,
			       sg->length, dir, addr);
}

/* Give back what the buffer has taken so far; the ring is the layout's. */
static inline void vring_build_undo(struct vring_virtqueue *vring)
{
	struct vring_build *build = &vring->build;

	if (build->map_num)
		vring_unmap(vring, build->map, build->map_head, build->map_num);
	if (build->table)
		vring_table_put(vring, build->table);
}

/* The buffer goes to the device: turn it into the state of one in flight. */
static inline void vring_build_finish(struct vring_virtqueue *vring,
				      struct vring_state *state)
{
	const struct vring_build *build = &vring->build;

	state->data = build->data;
	state->in_len = build->in_len;
	state->map_head = build->map_head;
	state->map_num = build->map_num;
	if (build->table) {
		state->table = build->table;
		state->indirect = true;
		state->num = 1;
	} else {
		state->ctx = build->ctx;
		state->indirect = false;
		state->num = build->num;
		vring->map_free = build->map_cur;
	}
	vring->vq.num_free -= state->num;
}

/* The device is done with the buffer; the ring is the layout's. */
static inline void vring_state_release(struct vring_virtqueue *vring,
				       struct vring_state *state)
{
	struct vring_map *map;
	u16 last;

	state->data = NULL;
	vring->vq.num_free += state->num;

	if (unlikely(state->map_num)) {
		map = state->indirect ? state->table->map : vring->rings.map;
		last = vring_unmap(vring, map, state->map_head, state->map_num);
		if (!state->indirect) {
			map[last].next = vring->map_free;
			vring->map_free = state->map_head;
		}
	}
	if (state->indirect)
		vring_table_put(vring, state->table);
}

#endif /* _DRIVERS_VIRTIO_RING_INTERNAL_H */
