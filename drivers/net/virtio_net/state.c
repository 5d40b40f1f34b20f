// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Apply what the administrator wants (&struct virtnet_state) to the device.
 *
 * There is one function for each item, which the administrator's commands call, and
 * one for all of them, for a device that was reset. If the device refuses an item,
 * whoever asked for it gets an error, so that driver and device always agree.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>

#include "virtio_net.h"

static void virtnet_write_mac(struct virtio_device *vdev, const u8 *addr)
{
	unsigned int i;

	for (i = 0; i < ETH_ALEN; i++)
		virtio_cwrite8(vdev, offsetof(struct virtio_net_config, mac) + i,
			       addr[i]);
}

int virtnet_apply_mac(struct virtnet *vn, const u8 *addr)
{
	struct virtio_device *vdev = vn->vdev;

	if (virtio_has_feature(vdev, VIRTIO_NET_F_CTRL_MAC_ADDR))
		return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_MAC,
					    VIRTIO_NET_CTRL_MAC_ADDR_SET, addr,
					    ETH_ALEN);

	/* Legacy devices have a configuration that can be written (5.1.4.3). */
	if (virtio_has_feature(vdev, VIRTIO_NET_F_MAC) &&
	    !virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		virtnet_write_mac(vdev, addr);
	return 0;
}

/*
 * Address lists (5.1.6.5.2)
 */

/* Put a count and that many addresses at @p; return where they end. */
static u8 *virtnet_put_list(struct virtnet *vn, u8 *p,
			    struct netdev_hw_addr_list *list)
{
	__virtio32 count = cpu_to_virtio32(vn->vdev, list->count);
	struct netdev_hw_addr *addr;

	memcpy(p, &count, sizeof(count));
	p += sizeof(count);
	list_for_each_entry(addr, &list->list, list) {
		memcpy(p, addr->addr, ETH_ALEN);
		p += ETH_ALEN;
	}
	return p;
}

static int virtnet_send_lists(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;
	size_t len;
	u8 *table;
	int err;

	netif_addr_lock_bh(dev);
	len = 2 * sizeof(__virtio32) +
	      (netdev_uc_count(dev) + netdev_mc_count(dev)) * ETH_ALEN;
	table = kmalloc(len, GFP_ATOMIC);
	if (table)
		virtnet_put_list(vn, virtnet_put_list(vn, table, &dev->uc),
				 &dev->mc);
	netif_addr_unlock_bh(dev);
	if (!table)
		return -ENOMEM;

	err = virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_MAC,
				   VIRTIO_NET_CTRL_MAC_TABLE_SET, table, len);
	kfree(table);
	return err;
}

static int virtnet_send_mode(struct virtnet *vn, u8 mode, bool on)
{
	u8 data = on;

	return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_RX, mode, &data,
				    sizeof(data));
}

int virtnet_apply_rx_mode(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;
	bool promisc = dev->flags & IFF_PROMISC;
	bool allmulti = dev->flags & IFF_ALLMULTI;
	int err, lists;

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_RX))
		return 0;

	/* Better too many packets than too few: the stack drops the rest. */
	lists = virtnet_send_lists(vn);
	if (lists) {
		promisc |= !netdev_uc_empty(dev);
		allmulti = true;
	}

	err = virtnet_send_mode(vn, VIRTIO_NET_CTRL_RX_PROMISC, promisc);
	return virtnet_send_mode(vn, VIRTIO_NET_CTRL_RX_ALLMULTI, allmulti) ?:
	       err ?: lists;
}

/*
 * VLANs, offloads, queues
 */

int virtnet_apply_vlan(struct virtnet *vn, u16 vid, bool add)
{
	__virtio16 data = cpu_to_virtio16(vn->vdev, vid);

	return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_VLAN,
				    add ? VIRTIO_NET_CTRL_VLAN_ADD :
					  VIRTIO_NET_CTRL_VLAN_DEL,
				    &data, sizeof(data));
}

int virtnet_apply_offloads(struct virtnet *vn, u64 offloads)
{
	__virtio64 data = cpu_to_virtio64(vn->vdev, offloads);
	int err;

	if (offloads == vn->offloads_applied)
		return 0;
	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		return -EOPNOTSUPP;

	err = virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_GUEST_OFFLOADS,
				   VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, &data,
				   sizeof(data));
	if (!err)
		vn->offloads_applied = offloads;
	return err;
}

int virtnet_apply_pairs(struct virtnet *vn, u16 pairs)
{
	__virtio16 data = cpu_to_virtio16(vn->vdev, pairs);

	if (vn->state.rss.has_rss)
		return virtnet_rss_apply(vn, pairs);
	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_MQ))
		return pairs == 1 ? 0 : -EOPNOTSUPP;
	return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_MQ,
				    VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &data,
				    sizeof(data));
}

/*
 * All of it
 */

static void virtnet_report(struct virtnet *vn, const char *what, int err)
{
	if (err)
		dev_warn(&vn->vdev->dev, "cannot set %s: error %d\n", what,
			 err);
}

/* Devices without RSS can still be told how many queues there are. */
static void virtnet_apply_spread(struct virtnet *vn)
{
	unsigned int pairs = virtnet_active_pairs(vn);
	int err;

	err = virtnet_rss_apply(vn, pairs);
	if (err == -EINVAL) {
		dev_warn(&vn->vdev->dev,
			 "RSS and hash reports are off: the device refuses them\n");
		vn->state.rss.has_rss = false;
		vn->state.rss.has_hash = false;
		vn->dev->hw_features &= ~NETIF_F_RXHASH;
	} else {
		virtnet_report(vn, "the receive hash", err);
	}
	if (!vn->state.rss.has_rss)
		virtnet_report(vn, "the number of queues",
			       virtnet_apply_pairs(vn, pairs));
}

static bool virtnet_mac_differs(struct virtnet *vn)
{
	u8 addr[ETH_ALEN];

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_MAC))
		return true;
	virtio_cread_bytes(vn->vdev, offsetof(struct virtio_net_config, mac),
			   addr, ETH_ALEN);
	return !ether_addr_equal(addr, vn->dev->dev_addr);
}

void virtnet_apply_all(struct virtnet *vn)
{
	u64 offloads = vn->state.offloads;
	u16 vid;

	virtnet_apply_spread(vn);
	if (virtnet_mac_differs(vn))
		virtnet_report(vn, "the MAC address",
			       virtnet_apply_mac(vn, vn->dev->dev_addr));
	if (virtnet_offloads_forbidden(vn))
		offloads = 0;
	virtnet_report(vn, "receive offloads",
		       virtnet_apply_offloads(vn, offloads));
	for_each_set_bit(vid, vn->state.vlans, VLAN_N_VID)
		virtnet_report(vn, "a VLAN", virtnet_apply_vlan(vn, vid, true));
	virtnet_report(vn, "interrupt moderation", virtnet_coalesce_apply(vn));
	if (vn->dev->flags & IFF_UP)
		virtnet_report(vn, "receive filters",
			       virtnet_apply_rx_mode(vn));
}
