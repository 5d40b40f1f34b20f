// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small receive buffers: each holds a packet of the usual length.
 */
#include <linux/filter.h>
#include <linux/skbuff.h>

#include "rx.h"

static unsigned int virtnet_small_offset(bool xdp)
{
	return xdp ? XDP_PACKET_HEADROOM : NET_SKB_PAD + NET_IP_ALIGN;
}

static int virtnet_small_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	bool xdp = rcu_access_pointer(rq->prog);
	unsigned int offset = virtnet_small_offset(xdp);
	unsigned int hdr_len = rq->vn->hdr_len;
	unsigned int size;

	size = SKB_DATA_ALIGN(offset + VIRTNET_FRAME_LEN) + VIRTNET_TAILROOM;
	virtnet_buf_set_layout(rq, ALIGN(size, VIRTNET_BUF_ALIGN), xdp,
			       offset - hdr_len, hdr_len + VIRTNET_FRAME_LEN);
	return virtnet_buf_fill(rq, gfp);
}

static void virtnet_small_xdp(struct virtnet_rq *rq, struct bpf_prog *prog,
			      struct virtnet_buf *buf, void *data,
			      unsigned int len, const union virtnet_hdr *hdr,
			      struct virtnet_rx_batch *batch)
{
	struct virtnet_xdp *vx = &batch->vx;

	if (unlikely(!virtnet_hdr_is_plain(hdr))) {
		virtnet_mem_free(rq, buf->start, true);
		batch->xdp_drops++;
		batch->drops++;
		return;
	}
	if (unlikely(!buf->xdp) &&
	    !virtnet_buf_move(rq, buf, &data, len, XDP_PACKET_HEADROOM,
			      VIRTNET_TAILROOM)) {
		batch->drops++;
		return;
	}
	virtnet_buf_to_xdp(rq, *buf, data, len, &vx->xdp);
	vx->hdr = hdr;
	virtnet_xdp_receive(rq, prog, vx, batch);
}

static void virtnet_small_one(struct virtnet_rq *rq, struct bpf_prog *prog,
			      void *token, unsigned int len,
			      struct virtnet_rx_batch *batch)
{
	struct virtnet_buf buf = virtnet_buf_of(token);
	void *data = buf.start + virtnet_small_offset(buf.xdp);
	unsigned int hdr_len = rq->vn->hdr_len;
	union virtnet_hdr hdr;
	struct sk_buff *skb;

	batch->packets++;
	if (unlikely(len < hdr_len + ETH_HLEN)) {
		virtnet_mem_free(rq, buf.start, true);
		virtnet_rx_bad_length(rq, batch);
		return;
	}
	virtnet_mem_sync(rq, data - hdr_len, len);
	/* A shorter header is followed by the packet: a fixed length is quicker. */
	memcpy(&hdr, data - hdr_len, sizeof(hdr));
	len -= hdr_len;
	batch->bytes += len;

	if (prog) {
		virtnet_small_xdp(rq, prog, &buf, data, len, &hdr, batch);
		return;
	}
	skb = virtnet_buf_to_skb(rq, buf, data, len);
	if (likely(skb))
		virtnet_rx_deliver(rq, skb, &hdr, batch);
	else
		batch->drops++;
}

static unsigned int virtnet_small_receive(struct virtnet_rq *rq,
					  unsigned int budget,
					  struct virtnet_rx_batch *batch)
{
	struct bpf_prog *prog = rcu_dereference_bh(rq->prog);
	unsigned int len, n;
	void *token;

	for (n = 0; n < budget; n++) {
		token = virtqueue_get_buf(rq->vq, &len);
		if (!token)
			break;
		virtnet_small_one(rq, prog, token, len, batch);
	}
	return n;
}

const struct virtnet_rx_kind virtnet_rx_small = {
	.name		= "small",
	.start		= virtnet_mem_start,
	.stop		= virtnet_mem_stop,
	.fill		= virtnet_small_fill,
	.receive	= virtnet_small_receive,
	.free		= virtnet_buf_free,
};
