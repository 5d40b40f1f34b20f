// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the stack asks of the device, but for packets, and what the device says.
 *
 * Works take RTNL, so nobody waits for a work while holding it: a work that runs
 * late finds the device down and does nothing.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>
#include <net/netdev_rx_queue.h>

#include "virtio_net.h"

static int virtnet_open(struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);

	virtnet_queues_up(vn);
	virtnet_link_update(vn);
	return 0;
}

static int virtnet_close(struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);

	if (vn->up)
		virtnet_queues_down(vn);
	virtnet_link_update(vn);
	return 0;
}

/*
 * What the device says
 */

/* A migrated guest has to make itself known at its new place (5.1.6.5.4). */
static void virtnet_announce(struct virtnet *vn)
{
	u16 status;

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_GUEST_ANNOUNCE))
		return;
	virtio_cread(vn->vdev, struct virtio_net_config, status, &status);
	if (!(status & VIRTIO_NET_S_ANNOUNCE))
		return;

	__netdev_notify_peers(vn->dev);
	virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_ANNOUNCE,
			     VIRTIO_NET_CTRL_ANNOUNCE_ACK, NULL, 0);
}

void virtnet_config_work(struct work_struct *work)
{
	struct virtnet *vn = container_of(work, struct virtnet, config_work);

	rtnl_lock();
	virtnet_announce(vn);
	virtnet_link_update(vn);
	rtnl_unlock();
}

void virtnet_config_changed(struct virtio_device *vdev)
{
	struct virtnet *vn = vdev->priv;

	schedule_work(&vn->config_work);
}

/*
 * Addresses and VLANs
 */

static int virtnet_set_mac_address(struct net_device *dev, void *p)
{
	struct virtnet *vn = netdev_priv(dev);
	const struct sockaddr *addr = p;
	int err;

	/* The address is what makes a pair of the standby and its primary. */
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_STANDBY))
		return -EOPNOTSUPP;

	err = eth_prepare_mac_addr_change(dev, p);
	if (err)
		return err;
	err = virtnet_apply_mac(vn, addr->sa_data);
	if (err)
		return err;
	eth_commit_mac_addr_change(dev, p);
	return 0;
}

/* Runs under a spinlock, and commands sleep. */
static void virtnet_set_rx_mode(struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);

	schedule_work(&vn->rx_mode_work);
}

/* Also when an answer came late: the device may have done anything or nothing. */
void virtnet_rx_mode_work(struct work_struct *work)
{
	struct virtnet *vn = container_of(work, struct virtnet, rx_mode_work);
	int err;

	rtnl_lock();
	if (READ_ONCE(vn->apply_all)) {
		WRITE_ONCE(vn->apply_all, false);
		if (virtio_has_feature(vn->vdev,
				       VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
			vn->offloads_applied = U64_MAX;
		virtnet_apply_all(vn);
	} else {
		err = virtnet_apply_rx_mode(vn);
		if (err)
			netdev_warn(vn->dev,
				    "cannot set receive filters: error %d\n",
				    err);
	}
	rtnl_unlock();
}

static int virtnet_vlan_add(struct net_device *dev, __be16 proto, u16 vid)
{
	struct virtnet *vn = netdev_priv(dev);
	int err;

	err = virtnet_apply_vlan(vn, vid, true);
	if (!err)
		__set_bit(vid, vn->state.vlans);
	return err;
}

static int virtnet_vlan_del(struct net_device *dev, __be16 proto, u16 vid)
{
	struct virtnet *vn = netdev_priv(dev);
	int err;

	err = virtnet_apply_vlan(vn, vid, false);
	/* The stack drops it in any case. */
	__clear_bit(vid, vn->state.vlans);
	return err;
}

/*
 * Features and MTU
 */

#define VIRTNET_GRO_HW	(BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_ECN)  | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_UFO)  | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_USO4) | \
			 BIT_ULL(VIRTIO_NET_F_GUEST_USO6))

static int virtnet_set_gro_hw(struct virtnet *vn, bool on)
{
	u64 offloads = vn->offloads_capable;
	int err;

	if (virtnet_offloads_forbidden(vn))
		return -EBUSY;
	if (!on)
		offloads &= ~VIRTNET_GRO_HW;
	err = virtnet_apply_offloads(vn, offloads);
	if (!err)
		vn->state.offloads = offloads;
	return err;
}

static int virtnet_set_features(struct net_device *dev,
				netdev_features_t features)
{
	netdev_features_t changed = dev->features ^ features;
	struct virtnet *vn = netdev_priv(dev);
	int err;

	if (changed & NETIF_F_GRO_HW) {
		err = virtnet_set_gro_hw(vn, features & NETIF_F_GRO_HW);
		if (err)
			return err;
	}
	if (changed & NETIF_F_RXHASH) {
		err = virtnet_rss_set_hash_on(vn, features & NETIF_F_RXHASH);
		if (err)
			goto undo_gro_hw;
	}
	return 0;

undo_gro_hw:
	/* The stack believes that nothing has changed. */
	if (changed & NETIF_F_GRO_HW)
		virtnet_set_gro_hw(vn, dev->features & NETIF_F_GRO_HW);
	return err;
}

static int virtnet_change_mtu(struct net_device *dev, int mtu)
{
	struct virtnet *vn = netdev_priv(dev);
	unsigned int max = virtnet_xdp_max_mtu(vn);

	if (mtu > max) {
		netdev_warn(dev, "MTU %d is too large for XDP, the most is %u\n",
			    mtu, max);
		return -EINVAL;
	}
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

/*
 * The rest
 */

static void virtnet_tx_timeout(struct net_device *dev, unsigned int i)
{
	struct virtnet *vn = netdev_priv(dev);
	struct virtnet_sq *sq = &vn->sq[i];

	/* The watchdog has frozen the queues, but does not hold their locks. */
	__netif_tx_lock(sq->txq, smp_processor_id());
	u64_stats_update_begin(&sq->stats.syncp);
	u64_stats_inc(&sq->stats.tx_timeouts);
	u64_stats_update_end(&sq->stats.syncp);
	__netif_tx_unlock(sq->txq);

	netdev_err(dev, "send queue %u (%s) has not moved for %u ms\n", i,
		   sq->name,
		   jiffies_to_msecs(jiffies - READ_ONCE(sq->txq->trans_start)));
	/* virtnet_reset_timed_out() reads it without the transmit lock. */
	WRITE_ONCE(sq->timed_out, true);
	queue_work(system_freezable_wq, &vn->reset_work);
}

static int virtnet_get_phys_port_name(struct net_device *dev, char *buf,
				      size_t len)
{
	struct virtnet *vn = netdev_priv(dev);

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_STANDBY))
		return -EOPNOTSUPP;
	strscpy(buf, "sby", len);
	return 0;
}

const struct net_device_ops virtnet_netdev_ops = {
	.ndo_open		= virtnet_open,
	.ndo_stop		= virtnet_close,
	.ndo_start_xmit		= virtnet_start_xmit,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_set_mac_address	= virtnet_set_mac_address,
	.ndo_set_rx_mode	= virtnet_set_rx_mode,
	.ndo_get_stats64	= virtnet_get_stats64,
	.ndo_vlan_rx_add_vid	= virtnet_vlan_add,
	.ndo_vlan_rx_kill_vid	= virtnet_vlan_del,
	.ndo_change_mtu		= virtnet_change_mtu,
	.ndo_set_features	= virtnet_set_features,
	.ndo_features_check	= passthru_features_check,
	.ndo_get_phys_port_name	= virtnet_get_phys_port_name,
	.ndo_tx_timeout		= virtnet_tx_timeout,
	.ndo_bpf		= virtnet_bpf,
	.ndo_xdp_xmit		= virtnet_xdp_xmit,
	.ndo_xsk_wakeup		= virtnet_xsk_wakeup,
};

#ifdef CONFIG_SYSFS
static ssize_t
mergeable_rx_buffer_size_show(struct netdev_rx_queue *queue, char *buf)
{
	struct virtnet *vn = netdev_priv(queue->dev);
	unsigned int len, i = get_netdev_rx_queue_index(queue);

	/* NAPI updates the average meanwhile: the size was right at some moment. */
	len = data_race(virtnet_mergeable_buf_len(&vn->rq[i]));
	return sysfs_emit(buf, "%u\n", len);
}

static struct rx_queue_attribute virtnet_buffer_size =
	__ATTR_RO(mergeable_rx_buffer_size);

static struct attribute *virtnet_rx_attributes[] = {
	&virtnet_buffer_size.attr,
	NULL
};

static const struct attribute_group virtnet_rx_group = {
	.name = "virtio_net",
	.attrs = virtnet_rx_attributes,
};

void virtnet_netdev_sysfs(struct net_device *dev)
{
	dev->sysfs_rx_queue_group = &virtnet_rx_group;
}
#else
void virtnet_netdev_sysfs(struct net_device *dev)
{
}
#endif
