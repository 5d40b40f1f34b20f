// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which queue a received packet goes to (5.1.6.5.6, 5.1.6.5.7): table, key and
 * the header fields that are hashed.
 *
 * A change is made to a copy of what is wanted, which takes the place of the
 * original when the device has accepted it. So a refused command changes nothing.
 */
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "virtio_net.h"

/* Types for packets with IPv6 extension headers are left out: no tool can ask for them. */
#define VIRTNET_HASH_TYPES	(VIRTIO_NET_RSS_HASH_TYPE_IPv4 | \
				 VIRTIO_NET_RSS_HASH_TYPE_TCPv4 | \
				 VIRTIO_NET_RSS_HASH_TYPE_UDPv4 | \
				 VIRTIO_NET_RSS_HASH_TYPE_IPv6 | \
				 VIRTIO_NET_RSS_HASH_TYPE_TCPv6 | \
				 VIRTIO_NET_RSS_HASH_TYPE_UDPv6)

#define VIRTNET_RXH_L3		(RXH_IP_SRC | RXH_IP_DST)
#define VIRTNET_RXH_L4		(VIRTNET_RXH_L3 | RXH_L4_B_0_1 | RXH_L4_B_2_3)

/*
 * A packet for which the device has no type of its own is hashed by its IP
 * type: flows of all protocols share that.
 */
struct virtnet_flow {
	u32 flow;
	u32 l3;
	u32 l4;
};

static const struct virtnet_flow virtnet_flows[] = {
	{ IPV4_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv4, 0 },
	{ TCP_V4_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv4, VIRTIO_NET_RSS_HASH_TYPE_TCPv4 },
	{ UDP_V4_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv4, VIRTIO_NET_RSS_HASH_TYPE_UDPv4 },
	{ IPV6_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv6, 0 },
	{ TCP_V6_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv6, VIRTIO_NET_RSS_HASH_TYPE_TCPv6 },
	{ UDP_V6_FLOW, VIRTIO_NET_RSS_HASH_TYPE_IPv6, VIRTIO_NET_RSS_HASH_TYPE_UDPv6 },
};

/*
 * Commands
 */

/*
 * The hash configuration has the same layout, with a table of one entry. There is
 * nothing behind the key, not even what would align the structure.
 */
static size_t virtnet_rss_len(const struct virtnet_rss *rss)
{
	return struct_size_t(struct virtio_net_rss_config_hdr,
			     indirection_table,
			     rss->has_rss ? rss->table_len : 1) +
	       offsetof(struct virtio_net_rss_config_trailer, hash_key_data) +
	       rss->key_len;
}

static void virtnet_rss_fill(const struct virtnet_rss *rss, void *data, u16 pairs)
{
	unsigned int i, len = rss->has_rss ? rss->table_len : 1;
	struct virtio_net_rss_config_trailer *tail;
	struct virtio_net_rss_config_hdr *head = data;
	bool on = rss->has_rss || rss->hash_on;

	head->hash_types = cpu_to_le32(on ? rss->types : 0);
	head->indirection_table_mask = cpu_to_le16(len - 1);
	for (i = 0; rss->has_rss && i < len; i++)
		head->indirection_table[i] = cpu_to_le16(rss->table[i]);

	tail = data + struct_size(head, indirection_table, len);
	tail->max_tx_vq = cpu_to_le16(rss->has_rss ? pairs : 0);
	tail->hash_key_length = rss->key_len;
	memcpy(tail->hash_key_data, rss->key, rss->key_len);
}

static int virtnet_rss_send(struct virtnet *vn, const struct virtnet_rss *rss,
			    u16 pairs)
{
	u8 cmd = rss->has_rss ? VIRTIO_NET_CTRL_MQ_RSS_CONFIG :
				VIRTIO_NET_CTRL_MQ_HASH_CONFIG;
	size_t len = virtnet_rss_len(rss);
	void *data;
	int err;

	if (!rss->has_rss && !rss->has_hash)
		return 0;

	data = kzalloc(len, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	virtnet_rss_fill(rss, data, pairs);
	err = virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_MQ, cmd, data, len);
	kfree(data);
	return err;
}

int virtnet_rss_apply(struct virtnet *vn, u16 pairs)
{
	return virtnet_rss_send(vn, &vn->state.rss, pairs);
}

static int virtnet_rss_change(struct virtnet *vn, const struct virtnet_rss *want)
{
	int err = virtnet_rss_send(vn, want, virtnet_active_pairs(vn));

	if (!err)
		vn->state.rss = *want;
	return err;
}

/*
 * The device spreads by hashes that it does not report, too. So with RSS it goes
 * on to hash, and only the stack is not told.
 */
int virtnet_rss_set_hash_on(struct virtnet *vn, bool on)
{
	struct virtnet_rss want = vn->state.rss;

	if (on == want.hash_on)
		return 0;
	want.hash_on = on;
	return virtnet_rss_change(vn, &want);
}

/*
 * The device at first
 */

/* What the administrator has chosen stays, ethtool checks that it fits. */
void virtnet_rss_spread(struct virtnet *vn, u16 pairs)
{
	struct virtnet_rss *rss = &vn->state.rss;
	unsigned int i;

	if (!rss->has_rss || netif_is_rxfh_configured(vn->dev))
		return;
	for (i = 0; i < rss->table_len; i++)
		rss->table[i] = ethtool_rxfh_indir_default(i, pairs);
}

static int virtnet_rss_init_table(struct virtnet *vn)
{
	struct virtnet_rss *rss = &vn->state.rss;
	u16 len = virtio_cread16(vn->vdev, offsetof(struct virtio_net_config,
						    rss_max_indirection_table_length));

	if (!len) {
		dev_warn(&vn->vdev->dev, "RSS is not used: the device has no indirection table\n");
		rss->has_rss = false;
		return 0;
	}

	rss->table_len = rounddown_pow_of_two(len);
	rss->table = kcalloc(rss->table_len, sizeof(*rss->table), GFP_KERNEL);
	if (!rss->table)
		return -ENOMEM;
	virtnet_rss_spread(vn, max_t(u16, vn->state.pairs, 1));
	return 0;
}

int virtnet_rss_init(struct virtnet *vn)
{
	struct virtnet_rss *rss = &vn->state.rss;
	struct virtio_device *vdev = vn->vdev;
	u8 key_len;

	rss->has_rss = virtio_has_feature(vdev, VIRTIO_NET_F_RSS);
	rss->has_hash = virtio_has_feature(vdev, VIRTIO_NET_F_HASH_REPORT);
	if (!rss->has_rss && !rss->has_hash)
		return 0;

	key_len = virtio_cread8(vdev, offsetof(struct virtio_net_config,
					       rss_max_key_size));
	rss->key_len = min_t(u8, key_len, NETDEV_RSS_KEY_LEN);
	netdev_rss_key_fill(rss->key, rss->key_len);

	rss->types_supported = virtio_cread32(vdev, offsetof(struct virtio_net_config,
							     supported_hash_types));
	rss->types_supported &= VIRTNET_HASH_TYPES;
	rss->types = rss->types_supported;

	return rss->has_rss ? virtnet_rss_init_table(vn) : 0;
}

void virtnet_rss_free(struct virtnet *vn)
{
	kfree(vn->state.rss.table);
	vn->state.rss.table = NULL;
}

/*
 * ethtool -x, -X
 */

u32 virtnet_rss_key_size(struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);

	return vn->state.rss.key_len;
}

u32 virtnet_rss_table_size(struct net_device *dev)
{
	struct virtnet *vn = netdev_priv(dev);

	return vn->state.rss.table_len;
}

int virtnet_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh)
{
	struct virtnet *vn = netdev_priv(dev);
	const struct virtnet_rss *rss = &vn->state.rss;
	unsigned int i;

	for (i = 0; rxfh->indir && i < rss->table_len; i++)
		rxfh->indir[i] = rss->table[i];
	if (rxfh->key)
		memcpy(rxfh->key, rss->key, rss->key_len);
	rxfh->hfunc = ETH_RSS_HASH_TOP;
	return 0;
}

static u16 *virtnet_rss_table(const struct virtnet_rss *rss, const u32 *indir)
{
	unsigned int i;
	u16 *table;

	table = kcalloc(rss->table_len, sizeof(*table), GFP_KERNEL);
	if (!table)
		return NULL;
	for (i = 0; i < rss->table_len; i++)
		table[i] = indir[i];
	return table;
}

int virtnet_set_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh,
		     struct netlink_ext_ack *extack)
{
	struct virtnet *vn = netdev_priv(dev);
	struct virtnet_rss want = vn->state.rss;
	u16 *unused = NULL;
	int err;

	if (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	    rxfh->hfunc != ETH_RSS_HASH_TOP)
		return -EOPNOTSUPP;
	if (!rxfh->indir && !rxfh->key)
		return 0;
	if ((rxfh->indir && !want.has_rss) || (rxfh->key && !want.key_len))
		return -EOPNOTSUPP;

	if (rxfh->key)
		memcpy(want.key, rxfh->key, want.key_len);
	if (rxfh->indir) {
		want.table = virtnet_rss_table(&want, rxfh->indir);
		if (!want.table)
			return -ENOMEM;
		unused = vn->state.rss.table;
	}

	err = virtnet_rss_change(vn, &want);
	if (err && unused)
		unused = want.table;
	kfree(unused);
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "The device refused the RSS configuration");
	return err;
}

/*
 * ethtool -n, -N: rx-flow-hash
 */

static const struct virtnet_flow *virtnet_rss_flow(u32 flow)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtnet_flows); i++)
		if (virtnet_flows[i].flow == flow)
			return &virtnet_flows[i];
	return NULL;
}

int virtnet_get_rxfh_fields(struct net_device *dev,
			    struct ethtool_rxfh_fields *info)
{
	const struct virtnet_flow *flow = virtnet_rss_flow(info->flow_type);
	struct virtnet *vn = netdev_priv(dev);
	u32 types = vn->state.rss.types;

	info->data = 0;
	if (flow && (types & flow->l4))
		info->data = VIRTNET_RXH_L4;
	else if (flow && (types & flow->l3))
		info->data = VIRTNET_RXH_L3;
	return 0;
}

/* The hash types after @flow is hashed by the fields in @data; false if none do that. */
static bool virtnet_rss_types(const struct virtnet_flow *flow, u64 data,
			      u32 *types)
{
	*types &= ~(flow->l3 | flow->l4);
	if (data & RXH_DISCARD)
		return true;
	*types |= flow->l3;
	if (data == VIRTNET_RXH_L3)
		return true;
	*types |= flow->l4;
	return flow->l4 && data == VIRTNET_RXH_L4;
}

int virtnet_set_rxfh_fields(struct net_device *dev,
			    const struct ethtool_rxfh_fields *info,
			    struct netlink_ext_ack *extack)
{
	const struct virtnet_flow *flow = virtnet_rss_flow(info->flow_type);
	struct virtnet *vn = netdev_priv(dev);
	struct virtnet_rss want = vn->state.rss;

	if (!want.has_rss && !want.has_hash)
		return -EOPNOTSUPP;
	if (!flow || !virtnet_rss_types(flow, info->data, &want.types) ||
	    (want.types & ~want.types_supported)) {
		NL_SET_ERR_MSG_MOD(extack, "The device can't hash these fields of this flow type");
		return -EINVAL;
	}
	if (want.types == vn->state.rss.types)
		return 0;
	return virtnet_rss_change(vn, &want);
}
