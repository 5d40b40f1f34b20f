// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What follows from the negotiated features and the configuration, at probe: the
 * header, the kind of receive buffers, MTU, MAC, and what the stack may use.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>

#include "rx.h"

u16 virtnet_read_mtu(struct virtio_device *vdev)
{
	u16 mtu;

	virtio_cread(vdev, struct virtio_net_config, mtu, &mtu);
	return mtu;
}

u16 virtnet_read_pairs(struct virtio_device *vdev)
{
	u16 pairs;

	if (!virtio_has_feature(vdev, VIRTIO_NET_F_MQ) &&
	    !virtio_has_feature(vdev, VIRTIO_NET_F_RSS))
		return 1;
	virtio_cread(vdev, struct virtio_net_config, max_virtqueue_pairs,
		     &pairs);
	if (pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN ||
	    pairs > VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MAX)
		return 1;
	return pairs;
}

static void virtnet_set_header(struct virtnet *vn)
{
	struct virtio_device *vdev = vn->vdev;
	bool modern = virtio_has_feature(vdev, VIRTIO_F_VERSION_1);

	if (virtio_has_feature(vdev, VIRTIO_NET_F_HASH_REPORT))
		vn->hdr_len = sizeof(struct virtio_net_hdr_v1_hash);
	else if (virtio_has_feature(vdev, VIRTIO_NET_F_MRG_RXBUF) || modern)
		vn->hdr_len = sizeof(struct virtio_net_hdr_mrg_rxbuf);
	else
		vn->hdr_len = sizeof(struct virtio_net_hdr);

	vn->little_endian = virtio_is_little_endian(vdev);
	vn->header_anywhere = virtio_has_feature(vdev, VIRTIO_F_ANY_LAYOUT) ||
			      modern;
	if (vn->header_anywhere)
		vn->dev->needed_headroom = vn->hdr_len;
}

static void virtnet_set_tx_features(struct virtnet *vn)
{
	struct virtio_device *vdev = vn->vdev;
	struct net_device *dev = vn->dev;
	netdev_features_t hw = NETIF_F_HW_CSUM | NETIF_F_SG;

	if (!virtio_has_feature(vdev, VIRTIO_NET_F_CSUM))
		return;

	if (virtio_has_feature(vdev, VIRTIO_NET_F_GSO))
		hw |= NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN;
	if (virtio_has_feature(vdev, VIRTIO_NET_F_HOST_TSO4))
		hw |= NETIF_F_TSO;
	if (virtio_has_feature(vdev, VIRTIO_NET_F_HOST_TSO6))
		hw |= NETIF_F_TSO6;
	if (virtio_has_feature(vdev, VIRTIO_NET_F_HOST_ECN))
		hw |= NETIF_F_TSO_ECN;
	if (virtio_has_feature(vdev, VIRTIO_NET_F_HOST_USO))
		hw |= NETIF_F_GSO_UDP_L4;

	dev->hw_features |= hw;
	dev->features |= NETIF_F_GSO_ROBUST;
	if (virtnet_csum)
		dev->features |= NETIF_F_HW_CSUM | NETIF_F_SG;
	if (virtnet_gso)
		dev->features |= hw & NETIF_F_ALL_TSO;
}

static const unsigned int virtnet_guest_offloads[] = {
	VIRTIO_NET_F_GUEST_CSUM,
	VIRTIO_NET_F_GUEST_TSO4,
	VIRTIO_NET_F_GUEST_TSO6,
	VIRTIO_NET_F_GUEST_ECN,
	VIRTIO_NET_F_GUEST_UFO,
	VIRTIO_NET_F_GUEST_USO4,
	VIRTIO_NET_F_GUEST_USO6,
};

static void virtnet_set_rx_features(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;
	unsigned int i;

	/* Packets that the device checked are believed, the others are checked. */
	dev->features |= NETIF_F_RXCSUM;

	for (i = 0; i < ARRAY_SIZE(virtnet_guest_offloads); i++)
		if (virtio_has_feature(vn->vdev, virtnet_guest_offloads[i]))
			vn->offloads_capable |=
				BIT_ULL(virtnet_guest_offloads[i]);
	vn->state.offloads = vn->offloads_capable;

	if (vn->offloads_capable & (BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) |
				    BIT_ULL(VIRTIO_NET_F_GUEST_TSO6)))
		dev->features |= NETIF_F_GRO_HW;
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		dev->hw_features |= NETIF_F_GRO_HW;
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_RSS) ||
	    virtio_has_feature(vn->vdev, VIRTIO_NET_F_HASH_REPORT))
		dev->hw_features |= NETIF_F_RXHASH;
}

static void virtnet_set_features(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;

	dev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE |
			   IFF_TX_SKB_NO_LINEAR;
	dev->features = NETIF_F_HIGHDMA;
	virtnet_set_tx_features(vn);
	virtnet_set_rx_features(vn);
	dev->vlan_features = dev->features;
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_VLAN))
		dev->features |= NETIF_F_HW_VLAN_CTAG_FILTER;
}

static int virtnet_set_mtu(struct virtnet *vn)
{
	struct net_device *dev = vn->dev;
	u16 mtu;

	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_MTU))
		return 0;

	mtu = virtnet_read_mtu(vn->vdev);
	if (mtu < dev->min_mtu) {
		dev_err(&vn->vdev->dev, "the device's MTU became %u\n", mtu);
		return -EINVAL;
	}
	dev->mtu = mtu;
	dev->max_mtu = mtu;
	return 0;
}

static bool virtnet_guest_gso(const struct virtnet *vn)
{
	const u64 gso = BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) |
			BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) |
			BIT_ULL(VIRTIO_NET_F_GUEST_ECN) |
			BIT_ULL(VIRTIO_NET_F_GUEST_UFO);
	const u64 uso = BIT_ULL(VIRTIO_NET_F_GUEST_USO4) |
			BIT_ULL(VIRTIO_NET_F_GUEST_USO6);

	return (vn->offloads_capable & gso) ||
	       (vn->offloads_capable & uso) == uso;
}

/* The kind of receive buffers follows from how long a packet may be (5.1.6.3.1). */
static void virtnet_set_kind(struct virtnet *vn)
{
	bool gso = virtnet_guest_gso(vn);

	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_MRG_RXBUF)) {
		vn->kind = &virtnet_rx_mergeable;
	} else if (gso || vn->dev->mtu > ETH_DATA_LEN) {
		vn->kind = &virtnet_rx_big;
		vn->big_frags = gso ? MAX_SKB_FRAGS :
				      DIV_ROUND_UP(vn->dev->mtu, VIRTNET_BUF_MAX);
	} else {
		vn->kind = &virtnet_rx_small;
	}
}

static void virtnet_set_mac(struct virtnet *vn)
{
	u8 addr[ETH_ALEN];

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_MAC)) {
		eth_hw_addr_random(vn->dev);
		dev_info(&vn->vdev->dev, "Assigned random MAC address %pM\n",
			 vn->dev->dev_addr);
		return;
	}
	virtio_cread_bytes(vn->vdev, offsetof(struct virtio_net_config, mac),
			   addr, ETH_ALEN);
	eth_hw_addr_set(vn->dev, addr);
}

int virtnet_facts(struct virtnet *vn)
{
	int err;

	vn->speed = SPEED_UNKNOWN;
	vn->duplex = DUPLEX_UNKNOWN;
	vn->state.pairs = min(vn->max_pairs, num_online_cpus());

	virtnet_set_header(vn);
	virtnet_set_features(vn);
	virtnet_set_mac(vn);
	err = virtnet_set_mtu(vn);
	if (err)
		return err;
	virtnet_set_kind(vn);
	return 0;
}
