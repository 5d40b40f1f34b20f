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
	u16 last;		/* split: last descriptor of the chain */
	u16 map_head;
	u16 map_num;
	bool indirect;		/* the union has a table */
};

/*
 * The buffer being built.  An element's flags are written when the next one
 * comes, or at the end: only then is it known whether there is a next one.
 * Before the first element @prev is a dummy, so that nobody has to ask.
 */
struct split_build {
	struct vring_state *state;
	struct vring_desc *desc;	/* the ring's or the table's */
	struct vring_desc *prev;
	u32 in_len;			/* bytes that the device may write */
	unsigned int cur;		/* index of the next element */
	unsigned int prev_flags;
	bool indirect;
};

struct packed_build {
	struct vring_state *state;
	struct vring_packed_desc *next;	/* where the next element goes */
	struct vring_packed_desc *prev;
	u32 in_len;			/* bytes that the device may write */
	unsigned int prev_flags;
	unsigned int head_flags;	/* VRING_DESC_F_WRITE of the first */
	unsigned int wrap_flags;	/* of the next element in the ring */
	unsigned int lap_flags;		/* of available descriptors at @next */
	bool indirect;
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
	u16 lap_flags;		/* packed: of what is available at @next_avail */
	u16 free_head;		/* unused state */
	u16 oldest;		/* in order: the next buffer to be used */
	u16 map_free;		/* unused mappings */
	u16 map_num;		/* mappings of the buffer being built */
	struct vring_map *map_next;	/* where the next one goes */
	struct vring_map *maps;	/* where that is: the pool or a table's */
	bool weak_barriers;
	bool indirect;		/* VIRTIO_RING_F_INDIRECT_DESC, and no ctx */
	bool event;		/* VIRTIO_RING_F_EVENT_IDX */
	bool in_order;		/* VIRTIO_F_IN_ORDER */
	bool cb_disabled;
	bool event_triggered;	/* the event fired and isn't armed again */
	bool premapped;
	bool plain;		/* no DMA API, and not premapped */
	union {
		struct {
			struct split_build split_build;
			struct vring_desc split_dummy;
		};
		struct {
			struct packed_build packed_build;
			struct vring_packed_desc packed_dummy;
		};
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
void vring_cancel(struct vring_virtqueue *vring, struct vring_state *state);

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
int vring_split_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			unsigned int out_sgs, unsigned int in_sgs,
			unsigned int num, void *data, void *ctx, gfp_t gfp);
int vring_split_add_list(struct virtqueue *vq, struct scatterlist *sgl,
			 unsigned int num, enum dma_data_direction dir,
			 void *data, gfp_t gfp);
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

int vring_packed_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			 unsigned int out_sgs, unsigned int in_sgs,
			 unsigned int num, void *data, void *ctx, gfp_t gfp);
int vring_packed_add_list(struct virtqueue *vq, struct scatterlist *sgl,
			  unsigned int num, enum dma_data_direction dir,
			  void *data, gfp_t gfp);
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
 * Begin a buffer of @num elements with the state at @free_head: there is room
 * in the ring, and a table if it is to have one.
 */
static __always_inline int vring_start(struct vring_virtqueue *vring,
				       struct vring_state *state,
				       unsigned int num, void *data,
				       void *ctx, gfp_t gfp)
{
	bool want = vring_wants_table(vring, num, ctx);
	struct vring_table *table = NULL;

	if (want && vring->vq.num_free)
		table = vring_table_get(vring, num, gfp);
	if (unlikely(!table && num > vring->vq.num_free))
		return want && vring->vq.num_free ? -ENOMEM : -ENOSPC;

	state->data = data;
	if (table)
		state->table = table;
	else
		state->ctx = ctx;
	state->indirect = table;
	if (unlikely(vring->rings.map)) {
		state->map_head = table ? 0 : vring->map_free;
		vring->maps = table ? table->map : vring->rings.map;
		vring->map_next = vring->maps + state->map_head;
		vring->map_num = 0;
	}
	return 0;
}

/* KMSAN learns of what a device does from the DMA API, or from us. */
static inline dma_addr_t vring_phys(struct page *page, unsigned int offset,
				    unsigned int len,
				    enum dma_data_direction dir)
{
	kmsan_handle_dma(page, offset, len, dir);
	return page_to_phys(page) + offset;
}

/* Map an element of the buffer being built, and keep what unmaps it. */
static __always_inline dma_addr_t
vring_map_dma(struct vring_virtqueue *vring, struct page *page,
	      unsigned int offset, unsigned int len,
	      enum dma_data_direction dir)
{
	struct device *dma_dev = vring->vq.dma_dev;
	struct vring_map *map;
	dma_addr_t addr;

	addr = dma_map_page(dma_dev, page, offset, len, dir);
	if (unlikely(dma_mapping_error(dma_dev, addr)))
		return DMA_MAPPING_ERROR;

	map = vring->map_next;
	map->addr = addr;
	map->len = len;
	map->dir = dir;
	vring->map_next = vring->maps + map->next;
	vring->map_num++;
	return addr;
}

/* The DMA address of an element, or DMA_MAPPING_ERROR if it is not @plain */
static __always_inline dma_addr_t vring_map_sg(struct vring_virtqueue *vring,
					       struct scatterlist *sg,
					       enum dma_data_direction dir,
					       bool plain)
{
	if (plain)
		return vring_phys(sg_page(sg), sg->offset, sg->length, dir);
	if (vring->premapped)
		return sg_dma_address(sg);
	return vring_map_dma(vring, sg_page(sg), sg->offset, sg->length, dir);
}

/* sg_next() for one that isn't the last, without a call for each element */
static inline struct scatterlist *vring_sg_next(struct scatterlist *sg)
{
	sg++;
	return unlikely(sg_is_chain(sg)) ? sg_chain_ptr(sg) : sg;
}

/* The mappings of the buffer being built are its own now. */
static inline void vring_take_maps(struct vring_virtqueue *vring,
				   struct vring_state *state)
{
	if (likely(!vring->rings.map))
		return;
	state->map_num = vring->map_num;
	if (!state->indirect)
		vring->map_free = vring->map_next - vring->maps;
}

/*
 * The buffer goes to the device, which may write @in_len bytes, and takes @num
 * descriptors in the ring.
 */
static __always_inline void vring_commit(struct vring_virtqueue *vring,
					 struct vring_state *state,
					 u32 in_len, unsigned int num)
{
	vring_take_maps(vring, state);
	state->in_len = in_len;
	state->num = num;
	vring->vq.num_free -= num;
}

/* Unmap a buffer.  Its mappings go back to the pool if they came from there. */
static __always_inline void vring_unmap(struct vring_virtqueue *vring,
					const struct vring_state *state)
{
	struct vring_map *maps = vring->rings.map;
	unsigned int num = state->map_num;
	u16 cur = state->map_head;
	struct vring_map *map;

	if (!num)
		return;
	if (state->indirect)
		maps = state->table->map;
	do {
		map = &maps[cur];
		dma_unmap_page(vring->vq.dma_dev, map->addr, map->len,
			       map->dir);
		cur = map->next;
	} while (--num);
	if (!state->indirect) {
		map->next = vring->map_free;
		vring->map_free = state->map_head;
	}
}

/* The device is done with the buffer, or will never see it. */
static __always_inline void vring_release(struct vring_virtqueue *vring,
					  struct vring_state *state)
{
	state->data = NULL;
	if (unlikely(vring->rings.map))
		vring_unmap(vring, state);
	if (state->indirect)
		vring_table_put(vring, state->table);
}

/* Of a used buffer: its token, the bytes written (@len, checked), its context */
static __always_inline void *vring_take(struct vring_virtqueue *vring,
					const struct vring_state *state,
					unsigned int *len, void **ctx)
{
	if (unlikely(*len > state->in_len))
		*len = vring_clamp_len(vring, *len, state->in_len);
	if (ctx)
		*ctx = state->indirect ? NULL : state->ctx;
	return state->data;
}

#endif /* _DRIVERS_VIRTIO_RING_INTERNAL_H */
