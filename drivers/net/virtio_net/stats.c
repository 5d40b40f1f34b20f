// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Statistics for ethtool -S, ip -s, and netdev-genl.
 *
 * Queues are counted where they are used. ethtool -S shows the totals of receive and
 * send queues, the control queue, and then each receive and each send queue, with
 * the counters of the device behind those of the driver.
 */
#include <net/netdev_queues.h>

#include "virtio_net.h"

struct virtnet_counter {
	const char *name;
	size_t offset;
};

#define RX(field)	{ #field, offsetof(struct virtnet_rq_stats, field) }
#define TX(field)	{ #field, offsetof(struct virtnet_sq_stats, field) }

static const struct virtnet_counter virtnet_rx_counters[] = {
	RX(drops),
	RX(xdp_packets),
	RX(xdp_tx),
	RX(xdp_redirects),
	RX(xdp_drops),
	RX(kicks),
};

static const struct virtnet_counter virtnet_tx_counters[] = {
	TX(xdp_tx),
	TX(xdp_tx_drops),
	TX(kicks),
	TX(tx_timeouts),
};

static void virtnet_read_counters(const struct u64_stats_sync *syncp,
				  const void *stats,
				  const struct virtnet_counter *counters,
				  unsigned int num, u64 *data)
{
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(syncp);
		for (i = 0; i < num; i++)
			data[i] = u64_stats_read(stats + counters[i].offset);
	} while (u64_stats_fetch_retry(syncp, start));
}

/*
 * ethtool -S
 */

static unsigned int virtnet_rx_count(const struct virtnet *vn)
{
	return ARRAY_SIZE(virtnet_rx_counters) +
	       virtnet_hw_stats_count(vn, VIRTNET_VQ_RX);
}

static unsigned int virtnet_tx_count(const struct virtnet *vn)
{
	return ARRAY_SIZE(virtnet_tx_counters) +
	       virtnet_hw_stats_count(vn, VIRTNET_VQ_TX);
}

int virtnet_get_sset_count(struct net_device *dev, int sset)
{
	struct virtnet *vn = netdev_priv(dev);

	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return (virtnet_rx_count(vn) + virtnet_tx_count(vn)) *
	       (1 + virtnet_active_pairs(vn)) +
	       virtnet_hw_stats_count(vn, VIRTNET_VQ_CTRL);
}

static void virtnet_rx_names(const struct virtnet *vn, const char *prefix,
			     u8 **p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtnet_rx_counters); i++)
		ethtool_sprintf(p, "%s%s", prefix, virtnet_rx_counters[i].name);
	virtnet_hw_stats_names(vn, VIRTNET_VQ_RX, prefix, p);
}

static void virtnet_tx_names(const struct virtnet *vn, const char *prefix,
			     u8 **p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtnet_tx_counters); i++)
		ethtool_sprintf(p, "%s%s", prefix, virtnet_tx_counters[i].name);
	virtnet_hw_stats_names(vn, VIRTNET_VQ_TX, prefix, p);
}

void virtnet_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	struct virtnet *vn = netdev_priv(dev);
	unsigned int i, pairs = virtnet_active_pairs(vn);
	char prefix[16];

	if (sset != ETH_SS_STATS)
		return;

	virtnet_rx_names(vn, "rx_", &data);
	virtnet_tx_names(vn, "tx_", &data);
	virtnet_hw_stats_names(vn, VIRTNET_VQ_CTRL, "cq_", &data);
	for (i = 0; i < pairs; i++) {
		snprintf(prefix, sizeof(prefix), "rx%u_", i);
		virtnet_rx_names(vn, prefix, &data);
	}
	for (i = 0; i < pairs; i++) {
		snprintf(prefix, sizeof(prefix), "tx%u_", i);
		virtnet_tx_names(vn, prefix, &data);
	}
}

static void virtnet_rx_values(struct virtnet *vn, unsigned int i, u64 *data)
{
	const struct virtnet_rq_stats *stats = &vn->rq[i].stats;

	virtnet_read_counters(&stats->syncp, stats, virtnet_rx_counters,
			      ARRAY_SIZE(virtnet_rx_counters), data);
	virtnet_hw_stats_read(vn, VIRTNET_VQ_RX, 2 * i,
			      data + ARRAY_SIZE(virtnet_rx_counters));
}

static void virtnet_tx_values(struct virtnet *vn, unsigned int i, u64 *data)
{
	const struct virtnet_sq_stats *stats = &vn->sq[i].stats;

	virtnet_read_counters(&stats->syncp, stats, virtnet_tx_counters,
			      ARRAY_SIZE(virtnet_tx_counters), data);
	virtnet_hw_stats_read(vn, VIRTNET_VQ_TX, 2 * i + 1,
			      data + ARRAY_SIZE(virtnet_tx_counters));
}

static void virtnet_add_values(u64 *total, const u64 *data, unsigned int num)
{
	while (num--)
		total[num] += data[num];
}

void virtnet_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *s,
			       u64 *data)
{
	struct virtnet *vn = netdev_priv(dev);
	unsigned int rx = virtnet_rx_count(vn), tx = virtnet_tx_count(vn);
	unsigned int i, pairs = virtnet_active_pairs(vn);
	u64 *total_rx = data;
	u64 *total_tx = total_rx + rx;
	u64 *ctrl = total_tx + tx;

	memset(data, 0, (rx + tx) * sizeof(*data));
	virtnet_hw_stats_read(vn, VIRTNET_VQ_CTRL, 2 * vn->max_pairs, ctrl);
	data = ctrl + virtnet_hw_stats_count(vn, VIRTNET_VQ_CTRL);

	for (i = 0; i < pairs; i++, data += rx) {
		virtnet_rx_values(vn, i, data);
		virtnet_add_values(total_rx, data, rx);
	}
	for (i = 0; i < pairs; i++, data += tx) {
		virtnet_tx_values(vn, i, data);
		virtnet_add_values(total_tx, data, tx);
	}
}

/*
 * ip -s: all queues, as those that are not in use any more have counted, too
 */

enum { RX64_PACKETS, RX64_BYTES, RX64_DROPS, RX64_NUM };

static const struct virtnet_counter virtnet_rx64[RX64_NUM] = {
	[RX64_PACKETS] = RX(packets),
	[RX64_BYTES] = RX(bytes),
	[RX64_DROPS] = RX(drops),
};

enum { TX64_PACKETS, TX64_BYTES, TX64_TIMEOUTS, TX64_NUM };

static const struct virtnet_counter virtnet_tx64[TX64_NUM] = {
	[TX64_PACKETS] = TX(packets),
	[TX64_BYTES] = TX(bytes),
	[TX64_TIMEOUTS] = TX(tx_timeouts),
};

void virtnet_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot)
{
	struct virtnet *vn = netdev_priv(dev);
	u64 rx[RX64_NUM], tx[TX64_NUM];
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		virtnet_read_counters(&vn->rq[i].stats.syncp, &vn->rq[i].stats,
				      virtnet_rx64, RX64_NUM, rx);
		tot->rx_packets += rx[RX64_PACKETS];
		tot->rx_bytes += rx[RX64_BYTES];
		tot->rx_dropped += rx[RX64_DROPS];
		virtnet_read_counters(&vn->sq[i].stats.syncp, &vn->sq[i].stats,
				      virtnet_tx64, TX64_NUM, tx);
		tot->tx_packets += tx[TX64_PACKETS];
		tot->tx_bytes += tx[TX64_BYTES];
		tot->tx_errors += tx[TX64_TIMEOUTS];
	}
	tot->tx_dropped = DEV_STATS_READ(dev, tx_dropped);
	tot->tx_fifo_errors = DEV_STATS_READ(dev, tx_fifo_errors);
	tot->rx_length_errors = DEV_STATS_READ(dev, rx_length_errors);
	tot->rx_frame_errors = DEV_STATS_READ(dev, rx_frame_errors);
}

/*
 * netdev-genl
 */

enum { RXQ_PACKETS, RXQ_BYTES, RXQ_ALLOC_FAIL, RXQ_NUM };

static const struct virtnet_counter virtnet_rxq[RXQ_NUM] = {
	[RXQ_PACKETS] = RX(packets),
	[RXQ_BYTES] = RX(bytes),
	[RXQ_ALLOC_FAIL] = RX(alloc_fail),
};

enum { TXQ_PACKETS, TXQ_BYTES, TXQ_STOP, TXQ_WAKE, TXQ_NUM };

static const struct virtnet_counter virtnet_txq_counters[TXQ_NUM] = {
	[TXQ_PACKETS] = TX(packets),
	[TXQ_BYTES] = TX(bytes),
	[TXQ_STOP] = TX(stop),
	[TXQ_WAKE] = TX(wake),
};

static void virtnet_rxq_read(struct virtnet *vn, unsigned int i, u64 *data)
{
	virtnet_read_counters(&vn->rq[i].stats.syncp, &vn->rq[i].stats,
			      virtnet_rxq, RXQ_NUM, data);
}

static void virtnet_txq_read(struct virtnet *vn, unsigned int i, u64 *data)
{
	virtnet_read_counters(&vn->sq[i].stats.syncp, &vn->sq[i].stats,
			      virtnet_txq_counters, TXQ_NUM, data);
}

static void virtnet_get_queue_stats_rx(struct net_device *dev, int i,
				       struct netdev_queue_stats_rx *stats)
{
	struct virtnet *vn = netdev_priv(dev);
	u64 data[RXQ_NUM];

	virtnet_rxq_read(vn, i, data);
	stats->packets = data[RXQ_PACKETS];
	stats->bytes = data[RXQ_BYTES];
	stats->alloc_fail = data[RXQ_ALLOC_FAIL];
	virtnet_hw_qstats_read(vn, VIRTNET_VQ_RX, 2 * i, stats);
}

static void virtnet_get_queue_stats_tx(struct net_device *dev, int i,
				       struct netdev_queue_stats_tx *stats)
{
	struct virtnet *vn = netdev_priv(dev);
	u64 data[TXQ_NUM];

	virtnet_txq_read(vn, i, data);
	stats->packets = data[TXQ_PACKETS];
	stats->bytes = data[TXQ_BYTES];
	stats->stop = data[TXQ_STOP];
	stats->wake = data[TXQ_WAKE];
	virtnet_hw_qstats_read(vn, VIRTNET_VQ_TX, 2 * i + 1, stats);
}

/* Of queues that the stack does not use, such as those of XDP */
static void virtnet_get_base_stats(struct net_device *dev,
				   struct netdev_queue_stats_rx *rx,
				   struct netdev_queue_stats_tx *tx)
{
	u64 rx_sum[RXQ_NUM] = {}, tx_sum[TXQ_NUM] = {};
	struct virtnet *vn = netdev_priv(dev);
	u64 rx_data[RXQ_NUM], tx_data[TXQ_NUM];
	unsigned int i;

	for (i = dev->real_num_rx_queues; i < vn->max_pairs; i++) {
		virtnet_rxq_read(vn, i, rx_data);
		virtnet_add_values(rx_sum, rx_data, RXQ_NUM);
	}
	for (i = dev->real_num_tx_queues; i < vn->max_pairs; i++) {
		virtnet_txq_read(vn, i, tx_data);
		virtnet_add_values(tx_sum, tx_data, TXQ_NUM);
	}

	rx->packets = rx_sum[RXQ_PACKETS];
	rx->bytes = rx_sum[RXQ_BYTES];
	rx->alloc_fail = rx_sum[RXQ_ALLOC_FAIL];
	tx->packets = tx_sum[TXQ_PACKETS];
	tx->bytes = tx_sum[TXQ_BYTES];
	tx->stop = tx_sum[TXQ_STOP];
	tx->wake = tx_sum[TXQ_WAKE];
	virtnet_hw_qstats_zero(vn, VIRTNET_VQ_RX, rx);
	virtnet_hw_qstats_zero(vn, VIRTNET_VQ_TX, tx);
}

const struct netdev_stat_ops virtnet_stat_ops = {
	.get_queue_stats_rx	= virtnet_get_queue_stats_rx,
	.get_queue_stats_tx	= virtnet_get_queue_stats_tx,
	.get_base_stats		= virtnet_get_base_stats,
};
