// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the memory of receive buffers comes from.
 *
 * Pages are large, so that little of them is left over, and each is cut into buffers,
 * for all of which it gets references at once. They come from a page_pool, which keeps
 * those that the stack has given back, and maps each only once for devices behind the
 * DMA API. A kernel without page_pool takes them from the page allocator, and the ring
 * maps each buffer.
 *
 * There are two pools. When memory is fragmented there are no large pages, so any buffer
 * may come from a single page. Buffers for XDP always do: whoever sends a frame for XDP
 * returns it, together with others, to the one pool that XDP knows.
 */
#include <linux/skbuff.h>
#include <net/page_pool/helpers.h>

#include "rx.h"

/* What the network stack uses for packets, too */
#define VIRTNET_MEM_ORDER	get_order(32768)

/* The most free large pages that a pool keeps besides what NAPI has at hand */
#define VIRTNET_MEM_KEEP	64

static struct page_pool *virtnet_mem_create_pool(struct virtnet_rq *rq,
						 unsigned int order)
{
	struct device *dma_dev = rq->vq->dma_dev;
	struct device *parent = rq->vn->vdev->dev.parent;
	struct page_pool_params params = {
		.order		= order,
		.pool_size	= VIRTNET_MEM_KEEP << (VIRTNET_MEM_ORDER - order),
		.nid		= parent ? dev_to_node(parent) : NUMA_NO_NODE,
		.dev		= dma_dev,
		.napi		= &rq->napi,
		.dma_dir	= DMA_FROM_DEVICE,
		.max_len	= PAGE_SIZE << order,
		.netdev		= rq->vn->dev,
		.queue_idx	= rq - rq->vn->rq,
	};

	if (dma_dev)
		params.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV;
	return page_pool_create(&params);
}

static void virtnet_mem_destroy_pools(struct virtnet_rq *rq)
{
	page_pool_destroy(rq->pool);
	page_pool_destroy(rq->small_pool);
	rq->pool = NULL;
	rq->small_pool = NULL;
}

static int virtnet_mem_start_pools(struct virtnet_rq *rq)
{
	struct page_pool *pool, *small_pool;
	int err;

	pool = virtnet_mem_create_pool(rq, VIRTNET_MEM_ORDER);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	rq->pool = pool;

	small_pool = virtnet_mem_create_pool(rq, 0);
	err = PTR_ERR_OR_ZERO(small_pool);
	if (!err) {
		rq->small_pool = small_pool;
		err = xdp_rxq_info_reg_mem_model(&rq->xdp_rxq,
						 MEM_TYPE_PAGE_POOL,
						 small_pool);
	}
	if (err)
		virtnet_mem_destroy_pools(rq);
	return err;
}

int virtnet_mem_start(struct virtnet_rq *rq)
{
	int err;

	err = xdp_rxq_info_reg(&rq->xdp_rxq, rq->vn->dev, rq - rq->vn->rq,
			       rq->napi.napi_id);
	if (err)
		return err;

	if (IS_ENABLED(CONFIG_PAGE_POOL))
		err = virtnet_mem_start_pools(rq);
	else
		err = xdp_rxq_info_reg_mem_model(&rq->xdp_rxq,
						 MEM_TYPE_PAGE_SHARED, NULL);
	if (err)
		xdp_rxq_info_unreg(&rq->xdp_rxq);
	return err;
}

static void virtnet_mem_drop_cut(struct virtnet_rq *rq)
{
	while (rq->cut.left)
		virtnet_mem_free(rq, virtnet_mem_take(rq), false);
}

/* Packets that the stack still has keep their pages and mappings alive. */
void virtnet_mem_stop(struct virtnet_rq *rq)
{
	virtnet_mem_drop_cut(rq);
	/* Not if there was no memory for it. */
	if (xdp_rxq_info_is_reg(&rq->xdp_rxq))
		xdp_rxq_info_unreg(&rq->xdp_rxq);
	virtnet_mem_destroy_pools(rq);
}

static struct page *virtnet_mem_get_page(struct virtnet_rq *rq,
					 unsigned int order, gfp_t gfp)
{
	if (!IS_ENABLED(CONFIG_PAGE_POOL))
		return alloc_pages(gfp | __GFP_COMP, order);
	return page_pool_alloc_pages(order ? rq->pool : rq->small_pool, gfp);
}

void *virtnet_mem_alloc_page(struct virtnet_rq *rq, gfp_t gfp)
{
	struct page *page = virtnet_mem_get_page(rq, 0, gfp | __GFP_NOWARN);

	return likely(page) ? page_address(page) : NULL;
}

/* With a reference for each buffer that is in it */
static bool virtnet_mem_new_page(struct virtnet_rq *rq, unsigned long bits,
				 unsigned int order, gfp_t gfp)
{
	struct page *page = virtnet_mem_get_page(rq, order, gfp);
	unsigned int size = virtnet_buf_of((void *)bits).size;
	unsigned int num = (PAGE_SIZE << order) / size;

	if (unlikely(!page))
		return false;
	if (IS_ENABLED(CONFIG_PAGE_POOL))
		page_pool_fragment_page(page, num);
	else
		page_ref_add(page, num - 1);
	rq->cut.next = page_address(page);
	rq->cut.bits = bits;
	rq->cut.size = size;
	rq->cut.left = num;
	return true;
}

/*
 * What is left of the last page is for buffers of another sort. Memory is not reclaimed
 * to make a large page: that would cost more than it saves.
 */
bool virtnet_mem_cut(struct virtnet_rq *rq, unsigned long bits, gfp_t gfp)
{
	gfp_t large = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NORETRY | __GFP_NOWARN;

	virtnet_mem_drop_cut(rq);
	if (VIRTNET_MEM_ORDER && !(bits & VIRTNET_BUF_XDP) &&
	    likely(virtnet_mem_new_page(rq, bits, VIRTNET_MEM_ORDER, large)))
		return true;
	return virtnet_mem_new_page(rq, bits, 0, gfp | __GFP_NOWARN);
}

void virtnet_mem_free(struct virtnet_rq *rq, void *p, bool napi)
{
	struct page *page = virt_to_head_page(p);

	if (IS_ENABLED(CONFIG_PAGE_POOL))
		page_pool_put_full_page(page->pp, page, napi);
	else
		put_page(page);
}

void virtnet_mem_sync_mapped(struct virtnet_rq *rq, void *p, unsigned int len)
{
	struct page *page = virt_to_head_page(p);

	page_pool_dma_sync_for_cpu(page->pp, page, p - page_address(page), len);
}

void virtnet_mem_sync_back_mapped(struct virtnet_rq *rq, void *p,
				  unsigned int len)
{
	struct page *page = virt_to_head_page(p);

	dma_sync_single_range_for_device(rq->vq->dma_dev,
					 page_pool_get_dma_addr(page),
					 p - page_address(page), len,
					 DMA_FROM_DEVICE);
}
