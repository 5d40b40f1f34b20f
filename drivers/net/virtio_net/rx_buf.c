// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Receive buffers in one piece: they are posted, and become packets.
 *
 * The header of a packet lies in front of it, in the headroom.
 */
#include <linux/filter.h>
#include <linux/skbuff.h>

#include "rx.h"

void virtnet_buf_set_layout(struct virtnet_rq *rq, unsigned int size, bool xdp,
			    unsigned int offset, unsigned int len)
{
	rq->layout.bits = virtnet_buf_bits(size, xdp);
	rq->layout.offset = offset;
	rq->layout.len = len;
}

static __always_inline int virtnet_buf_add(struct virtnet_rq *rq, void *start)
{
	return virtnet_mem_add_buf(rq, start + rq->layout.offset,
				   rq->layout.len, start + rq->layout.bits);
}

static int virtnet_buf_post(struct virtnet_rq *rq, gfp_t gfp)
{
	void *start = virtnet_mem_alloc(rq, rq->layout.bits, gfp);
	int err;

	if (unlikely(!start))
		return -ENOMEM;
	err = virtnet_buf_add(rq, start);
	if (unlikely(err))
		virtnet_mem_free(rq, start, false);
	return err;
}

int virtnet_buf_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	int err = 0;

	while (rq->vq->num_free && !err)
		err = virtnet_buf_post(rq, gfp);
	virtnet_rx_kick(rq);
	return err;
}

/*
 * Nobody needs what is in the buffer: the device gets it again at once, without a
 * detour through the allocator.
 */
static void virtnet_buf_reuse(struct virtnet_rq *rq, void *start,
			      unsigned int size, bool xdp)
{
	if (virtnet_buf_bits(size, xdp) == rq->layout.bits &&
	    likely(!virtnet_buf_add(rq, start)))
		rq->unpublished++;
	else
		virtnet_mem_free(rq, start, true);
}

void virtnet_buf_free(struct virtnet_rq *rq, void *token)
{
	virtnet_mem_free(rq, virtnet_buf_of(token).start, false);
}

/*
 * For the stack, in one of three ways: noinline, so that none saves registers for
 * the others
 */

/* A short packet does not keep a whole buffer. */
static noinline struct sk_buff *virtnet_buf_copy(struct virtnet_rq *rq,
						 struct virtnet_buf buf,
						 const void *data,
						 unsigned int len)
{
	struct sk_buff *skb = napi_alloc_skb(&rq->napi, VIRTNET_COPY_LEN);

	if (likely(skb)) {
		/* GRO merges only packets that agree in this. */
		skb_mark_for_recycle(skb);
		skb_put_data(skb, data, len);
	}
	virtnet_buf_reuse(rq, buf.start, buf.size, buf.xdp);
	return skb;
}

static noinline struct sk_buff *virtnet_buf_wrap(struct virtnet_rq *rq,
						 struct virtnet_buf buf,
						 void *data, unsigned int len)
{
	struct sk_buff *skb = napi_build_skb(buf.start, buf.size);

	if (unlikely(!skb)) {
		virtnet_mem_free(rq, buf.start, true);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, data - buf.start);
	__skb_put(skb, len);
	return skb;
}

/* There is no room for what an skb needs after its data: it gets a separate head. */
static noinline struct sk_buff *virtnet_buf_attach(struct virtnet_rq *rq,
						   struct virtnet_buf buf,
						   void *data, unsigned int len)
{
	struct sk_buff *skb = napi_alloc_skb(&rq->napi, VIRTNET_COPY_LEN);
	struct page *page = virt_to_head_page(data);

	if (unlikely(!skb)) {
		virtnet_mem_free(rq, buf.start, true);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_put_data(skb, data, ETH_HLEN);
	skb_add_rx_frag(skb, 0, page, data + ETH_HLEN - page_address(page),
			len - ETH_HLEN, buf.size);
	return skb;
}

struct sk_buff *virtnet_buf_to_skb(struct virtnet_rq *rq,
				   struct virtnet_buf buf, void *data,
				   unsigned int len)
{
	if (len <= VIRTNET_COPY_LEN)
		return virtnet_buf_copy(rq, buf, data, len);
	if (data + len + VIRTNET_TAILROOM <= buf.start + buf.size &&
	    (!NET_IP_ALIGN || IS_ALIGNED((uintptr_t)data + ETH_HLEN, 4)))
		return virtnet_buf_wrap(rq, buf, data, len);
	return virtnet_buf_attach(rq, buf, data, len);
}

/*
 * For XDP programs
 */

/*
 * Move what is at @data to a buffer for XDP with @before and @behind bytes of room
 * around it; false if there is no such buffer.
 */
bool virtnet_buf_move(struct virtnet_rq *rq, struct virtnet_buf *buf, void **data,
		      unsigned int len, unsigned int before, unsigned int behind)
{
	struct virtnet_buf new = { .size = VIRTNET_BUF_MAX, .xdp = true };

	if (before + len + behind <= new.size)
		new.start = virtnet_mem_alloc(rq, virtnet_buf_bits(new.size, true),
					      GFP_ATOMIC);
	if (new.start)
		memcpy(new.start + before, *data, len);
	virtnet_mem_free(rq, buf->start, true);

	*buf = new;
	*data = new.start + before;
	return new.start;
}

void virtnet_buf_to_xdp(struct virtnet_rq *rq, struct virtnet_buf buf,
			void *data, unsigned int len, struct xdp_buff *xdp)
{
	xdp_init_buff(xdp, buf.size, &rq->xdp_rxq);
	xdp_prepare_buff(xdp, buf.start, data - buf.start, len, true);
}

static struct sk_buff *virtnet_xdp_to_skb(struct virtnet_rq *rq,
					  struct xdp_buff *xdp)
{
	struct skb_shared_info *shinfo = xdp_get_shared_info_from_buff(xdp);
	unsigned int meta = xdp->data - xdp->data_meta;
	unsigned int frags = 0;
	struct sk_buff *skb;

	/* napi_build_skb() clears the number of fragments. */
	if (xdp_buff_has_frags(xdp))
		frags = shinfo->nr_frags;

	skb = napi_build_skb(xdp->data_hard_start, xdp->frame_sz);
	if (unlikely(!skb)) {
		xdp_return_buff(xdp);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	__skb_put(skb, xdp->data_end - xdp->data);
	if (meta)
		skb_metadata_set(skb, meta);
	if (frags)
		xdp_update_skb_shared_info(skb, frags, shinfo->xdp_frags_size,
					   frags * VIRTNET_BUF_MAX,
					   xdp_buff_is_frag_pfmemalloc(xdp));
	return skb;
}

static void virtnet_xdp_drop(struct virtnet_rq *rq, struct xdp_buff *xdp)
{
	if (unlikely(xdp_buff_has_frags(xdp))) {
		xdp_return_buff(xdp);
		return;
	}
	/* The program may have written to it. */
	virtnet_mem_sync_back(rq, xdp->data_hard_start, xdp->frame_sz);
	virtnet_buf_reuse(rq, xdp->data_hard_start, xdp->frame_sz, true);
}

void virtnet_xdp_receive(struct virtnet_rq *rq, struct bpf_prog *prog,
			 struct virtnet_xdp *vx, struct virtnet_rx_batch *batch)
{
	u32 act = virtnet_xdp_run(rq, prog, vx, batch);
	struct sk_buff *skb;

	if (act == XDP_DROP) {
		virtnet_xdp_drop(rq, &vx->xdp);
	} else if (act == XDP_PASS) {
		skb = virtnet_xdp_to_skb(rq, &vx->xdp);
		if (likely(skb))
			virtnet_rx_deliver(rq, skb, vx->hdr, batch);
		else
			batch->drops++;
	}
}

void virtnet_rx_bad_length(struct virtnet_rq *rq, struct virtnet_rx_batch *batch)
{
	DEV_STATS_INC(rq->vn->dev, rx_length_errors);
	batch->drops++;
}
