/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_VIRTIO_RING_TABLES_H
#define _DRIVERS_VIRTIO_RING_TABLES_H
/*
 * Indirect descriptor tables.
 *
 * Each descriptor in the ring has a small table of its own, made with the ring.
 * Larger ones come from pools, one for each size. These grow and shrink in
 * process context only: what they are made of can't be had, nor given back,
 * where drivers add buffers.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <asm/barrier.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct virtqueue_state;
struct vring_map;
struct vring_rings;
struct vring_virtqueue;

/* Memory that both sides see */
struct vring_mem {
	void *addr;
	dma_addr_t dma;
	size_t size;
};

/* Both layouts have descriptors of 16 bytes. */
#define VRING_DESC_SHIFT	4
/* Elements in the table that belongs to a descriptor */
#define VRING_OWN_ORDER		3
#define VRING_OWN_SHIFT		(VRING_OWN_ORDER + VRING_DESC_SHIFT)

struct vring_own_tables {
	void *desc;
	dma_addr_t dma;
	struct vring_map *map;	/* of each element, with the DMA API */
	u16 max;		/* elements; 0: there are no such tables */
	size_t size;		/* in bytes, of all */
};

/* A table of a pool, with room for 1 << order elements */
struct vring_table {
	struct vring_table *next;
	void *desc;
	dma_addr_t dma;
	struct vring_map *map;	/* of each element, with the DMA API */
	u8 order;
};

#define VRING_POOL_MIN_ORDER	(VRING_OWN_ORDER + 1)
#define VRING_POOL_MAX_ORDER	16

/*
 * Tables of one size. As long as buffers have some of them, @free is touched
 * only by calls for the queue, which never run concurrently; otherwise whoever
 * has the lock may.
 */
struct vring_pool {
	struct vring_table *free;
	unsigned int taken;	/* tables that buffers have */
	/* Under the lock: */
	struct vring_table *fresh;	/* made since @free ran out */
	struct vring_chunk *chunks;
	unsigned int num;	/* tables in all chunks */
	bool wanted;		/* there was none left */
	bool used;		/* since the last look at the pool */
};

struct vring_tables {
	struct vring_pool pools[VRING_POOL_MAX_ORDER - VRING_POOL_MIN_ORDER + 1];
	spinlock_t lock;		/* see struct vring_pool */
	struct work_struct grow;
	struct delayed_work trim;
};

void vring_own_tables_alloc(struct vring_virtqueue *vring,
			    struct vring_rings *rings);
void vring_own_tables_free(struct vring_virtqueue *vring,
			   struct vring_rings *rings);
void vring_tables_init(struct vring_tables *tables);
void vring_tables_free(struct vring_virtqueue *vring);
/* Add what the pools have to what is known of a queue's tables. */
void vring_tables_count(const struct vring_tables *tables,
			struct virtqueue_state *state);
struct vring_table *vring_table_get(struct vring_virtqueue *vring,
				    unsigned int num, gfp_t gfp);

static inline struct vring_pool *vring_pool(struct vring_tables *tables,
					    unsigned int order)
{
	return &tables->pools[order - VRING_POOL_MIN_ORDER];
}

static inline void vring_table_put(struct vring_tables *tables,
				   struct vring_table *table)
{
	struct vring_pool *pool = vring_pool(tables, table->order);

	table->next = pool->free;
	pool->free = table;
	/* Pairs with vring_pool_is_idle(): the pool may be gone once this is 0. */
	smp_store_release(&pool->taken, pool->taken - 1);
}

#endif /* _DRIVERS_VIRTIO_RING_TABLES_H */
