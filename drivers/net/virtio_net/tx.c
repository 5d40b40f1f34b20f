// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transmit: packets go into the ring, and come back.
 *
 * A packet is visible to the device only after the next virtnet_tx_publish(): every way
 * out of the functions that add calls it, or one that does follows. In NAPI mode a
 * packet is freed when the device has sent it, and interrupts come when most are sent.
 * In orphan mode (napi_tx=0) nobody waits for that: it is freed when the next one is
 * sent.
 */
#include <linux/bpf.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "virtio_net.h"

/*
 * Tokens
 */

static void *virtnet_tx_token(void *p, enum virtnet_tx_tag tag)
{
	return p + tag;
}

/* What was taken back in one go */
struct virtnet_tx_done {
	unsigned int packets;
	unsigned int bytes;
	unsigned int bql_packets;
	unsigned int bql_bytes;
	unsigned int xsk;
};

/* The only place where a token is taken apart */
static void virtnet_tx_free(struct virtnet_sq *sq, void *token, bool in_napi,
			    struct virtnet_tx_done *done)
{
	enum virtnet_tx_tag tag = (unsigned long)token & VIRTNET_TX_TAG_MASK;
	void *p = token - tag;
	struct sk_buff *skb;

	done->packets++;
	switch (tag) {
	case VIRTNET_TX_SKB:
		skb = p;
		done->bytes += skb->len;
		done->bql_packets++;
		done->bql_bytes += skb->len;
		napi_consume_skb(skb, in_napi);
		break;
	case VIRTNET_TX_ORPHAN:
		skb = p;
		done->bytes += skb->len;
		napi_consume_skb(skb, in_napi);
		break;
	case VIRTNET_TX_FRAME:
		done->bytes += xdp_get_frame_len(p);
		xdp_return_frame(p);
		break;
	case VIRTNET_TX_XSK:
		done->bytes += virtnet_xsk_tx_done(sq, token);
		done->xsk++;
		break;
	}
}

void virtnet_tx_recycle(struct virtqueue *vq, void *token)
{
	struct virtnet_tx_done done = {};

	virtnet_tx_free(virtnet_vq_to_sq(vq), token, false, &done);
}

/* Nothing that BQL counts is in flight any more. */
void virtnet_tx_recycle_done(struct virtqueue *vq)
{
	netdev_tx_reset_queue(virtnet_vq_to_sq(vq)->txq);
}

void virtnet_tx_free_unused(struct virtnet_sq *sq)
{
	void *token;

	while ((token = virtqueue_detach_unused_buf(sq->vq)))
		virtnet_tx_recycle(sq->vq, token);
	virtnet_tx_recycle_done(sq->vq);
}

/*
 * Packets come back
 */

static void virtnet_tx_schedule(struct virtnet_sq *sq)
{
	if (napi_schedule_prep(&sq->napi)) {
		virtqueue_disable_cb(sq->vq);
		__napi_schedule(&sq->napi);
	}
}

/* May run while the queue is reset: it touches nothing that goes away then. */
void virtnet_tx_interrupt(struct virtqueue *vq)
{
	virtnet_tx_schedule(virtnet_vq_to_sq(vq));
}

/* Returns how many frames of an AF_XDP socket were among them. */
static unsigned int virtnet_tx_collect(struct virtnet_sq *sq, bool in_napi)
{
	struct virtnet_tx_done done = {};
	unsigned int len;
	void *token;

	while ((token = virtqueue_get_buf(sq->vq, &len)))
		virtnet_tx_free(sq, token, in_napi, &done);
	if (!done.packets)
		return 0;

	/* Taking them back may have used up the request for an interrupt. */
	sq->ask_below = UINT_MAX;
	if (done.bql_packets)
		netdev_tx_completed_queue(sq->txq, done.bql_packets,
					  done.bql_bytes);
	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_add(&sq->stats.packets, done.packets);
	u64_stats_add(&sq->stats.bytes, done.bytes);
	u64_stats_update_end(&sq->stats.syncp);
	return done.xsk;
}

void virtnet_tx_reclaim(struct virtnet_sq *sq, bool in_napi)
{
	/* Only the queue's NAPI tells the socket. */
	if (virtnet_tx_collect(sq, in_napi))
		virtnet_tx_schedule(sq);
}

/* True if there is room for the longest packet, which a small ring has only if empty */
static inline bool virtnet_tx_has_room(const struct virtnet_sq *sq)
{
	return likely(sq->vq->num_free >= VIRTNET_TX_MAX_ELEMS) ||
	       sq->vq->num_free >= virtqueue_get_vring_size(sq->vq);
}

void virtnet_tx_wake(struct virtnet_sq *sq)
{
	struct netdev_queue *txq = sq->txq;

	if (!netif_tx_queue_stopped(txq) || !sq->usable ||
	    !virtnet_tx_has_room(sq))
		return;
	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_inc(&sq->stats.wake);
	u64_stats_update_end(&sq->stats.syncp);
	netif_tx_wake_queue(txq);
}

static void virtnet_tx_lost(struct virtnet_sq *sq)
{
	sq->usable = false;
	virtnet_lost(sq->vn, "a send queue is broken");
}

void virtnet_tx_reclaim_pair(struct virtnet_rq *rq, int budget)
{
	struct virtnet_sq *sq = &rq->vn->sq[rq - rq->vn->rq];
	struct netdev_queue *txq = sq->txq;

	if (!sq->napi_mode && !READ_ONCE(sq->xsk_pool))
		return;
	if (!__netif_tx_trylock(txq))
		return;
	if (sq->usable) {
		virtnet_tx_reclaim(sq, budget);
		/* A socket that polls (SO_PREFER_BUSY_POLL) wakes nobody to send. */
		if (sq->xsk_pool && budget)
			virtnet_xsk_tx(sq, budget);
		virtnet_tx_wake(sq);
	}
	__netif_tx_unlock(txq);
}

/* The stack knows nothing of the queues for XDP. */
static bool virtnet_tx_is_stacks(const struct virtnet_sq *sq)
{
	return sq - sq->vn->sq < sq->vn->dev->real_num_tx_queues;
}

/* True if somebody waits for packets to come back */
static inline bool virtnet_tx_wants_interrupt(const struct virtnet_sq *sq)
{
	return sq->napi_mode || sq->xsk_pool || !virtnet_tx_is_stacks(sq) ||
	       netif_tx_queue_stopped(sq->txq);
}

/* Returns true if there are packets to take back already. */
static bool virtnet_tx_complete(struct virtnet_sq *sq)
{
	bool wanted = sq->usable && virtnet_tx_wants_interrupt(sq);
	unsigned int state = 0;

	sq->ask_below = UINT_MAX;
	if (wanted)
		state = virtqueue_enable_cb_prepare(sq->vq);
	if (!napi_complete_done(&sq->napi, 0)) {
		virtqueue_disable_cb(sq->vq);
		return false;
	}
	return wanted && virtqueue_poll(sq->vq, state);
}

/* Netpoll may have come here from a message in start_xmit, and not for an interrupt. */
static int virtnet_tx_netpoll(struct virtnet_sq *sq)
{
	struct netdev_queue *txq = sq->txq;

	if (__netif_tx_trylock(txq)) {
		virtnet_tx_reclaim(sq, false);
		virtnet_tx_wake(sq);
		__netif_tx_unlock(txq);
	}
	return 0;
}

int virtnet_tx_poll(struct napi_struct *napi, int budget)
{
	struct virtnet_sq *sq = container_of(napi, struct virtnet_sq, napi);
	struct netdev_queue *txq = sq->txq;
	bool more = false;

	if (unlikely(!budget))
		return virtnet_tx_netpoll(sq);

	__netif_tx_lock(txq, smp_processor_id());
	virtnet_tx_collect(sq, true);
	if (unlikely(virtqueue_is_broken(sq->vq)))
		virtnet_tx_lost(sq);
	if (sq->xsk_pool)
		more = virtnet_xsk_tx(sq, budget);
	virtnet_tx_wake(sq);
	if (!more && virtnet_tx_complete(sq))
		virtnet_tx_schedule(sq);
	__netif_tx_unlock(txq);
	return more ? budget : 0;
}

/*
 * The header of a packet (5.1.6.2)
 */

/* Exactly what VIRTIO_NET_F_GUEST_HDRLEN promises; a hint without it */
static unsigned int virtnet_gso_header_len(const struct sk_buff *skb)
{
	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		return skb_transport_offset(skb) + sizeof(struct udphdr);
	return skb_tcp_all_headers(skb);
}

static bool virtnet_tx_fill_header(const struct virtnet *vn,
				   const struct sk_buff *skb,
				   union virtnet_hdr *hdr)
{
	if (virtio_net_hdr_from_skb(skb, &hdr->plain, vn->little_endian, false, 0))
		return false;
	if (skb_is_gso(skb))
		hdr->plain.hdr_len = __cpu_to_virtio16(vn->little_endian,
						       virtnet_gso_header_len(skb));

	/* Fields without a meaning for transmit must not leak old memory. */
	if (vn->hdr_len > sizeof(hdr->plain))
		hdr->merged.num_buffers = 0;
	if (vn->hdr_len > sizeof(hdr->merged))
		memset((void *)hdr + sizeof(hdr->merged), 0,
		       sizeof(hdr->hash) - sizeof(hdr->merged));
	return true;
}

/* Header and data may be one element: then the header is in front of the data. */
static bool virtnet_tx_can_push(const struct virtnet *vn,
				const struct sk_buff *skb)
{
	return vn->header_anywhere && skb_headroom(skb) >= vn->hdr_len &&
	       IS_ALIGNED((unsigned long)skb->data,
			  __alignof__(struct virtio_net_hdr_mrg_rxbuf)) &&
	       !skb_header_cloned(skb);
}

/*
 * Packets of the stack
 */

static inline void virtnet_tx_add_frags(struct virtqueue *vq,
					const struct skb_shared_info *shinfo)
{
	unsigned int i;

	for (i = 0; i < shinfo->nr_frags; i++)
		virtqueue_add_page(vq, skb_frag_page(&shinfo->frags[i]),
				   skb_frag_off(&shinfo->frags[i]),
				   skb_frag_size(&shinfo->frags[i]),
				   DMA_TO_DEVICE);
}

/* A packet of more elements than a small ring has is made linear. */
static bool virtnet_tx_fit(const struct virtnet_sq *sq, struct sk_buff *skb,
			   unsigned int elems)
{
	return likely(elems <= sq->vq->num_free) || !skb_linearize(skb);
}

/* noinline: a packet of one element has no registers to save for others. */
static noinline int virtnet_tx_add_elems(struct virtqueue *vq,
					 const struct sk_buff *skb, void *hdr,
					 unsigned int hdr_len, void *token)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int head_len = skb_headlen(skb);
	bool push = hdr != skb->cb;
	int err;

	err = virtqueue_start_buf(vq, 1 + !push + shinfo->nr_frags, 0, token,
				  NULL, GFP_ATOMIC);
	if (unlikely(err))
		return err;
	virtqueue_add_ptr(vq, hdr, push ? hdr_len + head_len : hdr_len,
			  DMA_TO_DEVICE);
	if (!push && head_len)
		virtqueue_add_ptr(vq, skb->data, head_len, DMA_TO_DEVICE);
	virtnet_tx_add_frags(vq, shinfo);
	return virtqueue_end_buf(vq);
}

static int virtnet_tx_add_skb(struct virtnet_sq *sq, struct sk_buff *skb)
{
	unsigned int hdr_len = sq->vn->hdr_len;
	void *token, *hdr = skb->cb;

	BUILD_BUG_ON(sizeof(union virtnet_hdr) > sizeof(skb->cb));

	if (!virtnet_tx_fit(sq, skb, 2 + skb_shinfo(skb)->nr_frags))
		return -ENOMEM;
	if (virtnet_tx_can_push(sq->vn, skb))
		hdr = skb->data - hdr_len;
	if (unlikely(!virtnet_tx_fill_header(sq->vn, skb, hdr)))
		return -EPROTO;

	token = virtnet_tx_token(skb, sq->napi_mode ? VIRTNET_TX_SKB :
						      VIRTNET_TX_ORPHAN);
	if (hdr == skb->cb || skb_is_nonlinear(skb))
		return virtnet_tx_add_elems(sq->vq, skb, hdr, hdr_len, token);
	return virtqueue_add_buf_ptr(sq->vq, hdr, hdr_len + skb->len,
				     DMA_TO_DEVICE, token);
}

/* Nobody waits for an orphan, so it must not hold any resource. */
static int virtnet_tx_orphan(struct sk_buff *skb)
{
	if (unlikely(skb_orphan_frags(skb, GFP_ATOMIC)))
		return -ENOMEM;
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	return 0;
}

static int virtnet_tx_send(struct virtnet_sq *sq, struct sk_buff *skb)
{
	int err;

	if (unlikely(!sq->usable))
		return -ENETDOWN;

	skb_tx_timestamp(skb);
	if (!sq->napi_mode) {
		virtnet_tx_reclaim(sq, false);
		err = virtnet_tx_orphan(skb);
		if (unlikely(err))
			return err;
	}
	return virtnet_tx_add_skb(sq, skb);
}

static void virtnet_tx_drop(struct virtnet_sq *sq, struct sk_buff *skb, int err)
{
	struct net_device *dev = sq->vn->dev;

	if (err == -EIO)
		virtnet_tx_lost(sq);
	else if (err != -ENETDOWN && err != -ENOMEM && net_ratelimit())
		netdev_warn(dev, "%s: a packet could not be sent: error %d\n",
			    sq->name, err);
	DEV_STATS_INC(dev, tx_fifo_errors);
	DEV_STATS_INC(dev, tx_dropped);
	dev_kfree_skb_any(skb);
}

static void virtnet_tx_stop(struct virtnet_sq *sq)
{
	struct netdev_queue *txq = sq->txq;

	if (!virtnet_tx_is_stacks(sq))
		return;
	/* If XDP has filled the ring, the watchdog's time begins only now. */
	txq_trans_cond_update(txq);
	netif_tx_stop_queue(txq);
	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_inc(&sq->stats.stop);
	u64_stats_update_end(&sq->stats.syncp);
}

static void virtnet_tx_stop_if_full(struct virtnet_sq *sq)
{
	if (unlikely(!virtnet_tx_has_room(sq)))
		virtnet_tx_stop(sq);
}

static void virtnet_tx_publish(struct virtnet_sq *sq)
{
	if (!virtqueue_kick_prepare(sq->vq) || !virtqueue_notify(sq->vq))
		return;
	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_inc(&sq->stats.kicks);
	u64_stats_update_end(&sq->stats.syncp);
}

static noinline void virtnet_tx_ask_again(struct virtnet_sq *sq)
{
	unsigned int in_flight, free = sq->vq->num_free;

	in_flight = virtqueue_get_vring_size(sq->vq) - free;
	sq->ask_below = free - min(free, in_flight / 4);
	if (unlikely(!virtqueue_enable_cb_delayed(sq->vq)))
		virtnet_tx_schedule(sq);
}

/*
 * Only published packets cause an interrupt, so it is asked for after they were. It
 * comes when the device has sent most of what is in flight, and is put off again when
 * that has grown by a quarter: asking for each packet would cost more than an interrupt
 * that is a little early.
 */
static inline void virtnet_tx_ask_interrupt(struct virtnet_sq *sq)
{
	if (sq->vq->num_free < sq->ask_below)
		virtnet_tx_ask_again(sq);
}

netdev_tx_t virtnet_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);
	struct virtnet_sq *sq = &vn->sq[skb_get_queue_mapping(skb)];
	bool kick = !netdev_xmit_more();
	unsigned int len = skb->len;
	int err;

	err = virtnet_tx_send(sq, skb);
	if (unlikely(err)) {
		virtnet_tx_drop(sq, skb, err);
	} else {
		virtnet_tx_stop_if_full(sq);
		if (sq->napi_mode)
			kick = __netdev_tx_sent_queue(sq->txq, len,
						      !kick);
		else if (netif_xmit_stopped(sq->txq))
			kick = true;
	}
	if (kick && likely(sq->usable)) {
		virtnet_tx_publish(sq);
		if (virtnet_tx_wants_interrupt(sq))
			virtnet_tx_ask_interrupt(sq);
	}
	return NETDEV_TX_OK;
}

/*
 * Frames of XDP
 */

static unsigned int virtnet_frame_frags(const struct xdp_frame *frame)
{
	if (likely(!xdp_frame_has_frags(frame)))
		return 0;
	return xdp_get_shared_info_from_frame(frame)->nr_frags;
}

static noinline int virtnet_frame_add_elems(struct virtqueue *vq,
					    struct xdp_frame *frame, bool push,
					    unsigned int hdr_len, void *token)
{
	unsigned int frags = virtnet_frame_frags(frame);
	int err;

	err = virtqueue_start_buf(vq, 1 + !push + frags, 0, token, NULL,
				  GFP_ATOMIC);
	if (unlikely(err))
		return err;
	if (push) {
		virtqueue_add_ptr(vq, frame->data - hdr_len,
				  hdr_len + frame->len, DMA_TO_DEVICE);
	} else {
		virtqueue_add_page(vq, ZERO_PAGE(0), 0, hdr_len, DMA_TO_DEVICE);
		virtqueue_add_ptr(vq, frame->data, frame->len, DMA_TO_DEVICE);
	}
	if (frags)
		virtnet_tx_add_frags(vq, xdp_get_shared_info_from_frame(frame));
	return virtqueue_end_buf(vq);
}

int virtnet_tx_add_frame(struct virtnet_sq *sq, struct xdp_frame *frame)
{
	void *token = virtnet_tx_token(frame, VIRTNET_TX_FRAME);
	bool push = frame->headroom >= sizeof(union virtnet_hdr);
	unsigned int hdr_len = sq->vn->hdr_len;

	/* More than the header has, perhaps: a fixed length is quicker. */
	if (likely(push))
		memset(frame->data - sizeof(union virtnet_hdr), 0,
		       sizeof(union virtnet_hdr));
	if (unlikely(!push || xdp_frame_has_frags(frame)))
		return virtnet_frame_add_elems(sq->vq, frame, push, hdr_len,
					       token);
	return virtqueue_add_buf_ptr(sq->vq, frame->data - hdr_len,
				     hdr_len + frame->len, DMA_TO_DEVICE,
				     token);
}

void virtnet_tx_end_frames(struct virtnet_sq *sq, bool flush)
{
	virtnet_tx_stop_if_full(sq);
	if (!flush)
		return;
	virtnet_tx_publish(sq);
	virtnet_tx_ask_interrupt(sq);
}
