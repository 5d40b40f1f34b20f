// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings, channels and link settings for ethtool; all else of it is with its idea.
 */
#include <linux/log2.h>
#include <linux/virtio_config.h>

#include "virtio_net.h"

static void virtnet_get_drvinfo(struct net_device *dev,
				struct ethtool_drvinfo *info)
{
	struct virtnet *vn = netdev_priv(dev);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, "1.0.0", sizeof(info->version));
	strscpy(info->bus_info, virtio_bus_name(vn->vdev),
		sizeof(info->bus_info));
}

/*
 * Rings
 */

static void virtnet_get_ringparam(struct net_device *dev,
				  struct ethtool_ringparam *ring,
				  struct kernel_ethtool_ringparam *kernel_ring,
				  struct netlink_ext_ack *extack)
{
	struct virtnet *vn = netdev_priv(dev);

	ring->rx_max_pending = vn->rq[0].vq->num_max;
	ring->tx_max_pending = vn->sq[0].vq->num_max;
	ring->rx_pending = virtqueue_get_vring_size(vn->rq[0].vq);
	ring->tx_pending = virtqueue_get_vring_size(vn->sq[0].vq);
}

/* Split rings have a power of two of entries (2.7). */
static u32 virtnet_ring_size(struct virtnet *vn, u32 num)
{
	if (virtio_has_feature(vn->vdev, VIRTIO_F_RING_PACKED))
		return num;
	return roundup_pow_of_two(num);
}

static int virtnet_resize_one(struct virtnet *vn, unsigned int i, u32 num,
			      bool tx)
{
	if (tx)
		return virtnet_tx_resize(&vn->sq[i], num);
	return virtnet_rx_resize(&vn->rq[i], num);
}

static int virtnet_resize_all(struct virtnet *vn, u32 num, bool tx)
{
	u32 old = virtqueue_get_vring_size(tx ? vn->sq[0].vq : vn->rq[0].vq);
	unsigned int i;
	int err = 0;

	for (i = 0; i < vn->max_pairs && !err; i++)
		err = virtnet_resize_one(vn, i, num, tx);
	/* All have the same size, as only one is reported. */
	while (err && i--)
		virtnet_resize_one(vn, i, old, tx);
	return err;
}

static int virtnet_check_ringparam(const struct ethtool_ringparam *now,
				   u32 rx, u32 tx,
				   struct netlink_ext_ack *extack)
{
	if (rx > now->rx_max_pending || tx > now->tx_max_pending) {
		NL_SET_ERR_MSG_FMT_MOD(extack,
				       "the device has at most %u rx and %u tx entries",
				       now->rx_max_pending,
				       now->tx_max_pending);
		return -EINVAL;
	}
	if (tx != now->tx_pending && tx <= VIRTNET_TX_MAX_ELEMS) {
		NL_SET_ERR_MSG_FMT_MOD(extack,
				       "tx size (%u) cannot be smaller than %u",
				       tx, VIRTNET_TX_MAX_ELEMS);
		return -EINVAL;
	}
	return 0;
}

static int virtnet_set_ringparam(struct net_device *dev,
				 struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kernel_ring,
				 struct netlink_ext_ack *extack)
{
	struct ethtool_ringparam now = {};
	struct virtnet *vn = netdev_priv(dev);
	u32 rx, tx;
	int err;

	if (!ring->rx_pending || !ring->tx_pending)
		return -EINVAL;
	virtnet_get_ringparam(dev, &now, NULL, NULL);
	rx = virtnet_ring_size(vn, ring->rx_pending);
	tx = virtnet_ring_size(vn, ring->tx_pending);
	err = virtnet_check_ringparam(&now, rx, tx, extack);
	if (err)
		return err;

	if (tx != now.tx_pending) {
		err = virtnet_resize_all(vn, tx, true);
		if (err)
			return err;
		vn->state.tx_num = tx;
	}
	if (rx != now.rx_pending) {
		err = virtnet_resize_all(vn, rx, false);
		if (err)
			return err;
		vn->state.rx_num = rx;
	}
	return 0;
}

/*
 * Channels
 */

static void virtnet_get_channels(struct net_device *dev,
				 struct ethtool_channels *channels)
{
	struct virtnet *vn = netdev_priv(dev);

	channels->max_combined = vn->max_pairs;
	channels->combined_count = virtnet_active_pairs(vn);
}

/* The stack and the device have @pairs from now on, or what they had. */
static int virtnet_change_pairs(struct virtnet *vn, u16 pairs)
{
	struct net_device *dev = vn->dev;
	u16 old = vn->state.pairs;
	int err;

	virtnet_queues_fill(vn, pairs);
	virtnet_rss_spread(vn, pairs);
	err = virtnet_apply_pairs(vn, pairs) ?:
	      netif_set_real_num_queues(dev, pairs, pairs);
	if (err)
		goto undo;

	/* Also those of a program that is gone, which the device did not take back. */
	WRITE_ONCE(vn->state.xdp_pairs, 0);
	/* virtnet_xdp_sq() reads both without RTNL. */
	WRITE_ONCE(vn->state.pairs, pairs);
	virtnet_set_affinity(vn);
	return 0;

undo:
	virtnet_rss_spread(vn, old);
	virtnet_apply_pairs(vn, old);
	return err;
}

static int virtnet_set_channels(struct net_device *dev,
				struct ethtool_channels *channels)
{
	struct virtnet *vn = netdev_priv(dev);
	u16 pairs = channels->combined_count;

	if (channels->rx_count || channels->tx_count || channels->other_count)
		return -EINVAL;
	if (!pairs || pairs > vn->max_pairs)
		return -EINVAL;
	/* A program has queues of its own, counted by the number of CPUs. */
	if (vn->state.prog)
		return -EINVAL;
	if (pairs == vn->state.pairs)
		return 0;
	return virtnet_change_pairs(vn, pairs);
}

static int virtnet_get_rxnfc(struct net_device *dev,
			     struct ethtool_rxnfc *info, u32 *rules)
{
	struct virtnet *vn = netdev_priv(dev);

	if (info->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	info->data = virtnet_active_pairs(vn);
	return 0;
}

/*
 * Link
 */

static int virtnet_get_link_ksettings(struct net_device *dev,
				      struct ethtool_link_ksettings *cmd)
{
	struct virtnet *vn = netdev_priv(dev);

	cmd->base.speed = vn->speed;
	cmd->base.duplex = vn->duplex;
	cmd->base.port = PORT_OTHER;
	return 0;
}

static int
virtnet_set_link_ksettings(struct net_device *dev,
			   const struct ethtool_link_ksettings *cmd)
{
	struct virtnet *vn = netdev_priv(dev);

	return ethtool_virtdev_set_link_ksettings(dev, cmd, &vn->speed,
						  &vn->duplex);
}

const struct ethtool_ops virtnet_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_MAX_FRAMES |
				     ETHTOOL_COALESCE_USECS |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
	.get_drvinfo		= virtnet_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_ringparam		= virtnet_get_ringparam,
	.set_ringparam		= virtnet_set_ringparam,
	.get_sset_count		= virtnet_get_sset_count,
	.get_strings		= virtnet_get_strings,
	.get_ethtool_stats	= virtnet_get_ethtool_stats,
	.get_channels		= virtnet_get_channels,
	.set_channels		= virtnet_set_channels,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_link_ksettings	= virtnet_get_link_ksettings,
	.set_link_ksettings	= virtnet_set_link_ksettings,
	.get_coalesce		= virtnet_get_coalesce,
	.set_coalesce		= virtnet_set_coalesce,
	.get_per_queue_coalesce	= virtnet_get_queue_coalesce,
	.set_per_queue_coalesce	= virtnet_set_queue_coalesce,
	.get_rxnfc		= virtnet_get_rxnfc,
	.get_rxfh_key_size	= virtnet_rss_key_size,
	.get_rxfh_indir_size	= virtnet_rss_table_size,
	.get_rxfh		= virtnet_get_rxfh,
	.set_rxfh		= virtnet_set_rxfh,
	.get_rxfh_fields	= virtnet_get_rxfh_fields,
	.set_rxfh_fields	= virtnet_set_rxfh_fields,
};
