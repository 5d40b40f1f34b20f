// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Indirect descriptor tables: see virtio_ring_tables.h.
 *
 * A pool that has no table left asks for more, and does without for now. Pools
 * double until they have as many tables as the ring has descriptors, so that a
 * workload soon allocates nothing any more. A pool that no buffer used for a
 * while is given back whole: neither a shrinker, which runs when memory is
 * short already, nor a reset, which may never come, would return a bounce
 * buffer's memory to the other devices that want it.
 *
 * Replaces a part of virtio_ring.c:
 * Copyright 2007 Rusty Russell IBM Corporation
 */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <trace/events/virtio.h>
#include "virtio_ring_internal.h"

/* Tables that a pool begins with, or more if they fit in a page */
#define VRING_POOL_FIRST	8U
/* How often to look for pools that are not used */
#define VRING_IDLE_TIME		(2 * HZ)

/* Tables that were allocated together */
struct vring_chunk {
	struct vring_chunk *next;
	struct vring_mem mem;
	struct vring_map *map;
	unsigned int num;
	struct vring_table tables[];
};

/*
 * The tables of the descriptors. If there is no memory for them, short buffers
 * take descriptors of the ring or tables of a pool, and the ring holds fewer at
 * first.
 */
void vring_own_tables_alloc(struct vring_virtqueue *vring,
			    struct vring_rings *rings)
{
	struct vring_own_tables *own = &rings->own;
	unsigned int total = rings->num << VRING_OWN_ORDER, i;
	struct vring_mem mem;

	if (!vring->indirect ||
	    vring_mem_alloc(vring, &mem, (size_t)total << VRING_DESC_SHIFT,
			    GFP_KERNEL | __GFP_NORETRY))
		return;
	if (vring->vq.dma_dev) {
		own->map = kvmalloc_node(array_size(total, sizeof(*own->map)),
					 GFP_KERNEL | __GFP_ZERO,
					 dev_to_node(&vring->vq.vdev->dev));
		if (!own->map) {
			vring_mem_free(vring, &mem);
			return;
		}
	}
	own->desc = mem.addr;
	own->dma = mem.dma;
	own->size = mem.size;
	own->max = 1 << VRING_OWN_ORDER;
	vring->layout->init_table(vring, own->desc, own->max);
	for (i = 1; i < rings->num; i++)
		memcpy(own->desc + ((size_t)i << VRING_OWN_SHIFT), own->desc,
		       1 << VRING_OWN_SHIFT);
}

void vring_own_tables_free(struct vring_virtqueue *vring,
			   struct vring_rings *rings)
{
	struct vring_own_tables *own = &rings->own;
	struct vring_mem mem = {
		.addr = own->desc, .dma = own->dma, .size = own->size,
	};

	if (!own->max)
		return;
	kvfree(own->map);
	vring_mem_free(vring, &mem);
}

static struct vring_chunk *vring_chunk_alloc(struct vring_virtqueue *vring,
					     unsigned int order,
					     unsigned int num, gfp_t gfp)
{
	size_t size = (size_t)1 << (order + VRING_DESC_SHIFT);
	struct vring_chunk *chunk;
	unsigned int i;

	chunk = kvmalloc_node(struct_size(chunk, tables, num),
			      gfp | __GFP_ZERO,
			      dev_to_node(&vring->vq.vdev->dev));
	if (!chunk)
		return NULL;
	if (vring_mem_alloc(vring, &chunk->mem, num * size,
			    gfp | __GFP_NORETRY))
		goto free_chunk;
	if (vring->vq.dma_dev) {
		chunk->map = kvmalloc_node(array_size(num << order,
						      sizeof(*chunk->map)),
					   gfp | __GFP_ZERO,
					   dev_to_node(&vring->vq.vdev->dev));
		if (!chunk->map)
			goto free_mem;
	}

	chunk->num = num;
	for (i = 0; i < num; i++) {
		struct vring_table *table = &chunk->tables[i];

		table->next = i + 1 < num ? table + 1 : NULL;
		table->desc = chunk->mem.addr + i * size;
		table->dma = chunk->mem.dma + i * size;
		table->order = order;
		if (chunk->map)
			table->map = &chunk->map[i << order];
		vring->layout->init_table(vring, table->desc, 1 << order);
	}
	return chunk;

free_mem:
	vring_mem_free(vring, &chunk->mem);
free_chunk:
	kvfree(chunk);
	return NULL;
}

static void vring_chunks_free(struct vring_virtqueue *vring,
			      struct vring_chunk *chunks)
{
	struct vring_chunk *chunk;

	while ((chunk = chunks)) {
		chunks = chunk->next;
		vring_mem_free(vring, &chunk->mem);
		kvfree(chunk->map);
		kvfree(chunk);
	}
}

/*
 * Double a pool: from a page of tables to as many as there are descriptors in
 * the ring, or as many as can be had. False if it did not grow.
 */
static bool vring_pool_grow(struct vring_virtqueue *vring, unsigned int order,
			    gfp_t gfp)
{
	unsigned int in_page = PAGE_SIZE >> (order + VRING_DESC_SHIFT);
	struct vring_pool *pool = vring_pool(&vring->tables, order);
	unsigned int have = READ_ONCE(pool->num), most = vring->rings.num;
	struct vring_chunk *chunk = NULL;
	unsigned long flags;
	unsigned int num;

	if (have >= most)
		return false;
	queue_delayed_work(system_wq, &vring->tables.trim, VRING_IDLE_TIME);
	num = max3(min(have, most - have), in_page, VRING_POOL_FIRST);
	for (; num && !chunk; num /= 2)
		chunk = vring_chunk_alloc(vring, order, num, gfp);
	if (!chunk)
		return false;

	spin_lock_irqsave(&vring->tables.lock, flags);
	chunk->tables[chunk->num - 1].next = pool->fresh;
	pool->fresh = chunk->tables;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	WRITE_ONCE(pool->num, pool->num + chunk->num);
	pool->used = true;
	trace_virtqueue_tables_grow(&vring->vq, 1 << order, chunk->num);
	spin_unlock_irqrestore(&vring->tables.lock, flags);
	return true;
}

static void vring_tables_grow(struct work_struct *work)
{
	struct vring_virtqueue *vring =
		container_of(work, struct vring_virtqueue, tables.grow);
	struct vring_pool *pool;
	unsigned int order;

	for (order = VRING_POOL_MIN_ORDER; order <= VRING_POOL_MAX_ORDER;
	     order++) {
		pool = vring_pool(&vring->tables, order);
		/* Where memory is short, let some time pass between two tries. */
		if (READ_ONCE(pool->wanted) &&
		    vring_pool_grow(vring, order, GFP_KERNEL))
			WRITE_ONCE(pool->wanted, false);
	}
}

/* Under the lock: true if all tables are back, and none was taken for a while */
static bool vring_pool_is_idle(struct vring_pool *pool)
{
	bool used = pool->used;

	/* Pairs with vring_table_put(): what it did to the pool is done. */
	pool->used = smp_load_acquire(&pool->taken);
	return !used && !pool->used;
}

/*
 * A device whose DMA operations are its own may be a program that is told of
 * its memory once: one of VDUSE keeps what it has mapped until a reset, and
 * would read there what has gone.
 */
static bool vring_pools_shrink(const struct vring_virtqueue *vring)
{
#ifdef CONFIG_ARCH_HAS_DMA_OPS
	return !vring->vq.dma_dev || !vring->vq.dma_dev->dma_ops;
#else
	return true;
#endif
}

/* Free an idle pool; true if there is something left to be freed later. */
static bool vring_pool_trim(struct vring_virtqueue *vring, unsigned int order)
{
	struct vring_pool *pool = vring_pool(&vring->tables, order);
	struct vring_chunk *chunks = NULL;
	bool shrinks = vring_pools_shrink(vring), left;
	unsigned long flags;
	unsigned int num;

	spin_lock_irqsave(&vring->tables.lock, flags);
	num = pool->num;
	if (shrinks && vring_pool_is_idle(pool)) {
		chunks = pool->chunks;
		pool->chunks = NULL;
		pool->free = NULL;
		pool->fresh = NULL;
		WRITE_ONCE(pool->num, 0);
	}
	left = (shrinks && pool->chunks) || pool->wanted;
	WRITE_ONCE(pool->wanted, false);
	spin_unlock_irqrestore(&vring->tables.lock, flags);
	if (chunks)
		trace_virtqueue_tables_shrink(&vring->vq, 1 << order, num);
	vring_chunks_free(vring, chunks);
	return left;
}

static void vring_tables_trim(struct work_struct *work)
{
	struct vring_virtqueue *vring =
		container_of(work, struct vring_virtqueue, tables.trim.work);
	unsigned int order;
	bool left = false;

	for (order = VRING_POOL_MIN_ORDER; order <= VRING_POOL_MAX_ORDER;
	     order++)
		left |= vring_pool_trim(vring, order);
	if (left)
		queue_delayed_work(system_wq, &vring->tables.trim,
				   VRING_IDLE_TIME);
}

void vring_tables_init(struct vring_tables *tables)
{
	spin_lock_init(&tables->lock);
	INIT_WORK(&tables->grow, vring_tables_grow);
	INIT_DELAYED_WORK(&tables->trim, vring_tables_trim);
}

/* No buffer has a table any more. */
void vring_tables_free(struct vring_virtqueue *vring)
{
	struct vring_tables *tables = &vring->tables;
	unsigned int i;

	cancel_work_sync(&tables->grow);
	cancel_delayed_work_sync(&tables->trim);
	for (i = 0; i < ARRAY_SIZE(tables->pools); i++)
		vring_chunks_free(vring, tables->pools[i].chunks);
	memset(tables->pools, 0, sizeof(tables->pools));
}

/* Take a table when @free is empty, or no buffer has a table of the pool. */
static struct vring_table *vring_pool_get(struct vring_tables *tables,
					  struct vring_pool *pool)
{
	struct vring_table *table;
	unsigned long flags;

	spin_lock_irqsave(&tables->lock, flags);
	if (!pool->free) {
		pool->free = pool->fresh;
		pool->fresh = NULL;
	}
	table = pool->free;
	if (table) {
		pool->free = table->next;
		WRITE_ONCE(pool->taken, pool->taken + 1);
		pool->used = true;
	}
	spin_unlock_irqrestore(&tables->lock, flags);
	return table;
}

void vring_tables_count(const struct vring_tables *tables,
			struct virtqueue_state *state)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables->pools); i++) {
		state->tables += READ_ONCE(tables->pools[i].num);
		state->pool_taken += READ_ONCE(tables->pools[i].taken);
	}
}

static void vring_pool_ask(struct vring_tables *tables, struct vring_pool *pool)
{
	if (READ_ONCE(pool->wanted))
		return;
	WRITE_ONCE(pool->wanted, true);
	queue_work(system_wq, &tables->grow);
}

struct vring_table *vring_table_get(struct vring_virtqueue *vring,
				    unsigned int num, gfp_t gfp)
{
	unsigned int order = max(order_base_2(num), VRING_POOL_MIN_ORDER);
	struct vring_pool *pool = vring_pool(&vring->tables, order);
	struct vring_table *table;

	if (likely(pool->taken && pool->free)) {
		table = pool->free;
		pool->free = table->next;
		WRITE_ONCE(pool->taken, pool->taken + 1);
	} else {
		table = vring_pool_get(&vring->tables, pool);
		while (!table && gfpflags_allow_blocking(gfp) &&
		       vring_pool_grow(vring, order, gfp & GFP_KERNEL))
			table = vring_pool_get(&vring->tables, pool);
	}
	/* Ask early, so that the next buffers find a table as well. */
	num = READ_ONCE(pool->num);
	if (pool->taken >= num / 2 && num < vring->rings.num)
		vring_pool_ask(&vring->tables, pool);
	return table;
}
