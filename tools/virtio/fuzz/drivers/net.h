/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_NET_H
#define TOOLS_VIRTIO_FUZZ_NET_H
/*
 * What virtio_net needs of the network stack. A packet's memory is its own, so that
 * each byte beyond it is found: see stack.c.
 */
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#include <linux/bitmap.h>
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include "shims.h"
#include <uapi/linux/if_ether.h>
#include <uapi/linux/ethtool.h>
#include <uapi/linux/udp.h>
#include <uapi/linux/virtio_net.h>

/* Shifts a sign out */
#undef RXH_DISCARD
#define RXH_DISCARD		(1U << 31)

/* Differs, too; struct page is what it is in tools/include. */
#undef PAGE_SIZE
#define PAGE_SIZE		stack_page_size
extern unsigned long stack_page_size;

#define __rcu
#define struct_size_t(type, member, n) \
	(sizeof(type) + (n) * sizeof_field(type, member[0]))
#define rcu_access_pointer(p)	(p)
#define rcu_dereference_bh(p)	(p)
#define synchronize_net()	((void)(stack_polls_ended = true))
#define smp_processor_id()	0
#define num_online_cpus()	2U
#define local_bh_disable()	do { } while (0)
#define local_bh_enable()	do { } while (0)
#define cond_resched()		do { } while (0)
#define dma_get_cache_alignment() 64
#undef strscpy
#define strscpy(to, from, n)	snprintf(to, n, "%s", from)
#define module_param_named(name, value, type, mode) \
	typeof(value) *target_##name = &(value)
#define __cpu_to_virtio16(little, v)	((__force __virtio16)(u16)(v))
#define __virtio16_to_cpu(little, v)	((__force u16)(v))
#define kvcalloc(n, size, gfp)	kcalloc(n, size, gfp)

int target_init(void);

/* Time passes when the driver waits. */
void host_wait(void);
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define jiffies_to_msecs(j)	((unsigned int)(j) * 10)
#define udelay(us)		do { jiffies++; host_wait(); } while (0)
#define usleep_range(min, max)	do { jiffies += 1 + (max) / 10; host_wait(); } while (0)

/*
 * False from napi_disable() on: who polls may have completed its NAPI, and not be back
 * yet.
 */
extern bool stack_polls_ended;

/* Works; what is delayed waits until the target says that it is due. */

#define schedule_work(w)	queue_work(NULL, w)
#undef cancel_delayed_work_sync
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay);
#define cancel_delayed_work_sync(w) stack_cancel_delayed(w)
bool stack_cancel_delayed(struct delayed_work *work);
#define enable_work(w)		((w)->disabled--)

extern spinlock_t rtnl;
#define rtnl_lock()		spin_lock(&rtnl)
#define rtnl_unlock()		spin_unlock(&rtnl)

/* Statistics */

/**
 * struct u64_stats_sync - of some counters
 * @lock: who writes them has to hold it, if it is known
 */
struct u64_stats_sync {
	const spinlock_t *lock;
};

typedef struct {
	u64 v;
} u64_stats_t;

#define u64_stats_init(s)	do { } while (0)
#define u64_stats_update_begin(s) \
	check(!(s)->lock || (s)->lock->locked, "counters are written without their lock")
#define u64_stats_update_end(s)	do { } while (0)
#define u64_stats_update_begin_irqsave(s) 0UL
#define u64_stats_update_end_irqrestore(s, flags) ((void)(flags))
#define u64_stats_add(p, n)	((p)->v += (n))
#define u64_stats_inc(p)	((p)->v++)
#define u64_stats_read(p)	((p)->v)

#define DECLARE_EWMA(name, precision, weight)				\
	struct ewma_##name { unsigned long avg; };			\
	static inline void ewma_##name##_init(struct ewma_##name *e)	\
	{ e->avg = 0; }							\
	static inline void ewma_##name##_add(struct ewma_##name *e, unsigned long v) \
	{ e->avg = e->avg ? (e->avg * ((weight) - 1) + v) / (weight) : v; } \
	static inline unsigned long ewma_##name##_read(struct ewma_##name *e) \
	{ return e->avg; }

/* Dynamic interrupt moderation: it has an opinion, sometimes. */

struct dim {
	struct work_struct work;
	u8 state;
	u8 profile_ix;
};

struct dim_sample {
	u16 event_ctr;
};

struct dim_cq_moder {
	u16 usec;
	u16 pkts;
};

#define DIM_START_MEASURE	0
#define DIM_PROFILE_RX		1
#define DIM_COALESCE_USEC	1
#define DIM_COALESCE_PKTS	2
#define DIM_CQ_PERIOD_MODE_START_FROM_EQE 0

struct net_device;

int net_dim_init_irq_moder(struct net_device *dev, u8 profile, u8 coal, u8 rx_mode,
			   u8 tx_mode, void (*rx)(struct work_struct *work),
			   void (*tx)(struct work_struct *work));
void net_dim_free_irq_moder(struct net_device *dev);
void net_dim_setting(struct net_device *dev, struct dim *dim, bool is_tx);
/* Who still polls may start it once more. */
#define net_dim_work_cancel(dim) do {					\
	check(stack_polls_ended, "a work is stopped before who starts it"); \
	cancel_work_sync(&(dim)->work);					\
} while (0)
struct dim_cq_moder net_dim_get_rx_irq_moder(struct net_device *dev,
					     struct dim *dim);
void net_dim(struct dim *dim, struct dim_sample sample);
#define dim_update_sample(event, packets, bytes, s) ((s)->event_ctr = (event))

/* Packets */

/* Differs from machine to machine */
extern unsigned int stack_ip_align;

#define MAX_SKB_FRAGS		17
#define NET_SKB_PAD		64
#define NET_IP_ALIGN		stack_ip_align
#define SKB_DATA_ALIGN(x)	ALIGN(x, 64)
#define CHECKSUM_NONE		0
#define CHECKSUM_UNNECESSARY	1
#define CHECKSUM_PARTIAL	3
#define SKB_GSO_UDP_L4		(1 << 17)

typedef struct {
	struct page *page;
	unsigned int len;
	unsigned int offset;
} skb_frag_t;

/* A new packet has all up to the size for XDP cleared. */
struct skb_shared_info {
	u8 nr_frags;
	unsigned int gso_type;
	struct sk_buff *frag_list;
	unsigned int xdp_frags_size;
	skb_frag_t frags[MAX_SKB_FRAGS];
};

/**
 * struct sk_buff - a packet
 * @buffer: @head is a receive buffer, not memory of its own
 * @cb: for whoever has it
 */
struct sk_buff {
	struct sk_buff *next;
	unsigned char *head;
	unsigned char *data;
	unsigned int size;
	unsigned int len;
	unsigned int data_len;
	unsigned int truesize;
	u16 queue_mapping;
	u8 ip_summed;
	__be16 protocol;
	u32 hash;
	bool buffer;
	bool gso;
	bool cloned;
	char cb[48] __aligned(8);
};

#define skb_shinfo(skb) \
	((struct skb_shared_info *)((skb)->head + (skb)->size - \
				    SKB_DATA_ALIGN(sizeof(struct skb_shared_info))))
#define skb_headlen(skb)	((skb)->len - (skb)->data_len)
#define skb_is_nonlinear(skb)	((skb)->data_len)
#define skb_headroom(skb)	((unsigned int)((skb)->data - (skb)->head))
#define skb_is_gso(skb)		((skb)->gso)
#define skb_header_cloned(skb)	((skb)->cloned)
#define skb_frag_page(f)	((f)->page)
#define skb_frag_off(f)		((f)->offset)
#define skb_frag_size(f)	((f)->len)
#define skb_transport_offset(skb) 34
#define skb_tcp_all_headers(skb) 54
#define skb_mark_for_recycle(skb) do { } while (0)
#define skb_metadata_set(skb, n) do { } while (0)
#define skb_set_hash(skb, value, type) ((skb)->hash = (value), (void)(type))
#define skb_record_rx_queue(skb, n) do { } while (0)
#define skb_tx_timestamp(skb)	do { } while (0)
#define skb_orphan_frags(skb, gfp) 0
#define skb_orphan(skb)		do { } while (0)
#define skb_dst_drop(skb)	do { } while (0)
#define nf_reset_ct(skb)	do { } while (0)
#define skb_get_queue_mapping(skb) ((skb)->queue_mapping)
#define virt_to_head_page(p)	virt_to_page(p)
#define page_is_pfmemalloc(page) false
#define page_pool_get_dma_addr(page) ((void)(page), (dma_addr_t)0)

enum pkt_hash_types {
	PKT_HASH_TYPE_NONE,
	PKT_HASH_TYPE_L2,
	PKT_HASH_TYPE_L3,
	PKT_HASH_TYPE_L4,
};

struct napi_struct;

struct sk_buff *napi_alloc_skb(struct napi_struct *napi, unsigned int len);
struct sk_buff *napi_build_skb(void *data, unsigned int size);
void skb_reserve(struct sk_buff *skb, unsigned int len);
void *__skb_put(struct sk_buff *skb, unsigned int len);
void skb_put_data(struct sk_buff *skb, const void *data, unsigned int len);
void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int off,
		     int size, unsigned int truesize);
bool skb_can_coalesce(struct sk_buff *skb, int i, const struct page *page, int off);
void skb_coalesce_rx_frag(struct sk_buff *skb, int i, int size, unsigned int truesize);
int skb_linearize(struct sk_buff *skb);
void kfree_skb(struct sk_buff *skb);
#define dev_kfree_skb_any(skb)	kfree_skb(skb)
#define napi_consume_skb(skb, budget) ((void)(budget), kfree_skb(skb))
int virtio_net_hdr_to_skb(struct sk_buff *skb, const struct virtio_net_hdr *hdr,
			  bool little_endian);
int virtio_net_hdr_from_skb(const struct sk_buff *skb, struct virtio_net_hdr *hdr,
			    bool little_endian, bool has_data_valid, int vlan_len);
void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);
__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);

/* XDP */

#define XDP_ABORTED		0
#define XDP_DROP		1
#define XDP_PASS		2
#define XDP_TX			3
#define XDP_REDIRECT		4
#define XDP_XMIT_FLUSH		1U
#define XDP_XMIT_FLAGS_MASK	XDP_XMIT_FLUSH
#define XDP_PACKET_HEADROOM	256
typedef u32 xdp_features_t;

struct bpf_prog_aux {
	bool xdp_has_frags;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct xdp_rxq_info {
	struct net_device *dev;
};

struct xdp_buff {
	unsigned char *data;
	unsigned char *data_end;
	unsigned char *data_meta;
	unsigned char *data_hard_start;
	struct xdp_rxq_info *rxq;
	u32 frame_sz;
	bool frags;
};

/* At the beginning of the buffer that it describes */
struct xdp_frame {
	unsigned char *data;
	u32 len;
	u32 headroom;
	u32 frame_sz;
	bool frags;
};

struct xdp_md;

enum xdp_rss_hash_type {
	XDP_RSS_TYPE_NONE,
	XDP_RSS_TYPE_L3_IPV4,
	XDP_RSS_TYPE_L4_IPV4_TCP,
	XDP_RSS_TYPE_L4_IPV4_UDP,
	XDP_RSS_TYPE_L3_IPV6,
	XDP_RSS_TYPE_L4_IPV6_TCP,
	XDP_RSS_TYPE_L4_IPV6_UDP,
	XDP_RSS_TYPE_L3_IPV6_EX,
	XDP_RSS_TYPE_L4_IPV6_TCP_EX,
	XDP_RSS_TYPE_L4_IPV6_UDP_EX,
};

#define xdp_data_hard_end(xdp) \
	((xdp)->data_hard_start + (xdp)->frame_sz - \
	 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))
#define xdp_get_shared_info_from_buff(xdp) \
	((struct skb_shared_info *)xdp_data_hard_end(xdp))
#define xdp_buff_has_frags(xdp)	((xdp)->frags)
#define xdp_buff_set_frags_flag(xdp) ((xdp)->frags = true)
#define xdp_buff_set_frag_pfmemalloc(xdp) do { } while (0)
#define xdp_buff_is_frag_pfmemalloc(xdp) false
#define xdp_init_buff(xdp, size, info) \
	((xdp)->frame_sz = (size), (xdp)->rxq = (info), (xdp)->frags = false)
#define xdp_get_buff_len(xdp) \
	((unsigned int)((xdp)->data_end - (xdp)->data) + \
	 (xdp_buff_has_frags(xdp) ? \
	  xdp_get_shared_info_from_buff(xdp)->xdp_frags_size : 0))
#define xdp_frame_has_frags(frame) ((frame)->frags)
#define xdp_get_shared_info_from_frame(frame) \
	((struct skb_shared_info *)((unsigned char *)(frame) + (frame)->frame_sz - \
				    SKB_DATA_ALIGN(sizeof(struct skb_shared_info))))
#define xdp_get_frame_len(p)	(((struct xdp_frame *)(p))->len)
#define xdp_return_frame_rx_napi(frame) xdp_return_frame(frame)
#define xdp_do_flush()		do { } while (0)
#define trace_xdp_exception(dev, prog, act) do { } while (0)
#define bpf_warn_invalid_xdp_action(dev, prog, act) do { } while (0)
#define ZERO_PAGE(n)		zero_page
extern struct page zero_page[1];

static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page,
					   int off, int size)
{
	*frag = (skb_frag_t) { page, size, off };
}

static inline void xdp_prepare_buff(struct xdp_buff *xdp, unsigned char *start,
				    int headroom, int len, bool meta)
{
	xdp->data_hard_start = start;
	xdp->data = start + headroom;
	xdp->data_end = xdp->data + len;
	xdp->data_meta = xdp->data;
}

void xdp_return_buff(struct xdp_buff *xdp);
void xdp_return_frame(struct xdp_frame *frame);
struct xdp_frame *xdp_convert_buff_to_frame(struct xdp_buff *xdp);
u32 bpf_prog_run_xdp(const struct bpf_prog *prog, struct xdp_buff *xdp);
int xdp_do_redirect(struct net_device *dev, struct xdp_buff *xdp,
		    const struct bpf_prog *prog);
void xdp_update_skb_shared_info(struct sk_buff *skb, u8 nr_frags, unsigned int size,
				unsigned int truesize, bool pfmemalloc);

/* Devices */

typedef u64 netdev_features_t;

#define NETIF_F_HIGHDMA		BIT_ULL(0)
#define NETIF_F_HW_CSUM		BIT_ULL(1)
#define NETIF_F_SG		BIT_ULL(2)
#define NETIF_F_TSO		BIT_ULL(3)
#define NETIF_F_TSO6		BIT_ULL(4)
#define NETIF_F_TSO_ECN		BIT_ULL(5)
#define NETIF_F_ALL_TSO		(NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN)
#define NETIF_F_GSO_UDP_L4	BIT_ULL(6)
#define NETIF_F_GSO_ROBUST	BIT_ULL(7)
#define NETIF_F_RXCSUM		BIT_ULL(8)
#define NETIF_F_GRO_HW		BIT_ULL(9)
#define NETIF_F_RXHASH		BIT_ULL(10)
#define NETIF_F_HW_VLAN_CTAG_FILTER BIT_ULL(11)

#define IFF_UP			1
#define IFF_PROMISC		2
#define IFF_ALLMULTI		4
#define IFF_UNICAST_FLT		0
#define IFF_LIVE_ADDR_CHANGE	0
#define IFF_TX_SKB_NO_LINEAR	0
#define NAPI_POLL_WEIGHT	64
#define NETDEV_TX_OK		0
#define NETDEV_QUEUE_TYPE_RX	0
#define NETDEV_QUEUE_TYPE_TX	1
#define NETDEV_RSS_KEY_LEN	52
#define ETH_MIN_MTU		68
#define VLAN_N_VID		4096
#define VLAN_HLEN		4
#define PORT_OTHER		0xff
typedef int netdev_tx_t;

struct netdev_queue {
	spinlock_t lock;	/* who transmits */
	bool stopped;
	unsigned long trans_start;
	long bytes;
};

/**
 * struct napi_struct - of a queue
 * @scheduled: to be polled
 * @again: scheduled while it was
 * @enabled: may be polled
 */
struct napi_struct {
	int (*poll)(struct napi_struct *napi, int budget);
	struct net_device *dev;
	unsigned int napi_id;
	bool scheduled;
	bool again;
	bool enabled;
};

struct netdev_hw_addr {
	struct list_head list;
	u8 addr[ETH_ALEN];
};

struct netdev_hw_addr_list {
	struct list_head list;
	int count;
};

struct netdev_stats {
	unsigned long rx_length_errors, rx_frame_errors, tx_dropped, tx_fifo_errors;
};

struct netlink_ext_ack;
struct netdev_bpf;
struct rtnl_link_stats64;

/* Not the C library's */
#define sockaddr		net_sockaddr
struct sockaddr {
	u16 sa_family;
	u8 sa_data[14];
};

struct net_device_ops {
	int (*ndo_open)(struct net_device *dev);
	int (*ndo_stop)(struct net_device *dev);
	netdev_tx_t (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
	int (*ndo_validate_addr)(struct net_device *dev);
	int (*ndo_set_mac_address)(struct net_device *dev, void *addr);
	void (*ndo_set_rx_mode)(struct net_device *dev);
	void (*ndo_get_stats64)(struct net_device *dev, struct rtnl_link_stats64 *to);
	int (*ndo_vlan_rx_add_vid)(struct net_device *dev, __be16 proto, u16 vid);
	int (*ndo_vlan_rx_kill_vid)(struct net_device *dev, __be16 proto, u16 vid);
	int (*ndo_change_mtu)(struct net_device *dev, int mtu);
	int (*ndo_set_features)(struct net_device *dev, netdev_features_t features);
	netdev_features_t (*ndo_features_check)(struct sk_buff *skb,
						struct net_device *dev,
						netdev_features_t features);
	int (*ndo_get_phys_port_name)(struct net_device *dev, char *buf, size_t len);
	void (*ndo_tx_timeout)(struct net_device *dev, unsigned int i);
	int (*ndo_bpf)(struct net_device *dev, struct netdev_bpf *bpf);
	int (*ndo_xdp_xmit)(struct net_device *dev, int n, struct xdp_frame **frames,
			    u32 flags);
	int (*ndo_xsk_wakeup)(struct net_device *dev, u32 qid, u32 flags);
};

#define passthru_features_check	NULL
#define eth_validate_addr	NULL

struct ethtool_ops {
	int unused;
};

struct netdev_stat_ops {
	int unused;
};

struct xdp_metadata_ops {
	int (*xmo_rx_hash)(const struct xdp_md *ctx, u32 *hash,
			   enum xdp_rss_hash_type *type);
};

struct net_device {
	const char *name;
	netdev_features_t features;
	netdev_features_t hw_features;
	netdev_features_t vlan_features;
	unsigned int flags;
	unsigned int priv_flags;
	unsigned int needed_headroom;
	unsigned int mtu;
	unsigned int min_mtu;
	unsigned int max_mtu;
	unsigned int num_tx_queues;
	unsigned int real_num_tx_queues;
	xdp_features_t xdp_features;
	u8 dev_addr[ETH_ALEN];
	bool carrier;
	bool present;
	bool running;
	const struct net_device_ops *netdev_ops;
	const struct ethtool_ops *ethtool_ops;
	const struct netdev_stat_ops *stat_ops;
	const struct xdp_metadata_ops *xdp_metadata_ops;
	void *irq_moder;
	void (*dim_work)(struct work_struct *work);
	struct netdev_hw_addr_list uc;
	struct netdev_hw_addr_list mc;
	struct netdev_stats stats;
	struct netdev_queue *tx;
	void *priv;
};

#define netdev_priv(dev)	((dev)->priv)
#define SET_NETDEV_DEV(dev, parent) do { } while (0)
#define DEV_STATS_INC(dev, what) ((dev)->stats.what++)
#define netdev_warn(dev, ...)	do { if (0) printf(__VA_ARGS__); } while (0)
#define netdev_err(dev, ...)	netdev_warn(dev, __VA_ARGS__)
#define netdev_info(dev, ...)	netdev_warn(dev, __VA_ARGS__)
#define netdev_warn_once(dev, ...) netdev_warn(dev, __VA_ARGS__)
#define net_warn_ratelimited(...) netdev_warn(NULL, __VA_ARGS__)
#define net_ratelimit()		false
#define netdev_get_tx_queue(dev, i) (&(dev)->tx[i])
#define netdev_xmit_more()	(stack_more)
extern bool stack_more;
#define netif_carrier_on(dev)	((dev)->carrier = true)
#define netif_carrier_off(dev)	((dev)->carrier = false)
#define netif_carrier_ok(dev)	((dev)->carrier)
#define netif_running(dev)	((dev)->running)
#define netif_device_detach(dev) ((dev)->present = false)
#define netif_device_attach(dev) ((dev)->present = true)
#define netif_set_real_num_tx_queues(dev, n) ((dev)->real_num_tx_queues = (n))
#define netif_set_real_num_rx_queues(dev, n) 0
#define netif_queue_set_napi(dev, i, type, napi) ((void)(i))
#define netif_is_rxfh_configured(dev) false
#define netdev_rss_key_fill(key, len) memset(key, 0x5a, len)
#define ethtool_rxfh_indir_default(i, n) ((i) % (n))
#define ethtool_validate_speed(s) ((s) <= INT_MAX || (s) == (u32)SPEED_UNKNOWN)
#define ethtool_validate_duplex(d) ((d) <= 1 || (d) == DUPLEX_UNKNOWN)
#define __netdev_notify_peers(dev) do { } while (0)
#define eth_hw_addr_random(dev)	memset((dev)->dev_addr, 2, ETH_ALEN)
#define eth_hw_addr_set(dev, a)	memcpy((dev)->dev_addr, a, ETH_ALEN)
#define eth_prepare_mac_addr_change(dev, p) 0
#define eth_commit_mac_addr_change(dev, p) \
	memcpy((dev)->dev_addr, ((struct sockaddr *)(p))->sa_data, ETH_ALEN)
#define ether_addr_equal(a, b)	(!memcmp(a, b, ETH_ALEN))
#define netif_addr_lock_bh(dev)	do { } while (0)
#define netif_addr_unlock_bh(dev) do { } while (0)
#define netdev_uc_count(dev)	((dev)->uc.count)
#define netdev_mc_count(dev)	((dev)->mc.count)
#define netdev_uc_empty(dev)	(!(dev)->uc.count)
#define netif_napi_add_weight(dev, napi, fn, weight) stack_napi_add(dev, napi, fn)
#define netif_napi_add_tx_weight(dev, napi, fn, weight) stack_napi_add(dev, napi, fn)
#define __netif_napi_del(napi)	stack_napi_del(napi)

void stack_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget));
void stack_napi_del(struct napi_struct *napi);
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);
bool napi_schedule_prep(struct napi_struct *napi);
#define __napi_schedule(napi)	do { } while (0)
#define napi_schedule(napi)	((void)napi_schedule_prep(napi))
bool napi_complete_done(struct napi_struct *napi, int done);

struct net_device *alloc_etherdev_mq(size_t priv, unsigned int queues);
void free_netdev(struct net_device *dev);
int register_netdevice(struct net_device *dev);
void unregister_netdev(struct net_device *dev);

#define __netif_tx_lock(txq, cpu) spin_lock(&(txq)->lock)
#define __netif_tx_lock_bh(txq)	spin_lock(&(txq)->lock)
#define __netif_tx_unlock(txq)	spin_unlock(&(txq)->lock)
#define __netif_tx_unlock_bh(txq) spin_unlock(&(txq)->lock)
#define __netif_tx_trylock(txq)	((txq)->lock.locked ? false : (spin_lock(&(txq)->lock), true))
#define netif_tx_queue_stopped(txq) ((txq)->stopped)
#define netif_xmit_stopped(txq)	((txq)->stopped)
#define netif_tx_stop_queue(txq) ((txq)->stopped = true)
#define netif_tx_wake_queue(txq) ((txq)->stopped = false)
#define txq_trans_cond_update(txq) ((txq)->trans_start = jiffies)
bool __netdev_tx_sent_queue(struct netdev_queue *txq, unsigned int bytes, bool more);
void netdev_tx_completed_queue(struct netdev_queue *txq, unsigned int packets,
			       unsigned int bytes);
#define netdev_tx_reset_queue(txq) ((txq)->bytes = 0)

struct failover;
#define net_failover_create(dev) ((struct failover *)NULL)
#define net_failover_destroy(f)	((void)(f))

struct page_frag {
	struct page *page;
};

/* Filled in by the device */
struct netdev_queue_stats_rx {
	u64 hw_drops, hw_drop_overruns, csum_unnecessary, csum_none, csum_bad;
	u64 hw_gro_packets, hw_gro_bytes, hw_gro_wire_packets, hw_gro_wire_bytes;
	u64 hw_drop_ratelimits;
};

struct netdev_queue_stats_tx {
	u64 hw_drops, hw_drop_errors, csum_none, needs_csum;
	u64 hw_gso_packets, hw_gso_bytes, hw_gso_wire_packets, hw_gso_wire_bytes;
	u64 hw_drop_ratelimits;
};

#define NL_SET_ERR_MSG_MOD(extack, text) do { } while (0)
#define ethtool_sprintf(p, ...)	((void)(*(p) += 32))

struct ethtool_rxfh_param {
	u8 hfunc;
	u32 indir_size;
	u32 *indir;
	u32 key_size;
	u8 *key;
};

struct ethtool_rxfh_fields {
	u32 data;
	u32 flow_type;
};

struct kernel_ethtool_coalesce;

#define ETH_RSS_HASH_NO_CHANGE	0
#define ETH_RSS_HASH_TOP	1

#endif
