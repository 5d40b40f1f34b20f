// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the memory of receive buffers comes from.
 *
 * Pages are large, so that little of them is left over, and each is cut into buffers,
 * for all of which it gets references at once. They come from a page_pool, which keeps
 * those that the stack has given back, and maps each only once for devices behind the
 * DMA API. A kernel without page_pool takes them from the page allocator, and the ring
 * maps each buffer.
 */
#include <linux/skbuff.h>
#include <net/page_pool/helpers.h>

#include "rx.h"

/* As large as others take them for packets */
#define VIRTNET_MEM_ORDER	get_order(32768)

/* Free pages that the pool keeps at most beside those that NAPI has at hand */
#define VIRTNET_MEM_KEEP	64

static struct page_pool *virtnet_mem_create_pool(struct virtnet_rq *rq)
{
	struct device *dma_dev = rq->vq->dma_dev;
	struct device *parent = rq->vn->vdev->dev.parent;
	struct page_pool_params params = {
		.order		= VIRTNET_MEM_ORDER,
		.pool_size	= VIRTNET_MEM_KEEP,
		.nid		= parent ? dev_to_node(parent) : NUMA_NO_NODE,
		.dev		= dma_dev,
		.napi		= &rq->napi,
		.dma_dir	= DMA_FROM_DEVICE,
		.max_len	= PAGE_SIZE << VIRTNET_MEM_ORDER,
		.netdev		= rq->vn->dev,
		.queue_idx	= rq - rq->vn->rq,
	};

	if (dma_dev)
		params.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV;
	return page_pool_create(&params);
}

static int virtnet_mem_start_pool(struct virtnet_rq *rq)
{
	struct page_pool *pool = virtnet_mem_create_pool(rq);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = xdp_rxq_info_reg_mem_model(&rq->xdp_rxq, MEM_TYPE_PAGE_POOL, pool);
	if (err)
		page_pool_destroy(pool);
	else
		rq->pool = pool;
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
		err = virtnet_mem_start_pool(rq);
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

/* Packets that the stack still has keep their pages, and what maps them. */
void virtnet_mem_stop(struct virtnet_rq *rq)
{
	virtnet_mem_drop_cut(rq);
	xdp_rxq_info_unreg(&rq->xdp_rxq);
	page_pool_destroy(rq->pool);
	rq->pool = NULL;
}

/* With a reference for each of @num buffers */
static struct page *virtnet_mem_new_page(struct virtnet_rq *rq, unsigned int num,
					 gfp_t gfp)
{
	struct page *page;

	gfp |= __GFP_NOWARN;
	if (IS_ENABLED(CONFIG_PAGE_POOL)) {
		page = page_pool_alloc_pages(rq->pool, gfp);
		if (likely(page))
			page_pool_fragment_page(page, num);
	} else {
		page = alloc_pages(gfp | __GFP_COMP, VIRTNET_MEM_ORDER);
		if (likely(page))
			page_ref_add(page, num - 1);
	}
	return page;
}

/* What is left of the page before is for buffers of another size. */
bool virtnet_mem_cut(struct virtnet_rq *rq, unsigned int size, gfp_t gfp)
{
	unsigned int num = (PAGE_SIZE << VIRTNET_MEM_ORDER) / size;
	struct page *page;

	virtnet_mem_drop_cut(rq);
	page = virtnet_mem_new_page(rq, num, gfp);
	if (unlikely(!page))
		return false;
	rq->cut.next = page_address(page);
	rq->cut.size = size;
	rq->cut.left = num;
	return true;
}

void virtnet_mem_free(struct virtnet_rq *rq, void *p, bool napi)
{
	struct page *page = virt_to_head_page(p);

	if (IS_ENABLED(CONFIG_PAGE_POOL))
		page_pool_put_full_page(rq->pool, page, napi);
	else
		put_page(page);
}

void virtnet_mem_sync(struct virtnet_rq *rq, void *p, unsigned int len)
{
	struct page *page;

	if (!virtnet_mem_mapped(rq))
		return;
	page = virt_to_head_page(p);
	page_pool_dma_sync_for_cpu(rq->pool, page, p - page_address(page), len);
}

void virtnet_mem_sync_back(struct virtnet_rq *rq, void *p, unsigned int len)
{
	struct page *page;

	if (!virtnet_mem_mapped(rq))
		return;
	page = virt_to_head_page(p);
	dma_sync_single_range_for_device(rq->vq->dma_dev,
					 page_pool_get_dma_addr(page),
					 p - page_address(page), len,
					 DMA_FROM_DEVICE);
}
