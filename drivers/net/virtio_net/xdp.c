// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XDP programs run, and frames are sent for them.
 */
#include <linux/bpf.h>
#include <linux/bpf_trace.h>
#include <linux/filter.h>
#include <net/xdp.h>

#include "virtio_net.h"

/*
 * Each CPU has a send queue for itself if the device has that many, else it shares
 * one with the stack. The lock is taken in either case: the tx NAPI and those who
 * stop or reset the queue need it, and nobody else spins for it.
 */
static struct virtnet_sq *virtnet_xdp_sq(struct virtnet *vn, unsigned int cpu)
{
	unsigned int pairs = READ_ONCE(vn->state.pairs);

	if (READ_ONCE(vn->state.xdp_pairs))
		return &vn->sq[pairs + cpu];
	return &vn->sq[cpu % pairs];
}

/*
 * Returns how many of @frames go; the rest is still the caller's. Without @flush the
 * device does not see them yet: a call with it follows on this CPU.
 */
static int virtnet_xdp_send(struct virtnet *vn, struct xdp_frame **frames, int n,
			    bool flush)
{
	unsigned int cpu = smp_processor_id();
	struct virtnet_sq *sq = virtnet_xdp_sq(vn, cpu);
	struct netdev_queue *txq = sq->txq;
	int sent = 0;

	__netif_tx_lock(txq, cpu);
	if (sq->usable) {
		virtnet_tx_reclaim(sq, false);
		/* There may be no interrupt for what was taken back here. */
		virtnet_tx_wake(sq);
		while (sent < n && !virtnet_tx_add_frame(sq, frames[sent]))
			sent++;
		virtnet_tx_end_frames(sq, flush);
	}

	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_add(&sq->stats.xdp_tx, n);
	u64_stats_add(&sq->stats.xdp_tx_drops, n - sent);
	u64_stats_update_end(&sq->stats.syncp);
	__netif_tx_unlock(txq);
	return sent;
}

/* Other devices may redirect to this one only while it has a program itself. */
int virtnet_xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		     u32 flags)
{
	struct virtnet *vn = netdev_priv(dev);
	bool flush = flags & XDP_XMIT_FLUSH;

	if (unlikely(flags & ~XDP_XMIT_FLAGS_MASK))
		return -EINVAL;
	if (unlikely(!rcu_access_pointer(vn->rq[0].prog))) {
		/* There may be frames from before it went. */
		virtnet_xdp_send(vn, frames, 0, flush);
		return -ENXIO;
	}
	return virtnet_xdp_send(vn, frames, n, flush);
}

static void virtnet_xdp_send_batch(struct virtnet_rq *rq,
				   struct virtnet_rx_batch *batch, bool flush)
{
	int n = batch->frames_num;
	int sent = virtnet_xdp_send(rq->vn, batch->frames, n, flush);

	batch->frames_num = 0;
	batch->xdp_drops += n - sent;
	batch->drops += n - sent;
	while (sent < n)
		xdp_return_frame_rx_napi(batch->frames[sent++]);
}

static u32 virtnet_xdp_tx(struct virtnet_rq *rq, struct xdp_buff *xdp,
			  struct virtnet_rx_batch *batch)
{
	struct xdp_frame *frame = xdp_convert_buff_to_frame(xdp);

	batch->xdp_tx++;
	if (unlikely(!frame))
		return XDP_DROP;
	if (batch->frames_num == VIRTNET_XDP_BULK)
		virtnet_xdp_send_batch(rq, batch, false);
	batch->frames[batch->frames_num++] = frame;
	return XDP_TX;
}

static u32 virtnet_xdp_redirect(struct virtnet_rq *rq, struct bpf_prog *prog,
				struct xdp_buff *xdp,
				struct virtnet_rx_batch *batch)
{
	batch->xdp_redirects++;
	if (unlikely(xdp_do_redirect(rq->vn->dev, xdp, prog)))
		return XDP_DROP;
	batch->redirected = true;
	return XDP_REDIRECT;
}

static u32 virtnet_xdp_act(struct virtnet_rq *rq, struct bpf_prog *prog,
			   struct xdp_buff *xdp, struct virtnet_rx_batch *batch)
{
	u32 act = bpf_prog_run_xdp(prog, xdp);

	switch (act) {
	case XDP_PASS:
	case XDP_DROP:
		return act;
	case XDP_TX:
		return virtnet_xdp_tx(rq, xdp, batch);
	case XDP_REDIRECT:
		return virtnet_xdp_redirect(rq, prog, xdp, batch);
	case XDP_ABORTED:
		break;
	default:
		bpf_warn_invalid_xdp_action(rq->vn->dev, prog, act);
	}
	trace_xdp_exception(rq->vn->dev, prog, act);
	return XDP_DROP;
}

u32 virtnet_xdp_run(struct virtnet_rq *rq, struct bpf_prog *prog,
		    struct virtnet_xdp *vx, struct virtnet_rx_batch *batch)
{
	u32 act = virtnet_xdp_act(rq, prog, &vx->xdp, batch);

	batch->xdp_packets++;
	if (act == XDP_DROP) {
		batch->xdp_drops++;
		batch->drops++;
	}
	return act;
}

void virtnet_xdp_flush(struct virtnet_rq *rq, struct virtnet_rx_batch *batch)
{
	if (batch->frames_num)
		virtnet_xdp_send_batch(rq, batch, true);
	if (batch->redirected)
		xdp_do_flush();
}

/*
 * What programs may ask about a packet
 */

/* By the number of the report: VIRTIO_NET_HASH_REPORT_NONE, _IPv4 and so on */
static const enum xdp_rss_hash_type virtnet_xdp_hash_types[] = {
	XDP_RSS_TYPE_NONE,
	XDP_RSS_TYPE_L3_IPV4,
	XDP_RSS_TYPE_L4_IPV4_TCP,
	XDP_RSS_TYPE_L4_IPV4_UDP,
	XDP_RSS_TYPE_L3_IPV6,
	XDP_RSS_TYPE_L4_IPV6_TCP,
	XDP_RSS_TYPE_L4_IPV6_UDP,
	XDP_RSS_TYPE_L3_IPV6_EX,
	XDP_RSS_TYPE_L4_IPV6_TCP_EX,
	XDP_RSS_TYPE_L4_IPV6_UDP_EX,
};

/* The program's context is the xdp_buff. */
static int virtnet_xdp_rx_hash(const struct xdp_md *ctx, u32 *hash,
			       enum xdp_rss_hash_type *type)
{
	const struct virtnet_xdp *vx = (const struct virtnet_xdp *)ctx;
	struct net_device *dev = vx->xdp.rxq->dev;
	struct virtnet *vn = netdev_priv(dev);
	u16 report;

	if (!(dev->features & NETIF_F_RXHASH) || !vn->state.rss.has_hash)
		return -ENODATA;

	report = le16_to_cpu(vx->hdr->hash.hash_report);
	if (!report || report >= ARRAY_SIZE(virtnet_xdp_hash_types))
		return -ENODATA;
	*type = virtnet_xdp_hash_types[report];
	*hash = le32_to_cpu(vx->hdr->hash.hash_value);
	return 0;
}

const struct xdp_metadata_ops virtnet_xdp_metadata_ops = {
	.xmo_rx_hash = virtnet_xdp_rx_hash,
};
