// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Big receive buffers: each holds the longest packet, in several pieces. They are
 * for devices that can't merge buffers.
 *
 * Most packets are short. So a buffer keeps the pieces that were not used, until it
 * is posted again.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "rx.h"

#define VIRTNET_BIG_PIECE	VIRTNET_BUF_MAX
/* Where the packet begins in the first piece, after the header */
#define VIRTNET_BIG_OFFSET	32

/**
 * struct virtnet_big - a big buffer
 * @next: another one that is not posted
 * @pieces: memory, NULL where it is missing
 */
struct virtnet_big {
	struct virtnet_big *next;
	void *pieces[];
};

/* Not counting the first; never more than an skb has fragments */
static unsigned int virtnet_big_rest(const struct virtnet_rq *rq)
{
	unsigned int longest = VIRTNET_MAX_LEN + VIRTNET_BIG_OFFSET;

	BUILD_BUG_ON(DIV_ROUND_UP(VIRTNET_MAX_LEN + VIRTNET_BIG_OFFSET,
				  VIRTNET_BIG_PIECE) > MAX_SKB_FRAGS);
	return min_t(unsigned int, rq->vn->big_frags,
		     DIV_ROUND_UP(longest, VIRTNET_BIG_PIECE) - 1);
}

/*
 * Post
 */

static struct virtnet_big *virtnet_big_get(struct virtnet_rq *rq, gfp_t gfp)
{
	struct virtnet_big *big = rq->kind_data;

	if (big)
		rq->kind_data = big->next;
	else
		big = kzalloc(struct_size(big, pieces, virtnet_big_rest(rq) + 1),
			      gfp | __GFP_NOWARN);
	return big;
}

static void virtnet_big_put(struct virtnet_rq *rq, struct virtnet_big *big)
{
	big->next = rq->kind_data;
	rq->kind_data = big;
}

static bool virtnet_big_complete(struct virtnet_rq *rq, struct virtnet_big *big,
				 gfp_t gfp)
{
	unsigned long bits = virtnet_buf_bits(VIRTNET_BIG_PIECE, false);
	unsigned int i;

	for (i = 0; i <= virtnet_big_rest(rq); i++) {
		if (big->pieces[i])
			continue;
		big->pieces[i] = virtnet_mem_alloc(rq, bits, gfp);
		if (unlikely(!big->pieces[i]))
			return false;
	}
	return true;
}

/* The header is an element of its own: a legacy device may expect that. */
static int virtnet_big_add(struct virtnet_rq *rq, struct virtnet_big *big,
			   gfp_t gfp)
{
	unsigned int i, rest = virtnet_big_rest(rq);
	int err;

	err = virtqueue_start_buf(rq->vq, 0, rest + 2, big, NULL, gfp);
	if (err)
		return err;
	virtnet_mem_add(rq, big->pieces[0], rq->vn->hdr_len);
	virtnet_mem_add(rq, big->pieces[0] + VIRTNET_BIG_OFFSET,
			VIRTNET_BIG_PIECE - VIRTNET_BIG_OFFSET);
	for (i = 1; i <= rest; i++)
		virtnet_mem_add(rq, big->pieces[i], VIRTNET_BIG_PIECE);
	return virtqueue_end_buf(rq->vq);
}

static int virtnet_big_post(struct virtnet_rq *rq, gfp_t gfp)
{
	struct virtnet_big *big = virtnet_big_get(rq, gfp);
	int err = -ENOMEM;

	if (unlikely(!big))
		return -ENOMEM;
	if (likely(virtnet_big_complete(rq, big, gfp)))
		err = virtnet_big_add(rq, big, gfp);
	if (err)
		virtnet_big_put(rq, big);
	return err;
}

static int virtnet_big_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	int err = 0;

	while (rq->vq->num_free && !err)
		err = virtnet_big_post(rq, gfp);
	virtnet_rx_kick(rq);
	return err;
}

/* Not kept for later: the ring may get smaller. */
static void virtnet_big_free(struct virtnet_rq *rq, void *token)
{
	struct virtnet_big *big = token;
	unsigned int i;

	for (i = 0; i <= virtnet_big_rest(rq); i++)
		if (big->pieces[i])
			virtnet_mem_free(rq, big->pieces[i], false);
	kfree(big);
}

static void virtnet_big_stop(struct virtnet_rq *rq)
{
	struct virtnet_big *big;

	while ((big = rq->kind_data)) {
		rq->kind_data = big->next;
		virtnet_big_free(rq, big);
	}
	virtnet_mem_stop(rq);
}

/*
 * Receive
 */

/* An skb of the first @len bytes of the packet */
static struct sk_buff *virtnet_big_first(struct virtnet_rq *rq,
					 struct virtnet_big *big,
					 unsigned int len)
{
	struct virtnet_buf buf = {
		.start = big->pieces[0],
		.size = VIRTNET_BIG_PIECE,
	};

	big->pieces[0] = NULL;
	return virtnet_buf_to_skb(rq, buf, buf.start + VIRTNET_BIG_OFFSET, len);
}

/* @len is within the buffer: the ring cuts lengths that are not. */
static void virtnet_big_append(struct virtnet_rq *rq, struct virtnet_big *big,
			       struct sk_buff *skb, unsigned int len)
{
	unsigned int i, part;
	struct page *page;
	void *piece;

	for (i = 1; len; i++) {
		piece = big->pieces[i];
		big->pieces[i] = NULL;
		part = min_t(unsigned int, len, VIRTNET_BIG_PIECE);
		virtnet_mem_sync(rq, piece, part);
		page = virt_to_head_page(piece);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page,
				piece - page_address(page), part,
				VIRTNET_BIG_PIECE);
		len -= part;
	}
}

static void virtnet_big_one(struct virtnet_rq *rq, struct virtnet_big *big,
			    unsigned int len, struct virtnet_rx_batch *batch)
{
	unsigned int hdr_len = rq->vn->hdr_len, part;
	union virtnet_hdr hdr;
	struct sk_buff *skb;

	batch->packets++;
	if (unlikely(len < hdr_len + ETH_HLEN ||
		     len > hdr_len + VIRTNET_MAX_LEN)) {
		virtnet_rx_bad_length(rq, batch);
		return;
	}
	len -= hdr_len;
	part = min_t(unsigned int, len, VIRTNET_BIG_PIECE - VIRTNET_BIG_OFFSET);
	virtnet_mem_sync(rq, big->pieces[0], VIRTNET_BIG_OFFSET + part);
	memcpy(&hdr, big->pieces[0], sizeof(hdr));
	batch->bytes += len;

	skb = virtnet_big_first(rq, big, part);
	if (unlikely(!skb)) {
		batch->drops++;
		return;
	}
	virtnet_big_append(rq, big, skb, len - part);
	virtnet_rx_deliver(rq, skb, &hdr, batch);
}

static unsigned int virtnet_big_receive(struct virtnet_rq *rq,
					unsigned int budget,
					struct virtnet_rx_batch *batch)
{
	struct virtnet_big *big;
	unsigned int len, n;

	for (n = 0; n < budget; n++) {
		big = virtqueue_get_buf(rq->vq, &len);
		if (!big)
			break;
		virtnet_big_one(rq, big, len, batch);
		virtnet_big_put(rq, big);
	}
	return n;
}

const struct virtnet_rx_kind virtnet_rx_big = {
	.name		= "big",
	.start		= virtnet_mem_start,
	.stop		= virtnet_big_stop,
	.fill		= virtnet_big_fill,
	.receive	= virtnet_big_receive,
	.free		= virtnet_big_free,
};
