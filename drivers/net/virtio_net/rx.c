// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Receive: NAPI, and what packets of all kinds of buffers have in common.
 */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>

#include "virtio_net.h"

/*
 * Post
 */

void virtnet_rx_kick(struct virtnet_rq *rq)
{
	unsigned long flags;

	rq->unpublished = 0;
	if (!virtqueue_kick_prepare(rq->vq) || !virtqueue_notify(rq->vq))
		return;
	flags = u64_stats_update_begin_irqsave(&rq->stats.syncp);
	u64_stats_inc(&rq->stats.kicks);
	u64_stats_update_end_irqrestore(&rq->stats.syncp, flags);
}

int virtnet_rx_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	unsigned long flags;
	int err;

	/* It may be one that has no memory to take buffers from. */
	if (unlikely(virtqueue_is_broken(rq->vq)))
		return -EIO;

	err = rq->kind->fill(rq, gfp);
	/* The ring is full, in one way or another. */
	if (!err || err == -ENOSPC)
		return 0;
	if (err == -ENOMEM) {
		flags = u64_stats_update_begin_irqsave(&rq->stats.syncp);
		u64_stats_inc(&rq->stats.alloc_fail);
		u64_stats_update_end_irqrestore(&rq->stats.syncp, flags);
	}
	return err;
}

void virtnet_rx_recycle(struct virtqueue *vq, void *token)
{
	struct virtnet_rq *rq = virtnet_vq_to_rq(vq);

	rq->kind->free(rq, token);
}

void virtnet_rx_free_unused(struct virtnet_rq *rq)
{
	void *token;

	while ((token = virtqueue_detach_unused_buf(rq->vq)))
		rq->kind->free(rq, token);
}

/*
 * To the stack
 */

static const enum pkt_hash_types virtnet_hash_layers[] = {
	[VIRTIO_NET_HASH_REPORT_NONE]	= PKT_HASH_TYPE_NONE,
	[VIRTIO_NET_HASH_REPORT_IPv4]	= PKT_HASH_TYPE_L3,
	[VIRTIO_NET_HASH_REPORT_TCPv4]	= PKT_HASH_TYPE_L4,
	[VIRTIO_NET_HASH_REPORT_UDPv4]	= PKT_HASH_TYPE_L4,
	[VIRTIO_NET_HASH_REPORT_IPv6]	= PKT_HASH_TYPE_L3,
	[VIRTIO_NET_HASH_REPORT_TCPv6]	= PKT_HASH_TYPE_L4,
	[VIRTIO_NET_HASH_REPORT_UDPv6]	= PKT_HASH_TYPE_L4,
	[VIRTIO_NET_HASH_REPORT_IPv6_EX] = PKT_HASH_TYPE_L3,
	[VIRTIO_NET_HASH_REPORT_TCPv6_EX] = PKT_HASH_TYPE_L4,
	[VIRTIO_NET_HASH_REPORT_UDPv6_EX] = PKT_HASH_TYPE_L4,
};

static void virtnet_rx_set_hash(struct sk_buff *skb,
				const struct virtio_net_hdr_v1_hash *hdr)
{
	u16 report = le16_to_cpu(hdr->hash_report);

	if (report < ARRAY_SIZE(virtnet_hash_layers))
		skb_set_hash(skb, le32_to_cpu(hdr->hash_value),
			     virtnet_hash_layers[report]);
}

/*
 * The device leaves checksum and segmentation to the guest. noinline, so that other
 * packets have no registers to save for it.
 */
static noinline bool virtnet_rx_set_offloads(struct virtnet *vn,
					     struct sk_buff *skb,
					     const struct virtio_net_hdr *hdr)
{
	if (likely(!virtio_net_hdr_to_skb(skb, hdr, vn->little_endian)))
		return true;
	net_warn_ratelimited("%s: bad gso: type: %u, size: %u\n", vn->dev->name,
			     hdr->gso_type,
			     __virtio16_to_cpu(vn->little_endian, hdr->gso_size));
	DEV_STATS_INC(vn->dev, rx_frame_errors);
	return false;
}

void virtnet_rx_deliver(struct virtnet_rq *rq, struct sk_buff *skb,
			const union virtnet_hdr *hdr,
			struct virtnet_rx_batch *batch)
{
	struct virtnet *vn = rq->vn;

	if ((vn->dev->features & NETIF_F_RXHASH) && vn->state.rss.has_hash)
		virtnet_rx_set_hash(skb, &hdr->hash);

	/* Some devices set it without VIRTIO_NET_F_GUEST_CSUM. */
	if (hdr->plain.flags & VIRTIO_NET_HDR_F_DATA_VALID)
		skb->ip_summed = CHECKSUM_UNNECESSARY;

	if ((hdr->plain.gso_type != VIRTIO_NET_HDR_GSO_NONE ||
	     (hdr->plain.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) &&
	    !virtnet_rx_set_offloads(vn, skb, &hdr->plain)) {
		batch->drops++;
		kfree_skb(skb);
		return;
	}

	skb_record_rx_queue(skb, rq - vn->rq);
	skb->protocol = eth_type_trans(skb, vn->dev);
	napi_gro_receive(&rq->napi, skb);
}

/*
 * NAPI
 */

static void virtnet_rx_schedule(struct virtnet_rq *rq)
{
	if (napi_schedule_prep(&rq->napi)) {
		virtqueue_disable_cb(rq->vq);
		__napi_schedule(&rq->napi);
	}
}

/* May run while the queue is reset: it touches nothing that goes away then. */
void virtnet_rx_interrupt(struct virtqueue *vq)
{
	virtnet_rx_schedule(virtnet_vq_to_rq(vq));
}

static void virtnet_rx_count(struct virtnet_rq *rq,
			     const struct virtnet_rx_batch *batch)
{
	struct virtnet_rq_stats *stats = &rq->stats;

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->packets, batch->packets);
	u64_stats_add(&stats->bytes, batch->bytes);
	u64_stats_add(&stats->drops, batch->drops);
	u64_stats_add(&stats->xdp_packets, batch->xdp_packets);
	u64_stats_add(&stats->xdp_tx, batch->xdp_tx);
	u64_stats_add(&stats->xdp_redirects, batch->xdp_redirects);
	u64_stats_add(&stats->xdp_drops, batch->xdp_drops);
	u64_stats_update_end(&stats->syncp);
}

/* Refill when half a batch is missing, to share barriers. False: try again soon. */
static bool virtnet_rx_refill(struct virtnet_rq *rq, unsigned int budget)
{
	unsigned int size = virtqueue_get_vring_size(rq->vq);

	if (rq->vq->num_free + rq->unpublished <= min(budget, size) / 2)
		return true;
	return virtnet_rx_fill(rq, GFP_ATOMIC) != -ENOMEM;
}

static void virtnet_rx_complete(struct virtnet_rq *rq, unsigned int done)
{
	unsigned int state = virtqueue_enable_cb_prepare(rq->vq);

	if (!napi_complete_done(&rq->napi, done))
		virtqueue_disable_cb(rq->vq);
	else if (unlikely(virtqueue_poll(rq->vq, state)))
		virtnet_rx_schedule(rq);
}

int virtnet_rx_poll(struct napi_struct *napi, int budget)
{
	struct virtnet_rq *rq = container_of(napi, struct virtnet_rq, napi);
	struct virtnet_rx_batch batch = {};
	unsigned int done;
	bool filled;

	virtnet_tx_reclaim_pair(rq, budget);
	/* netpoll, maybe within an interrupt: the page pool is not for that. */
	if (unlikely(!budget))
		return 0;

	done = rq->kind->receive(rq, budget, &batch);
	filled = virtnet_rx_refill(rq, budget);
	virtnet_xdp_flush(rq, &batch);
	if (done)
		virtnet_rx_count(rq, &batch);

	if (unlikely(virtqueue_is_broken(rq->vq)))
		virtnet_lost(rq->vn, "a receive queue is broken");
	if (!filled)
		return budget;
	if (done < budget) {
		virtnet_dim_update(rq);
		virtnet_rx_complete(rq, done);
	}
	return done;
}
