/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_NET_VIRTIO_NET_H
#define _DRIVERS_NET_VIRTIO_NET_H
/*
 * The network driver's structures, and who may call whom.
 *
 * Each file has one idea. Calls go from left to right only, never back:
 *
 *	../virtio_net.c -> facts, netdev, ethtool -> state, queues, stats
 *	state -> rss, coalesce, hw_stats -> ctrl
 *	queues -> affinity, coalesce, rx, tx, xsk
 *	rx -> rx_small, rx_big, rx_mergeable, xsk -> rx_memory
 *	rx_* -> xdp -> tx
 *	netdev -> bpf -> state, queues
 *	all -> link
 *
 * Locks, outermost first: RTNL for all that configures; the mutex of
 * struct virtnet_ctrl for a command; a send queue's netdev transmit lock for
 * its virtqueue. A receive queue belongs to its NAPI, or to the holder of RTNL
 * while the NAPI is disabled.
 *
 * Section numbers refer to the Virtual I/O Device (VIRTIO) specification,
 * version 1.2.
 */
#include <linux/bitmap.h>
#include <linux/ethtool.h>
#include <linux/workqueue.h>

#include "queue.h"

struct failover;

/**
 * struct virtnet_ctrl - the control queue (5.1.6.5)
 * @vq: NULL without VIRTIO_NET_F_CTRL_VQ
 * @lock: for one command at a time
 * @late: a command that the device has not answered in time: its memory is the
 *        device's until it does. NULL if there is none.
 * @late_work: waits for the answer to @late, and then has the wanted state
 *             applied, as nobody knows what the device did
 */
struct virtnet_ctrl {
	struct virtqueue *vq;
	struct mutex lock;		/* one command at a time */
	struct virtnet_cmd *late;
	struct delayed_work late_work;
};

/**
 * struct virtnet_rss - what decides on the queue of a received packet (5.1.6.5.7)
 * @has_rss: the device spreads packets
 * @has_hash: and tells the hash with each packet
 * @types_supported: VIRTIO_NET_RSS_HASH_TYPE_* of the device that we know
 * @types: the desired ones
 * @hash_on: report hashes (NETIF_F_RXHASH)
 * @key_len: bytes of the key, at most NETDEV_RSS_KEY_LEN
 * @table_len: entries, a power of two
 * @key: the key
 * @table: queue of each entry
 */
struct virtnet_rss {
	bool has_rss;
	bool has_hash;
	u32 types_supported;
	u32 types;
	bool hash_on;
	u8 key_len;
	u16 table_len;
	u8 key[NETDEV_RSS_KEY_LEN];
	u16 *table;
};

/**
 * struct virtnet_state - what the administrator wants, under RTNL
 * @vlans: VLAN ids let through; MAC, lists and modes are in the net_device
 * @pairs: queue pairs in use by the stack
 * @xdp_pairs: further pairs for lock-free XDP transmit
 * @offloads: guest offloads wanted (mask of feature bits), as if no program
 *            were attached
 * @rx_num: ring size of receive queues, 0 for the device's choice
 * @tx_num: the same for send queues
 * @tx_coal: interrupt moderation of new send queues
 * @rx_coal: the same for receive queues
 * @rx_dim: dynamic moderation of all receive queues
 * @rss: RSS table, key, fields
 * @prog: the XDP program, NULL if none
 *
 * virtnet_apply_all() makes the device so: in probe, resume and recovery.
 */
struct virtnet_state {
	DECLARE_BITMAP(vlans, VLAN_N_VID);
	u16 pairs;
	u16 xdp_pairs;
	u64 offloads;
	u32 rx_num;
	u32 tx_num;
	struct virtnet_coal tx_coal;
	struct virtnet_coal rx_coal;
	bool rx_dim;
	struct virtnet_rss rss;
	struct bpf_prog *prog;
};

/**
 * struct virtnet - a network device
 * @vdev: the virtio device
 * @dev: the net_device; this is its private data
 * @sq: send queues, @max_pairs of them
 * @rq: receive queues
 * @kind: of receive buffers, by what was negotiated
 * @hdr_len: bytes of the header in front of each packet
 * @header_anywhere: header and data may share an element
 * @big_frags: pieces of a big buffer after the first, at most
 * @little_endian: byte order of the header
 * @max_pairs: queue pairs of the device
 * @state: what is wanted
 * @ctrl: the control queue
 * @offloads_applied: guest offloads that the device has, U64_MAX if unknown
 * @offloads_capable: guest offloads that can be switched
 * @stats_cap: VIRTIO_NET_STATS_TYPE_* of the device
 * @speed: of the link, or SPEED_UNKNOWN
 * @duplex: of the link
 * @config_work: a configuration change
 * @rx_mode_work: apply rx mode and lists, or all there is if @apply_all
 * @apply_all: a late answer came, see &struct virtnet_ctrl
 * @reset_work: recovery after a transmit timeout
 * @next_reset: when it may have the device reset again, in jiffies
 * @up: queues are in use: between virtnet_queues_up() and _down(); under RTNL
 * @lost: 1: the device broke the rules, or is gone
 * @node: CPU hotplug instance
 * @failover: for a standby device
 *
 * Nothing here is written for each packet. Queues and their counters live as long
 * as the net_device, their virtqueues don't: they are NULL while the device is
 * suspended, and if it did not come back.
 */
struct virtnet {
	struct virtio_device *vdev;
	struct net_device *dev;
	struct virtnet_sq *sq;
	struct virtnet_rq *rq;
	const struct virtnet_rx_kind *kind;
	u8 hdr_len;
	bool header_anywhere;
	bool little_endian;
	u16 big_frags;
	u16 max_pairs;

	struct virtnet_state state;
	struct virtnet_ctrl ctrl;
	u64 offloads_applied;
	u64 offloads_capable;
	u64 stats_cap;
	u32 speed;
	u8 duplex;

	struct work_struct config_work;
	struct work_struct rx_mode_work;
	struct work_struct reset_work;
	unsigned long next_reset;
	bool apply_all;
	bool up;
	int lost;
	struct hlist_node node;
	struct failover *failover;
};

/* rx queue i is virtqueue 2i, send queue i is 2i + 1 (5.1.2). */
static inline unsigned int virtnet_rx_index(const struct virtqueue *vq)
{
	return vq->index / 2;
}

static inline unsigned int virtnet_tx_index(const struct virtqueue *vq)
{
	return vq->index / 2;
}

static inline struct virtnet_rq *virtnet_vq_to_rq(const struct virtqueue *vq)
{
	struct virtnet *vn = vq->vdev->priv;

	return &vn->rq[virtnet_rx_index(vq)];
}

static inline struct virtnet_sq *virtnet_vq_to_sq(const struct virtqueue *vq)
{
	struct virtnet *vn = vq->vdev->priv;

	return &vn->sq[virtnet_tx_index(vq)];
}

/* Pairs that the device uses; any further ones are idle. Under RTNL. */
static inline unsigned int virtnet_active_pairs(const struct virtnet *vn)
{
	return vn->state.pairs + vn->state.xdp_pairs;
}

/* module parameters, ../virtio_net.c */
extern int virtnet_napi_weight;
extern bool virtnet_napi_tx;
extern bool virtnet_csum;
extern bool virtnet_gso;

/* facts.c: what follows from features and configuration, at probe */
u16 virtnet_read_pairs(struct virtio_device *vdev);
u16 virtnet_read_mtu(struct virtio_device *vdev);
int virtnet_facts(struct virtnet *vn);

/* ctrl.c: one command at a time; may sleep */
void virtnet_ctrl_init(struct virtnet *vn);
/* The device was reset, its queues are about to go. */
void virtnet_ctrl_stop(struct virtnet *vn);
/* @data: @len bytes that the device reads; 0, -EINVAL (refused), -ETIMEDOUT, -EBUSY
 * (an earlier one has not been answered), -EIO (broken), -ENOMEM, -EOPNOTSUPP (no
 * control queue)
 */
int virtnet_ctrl_command(struct virtnet *vn, u8 class, u8 cmd,
			 const void *data, size_t len);
/* The same with a reply of at most @reply_len bytes: the number of bytes that the
 * device wrote, or an error.
 */
int virtnet_ctrl_query(struct virtnet *vn, u8 class, u8 cmd, const void *data,
		       size_t len, void *reply, size_t reply_len);

/* state.c: make the device what is wanted; all under RTNL */
int virtnet_apply_mac(struct virtnet *vn, const u8 *addr);
int virtnet_apply_rx_mode(struct virtnet *vn);
int virtnet_apply_vlan(struct virtnet *vn, u16 vid, bool add);
/* @pairs: state.pairs + state.xdp_pairs that are going to be; by MQ, or RSS */
int virtnet_apply_pairs(struct virtnet *vn, u16 pairs);
/*
 * What the device should have now: state.offloads, or none if
 * virtnet_offloads_forbidden(). Nothing is sent if it has that already.
 */
int virtnet_apply_offloads(struct virtnet *vn, u64 offloads);
/* All of it; what fails is reported. offloads_applied is what the device has. */
void virtnet_apply_all(struct virtnet *vn);

/* rss.c */
int virtnet_rss_init(struct virtnet *vn);	/* reads the configuration */
void virtnet_rss_free(struct virtnet *vn);
void virtnet_rss_spread(struct virtnet *vn, u16 pairs);	/* default table */
/*
 * Send the RSS configuration with @pairs send queues in use (XDP's included), or
 * without RSS the hash configuration. 0 if the device has neither.
 */
int virtnet_rss_apply(struct virtnet *vn, u16 pairs);
int virtnet_rss_set_hash_on(struct virtnet *vn, bool on);
u32 virtnet_rss_key_size(struct net_device *dev);
u32 virtnet_rss_table_size(struct net_device *dev);
int virtnet_get_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh);
int virtnet_set_rxfh(struct net_device *dev, struct ethtool_rxfh_param *rxfh,
		     struct netlink_ext_ack *extack);
int virtnet_get_rxfh_fields(struct net_device *dev,
			    struct ethtool_rxfh_fields *info);
int virtnet_set_rxfh_fields(struct net_device *dev,
			    const struct ethtool_rxfh_fields *info,
			    struct netlink_ext_ack *extack);

/* coalesce.c */
int virtnet_coalesce_init(struct virtnet *vn);
void virtnet_coalesce_free(struct virtnet *vn);
int virtnet_coalesce_apply(struct virtnet *vn);	/* all queues */
int virtnet_coalesce_apply_rq(struct virtnet_rq *rq);	/* one, after a reset */
int virtnet_coalesce_apply_sq(struct virtnet_sq *sq);
void virtnet_dim_start(struct virtnet_rq *rq);		/* queue goes up */
void virtnet_dim_stop(struct virtnet_rq *rq);		/* queue goes down */
void virtnet_dim_update(struct virtnet_rq *rq);		/* by NAPI, end of a poll */
int virtnet_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
			 struct kernel_ethtool_coalesce *kernel_ec,
			 struct netlink_ext_ack *extack);
int virtnet_set_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
			 struct kernel_ethtool_coalesce *kernel_ec,
			 struct netlink_ext_ack *extack);
int virtnet_get_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *ec);
int virtnet_set_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *ec);

/* hw_stats.c: counters of the device (VIRTIO_NET_F_DEVICE_STATS) */
enum virtnet_vq_type {
	VIRTNET_VQ_RX,
	VIRTNET_VQ_TX,
	VIRTNET_VQ_CTRL,
};

void virtnet_hw_stats_init(struct virtnet *vn);		/* what it has */
/* For ethtool -S: how many there are for each queue of a type, their names with
 * @prefix, and the values of one virtqueue, 0 where the device has told none.
 */
unsigned int virtnet_hw_stats_count(const struct virtnet *vn,
				    enum virtnet_vq_type type);
void virtnet_hw_stats_names(const struct virtnet *vn,
			    enum virtnet_vq_type type, const char *prefix,
			    u8 **p);
void virtnet_hw_stats_read(struct virtnet *vn, enum virtnet_vq_type type,
			   u16 vq_index, u64 *data);
/* The same for a struct netdev_queue_stats_rx or _tx; _zero: those the device has */
void virtnet_hw_qstats_read(struct virtnet *vn, enum virtnet_vq_type type,
			    u16 vq_index, void *stats);
void virtnet_hw_qstats_zero(const struct virtnet *vn,
			    enum virtnet_vq_type type, void *stats);

/* stats.c */
void virtnet_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot);
int virtnet_get_sset_count(struct net_device *dev, int sset);
void virtnet_get_strings(struct net_device *dev, u32 sset, u8 *data);
void virtnet_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *s,
			       u64 *data);
extern const struct netdev_stat_ops virtnet_stat_ops;

/* ethtool.c */
extern const struct ethtool_ops virtnet_ethtool_ops;

/* netdev.c */
extern const struct net_device_ops virtnet_netdev_ops;
void virtnet_config_changed(struct virtio_device *vdev);
void virtnet_config_work(struct work_struct *work);
void virtnet_rx_mode_work(struct work_struct *work);
/* mergeable_rx_buffer_size of each receive queue */
void virtnet_netdev_sysfs(struct net_device *dev);

/* ../virtio_net.c */
void virtnet_reset_work(struct work_struct *work);

/* link.c: what the stack is told of the link */
void virtnet_link_update(struct virtnet *vn);	/* may sleep; under RTNL */
bool virtnet_needs_reset(const struct virtnet *vn);	/* may sleep */
/*
 * The device broke the rules or is gone: one message, and no carrier from now on.
 * In any context. Whoever notices sets its own queue's usable to false.
 */
void virtnet_lost(struct virtnet *vn, const char *why);

/* queues.c */
int virtnet_queues_alloc(struct virtnet *vn);		/* the arrays */
void virtnet_queues_free(struct virtnet *vn);
int virtnet_queues_create(struct virtnet *vn);		/* the virtqueues */
void virtnet_queues_destroy(struct virtnet *vn);	/* after device reset */
void virtnet_queues_up(struct virtnet *vn);		/* open */
void virtnet_queues_down(struct virtnet *vn);		/* stop */
/* Nobody receives on, or sends with, the queue in between; RTNL. */
void virtnet_rx_pause(struct virtnet_rq *rq);
void virtnet_rx_resume(struct virtnet_rq *rq);
void virtnet_tx_pause(struct virtnet_sq *sq);
void virtnet_tx_resume(struct virtnet_sq *sq);
/*
 * New size, or 0 to reset at the present size: after a reset no buffer is the
 * device's, even if it fails, as then the device was reset as a whole.
 */
int virtnet_rx_resize(struct virtnet_rq *rq, u32 num);
int virtnet_tx_resize(struct virtnet_sq *sq, u32 num);
/*
 * @kind takes the queue over; all posted buffers of the old one are freed. To the
 * kind of the device it always works, as the memory of an AF_XDP pool is gone next:
 * a device that does not give the queue back is reset as a whole. There may be no
 * virtqueue, and the device may be lost.
 */
int virtnet_rx_set_kind(struct virtnet_rq *rq, const struct virtnet_rx_kind *kind);
/* Give all queues of a new device the wanted sizes; before virtnet_queues_up(). */
void virtnet_queues_apply_sizes(struct virtnet *vn);
/* The first @pairs have buffers before the device learns that it may use them. */
void virtnet_queues_fill(struct virtnet *vn, unsigned int pairs);

/* affinity.c: which CPUs a queue belongs to */
void virtnet_set_affinity(struct virtnet *vn);
void virtnet_clear_affinity(struct virtnet *vn);
int virtnet_hotplug_init(void);
void virtnet_hotplug_exit(void);
int virtnet_hotplug_add(struct virtnet *vn);
void virtnet_hotplug_remove(struct virtnet *vn);

/* rx.c */
void virtnet_rx_interrupt(struct virtqueue *vq);
int virtnet_rx_poll(struct napi_struct *napi, int budget);
void virtnet_rx_recycle(struct virtqueue *vq, void *token);
void virtnet_rx_free_unused(struct virtnet_rq *rq);
int virtnet_rx_fill(struct virtnet_rq *rq, gfp_t gfp);
/* For kinds, at the end of a fill: publish, and count a kick. */
void virtnet_rx_kick(struct virtnet_rq *rq);
/* A complete packet goes to the stack; consumes @skb. */
void virtnet_rx_deliver(struct virtnet_rq *rq, struct sk_buff *skb,
			const union virtnet_hdr *hdr,
			struct virtnet_rx_batch *batch);
extern const struct virtnet_rx_kind virtnet_rx_small;
extern const struct virtnet_rx_kind virtnet_rx_big;
extern const struct virtnet_rx_kind virtnet_rx_mergeable;
unsigned int virtnet_mergeable_buf_len(struct virtnet_rq *rq);	/* for sysfs */

/* tx.c */
netdev_tx_t virtnet_start_xmit(struct sk_buff *skb, struct net_device *dev);
void virtnet_tx_interrupt(struct virtqueue *vq);
int virtnet_tx_poll(struct napi_struct *napi, int budget);
/* Wake the netdev queue if @sq is usable and has room; under the transmit lock. */
void virtnet_tx_wake(struct virtnet_sq *sq);
/* Free what was sent; under the transmit lock. */
void virtnet_tx_reclaim(struct virtnet_sq *sq, bool in_napi);
/* The receive side's NAPI does the work of its pair, if the lock is free. */
void virtnet_tx_reclaim_pair(struct virtnet_rq *rq, int budget);
void virtnet_tx_recycle(struct virtqueue *vq, void *token);
void virtnet_tx_recycle_done(struct virtqueue *vq);
void virtnet_tx_free_unused(struct virtnet_sq *sq);
/*
 * A frame that was received by an AF_XDP socket, or comes from a driver without
 * headroom, has no room for a header: ZERO_PAGE(0) is one, as an element of its own.
 */
int virtnet_tx_add_frame(struct virtnet_sq *sq, struct xdp_frame *frame);
/* Without @flush the device does not see them before the next call with it. */
void virtnet_tx_end_frames(struct virtnet_sq *sq, bool flush);

/* xdp.c: programs run */
int virtnet_xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		     u32 flags);
/*
 * Run @prog on a packet. XDP_PASS: the packet may have moved, make an skb of it.
 * XDP_DROP: the caller frees it. XDP_TX, XDP_REDIRECT: it is somebody else's now.
 * All is counted here.
 */
u32 virtnet_xdp_run(struct virtnet_rq *rq, struct bpf_prog *prog,
		    struct virtnet_xdp *vx, struct virtnet_rx_batch *batch);
/* At the end of each poll, in the same softirq */
void virtnet_xdp_flush(struct virtnet_rq *rq, struct virtnet_rx_batch *batch);
extern const struct xdp_metadata_ops virtnet_xdp_metadata_ops;

/* bpf.c: programs and AF_XDP pools come and go, under RTNL */
int virtnet_bpf(struct net_device *dev, struct netdev_bpf *bpf);
/* NETDEV_XDP_ACT_* for dev->xdp_features at probe */
xdp_features_t virtnet_xdp_features(const struct virtnet *vn);
/* Guest offloads are to be off, as a program or a pool is attached. */
bool virtnet_offloads_forbidden(const struct virtnet *vn);
/* The largest MTU that what is attached can do, dev->max_mtu if nothing is */
unsigned int virtnet_xdp_max_mtu(const struct virtnet *vn);

/* xsk.c: AF_XDP zero copy */
extern const struct virtnet_rx_kind virtnet_rx_xsk;
int virtnet_xsk_wakeup(struct net_device *dev, u32 qid, u32 flags);
/* Memory for sending from pools, and its end: no frame is in flight any more. */
struct virtnet_xsk_tx *virtnet_xsk_tx_alloc(struct virtnet_sq *sq);
void virtnet_xsk_tx_free(struct virtnet_xsk_tx *xsk);
/*
 * By the tx NAPI, under the transmit lock, after a reclaim, if there is
 * sq->xsk_pool: send what the socket has, and kick. True if there is more than
 * @budget: poll again.
 */
bool virtnet_xsk_tx(struct virtnet_sq *sq, int budget);
/*
 * A VIRTNET_TX_XSK token came back, from reclaim or recycle; returns the length of
 * the frame. The tx NAPI tells the socket: who reclaims elsewhere and finds one
 * schedules it.
 */
unsigned int virtnet_xsk_tx_done(struct virtnet_sq *sq, void *token);

#endif /* _DRIVERS_NET_VIRTIO_NET_H */
