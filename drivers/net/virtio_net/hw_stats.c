// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of the device (VIRTIO_NET_F_DEVICE_STATS, commands of class
 * VIRTIO_NET_CTRL_STATS).
 *
 * The device answers for a virtqueue with one record for each type of counters, in
 * any order. A record is taken if it is of the type and the queue that were asked
 * for, and as long as such a record is; there is no other use of what it says.
 */
#include <net/netdev_queues.h>

#include "virtio_net.h"

/* More than all records for a virtqueue take */
#define VIRTNET_REPLY_LEN	256

/**
 * struct virtnet_hw_stat - a counter of the device
 * @name: for ethtool, or NULL if it is for netdev-genl
 * @offset: in the record
 * @qstat: offset in struct netdev_queue_stats_rx or _tx, if @name is NULL
 */
struct virtnet_hw_stat {
	const char *name;
	u16 offset;
	u16 qstat;
};

#define NAMED(record, name, field) \
	{ name, offsetof(struct virtio_net_stats_##record, field) }
#define QSTAT(record, dir, field, to) \
	{ NULL, offsetof(struct virtio_net_stats_##record, dir##_##field), \
	  offsetof(struct netdev_queue_stats_##dir, to) }

static const struct virtnet_hw_stat virtnet_hw_cvq[] = {
	NAMED(cvq, "command_num", command_num),
	NAMED(cvq, "ok_num", ok_num),
};

static const struct virtnet_hw_stat virtnet_hw_rx_basic[] = {
	NAMED(rx_basic, "packets", rx_packets),
	NAMED(rx_basic, "bytes", rx_bytes),
	NAMED(rx_basic, "notifications", rx_notifications),
	NAMED(rx_basic, "interrupts", rx_interrupts),
	QSTAT(rx_basic, rx, drops, hw_drops),
	QSTAT(rx_basic, rx, drop_overruns, hw_drop_overruns),
};

static const struct virtnet_hw_stat virtnet_hw_rx_csum[] = {
	NAMED(rx_csum, "needs_csum", rx_needs_csum),
	QSTAT(rx_csum, rx, csum_valid, csum_unnecessary),
	QSTAT(rx_csum, rx, csum_none, csum_none),
	QSTAT(rx_csum, rx, csum_bad, csum_bad),
};

static const struct virtnet_hw_stat virtnet_hw_rx_gso[] = {
	QSTAT(rx_gso, rx, gso_packets, hw_gro_packets),
	QSTAT(rx_gso, rx, gso_bytes, hw_gro_bytes),
	QSTAT(rx_gso, rx, gso_packets_coalesced, hw_gro_wire_packets),
	QSTAT(rx_gso, rx, gso_bytes_coalesced, hw_gro_wire_bytes),
};

static const struct virtnet_hw_stat virtnet_hw_rx_speed[] = {
	NAMED(rx_speed, "ratelimit_bytes", rx_ratelimit_bytes),
	QSTAT(rx_speed, rx, ratelimit_packets, hw_drop_ratelimits),
};

static const struct virtnet_hw_stat virtnet_hw_tx_basic[] = {
	NAMED(tx_basic, "packets", tx_packets),
	NAMED(tx_basic, "bytes", tx_bytes),
	NAMED(tx_basic, "notifications", tx_notifications),
	NAMED(tx_basic, "interrupts", tx_interrupts),
	QSTAT(tx_basic, tx, drops, hw_drops),
	QSTAT(tx_basic, tx, drop_malformed, hw_drop_errors),
};

static const struct virtnet_hw_stat virtnet_hw_tx_csum[] = {
	QSTAT(tx_csum, tx, csum_none, csum_none),
	QSTAT(tx_csum, tx, needs_csum, needs_csum),
};

static const struct virtnet_hw_stat virtnet_hw_tx_gso[] = {
	NAMED(tx_gso, "gso_packets_noseg", tx_gso_packets_noseg),
	NAMED(tx_gso, "gso_bytes_noseg", tx_gso_bytes_noseg),
	QSTAT(tx_gso, tx, gso_packets, hw_gso_packets),
	QSTAT(tx_gso, tx, gso_bytes, hw_gso_bytes),
	QSTAT(tx_gso, tx, gso_segments, hw_gso_wire_packets),
	QSTAT(tx_gso, tx, gso_segments_bytes, hw_gso_wire_bytes),
};

static const struct virtnet_hw_stat virtnet_hw_tx_speed[] = {
	NAMED(tx_speed, "ratelimit_bytes", tx_ratelimit_bytes),
	QSTAT(tx_speed, tx, ratelimit_packets, hw_drop_ratelimits),
};

/**
 * struct virtnet_hw_record - a type of record
 * @vq: the type of virtqueue that has it
 * @type: its number, and that of its bit in the capabilities
 * @size: bytes, header included
 * @num: entries of @stats
 * @stats: counters that are reported
 */
struct virtnet_hw_record {
	enum virtnet_vq_type vq;
	u8 type;
	u16 size;
	u16 num;
	const struct virtnet_hw_stat *stats;
};

#define RECORD(vq, type, record) \
	{ VIRTNET_VQ_##vq, VIRTIO_NET_STATS_TYPE_REPLY_##type, \
	  sizeof(struct virtio_net_stats_##record), \
	  ARRAY_SIZE(virtnet_hw_##record), virtnet_hw_##record }

static const struct virtnet_hw_record virtnet_hw_records[] = {
	RECORD(CTRL, CVQ, cvq),
	RECORD(RX, RX_BASIC, rx_basic),
	RECORD(RX, RX_CSUM, rx_csum),
	RECORD(RX, RX_GSO, rx_gso),
	RECORD(RX, RX_SPEED, rx_speed),
	RECORD(TX, TX_BASIC, tx_basic),
	RECORD(TX, TX_CSUM, tx_csum),
	RECORD(TX, TX_GSO, tx_gso),
	RECORD(TX, TX_SPEED, tx_speed),
};

/**
 * struct virtnet_hw_reply - what the device has told of a virtqueue
 * @vq_index: which one
 * @len: bytes in @data
 * @data: records
 */
struct virtnet_hw_reply {
	u16 vq_index;
	size_t len;
	u8 data[VIRTNET_REPLY_LEN];
};

/* True if virtqueues of the type @vq have it on this device */
static bool virtnet_hw_has(const struct virtnet *vn, enum virtnet_vq_type vq,
			   const struct virtnet_hw_record *record)
{
	return record->vq == vq && vn->stats_cap & BIT_ULL(record->type);
}

void virtnet_hw_stats_init(struct virtnet *vn)
{
	struct virtio_net_stats_capabilities cap = {};
	int ret;

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_DEVICE_STATS))
		return;
	ret = virtnet_ctrl_query(vn, VIRTIO_NET_CTRL_STATS,
				 VIRTIO_NET_CTRL_STATS_QUERY, NULL, 0, &cap,
				 sizeof(cap));
	if (ret < 0)
		dev_warn(&vn->vdev->dev,
			 "no statistics of the device: error %d\n", ret);
	else
		vn->stats_cap = le64_to_cpu(cap.supported_stats_types[0]);
}

static void virtnet_hw_ask(struct virtnet *vn, enum virtnet_vq_type vq,
			   u16 vq_index, struct virtnet_hw_reply *reply)
{
	struct virtio_net_ctrl_queue_stats ask = {};
	u64 types = 0;
	unsigned int i;
	int ret;

	reply->vq_index = vq_index;
	reply->len = 0;
	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++)
		if (virtnet_hw_has(vn, vq, &virtnet_hw_records[i]))
			types |= BIT_ULL(virtnet_hw_records[i].type);
	if (!types)
		return;

	ask.stats[0].vq_index = cpu_to_le16(vq_index);
	ask.stats[0].types_bitmap[0] = cpu_to_le64(types);
	ret = virtnet_ctrl_query(vn, VIRTIO_NET_CTRL_STATS,
				 VIRTIO_NET_CTRL_STATS_GET, &ask, sizeof(ask),
				 reply->data, sizeof(reply->data));
	if (ret > 0)
		reply->len = ret;
}

/* The record in the reply, or NULL if there is no such one */
static const u8 *virtnet_hw_find(const struct virtnet_hw_reply *reply,
				 const struct virtnet_hw_record *record)
{
	struct virtio_net_stats_reply_hdr hdr;
	size_t at = 0, size;

	while (reply->len - at >= sizeof(hdr)) {
		memcpy(&hdr, reply->data + at, sizeof(hdr));
		size = le16_to_cpu(hdr.size);
		if (size < sizeof(hdr) || size > reply->len - at)
			break;
		if (hdr.type == record->type && size == record->size &&
		    le16_to_cpu(hdr.vq_index) == reply->vq_index)
			return reply->data + at;
		at += size;
	}
	return NULL;
}

static u64 virtnet_hw_value(const u8 *data, const struct virtnet_hw_stat *stat)
{
	__le64 value;

	if (!data)
		return 0;
	memcpy(&value, data + stat->offset, sizeof(value));
	return le64_to_cpu(value);
}

/*
 * ethtool
 */

static unsigned int virtnet_hw_named(const struct virtnet_hw_record *record)
{
	unsigned int i, count = 0;

	for (i = 0; i < record->num; i++)
		count += !!record->stats[i].name;
	return count;
}

unsigned int virtnet_hw_stats_count(const struct virtnet *vn,
				    enum virtnet_vq_type vq)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++)
		if (virtnet_hw_has(vn, vq, &virtnet_hw_records[i]))
			count += virtnet_hw_named(&virtnet_hw_records[i]);
	return count;
}

static void virtnet_hw_record_names(const struct virtnet_hw_record *record,
				    const char *prefix, u8 **p)
{
	unsigned int i;

	for (i = 0; i < record->num; i++)
		if (record->stats[i].name)
			ethtool_sprintf(p, "%shw_%s", prefix,
					record->stats[i].name);
}

void virtnet_hw_stats_names(const struct virtnet *vn, enum virtnet_vq_type vq,
			    const char *prefix, u8 **p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++)
		if (virtnet_hw_has(vn, vq, &virtnet_hw_records[i]))
			virtnet_hw_record_names(&virtnet_hw_records[i], prefix,
						p);
}

static u64 *virtnet_hw_record_values(const struct virtnet_hw_record *record,
				     const u8 *from, u64 *data)
{
	unsigned int i;

	for (i = 0; i < record->num; i++)
		if (record->stats[i].name)
			*data++ = virtnet_hw_value(from, &record->stats[i]);
	return data;
}

void virtnet_hw_stats_read(struct virtnet *vn, enum virtnet_vq_type vq,
			   u16 vq_index, u64 *data)
{
	const struct virtnet_hw_record *record = virtnet_hw_records;
	struct virtnet_hw_reply reply;
	unsigned int i;

	virtnet_hw_ask(vn, vq, vq_index, &reply);
	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++, record++)
		if (virtnet_hw_has(vn, vq, record))
			data = virtnet_hw_record_values(record,
							virtnet_hw_find(&reply,
									record),
							data);
}

/*
 * netdev-genl
 */

static void virtnet_hw_record_qstats(const struct virtnet_hw_record *record,
				     const u8 *from, void *stats)
{
	const struct virtnet_hw_stat *stat = record->stats;
	unsigned int i;

	for (i = 0; i < record->num; i++, stat++)
		if (!stat->name)
			*(u64 *)(stats + stat->qstat) = virtnet_hw_value(from,
									 stat);
}

/* What the device did not tell stays as unset as it was. */
void virtnet_hw_qstats_read(struct virtnet *vn, enum virtnet_vq_type vq,
			    u16 vq_index, void *stats)
{
	const struct virtnet_hw_record *record = virtnet_hw_records;
	struct virtnet_hw_reply reply;
	unsigned int i;
	const u8 *from;

	virtnet_hw_ask(vn, vq, vq_index, &reply);
	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++, record++) {
		if (!virtnet_hw_has(vn, vq, record))
			continue;
		from = virtnet_hw_find(&reply, record);
		if (from)
			virtnet_hw_record_qstats(record, from, stats);
	}
}

void virtnet_hw_qstats_zero(const struct virtnet *vn, enum virtnet_vq_type vq,
			    void *stats)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(virtnet_hw_records); i++)
		if (virtnet_hw_has(vn, vq, &virtnet_hw_records[i]))
			virtnet_hw_record_qstats(&virtnet_hw_records[i], NULL,
						 stats);
}
