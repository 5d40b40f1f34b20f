// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network driver using virtio.
 *
 * Copyright 2007 Rusty Russell <rusty@rustcorp.com.au> IBM Corporation
 *
 * This file is the order of life: what is negotiated, probe, remove, suspend,
 * resume and recovery. All else is in virtio_net/, see virtio_net/virtio_net.h.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <net/net_failover.h>

#include "virtio_net/virtio_net.h"

int virtnet_napi_weight = NAPI_POLL_WEIGHT;
module_param_named(napi_weight, virtnet_napi_weight, int, 0444);

bool virtnet_csum = true;
module_param_named(csum, virtnet_csum, bool, 0444);

bool virtnet_gso = true;
module_param_named(gso, virtnet_gso, bool, 0444);

bool virtnet_napi_tx = true;
module_param_named(napi_tx, virtnet_napi_tx, bool, 0644);

/*
 * Features
 */

/* What a device may only offer with VIRTIO_NET_F_CTRL_VQ (5.1.3.1) */
static const struct {
	unsigned int bit;
	const char *name;
} virtnet_needs_ctrl[] = {
	{ VIRTIO_NET_F_CTRL_RX, "VIRTIO_NET_F_CTRL_RX" },
	{ VIRTIO_NET_F_CTRL_VLAN, "VIRTIO_NET_F_CTRL_VLAN" },
	{ VIRTIO_NET_F_GUEST_ANNOUNCE, "VIRTIO_NET_F_GUEST_ANNOUNCE" },
	{ VIRTIO_NET_F_MQ, "VIRTIO_NET_F_MQ" },
	{ VIRTIO_NET_F_CTRL_MAC_ADDR, "VIRTIO_NET_F_CTRL_MAC_ADDR" },
	{ VIRTIO_NET_F_RSS, "VIRTIO_NET_F_RSS" },
	{ VIRTIO_NET_F_HASH_REPORT, "VIRTIO_NET_F_HASH_REPORT" },
	{ VIRTIO_NET_F_NOTF_COAL, "VIRTIO_NET_F_NOTF_COAL" },
	{ VIRTIO_NET_F_VQ_NOTF_COAL, "VIRTIO_NET_F_VQ_NOTF_COAL" },
};

static int virtnet_validate_ctrl(struct virtio_device *vdev)
{
	unsigned int i;

	if (virtio_has_feature(vdev, VIRTIO_NET_F_CTRL_VQ))
		return 0;

	for (i = 0; i < ARRAY_SIZE(virtnet_needs_ctrl); i++) {
		if (!virtio_has_feature(vdev, virtnet_needs_ctrl[i].bit))
			continue;
		dev_err(&vdev->dev,
			"device advertises feature %s but not VIRTIO_NET_F_CTRL_VQ\n",
			virtnet_needs_ctrl[i].name);
		return -EINVAL;
	}

	/* Drivers have accepted these so far, and devices work without them. */
	__virtio_clear_bit(vdev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	__virtio_clear_bit(vdev, VIRTIO_NET_F_DEVICE_STATS);
	return 0;
}

static int virtnet_validate(struct virtio_device *vdev)
{
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "no access to the configuration\n");
		return -EINVAL;
	}

	err = virtnet_validate_ctrl(vdev);
	if (err)
		return err;

	if (virtio_has_feature(vdev, VIRTIO_NET_F_MTU) &&
	    virtnet_read_mtu(vdev) < ETH_MIN_MTU)
		__virtio_clear_bit(vdev, VIRTIO_NET_F_MTU);

	if (virtio_has_feature(vdev, VIRTIO_NET_F_STANDBY) &&
	    !virtio_has_feature(vdev, VIRTIO_NET_F_MAC)) {
		dev_warn(&vdev->dev,
			 "no standby device: the device must offer VIRTIO_NET_F_MAC, too\n");
		__virtio_clear_bit(vdev, VIRTIO_NET_F_STANDBY);
	}
	return 0;
}

/*
 * Life
 */

static int virtnet_alloc(struct virtnet *vn)
{
	int err;

	virtnet_ctrl_init(vn);
	err = virtnet_queues_alloc(vn);
	if (err)
		return err;
	err = virtnet_rss_init(vn);
	if (err)
		goto free_queues;
	err = virtnet_coalesce_init(vn);
	if (err)
		goto free_rss;
	return 0;

free_rss:
	virtnet_rss_free(vn);
free_queues:
	virtnet_queues_free(vn);
	return err;
}

static void virtnet_free(struct virtnet *vn)
{
	virtnet_coalesce_free(vn);
	virtnet_rss_free(vn);
	virtnet_queues_free(vn);
}

/* The device was reset: from now on it is in use, and what it is to be. */
static void virtnet_go_live(struct virtnet *vn)
{
	virtio_device_ready(vn->vdev);
	vn->offloads_applied = vn->offloads_capable;
	virtnet_apply_all(vn);
}

static int virtnet_register(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;
	int err;

	netif_set_real_num_tx_queues(dev, vn->state.pairs);
	netif_set_real_num_rx_queues(dev, vn->state.pairs);
	netif_carrier_off(dev);

	/* Nobody may open it before it is live. */
	rtnl_lock();
	err = register_netdevice(dev);
	if (!err) {
		virtnet_go_live(vn);
		virtnet_hw_stats_init(vn);
	}
	rtnl_unlock();
	return err;
}

static void virtnet_disable_works(struct virtnet *vn)
{
	disable_work_sync(&vn->config_work);
	disable_work_sync(&vn->rx_mode_work);
}

/* Rings that can't hold a packet of many fragments get linear ones. */
static void virtnet_fit_ring(struct virtnet *vn)
{
	if (virtqueue_get_vring_size(vn->sq[0].vq) >= VIRTNET_TX_MAX_ELEMS)
		return;
	vn->dev->hw_features &= ~(NETIF_F_SG | NETIF_F_ALL_TSO |
				  NETIF_F_GSO_UDP_L4);
	vn->dev->features &= ~(NETIF_F_SG | NETIF_F_ALL_TSO |
			       NETIF_F_GSO_UDP_L4);
}

static int virtnet_start(struct virtnet *vn)
{
	int err;

	err = virtnet_queues_create(vn);
	if (err)
		return err;
	virtnet_fit_ring(vn);

	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_STANDBY)) {
		vn->failover = net_failover_create(vn->dev);
		if (IS_ERR(vn->failover)) {
			err = PTR_ERR(vn->failover);
			goto destroy_queues;
		}
	}
	err = virtnet_register(vn);
	if (err)
		goto destroy_failover;
	/* Only a registered device gives back the maps of CPUs to send queues. */
	virtnet_set_affinity(vn);
	err = virtnet_hotplug_add(vn);
	if (err)
		goto unregister;
	return 0;

unregister:
	unregister_netdev(vn->dev);
destroy_failover:
	net_failover_destroy(vn->failover);
destroy_queues:
	disable_work_sync(&vn->reset_work);
	virtnet_disable_works(vn);
	virtio_reset_device(vn->vdev);
	virtnet_queues_destroy(vn);
	return err;
}

static void virtnet_init_works(struct virtnet *vn)
{
	INIT_WORK(&vn->config_work, virtnet_config_work);
	INIT_WORK(&vn->rx_mode_work, virtnet_rx_mode_work);
	INIT_WORK(&vn->reset_work, virtnet_reset_work);
	vn->next_reset = jiffies;
}

static void virtnet_set_ops(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;

	SET_NETDEV_DEV(dev, &vn->vdev->dev);
	dev->netdev_ops = &virtnet_netdev_ops;
	dev->ethtool_ops = &virtnet_ethtool_ops;
	dev->stat_ops = &virtnet_stat_ops;
	dev->xdp_features = virtnet_xdp_features(vn);
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_HASH_REPORT))
		dev->xdp_metadata_ops = &virtnet_xdp_metadata_ops;
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_MRG_RXBUF))
		virtnet_netdev_sysfs(dev);
}

static int virtnet_probe(struct virtio_device *vdev)
{
	u16 pairs = virtnet_read_pairs(vdev);
	struct net_device *dev;
	struct virtnet *vn;
	int err;

	dev = alloc_etherdev_mq(sizeof(*vn), pairs);
	if (!dev)
		return -ENOMEM;
	vn = netdev_priv(dev);
	vn->dev = dev;
	vn->vdev = vdev;
	vn->max_pairs = pairs;
	vdev->priv = vn;
	virtnet_init_works(vn);

	err = virtnet_facts(vn);
	if (err)
		goto free_netdev;
	virtnet_set_ops(vn);
	err = virtnet_alloc(vn);
	if (err)
		goto free_netdev;
	err = virtnet_start(vn);
	if (err)
		goto free;
	return 0;

free:
	virtnet_free(vn);
free_netdev:
	free_netdev(dev);
	return err;
}

/* It did not come back from suspend, or from a reset. */
static bool virtnet_is_dead(const struct virtnet *vn)
{
	return !vn->rq[0].vq;
}

static void virtnet_remove(struct virtio_device *vdev)
{
	struct virtnet *vn = vdev->priv;

	disable_work_sync(&vn->reset_work);
	if (!virtnet_is_dead(vn)) {
		virtnet_hotplug_remove(vn);
		virtnet_disable_works(vn);
	}
	unregister_netdev(vn->dev);
	net_failover_destroy(vn->failover);

	if (!virtnet_is_dead(vn)) {
		virtio_reset_device(vdev);
		virtnet_queues_destroy(vn);
	}
	virtnet_free(vn);
	free_netdev(vn->dev);
}

/* RTNL. From here on nobody sends, and nobody polls. */
static void virtnet_detach(struct virtnet *vn)
{
	netif_device_detach(vn->dev);
	if (vn->up)
		virtnet_queues_down(vn);
}

/* RTNL */
static void virtnet_stop(struct virtnet *vn)
{
	virtnet_detach(vn);
	virtio_reset_device(vn->vdev);
	virtnet_queues_destroy(vn);
}

static int virtnet_freeze(struct virtio_device *vdev)
{
	struct virtnet *vn = vdev->priv;

	if (virtnet_is_dead(vn))
		return 0;

	virtnet_hotplug_remove(vn);
	virtnet_disable_works(vn);
	rtnl_lock();
	virtnet_stop(vn);
	rtnl_unlock();
	return 0;
}

/* RTNL */
static int virtnet_restart(struct virtnet *vn)
{
	int err;

	err = virtnet_queues_create(vn);
	if (err)
		return err;

	virtnet_set_affinity(vn);
	vn->lost = 0;
	enable_work(&vn->config_work);
	enable_work(&vn->rx_mode_work);
	virtnet_go_live(vn);
	virtnet_queues_apply_sizes(vn);
	if (netif_running(vn->dev))
		virtnet_queues_up(vn);
	netif_device_attach(vn->dev);
	virtnet_link_update(vn);
	return 0;
}

static int virtnet_restore(struct virtio_device *vdev)
{
	struct virtnet *vn = vdev->priv;
	int err;

	rtnl_lock();
	err = virtnet_restart(vn);
	rtnl_unlock();
	if (err)
		return err;

	err = virtnet_hotplug_add(vn);
	if (err) {
		virtnet_disable_works(vn);
		rtnl_lock();
		virtnet_stop(vn);
		rtnl_unlock();
	}
	return err;
}

/* Whoever still sends is stopped before that breaks the queues. */
static void virtnet_shutdown(struct virtio_device *vdev)
{
	struct virtnet *vn = vdev->priv;

	rtnl_lock();
	virtnet_detach(vn);
	rtnl_unlock();
	virtio_device_shutdown(vdev);
}

/*
 * Recovery
 */

/*
 * A host may take nothing for minutes, and then go on. The bus gives a device up that
 * is reset too often in a row: at its next look at it, up to 10 s after a reset, this
 * must be over.
 */
#define VIRTNET_RESET_PERIOD	(20 * HZ)

/* Something is there that can be reset. */
static bool virtnet_is_present(struct virtnet *vn)
{
	u8 status = vn->vdev->config->get_status(vn->vdev);

	return status != 0xff && (status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/* RTNL. False if that doesn't help. */
static bool virtnet_reset_timed_out(struct virtnet *vn)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		struct virtnet_sq *sq = &vn->sq[i];

		/* virtnet_tx_timeout() queues this work once more after it sets it. */
		if (!READ_ONCE(sq->timed_out))
			continue;
		WRITE_ONCE(sq->timed_out, false);
		ok &= !virtnet_tx_resize(sq, 0);
	}
	return ok;
}

/* RTNL. Reset what does not move. False if that doesn't help. */
static bool virtnet_mend(struct virtnet *vn)
{
	if (virtnet_is_dead(vn))
		return true;
	if (!virtnet_is_present(vn)) {
		virtnet_lost(vn, "the device does not respond");
		return true;
	}
	/* What the device asks for (2.1.1) is the bus's to do. */
	return !virtnet_needs_reset(vn) && virtnet_reset_timed_out(vn);
}

/*
 * A send queue does not move: reset it, or else have the bus reset the device, as
 * no one but that keeps it from being removed or suspended meanwhile. The stack
 * reports it again every few seconds, as long as it lasts.
 */
void virtnet_reset_work(struct work_struct *work)
{
	struct virtnet *vn = container_of(work, struct virtnet, reset_work);
	bool mended;

	rtnl_lock();
	mended = virtnet_mend(vn);
	rtnl_unlock();
	if (mended || time_before(jiffies, vn->next_reset))
		return;

	vn->next_reset = jiffies + VIRTNET_RESET_PERIOD;
	virtio_device_request_reset(vn->vdev);
}

static void virtnet_restart_failed(struct virtio_device *vdev)
{
	virtnet_lost(vdev->priv, "the device could not be started again");
}

/*
 * Module
 */

static const struct virtio_device_id virtnet_ids[] = {
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, virtnet_ids);

static const unsigned int virtnet_features[] = {
	VIRTIO_NET_F_CSUM,
	VIRTIO_NET_F_GUEST_CSUM,
	VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
	VIRTIO_NET_F_MTU,
	VIRTIO_NET_F_MAC,
	VIRTIO_NET_F_GUEST_TSO4,
	VIRTIO_NET_F_GUEST_TSO6,
	VIRTIO_NET_F_GUEST_ECN,
	VIRTIO_NET_F_GUEST_UFO,
	VIRTIO_NET_F_HOST_TSO4,
	VIRTIO_NET_F_HOST_TSO6,
	VIRTIO_NET_F_HOST_ECN,
	VIRTIO_NET_F_HOST_UFO,
	VIRTIO_NET_F_MRG_RXBUF,
	VIRTIO_NET_F_STATUS,
	VIRTIO_NET_F_CTRL_VQ,
	VIRTIO_NET_F_CTRL_RX,
	VIRTIO_NET_F_CTRL_VLAN,
	VIRTIO_NET_F_GUEST_ANNOUNCE,
	VIRTIO_NET_F_MQ,
	VIRTIO_NET_F_CTRL_MAC_ADDR,
	VIRTIO_NET_F_DEVICE_STATS,
	VIRTIO_NET_F_VQ_NOTF_COAL,
	VIRTIO_NET_F_NOTF_COAL,
	VIRTIO_NET_F_GUEST_USO4,
	VIRTIO_NET_F_GUEST_USO6,
	VIRTIO_NET_F_HOST_USO,
	VIRTIO_NET_F_HASH_REPORT,
	VIRTIO_NET_F_GUEST_HDRLEN,
	VIRTIO_NET_F_RSS,
	VIRTIO_NET_F_STANDBY,
	VIRTIO_NET_F_SPEED_DUPLEX,
	/* Legacy devices only */
	VIRTIO_NET_F_GSO,
	VIRTIO_F_ANY_LAYOUT,
};

#define VIRTNET_LEGACY_FEATURES		2

static struct virtio_driver virtnet_driver = {
	.driver.name = KBUILD_MODNAME,
	.id_table = virtnet_ids,
	.feature_table = virtnet_features,
	.feature_table_size = ARRAY_SIZE(virtnet_features) -
			      VIRTNET_LEGACY_FEATURES,
	.feature_table_legacy = virtnet_features,
	.feature_table_size_legacy = ARRAY_SIZE(virtnet_features),
	.validate = virtnet_validate,
	.probe = virtnet_probe,
	.remove = virtnet_remove,
	.shutdown = virtnet_shutdown,
	.config_changed = virtnet_config_changed,
	.freeze = virtnet_freeze,
	.restore = virtnet_restore,
	.reset_prepare = virtnet_freeze,
	.reset_done = virtnet_restore,
	.restart_failed = virtnet_restart_failed,
};

static int __init virtnet_init(void)
{
	int err;

	err = virtnet_hotplug_init();
	if (err)
		return err;
	err = register_virtio_driver(&virtnet_driver);
	if (err)
		virtnet_hotplug_exit();
	return err;
}
module_init(virtnet_init);

static void __exit virtnet_exit(void)
{
	unregister_virtio_driver(&virtnet_driver);
	virtnet_hotplug_exit();
}
module_exit(virtnet_exit);

MODULE_DESCRIPTION("Virtio network driver");
MODULE_LICENSE("GPL");
