// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mergeable receive buffers (5.1.6.4): each as large as packets are on average. The
 * device uses several for a longer packet, and only the first has a header.
 */
#include <linux/filter.h>
#include <linux/skbuff.h>

#include "rx.h"

static unsigned int virtnet_mergeable_offset(const struct virtnet_rq *rq, bool xdp)
{
	return xdp ? XDP_PACKET_HEADROOM : rq->vn->hdr_len;
}

/*
 * Post
 */

/* All buffers together have to hold the longest packet, or it never arrives. */
static void virtnet_mergeable_set_min(struct virtnet_rq *rq)
{
	unsigned int longest, num = virtqueue_get_vring_size(rq->vq);

	longest = rq->vn->hdr_len + ETH_HLEN + VLAN_HLEN + ETH_MAX_MTU;
	WRITE_ONCE(rq->min_len, max_t(unsigned int, VIRTNET_FRAME_LEN,
				      DIV_ROUND_UP(longest, num)));
}

static unsigned int virtnet_mergeable_size(struct virtnet_rq *rq)
{
	unsigned int len = ewma_virtnet_len_read(&rq->avg_len);

	len = rq->vn->hdr_len + max(len, READ_ONCE(rq->min_len));
	return ALIGN(min_t(unsigned int, len, VIRTNET_BUF_MAX),
		     VIRTNET_BUF_ALIGN);
}

/* The device gets all but what an XDP program needs. */
static unsigned int virtnet_mergeable_room(const struct virtnet_rq *rq)
{
	return VIRTNET_BUF_MAX - VIRTNET_TAILROOM -
	       (XDP_PACKET_HEADROOM - rq->vn->hdr_len);
}

unsigned int virtnet_mergeable_buf_len(struct virtnet_rq *rq)
{
	if (rcu_access_pointer(rq->prog))
		return virtnet_mergeable_room(rq);
	return virtnet_mergeable_size(rq);
}

static int virtnet_mergeable_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	unsigned int size;

	virtnet_mergeable_set_min(rq);
	if (rcu_access_pointer(rq->prog)) {
		virtnet_buf_set_layout(rq, VIRTNET_BUF_MAX, true,
				       XDP_PACKET_HEADROOM - rq->vn->hdr_len,
				       virtnet_mergeable_room(rq));
	} else {
		size = virtnet_mergeable_size(rq);
		virtnet_buf_set_layout(rq, size, false, 0, size);
	}
	return virtnet_buf_fill(rq, gfp);
}

static int virtnet_mergeable_start(struct virtnet_rq *rq)
{
	ewma_virtnet_len_init(&rq->avg_len);
	virtnet_mergeable_set_min(rq);
	return virtnet_mem_start(rq);
}

/*
 * Receive
 */

/**
 * struct virtnet_piece - what one buffer has of a packet
 * @buf: the buffer
 * @data: what the device wrote, after the header of the packet
 * @len: bytes at @data
 */
struct virtnet_piece {
	struct virtnet_buf buf;
	void *data;
	unsigned int len;
};

/*
 * Take the next of @rest pieces; false if there is none, or a bad one. Inline, so that
 * a piece stays in registers.
 */
static __always_inline bool virtnet_mergeable_next(struct virtnet_rq *rq,
						   struct virtnet_piece *piece,
						   unsigned int *rest,
						   unsigned int max)
{
	void *token = virtqueue_get_buf(rq->vq, &piece->len);

	if (unlikely(!token))
		return false;
	--*rest;
	piece->buf = virtnet_buf_of(token);
	if (unlikely(!piece->len || piece->len > max)) {
		virtnet_mem_free(rq, piece->buf.start, true);
		return false;
	}
	piece->data = piece->buf.start - rq->vn->hdr_len +
		      virtnet_mergeable_offset(rq, piece->buf.xdp);
	virtnet_mem_sync(rq, piece->data, piece->len);
	return true;
}

/* The rest of a bad packet must not be taken for a packet. */
static noinline void virtnet_mergeable_skip(struct virtnet_rq *rq, unsigned int rest)
{
	unsigned int len;
	void *token;

	while (rest-- && (token = virtqueue_get_buf(rq->vq, &len)))
		virtnet_mem_free(rq, virtnet_buf_of(token).start, true);
}

/* A further skb, for fragments that @tail has no room for */
static struct sk_buff *virtnet_mergeable_extend(struct virtnet_rq *rq,
						struct sk_buff *head,
						struct sk_buff *tail)
{
	struct sk_buff *skb = napi_alloc_skb(&rq->napi, 0);

	if (unlikely(!skb))
		return NULL;
	skb_mark_for_recycle(skb);
	head->truesize += skb->truesize;
	if (tail == head)
		skb_shinfo(head)->frag_list = skb;
	else
		tail->next = skb;
	return skb;
}

static void virtnet_mergeable_attach(struct virtnet_rq *rq,
				     struct sk_buff *head, struct sk_buff *tail,
				     const struct virtnet_piece *piece)
{
	unsigned int i = skb_shinfo(tail)->nr_frags;
	struct page *page = virt_to_head_page(piece->data);
	unsigned int offset = piece->data - page_address(page);

	if (skb_can_coalesce(tail, i, page, offset)) {
		/* That fragment has a reference to the page already. */
		skb_coalesce_rx_frag(tail, i - 1, piece->len, piece->buf.size);
		virtnet_mem_free(rq, piece->buf.start, true);
	} else {
		skb_add_rx_frag(tail, i, page, offset, piece->len,
				piece->buf.size);
	}
	if (tail != head) {
		head->len += piece->len;
		head->data_len += piece->len;
		head->truesize += piece->buf.size;
	}
}

/*
 * Most packets are in one piece: what they do without is noinline, here and below, so
 * that they don't save registers for it.
 */
static noinline bool virtnet_mergeable_append(struct virtnet_rq *rq,
					      struct sk_buff *head,
					      unsigned int *rest)
{
	struct sk_buff *tail = head;
	struct virtnet_piece piece;

	while (*rest) {
		if (skb_shinfo(tail)->nr_frags == MAX_SKB_FRAGS) {
			tail = virtnet_mergeable_extend(rq, head, tail);
			if (unlikely(!tail))
				return false;
		}
		if (unlikely(!virtnet_mergeable_next(rq, &piece, rest,
						     VIRTNET_MAX_LEN - head->len)))
			return false;
		virtnet_mergeable_attach(rq, head, tail, &piece);
	}
	return true;
}

static void virtnet_mergeable_skb(struct virtnet_rq *rq, struct virtnet_buf buf,
				  void *data, unsigned int len,
				  unsigned int rest,
				  const union virtnet_hdr *hdr,
				  struct virtnet_rx_batch *batch)
{
	struct sk_buff *skb = virtnet_buf_to_skb(rq, buf, data, len);

	if (unlikely(!skb)) {
		virtnet_mergeable_skip(rq, rest);
		batch->drops++;
		return;
	}
	if (rest && !virtnet_mergeable_append(rq, skb, &rest)) {
		virtnet_mergeable_skip(rq, rest);
		virtnet_rx_bad_length(rq, batch);
		kfree_skb(skb);
		return;
	}
	batch->bytes += skb->len;
	ewma_virtnet_len_add(&rq->avg_len, skb->len);
	virtnet_rx_deliver(rq, skb, hdr, batch);
}

/*
 * Receive, with an XDP program
 */

static bool virtnet_mergeable_add_frag(struct xdp_buff *xdp,
				       const struct virtnet_piece *piece)
{
	struct skb_shared_info *shinfo = xdp_get_shared_info_from_buff(xdp);
	struct page *page = virt_to_head_page(piece->data);

	if (!xdp_buff_has_frags(xdp)) {
		xdp_buff_set_frags_flag(xdp);
		shinfo->nr_frags = 0;
		shinfo->xdp_frags_size = 0;
	}
	if (unlikely(shinfo->nr_frags == MAX_SKB_FRAGS))
		return false;
	skb_frag_fill_page_desc(&shinfo->frags[shinfo->nr_frags++], page,
				piece->data - page_address(page), piece->len);
	shinfo->xdp_frags_size += piece->len;
	if (unlikely(page_is_pfmemalloc(page)))
		xdp_buff_set_frag_pfmemalloc(xdp);
	return true;
}

static bool virtnet_mergeable_copy(struct xdp_buff *xdp,
				   const struct virtnet_piece *piece)
{
	if (piece->len > xdp_data_hard_end(xdp) - xdp->data_end)
		return false;
	memcpy(xdp->data_end, piece->data, piece->len);
	xdp->data_end += piece->len;
	return true;
}

/* A program that can't handle fragments gets all in one piece. Consumes @piece. */
static bool virtnet_mergeable_add(struct virtnet_rq *rq, struct xdp_buff *xdp,
				  const struct virtnet_piece *piece, bool frags)
{
	bool added = frags ? virtnet_mergeable_add_frag(xdp, piece) :
			     virtnet_mergeable_copy(xdp, piece);

	if (!added || !frags)
		virtnet_mem_free(rq, piece->buf.start, true);
	return added;
}

static noinline bool virtnet_mergeable_collect(struct virtnet_rq *rq,
					       struct xdp_buff *xdp,
					       unsigned int *rest, bool frags)
{
	struct virtnet_piece piece;

	while (*rest) {
		if (!virtnet_mergeable_next(rq, &piece, rest, VIRTNET_MAX_LEN))
			return false;
		if (frags && unlikely(!piece.buf.xdp) &&
		    !virtnet_buf_move(rq, &piece.buf, &piece.data, piece.len, 0, 0))
			return false;
		if (!virtnet_mergeable_add(rq, xdp, &piece, frags))
			return false;
	}
	return true;
}

/*
 * A buffer from before the program was attached has no room around the packet. What
 * does not fit into one that has becomes a fragment, @more.
 */
static bool virtnet_mergeable_make_room(struct virtnet_rq *rq,
					struct virtnet_buf *buf, void **data,
					unsigned int *len,
					struct virtnet_piece *more)
{
	unsigned int max = VIRTNET_BUF_MAX - XDP_PACKET_HEADROOM - VIRTNET_TAILROOM;
	unsigned long bits = virtnet_buf_bits(VIRTNET_BUF_MAX, true);

	if (*len > max) {
		more->buf.start = virtnet_mem_alloc(rq, bits, GFP_ATOMIC);
		if (!more->buf.start) {
			virtnet_mem_free(rq, buf->start, true);
			return false;
		}
		more->data = more->buf.start;
		more->len = *len - max;
		memcpy(more->data, *data + max, more->len);
		*len = max;
	}
	if (virtnet_buf_move(rq, buf, data, *len, XDP_PACKET_HEADROOM,
			     VIRTNET_TAILROOM))
		return true;
	if (more->len)
		virtnet_mem_free(rq, more->buf.start, true);
	return false;
}

/* The same as virtnet_buf_to_xdp() for such a buffer; false: it is gone. */
static noinline bool virtnet_mergeable_old(struct virtnet_rq *rq,
					   struct virtnet_buf buf, void *data,
					   unsigned int len, bool frags,
					   struct xdp_buff *xdp)
{
	struct virtnet_piece more = {};

	if (!virtnet_mergeable_make_room(rq, &buf, &data, &len, &more))
		return false;
	virtnet_buf_to_xdp(rq, buf, data, len, xdp);
	if (!more.len || virtnet_mergeable_add(rq, xdp, &more, frags))
		return true;
	xdp_return_buff(xdp);
	return false;
}

static void virtnet_mergeable_xdp_drop(struct virtnet_rq *rq, unsigned int rest,
				       struct virtnet_rx_batch *batch)
{
	virtnet_mergeable_skip(rq, rest);
	batch->xdp_drops++;
	batch->drops++;
}

static void virtnet_mergeable_xdp(struct virtnet_rq *rq, struct bpf_prog *prog,
				  struct virtnet_buf buf, void *data,
				  unsigned int len, unsigned int rest,
				  const union virtnet_hdr *hdr,
				  struct virtnet_rx_batch *batch)
{
	bool frags = prog->aux->xdp_has_frags;
	struct virtnet_xdp *vx = &batch->vx;

	if (unlikely(!virtnet_hdr_is_plain(hdr))) {
		virtnet_mem_free(rq, buf.start, true);
		virtnet_mergeable_xdp_drop(rq, rest, batch);
		return;
	}
	if (likely(buf.xdp)) {
		virtnet_buf_to_xdp(rq, buf, data, len, &vx->xdp);
	} else if (!virtnet_mergeable_old(rq, buf, data, len, frags, &vx->xdp)) {
		virtnet_mergeable_xdp_drop(rq, rest, batch);
		return;
	}
	if (unlikely(rest) &&
	    !virtnet_mergeable_collect(rq, &vx->xdp, &rest, frags)) {
		xdp_return_buff(&vx->xdp);
		virtnet_mergeable_xdp_drop(rq, rest, batch);
		return;
	}
	len = xdp_get_buff_len(&vx->xdp);
	batch->bytes += len;
	ewma_virtnet_len_add(&rq->avg_len, len);
	vx->hdr = hdr;
	virtnet_xdp_receive(rq, prog, vx, batch);
}

/*
 * All packets
 */

/* Some devices leave it 0. */
static unsigned int virtnet_mergeable_num(const struct virtnet_rq *rq,
					  const union virtnet_hdr *hdr)
{
	return max_t(unsigned int, 1,
		     __virtio16_to_cpu(rq->vn->little_endian,
				       hdr->merged.num_buffers));
}

static void virtnet_mergeable_one(struct virtnet_rq *rq, struct bpf_prog *prog,
				  void *token, unsigned int len,
				  struct virtnet_rx_batch *batch)
{
	struct virtnet_buf buf = virtnet_buf_of(token);
	void *data = buf.start + virtnet_mergeable_offset(rq, buf.xdp);
	unsigned int rest = 0, hdr_len = rq->vn->hdr_len;
	union virtnet_hdr hdr;

	virtnet_mem_sync(rq, data - hdr_len, len);
	/* A shorter header is followed by the packet: a fixed length is quicker. */
	memcpy(&hdr, data - hdr_len, sizeof(hdr));

	batch->packets++;
	if (likely(len >= hdr_len))
		rest = virtnet_mergeable_num(rq, &hdr) - 1;
	if (unlikely(len < hdr_len + ETH_HLEN)) {
		virtnet_mem_free(rq, buf.start, true);
		virtnet_mergeable_skip(rq, rest);
		virtnet_rx_bad_length(rq, batch);
		return;
	}

	len -= hdr_len;
	if (prog)
		virtnet_mergeable_xdp(rq, prog, buf, data, len, rest, &hdr,
				      batch);
	else
		virtnet_mergeable_skb(rq, buf, data, len, rest, &hdr, batch);
}

static unsigned int virtnet_mergeable_receive(struct virtnet_rq *rq,
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
		virtnet_mergeable_one(rq, prog, token, len, batch);
	}
	return n;
}

const struct virtnet_rx_kind virtnet_rx_mergeable = {
	.name		= "mergeable",
	.start		= virtnet_mergeable_start,
	.stop		= virtnet_mem_stop,
	.fill		= virtnet_mergeable_fill,
	.receive	= virtnet_mergeable_receive,
	.free		= virtnet_buf_free,
};
