/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_NET_VIRTIO_NET_QUEUE_H
#define _DRIVERS_NET_VIRTIO_NET_QUEUE_H
/*
 * A send queue and a receive queue: the structures, and what they are made of.
 *
 * What is needed for each packet comes first in them, and is on cache lines of its own.
 */
#include <linux/average.h>
#include <linux/dim.h>
#include <linux/if_vlan.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>
#include <linux/virtio.h>
#include <linux/virtio_net.h>
#include <net/xdp.h>

struct bpf_prog;
struct page_pool;
struct virtnet;
struct virtnet_rq;
struct virtnet_rx_batch;
struct virtnet_xsk_tx;
struct xsk_buff_pool;

/* A full frame without jumbo: what a receive buffer must hold at least */
#define VIRTNET_FRAME_LEN	(ETH_HLEN + VLAN_HLEN + ETH_DATA_LEN)
/* Frames up to this many bytes are copied out of their buffer. */
#define VIRTNET_COPY_LEN	128
/* Elements of the longest packet: header, linear part and fragments */
#define VIRTNET_TX_MAX_ELEMS	(MAX_SKB_FRAGS + 2)

/* All headers that a device may want in front of a packet (5.1.6) */
union virtnet_hdr {
	struct virtio_net_hdr plain;
	struct virtio_net_hdr_mrg_rxbuf merged;
	struct virtio_net_hdr_v1_hash hash;
};

/* Interrupt moderation of a queue (5.1.6.5.8), units as in the command */
struct virtnet_coal {
	u32 max_packets;
	u32 max_usecs;
};

struct virtnet_sq_stats {
	struct u64_stats_sync syncp;
	u64_stats_t kicks;
	u64_stats_t bytes;
	u64_stats_t packets;
	u64_stats_t wake;
	u64_stats_t stop;
	u64_stats_t xdp_tx_drops;
	u64_stats_t xdp_tx;
	u64_stats_t tx_timeouts;
};

struct virtnet_rq_stats {
	struct u64_stats_sync syncp;
	u64_stats_t kicks;
	u64_stats_t bytes;
	u64_stats_t packets;
	u64_stats_t drops;
	u64_stats_t xdp_drops;
	u64_stats_t xdp_redirects;
	u64_stats_t xdp_tx;
	u64_stats_t xdp_packets;
	u64_stats_t alloc_fail;
};

/* Tokens of send queues: what they point to, in the low bits; see tx.c */
enum virtnet_tx_tag {
	VIRTNET_TX_SKB,		/* BQL counts it */
	VIRTNET_TX_ORPHAN,
	VIRTNET_TX_FRAME,
	VIRTNET_TX_XSK,		/* not a pointer: a slot, shifted by 2 */
};

#define VIRTNET_TX_TAG_MASK	3UL

/**
 * struct virtnet_sq - a send queue
 * @vq: its virtqueue, under the transmit lock of its netdev queue
 * @vn: the device
 * @txq: the netdev queue of this number
 * @usable: packets may be added: up, not being reset, not broken. Under the
 *          transmit lock; checked by everyone who adds or wakes.
 * @napi_mode: skbs are freed by NAPI (BQL counts them), not orphaned; changes
 *             only while the device is down. @napi is enabled in either mode.
 * @ask_below: with fewer free elements an interrupt has to be asked for (again)
 * @timed_out: the stack has reported that it stands still, see virtnet_reset_work()
 * @xsk_pool: the AF_XDP socket pool it sends for, NULL if none
 * @xsk: completion state of @xsk_pool, see xsk.c
 * @napi: reclaims sent packets
 * @stats: written under the transmit lock
 * @coal: interrupt moderation, as the device has it
 * @name: name of the virtqueue, "output.N"
 */
struct virtnet_sq {
	struct virtqueue *vq;
	struct virtnet *vn;
	struct netdev_queue *txq;
	bool usable;
	bool napi_mode;
	bool timed_out;
	unsigned int ask_below;
	struct xsk_buff_pool *xsk_pool;
	struct virtnet_xsk_tx *xsk;
	struct napi_struct napi ____cacheline_aligned_in_smp;
	struct virtnet_sq_stats stats;

	struct virtnet_coal coal ____cacheline_aligned_in_smp;
	char name[16];
} ____cacheline_aligned_in_smp;

/**
 * struct virtnet_rx_kind - how buffers of a kind are posted and received
 * @name: for messages
 * @start: make what the queue needs for such buffers, and register
 *         @rq->xdp_rxq with the memory model of them; may sleep
 * @stop: undo @start; no buffer is posted or in use any more
 * @fill: post buffers until the ring is full, publish them once. 0, or
 *        -ENOMEM: NAPI polls again.
 * @receive: take at most @budget used packets to the stack or to the XDP
 *           program; returns how many
 * @free: give back a posted buffer that the device did not use
 *
 * Called for each batch, not for each packet. The kinds are small, big,
 * mergeable and, while an AF_XDP socket owns the queue, xsk.
 */
struct virtnet_rx_kind {
	const char *name;
	int (*start)(struct virtnet_rq *rq);
	void (*stop)(struct virtnet_rq *rq);
	int (*fill)(struct virtnet_rq *rq, gfp_t gfp);
	unsigned int (*receive)(struct virtnet_rq *rq, unsigned int budget,
				struct virtnet_rx_batch *batch);
	void (*free)(struct virtnet_rq *rq, void *token);
};

/**
 * struct virtnet_xdp - a packet for an XDP program
 * @xdp: the packet
 * @hdr: a copy of its header, as the program may overwrite what is in front of
 *       the packet
 */
struct virtnet_xdp {
	struct xdp_buff xdp;
	const union virtnet_hdr *hdr;
};

/* The most frames that XDP_TX sends under one lock and with one kick */
#define VIRTNET_XDP_BULK	16

/**
 * struct virtnet_rx_batch - what one NAPI poll has counted so far
 * @packets: received
 * @bytes: of these
 * @drops: could not be delivered
 * @xdp_packets: seen by the program
 * @xdp_tx: sent back by it
 * @xdp_redirects: redirected by it
 * @xdp_drops: dropped by it
 * @redirected: virtnet_xdp_flush() has to flush maps
 * @vx: the packet at hand
 * @frames_num: entries of @frames
 * @frames: to be sent by virtnet_xdp_flush(), or when there is a bulk of them
 */
struct virtnet_rx_batch {
	unsigned int packets;
	unsigned int bytes;
	unsigned int drops;
	unsigned int xdp_packets;
	unsigned int xdp_tx;
	unsigned int xdp_redirects;
	unsigned int xdp_drops;
	bool redirected;
	struct virtnet_xdp vx;
	unsigned int frames_num;
	struct xdp_frame *frames[VIRTNET_XDP_BULK];
};

/**
 * struct virtnet_rx_layout - how buffers in one piece are posted now
 * @bits: low bits of their tokens: size, room for XDP; see rx.h
 * @offset: where the device's part begins
 * @len: bytes of that
 */
struct virtnet_rx_layout {
	unsigned long bits;
	unsigned int offset;
	unsigned int len;
};

/**
 * struct virtnet_rx_cut - a page that is cut into receive buffers
 * @next: the next one
 * @bits: what sort they are; see rx.h
 * @size: of each
 * @left: how many there are; each has a reference to the page
 */
struct virtnet_rx_cut {
	void *next;
	unsigned long bits;
	unsigned int size;
	unsigned int left;
};

DECLARE_EWMA(virtnet_len, 0, 64)

/**
 * struct virtnet_rq - a receive queue
 * @vq: its virtqueue
 * @vn: the device
 * @kind: how buffers are made
 * @pool: where their memory comes from, NULL without page_pool
 * @small_pool: the same for XDP, and where there are no large pages
 * @prog: the XDP program, NULL if none
 * @avg_len: of packets; sizes the buffers of the mergeable kind
 * @min_len: what these hold at least
 * @layout: of the buffers that @kind posts
 * @unpublished: buffers that were posted again and are not published yet
 * @cut: memory that comes next
 * @kind_data: what @kind keeps for itself
 * @xsk_pool: the AF_XDP socket pool that owns the queue, NULL if none
 * @xdp_rxq: what XDP programs are told about the queue
 * @napi: receives
 * @stats: written by NAPI only
 * @dim: dynamic interrupt moderation
 * @dim_calls: interrupts for it
 * @dim_lock: see below
 * @coal: interrupt moderation, as the device has it; under @dim_lock
 * @dim_enabled: @dim decides on @coal; under @dim_lock
 * @name: name of the virtqueue, "input.N"
 */
struct virtnet_rq {
	struct virtqueue *vq;
	struct virtnet *vn;
	const struct virtnet_rx_kind *kind;
	struct page_pool *pool;
	struct page_pool *small_pool;
	struct bpf_prog __rcu *prog;
	struct ewma_virtnet_len avg_len;
	unsigned int min_len;
	struct virtnet_rx_layout layout;
	unsigned int unpublished;
	struct virtnet_rx_cut cut;
	void *kind_data;
	struct xsk_buff_pool *xsk_pool;
	struct xdp_rxq_info xdp_rxq;
	struct napi_struct napi ____cacheline_aligned_in_smp;
	struct virtnet_rq_stats stats;

	struct dim dim ____cacheline_aligned_in_smp;
	u16 dim_calls;
	bool dim_enabled;
	struct mutex dim_lock;		/* @coal, @dim_enabled */
	struct virtnet_coal coal;
	char name[16];
} ____cacheline_aligned_in_smp;

#endif /* _DRIVERS_NET_VIRTIO_NET_QUEUE_H */
