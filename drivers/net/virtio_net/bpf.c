// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XDP programs and AF_XDP pools are attached, and detached.
 *
 * While there is one the device may neither merge packets nor leave checksums to
 * us, and the frames that a program sends have a send queue for each CPU if the
 * device has so many. Attaching is refused, with the reason, if the device can't do
 * that; detaching always works.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/virtio_config.h>
#include <net/xdp_sock_drv.h>

#include "virtio_net.h"

/* A packet in one page, with what programs and skbs need around it */
#define VIRTNET_XDP_PAGE_MTU \
	(PAGE_SIZE - ETH_HLEN - \
	 SKB_DATA_ALIGN(XDP_PACKET_HEADROOM + sizeof(struct skb_shared_info)))

/* What a packet of an AF_XDP socket may have beside the MTU */
#define VIRTNET_XSK_PAD		(ETH_HLEN + 2 * VLAN_HLEN + ETH_FCS_LEN)

/*
 * What the device can do
 */

static bool virtnet_xdp_possible(const struct virtnet *vn,
				 struct netlink_ext_ack *extack)
{
	if (vn->kind == &virtnet_rx_big) {
		NL_SET_ERR_MSG_MOD(extack,
				   "XDP needs a device with mergeable buffers, or with no TSO for guests and an MTU up to 1500 (QEMU: mrg_rxbuf=on, or guest_tso4=off,guest_tso6=off,guest_ufo=off)");
		return false;
	}
	if (!vn->header_anywhere) {
		NL_SET_ERR_MSG_MOD(extack,
				   "XDP needs the device to have header and data in one buffer (QEMU: disable-modern=off or any_layout=on)");
		return false;
	}
	return true;
}

static bool virtnet_offloads_fixed(const struct virtnet *vn,
				   struct netlink_ext_ack *extack)
{
	static const unsigned int bits[] = {
		VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4,
		VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN,
		VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_GUEST_USO4,
		VIRTIO_NET_F_GUEST_USO6,
	};
	unsigned int i;

	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		return false;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!virtio_has_feature(vn->vdev, bits[i]))
			continue;
		NL_SET_ERR_MSG_MOD(extack,
				   "XDP needs receive offloads to be off, and the device can't switch them (QEMU: ctrl_guest_offloads=on, or guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off)");
		return true;
	}
	return false;
}

xdp_features_t virtnet_xdp_features(const struct virtnet *vn)
{
	xdp_features_t features;

	if (!virtnet_xdp_possible(vn, NULL))
		return 0;
	features = NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT;
	if (vn->kind == &virtnet_rx_mergeable)
		features |= NETDEV_XDP_ACT_RX_SG;
	if (IS_ENABLED(CONFIG_XDP_SOCKETS) &&
	    virtio_has_feature(vn->vdev, VIRTIO_F_RING_RESET))
		features |= NETDEV_XDP_ACT_XSK_ZEROCOPY;
	return features;
}

bool virtnet_offloads_forbidden(const struct virtnet *vn)
{
	unsigned int i;

	if (vn->state.prog)
		return true;
	for (i = 0; i < vn->max_pairs; i++)
		if (vn->rq[i].xsk_pool)
			return true;
	return false;
}

static int virtnet_update_offloads(struct virtnet *vn)
{
	bool off = virtnet_offloads_forbidden(vn);

	return virtnet_apply_offloads(vn, off ? 0 : vn->state.offloads);
}

/* What was attached is gone, and nobody can be told that it isn't. */
static void virtnet_restore_offloads(struct virtnet *vn)
{
	int err = virtnet_update_offloads(vn);

	if (err)
		netdev_warn(vn->dev, "receive offloads stay off: error %d\n", err);
}

static unsigned int virtnet_prog_max_mtu(const struct virtnet *vn,
					 const struct bpf_prog *prog)
{
	if (!prog || prog->aux->xdp_has_frags)
		return vn->dev->max_mtu;
	return min_t(unsigned int, vn->dev->max_mtu, VIRTNET_XDP_PAGE_MTU);
}

unsigned int virtnet_xdp_max_mtu(const struct virtnet *vn)
{
	unsigned int i, mtu = virtnet_prog_max_mtu(vn, vn->state.prog);
	struct xsk_buff_pool *pool;

	for (i = 0; i < vn->max_pairs; i++) {
		pool = vn->rq[i].xsk_pool;
		if (pool)
			mtu = min(mtu, xsk_pool_get_rx_frame_size(pool) -
				       VIRTNET_XSK_PAD);
	}
	return mtu;
}

/*
 * Programs
 */

/* A send queue for each CPU, if the device has them */
static u16 virtnet_want_xdp_pairs(const struct virtnet *vn)
{
	unsigned int total = vn->state.pairs + nr_cpu_ids;

	if (total <= vn->max_pairs)
		return nr_cpu_ids;
	netdev_warn_once(vn->dev, "XDP shares send queues with the stack, which is slower: the device has %u queue pairs, not %u\n",
			 vn->max_pairs, total);
	return 0;
}

/* The device may receive on the further queues, too. */
static int virtnet_set_xdp_pairs(struct virtnet *vn, u16 xdp_pairs)
{
	unsigned int total = vn->state.pairs + xdp_pairs;
	int err;

	if (xdp_pairs == vn->state.xdp_pairs)
		return 0;

	virtnet_queues_fill(vn, total);
	err = virtnet_apply_pairs(vn, total);
	if (err)
		return err;
	err = netif_set_real_num_rx_queues(vn->dev, total);
	if (err) {
		virtnet_apply_pairs(vn, virtnet_active_pairs(vn));
		return err;
	}
	/* virtnet_xdp_sq() reads it without RTNL. */
	WRITE_ONCE(vn->state.xdp_pairs, xdp_pairs);
	return 0;
}

static void virtnet_prog_publish(struct virtnet *vn, struct bpf_prog *prog)
{
	unsigned int i;

	vn->state.prog = prog;
	for (i = 0; i < vn->max_pairs; i++)
		rcu_assign_pointer(vn->rq[i].prog, prog);
	/* No NAPI, and no other device, goes on to use the old one. */
	synchronize_net();
}

static int virtnet_prog_check(const struct virtnet *vn,
			      const struct bpf_prog *prog,
			      struct netlink_ext_ack *extack)
{
	unsigned int mtu = virtnet_prog_max_mtu(vn, prog);

	if (!virtnet_xdp_possible(vn, extack) ||
	    virtnet_offloads_fixed(vn, extack))
		return -EOPNOTSUPP;
	if (vn->dev->mtu > mtu) {
		NL_SET_ERR_MSG_FMT_MOD(extack,
				       "MTU too large, at most %u without XDP frags", mtu);
		return -EINVAL;
	}
	return 0;
}

static int virtnet_prog_first(struct virtnet *vn, struct bpf_prog *prog,
			      struct netlink_ext_ack *extack)
{
	int err;

	vn->state.prog = prog;
	err = virtnet_update_offloads(vn);
	if (!err)
		err = virtnet_set_xdp_pairs(vn, virtnet_want_xdp_pairs(vn));
	if (!err)
		return 0;

	NL_SET_ERR_MSG_MOD(extack,
			   "The device refused to switch receive offloads off, or to use more queues");
	vn->state.prog = NULL;
	virtnet_restore_offloads(vn);
	return err;
}

static void virtnet_prog_last(struct virtnet *vn)
{
	int err = virtnet_set_xdp_pairs(vn, 0);

	if (err)
		netdev_warn(vn->dev, "the queues of XDP stay in use: error %d\n",
			    err);
	virtnet_restore_offloads(vn);
}

static int virtnet_prog_set(struct virtnet *vn, struct bpf_prog *prog,
			    struct netlink_ext_ack *extack)
{
	struct bpf_prog *old = vn->state.prog;
	int err = 0;

	if (prog)
		err = virtnet_prog_check(vn, prog, extack);
	if (!err && prog && !old)
		err = virtnet_prog_first(vn, prog, extack);
	if (err)
		return err;

	virtnet_prog_publish(vn, prog);
	if (old)
		bpf_prog_put(old);
	if (prog)
		xdp_features_set_redirect_target(vn->dev, true);
	else
		xdp_features_clear_redirect_target(vn->dev);
	if (old && !prog)
		virtnet_prog_last(vn);
	return 0;
}

/*
 * Pools
 */

static const char *virtnet_pool_obstacle(const struct virtnet *vn, u16 qid)
{
	const struct virtnet_rq *rq = &vn->rq[qid];
	const struct virtnet_sq *sq = &vn->sq[qid];

	if (!virtnet_xdp_possible(vn, NULL))
		return "of its kind of receive buffers";
	if (virtnet_offloads_fixed(vn, NULL))
		return "it can't switch receive offloads off";
	if (!virtio_has_feature(vn->vdev, VIRTIO_F_RING_RESET))
		return "it can't reset a queue";
	if (!rq->vq || !sq->vq || READ_ONCE(vn->lost))
		return "it is lost";
	if (rq->vq->dma_dev != sq->vq->dma_dev)
		return "its queues have different devices for DMA";
	if (virtqueue_get_vring_size(sq->vq) < 2 * VIRTNET_TX_MAX_ELEMS)
		return "its send queues are too small";
	return NULL;
}

/* Neither bounced nor translated: a device that takes no DMA addresses takes these. */
static bool virtnet_pool_is_physical(const struct xsk_buff_pool *pool)
{
	dma_addr_t dma;
	u32 i;

	for (i = 0; i < pool->dma_pages_cnt; i++) {
		dma = pool->dma_pages[i] & ~XSK_NEXT_PG_CONTIG_MASK;
		if (dma != page_to_phys(pool->umem->pgs[i]))
			return false;
	}
	return true;
}

/* Pools have to be mapped, even for devices that use physical addresses. */
static int virtnet_pool_map(struct virtnet *vn, struct xsk_buff_pool *pool,
			    struct device *dma_dev)
{
	struct device *dev = dma_dev ?: vn->vdev->dev.parent;
	int err;

	if (!dev || !dev->dma_mask)
		return -EOPNOTSUPP;
	err = xsk_pool_dma_map(pool, dev, 0);
	if (err || dma_dev || virtnet_pool_is_physical(pool))
		return err;

	xsk_pool_dma_unmap(pool, 0);
	netdev_info(vn->dev, "no AF_XDP zero copy: the memory of sockets is not where the device could use it (QEMU: iommu_platform=on)\n");
	return -EOPNOTSUPP;
}

static void virtnet_sq_set_pool(struct virtnet_sq *sq,
				struct xsk_buff_pool *pool)
{
	struct netdev_queue *txq = sq->txq;

	__netif_tx_lock_bh(txq);
	WRITE_ONCE(sq->xsk_pool, pool);
	__netif_tx_unlock_bh(txq);
}

/* No packet of the pool is on its way any more when this returns. */
static void virtnet_pool_detach_tx(struct virtnet_sq *sq)
{
	virtnet_sq_set_pool(sq, NULL);
	if (sq->vq)
		virtnet_tx_resize(sq, 0);
	virtnet_xsk_tx_free(sq->xsk);
	sq->xsk = NULL;
}

static void virtnet_pool_detach_rx(struct virtnet_rq *rq)
{
	if (rq->kind == &virtnet_rx_xsk)
		virtnet_rx_set_kind(rq, rq->vn->kind);
	rq->xsk_pool = NULL;
	virtnet_restore_offloads(rq->vn);
}

static int virtnet_pool_attach_rx(struct virtnet_rq *rq,
				  struct xsk_buff_pool *pool)
{
	int err;

	rq->xsk_pool = pool;
	err = virtnet_update_offloads(rq->vn);
	if (!err)
		err = virtnet_rx_set_kind(rq, &virtnet_rx_xsk);
	if (err)
		virtnet_pool_detach_rx(rq);
	return err;
}

static int virtnet_pool_attach(struct virtnet *vn, struct xsk_buff_pool *pool,
			       u16 qid)
{
	struct virtnet_rq *rq = &vn->rq[qid];
	struct virtnet_sq *sq = &vn->sq[qid];
	const char *why;
	int err;

	why = virtnet_pool_obstacle(vn, qid);
	if (why) {
		netdev_info(vn->dev, "the device has no AF_XDP zero copy: %s\n",
			    why);
		return -EOPNOTSUPP;
	}
	err = virtnet_pool_map(vn, pool, rq->vq->dma_dev);
	if (err)
		return err;

	sq->xsk = virtnet_xsk_tx_alloc(sq);
	err = sq->xsk ? virtnet_pool_attach_rx(rq, pool) : -ENOMEM;
	if (!err) {
		virtnet_sq_set_pool(sq, pool);
		return 0;
	}

	if (sq->xsk)
		virtnet_xsk_tx_free(sq->xsk);
	sq->xsk = NULL;
	xsk_pool_dma_unmap(pool, 0);
	return err;
}

static int virtnet_pool_detach(struct virtnet *vn, u16 qid)
{
	struct xsk_buff_pool *pool = vn->rq[qid].xsk_pool;

	if (!pool)
		return 0;
	virtnet_pool_detach_tx(&vn->sq[qid]);
	virtnet_pool_detach_rx(&vn->rq[qid]);
	xsk_pool_dma_unmap(pool, 0);
	return 0;
}

int virtnet_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct virtnet *vn = netdev_priv(dev);

	switch (bpf->command) {
	case XDP_SETUP_PROG:
		return virtnet_prog_set(vn, bpf->prog, bpf->extack);
	case XDP_SETUP_XSK_POOL:
		if (!bpf->xsk.pool)
			return virtnet_pool_detach(vn, bpf->xsk.queue_id);
		if (bpf->xsk.queue_id >= vn->state.pairs)
			return -EINVAL;
		return virtnet_pool_attach(vn, bpf->xsk.pool, bpf->xsk.queue_id);
	default:
		return -EINVAL;
	}
}
