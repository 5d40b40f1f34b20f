// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is of the network driver beyond what the device's words reach: programs
 * and memory for packets, others' or none.
 */
#include <linux/virtio.h>
#include "stack.h"
#include "host.h"
#include "../../shim.h"
#include "../../../../drivers/net/virtio_net/rx.h"

const struct ethtool_ops virtnet_ethtool_ops;
const struct netdev_stat_ops virtnet_stat_ops;

void virtnet_set_affinity(struct virtnet *vn)
{
}

void virtnet_clear_affinity(struct virtnet *vn)
{
}

int virtnet_hotplug_init(void)
{
	return 0;
}

void virtnet_hotplug_exit(void)
{
}

int virtnet_hotplug_add(struct virtnet *vn)
{
	return 0;
}

void virtnet_hotplug_remove(struct virtnet *vn)
{
}

void virtnet_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *tot)
{
}

int virtnet_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	return -EOPNOTSUPP;
}

xdp_features_t virtnet_xdp_features(const struct virtnet *vn)
{
	return 0;
}

bool virtnet_offloads_forbidden(const struct virtnet *vn)
{
	return vn->rq[0].prog;
}

unsigned int virtnet_xdp_max_mtu(const struct virtnet *vn)
{
	return vn->dev->max_mtu;
}

/* A program that moves the packet, and passes, drops, sends or redirects it */
u32 bpf_prog_run_xdp(const struct bpf_prog *prog, struct xdp_buff *xdp)
{
	u8 how = driver_byte();

	check(xdp->data - xdp->data_hard_start >= XDP_PACKET_HEADROOM,
	      "a program has %td bytes of headroom", xdp->data - xdp->data_hard_start);
	check(xdp->data_end <= xdp_data_hard_end(xdp), "a packet without tailroom");
	if (how & 1) {
		xdp->data -= 64;
		xdp->data_meta = xdp->data - 4;
		memset(xdp->data_meta, 0, 68);
	}
	if (how & 2)
		return XDP_DROP;
	if (how & 4)
		return XDP_TX;
	return how & 8 ? XDP_REDIRECT : XDP_PASS;
}

/* Nobody wants some of them. */
int xdp_do_redirect(struct net_device *dev, struct xdp_buff *xdp,
		    const struct bpf_prog *prog)
{
	if (driver_byte() & 1)
		return -EINVAL;
	xdp_return_buff(xdp);
	return 0;
}

int virtnet_xsk_wakeup(struct net_device *dev, u32 qid, u32 flags)
{
	return 0;
}

bool virtnet_xsk_tx(struct virtnet_sq *sq, int budget)
{
	return false;
}

unsigned int virtnet_xsk_tx_done(struct virtnet_sq *sq, void *token)
{
	return 0;
}

/* In place of rx_memory.c: each buffer is memory of its own. */

/* There is one pool of nothing, from start to stop. */
int virtnet_mem_start(struct virtnet_rq *rq)
{
	if (shim_alloc_fails())
		return -ENOMEM;
	rq->pool = (struct page_pool *)rq;
	return 0;
}

static void drop_cut(struct virtnet_rq *rq)
{
	if (rq->cut.left)
		stack_buffer_free(virtnet_mem_take(rq));
}

void virtnet_mem_stop(struct virtnet_rq *rq)
{
	drop_cut(rq);
	rq->pool = NULL;
}

bool virtnet_mem_cut(struct virtnet_rq *rq, unsigned long bits, gfp_t gfp)
{
	check(rq->pool, "memory of a pool that is not there");
	drop_cut(rq);
	rq->cut.bits = bits;
	rq->cut.size = virtnet_buf_of((void *)bits).size;
	rq->cut.next = stack_buffer(rq->cut.size);
	rq->cut.left = rq->cut.next ? 1 : 0;
	return rq->cut.left;
}

void *virtnet_mem_alloc_page(struct virtnet_rq *rq, gfp_t gfp)
{
	check(rq->pool, "a page of a pool that is not there");
	return stack_buffer(VIRTNET_BUF_MAX);
}

void virtnet_mem_free(struct virtnet_rq *rq, void *p, bool napi)
{
	stack_buffer_free(p);
}

void virtnet_mem_sync_mapped(struct virtnet_rq *rq, void *p, unsigned int len)
{
}

void virtnet_mem_sync_back_mapped(struct virtnet_rq *rq, void *p,
				  unsigned int len)
{
}
