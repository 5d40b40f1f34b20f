// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AF_XDP without copies: the memory of a socket is what the device writes packets
 * to, and reads them from.
 *
 * A receive queue of such a socket has buffers of a kind of its own. A send queue
 * goes on to send for the stack: the socket leaves it room for a packet.
 */
#include <linux/dma-mapping.h>
#include <linux/filter.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <net/xdp_sock_drv.h>

#include "rx.h"

/* How many buffers are taken from the pool at once */
#define VIRTNET_XSK_BATCH	32

/*
 * Receive
 */

static int virtnet_xsk_start(struct virtnet_rq *rq)
{
	struct xdp_rxq_info *rxq = &rq->xdp_rxq;
	int err;

	/* The header of a packet is kept where the pool has a place for drivers. */
	XSK_CHECK_PRIV_TYPE(struct virtnet_xdp);

	err = xdp_rxq_info_reg(rxq, rq->vn->dev, rq - rq->vn->rq,
			       rq->napi.napi_id);
	if (err)
		return err;
	err = xdp_rxq_info_reg_mem_model(rxq, MEM_TYPE_XSK_BUFF_POOL, NULL);
	if (err) {
		xdp_rxq_info_unreg(rxq);
		return err;
	}
	xsk_pool_set_rxq_info(rq->xsk_pool, rxq);
	return 0;
}

static void virtnet_xsk_stop(struct virtnet_rq *rq)
{
	xdp_rxq_info_unreg(&rq->xdp_rxq);
}

static void virtnet_xsk_free(struct virtnet_rq *rq, void *token)
{
	xsk_buff_free(token);
}

/* The header comes first, in the headroom: the packet is where programs expect it. */
static int virtnet_xsk_post(struct virtnet_rq *rq, struct xdp_buff *xdp)
{
	unsigned int hdr_len = rq->vn->hdr_len;

	return virtqueue_add_buf_dma(rq->vq, xsk_buff_xdp_get_dma(xdp) - hdr_len,
				     xsk_pool_get_rx_frame_size(rq->xsk_pool) + hdr_len,
				     DMA_FROM_DEVICE, xdp);
}

/* Returns how many were posted, less than @num if the pool has no more. */
static unsigned int virtnet_xsk_fill_batch(struct virtnet_rq *rq,
					   unsigned int num)
{
	struct xdp_buff *bufs[VIRTNET_XSK_BATCH];
	unsigned int i, got, posted;

	got = xsk_buff_alloc_batch(rq->xsk_pool, bufs, num);
	for (posted = 0; posted < got; posted++)
		if (virtnet_xsk_post(rq, bufs[posted]))
			break;
	for (i = posted; i < got; i++)
		xsk_buff_free(bufs[i]);
	return posted;
}

/*
 * A socket that uses the need_wakeup flag wakes the driver when it has given buffers to
 * the pool. Any other expects the driver to look again.
 */
static int virtnet_xsk_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	struct xsk_buff_pool *pool = rq->xsk_pool;
	unsigned int num, got;

	do {
		num = min_t(unsigned int, rq->vq->num_free, VIRTNET_XSK_BATCH);
		got = num ? virtnet_xsk_fill_batch(rq, num) : 0;
	} while (got && got == num);
	virtnet_rx_kick(rq);

	if (!xsk_uses_need_wakeup(pool))
		return got < num ? -ENOMEM : 0;
	if (got < num)
		xsk_set_rx_need_wakeup(pool);
	else
		xsk_clear_rx_need_wakeup(pool);
	return 0;
}

/* A copy for the stack: the pool's buffer is the socket's. */
static void virtnet_xsk_deliver(struct virtnet_rq *rq, struct xdp_buff *xdp,
				const union virtnet_hdr *hdr,
				struct virtnet_rx_batch *batch)
{
	unsigned int meta = xdp->data - xdp->data_meta;
	unsigned int len = xdp->data_end - xdp->data_meta;
	struct sk_buff *skb = napi_alloc_skb(&rq->napi, len);

	if (unlikely(!skb)) {
		batch->drops++;
	} else {
		skb_put_data(skb, xdp->data_meta, len);
		if (meta) {
			__skb_pull(skb, meta);
			skb_metadata_set(skb, meta);
		}
		virtnet_rx_deliver(rq, skb, hdr, batch);
	}
	xsk_buff_free(xdp);
}

/*
 * No packet needs several buffers: each is large enough for the MTU, and the device
 * must not merge packets. A packet that has several nevertheless is dropped as a whole.
 */
static void virtnet_xsk_drop_rest(struct virtnet_rq *rq, unsigned int num)
{
	struct xdp_buff *xdp;
	unsigned int len;

	while (num-- && (xdp = virtqueue_get_buf(rq->vq, &len)))
		xsk_buff_free(xdp);
}

static unsigned int virtnet_xsk_num_buffers(const struct virtnet_rq *rq,
					    const union virtnet_hdr *hdr)
{
	if (rq->vn->kind != &virtnet_rx_mergeable)
		return 1;
	return max_t(unsigned int, 1,
		     virtio16_to_cpu(rq->vn->vdev, hdr->merged.num_buffers));
}

/* Copy the header to @hdr, and make @xdp what follows it; false if that is no packet. */
static bool virtnet_xsk_prepare(struct virtnet_rq *rq, struct xdp_buff *xdp,
				unsigned int len, union virtnet_hdr *hdr)
{
	unsigned int num, hdr_len = rq->vn->hdr_len;

	if (unlikely(len < hdr_len))
		return false;

	/* The pool does not synchronise what is in front of the packet. */
	if (rq->vq->dma_dev) {
		virtqueue_dma_sync_single_range_for_cpu(rq->vq,
							xsk_buff_xdp_get_dma(xdp) - hdr_len,
							0, hdr_len, DMA_BIDIRECTIONAL);
		xsk_buff_dma_sync_for_cpu(xdp);
	}
	xsk_buff_set_size(xdp, len - hdr_len);
	memcpy(hdr, xdp->data - hdr_len, hdr_len);

	num = virtnet_xsk_num_buffers(rq, hdr);
	if (likely(num == 1 && len >= hdr_len + ETH_HLEN))
		return true;
	virtnet_xsk_drop_rest(rq, num - 1);
	return false;
}

static u32 virtnet_xsk_run(struct virtnet_rq *rq, struct bpf_prog *prog,
			   struct virtnet_xdp *vx, struct virtnet_rx_batch *batch)
{
	if (likely(virtnet_hdr_is_plain(vx->hdr)))
		return virtnet_xdp_run(rq, prog, vx, batch);
	batch->xdp_drops++;
	batch->drops++;
	return XDP_DROP;
}

static void virtnet_xsk_receive_one(struct virtnet_rq *rq,
				    struct bpf_prog *prog, struct xdp_buff *xdp,
				    unsigned int len,
				    struct virtnet_rx_batch *batch)
{
	struct virtnet_xdp *vx = container_of(xdp, struct virtnet_xdp, xdp);
	union virtnet_hdr hdr;
	u32 act;

	batch->packets++;
	if (unlikely(!virtnet_xsk_prepare(rq, xdp, len, &hdr))) {
		virtnet_rx_bad_length(rq, batch);
		xsk_buff_free(xdp);
		return;
	}
	batch->bytes += xdp->data_end - xdp->data;

	vx->hdr = &hdr;
	act = prog ? virtnet_xsk_run(rq, prog, vx, batch) : XDP_PASS;
	if (act == XDP_PASS)
		virtnet_xsk_deliver(rq, xdp, &hdr, batch);
	else if (act == XDP_DROP)
		xsk_buff_free(xdp);
}

static unsigned int virtnet_xsk_receive(struct virtnet_rq *rq, unsigned int budget,
					struct virtnet_rx_batch *batch)
{
	struct bpf_prog *prog = rcu_dereference_bh(rq->prog);
	struct xdp_buff *xdp;
	unsigned int len, n;

	for (n = 0; n < budget; n++) {
		xdp = virtqueue_get_buf(rq->vq, &len);
		if (!xdp)
			break;
		virtnet_xsk_receive_one(rq, prog, xdp, len, batch);
	}
	return n;
}

const struct virtnet_rx_kind virtnet_rx_xsk = {
	.name		= "AF_XDP",
	.start		= virtnet_xsk_start,
	.stop		= virtnet_xsk_stop,
	.fill		= virtnet_xsk_fill,
	.receive	= virtnet_xsk_receive,
	.free		= virtnet_xsk_free,
};

/*
 * Transmit
 */

/**
 * struct virtnet_xsk_tx - frames of a socket on their way through a send queue
 * @dev: maps @hdr, NULL if the device takes physical addresses
 * @hdr_dma: where the device finds @hdr
 * @head: frames that were taken from the socket
 * @tail: frames that were given back
 * @num: frames that can be in flight, a power of two
 * @hdr: says that nothing is to be done to a frame, all zero
 * @slots: length of each frame, and VIRTNET_XSK_DONE once the device has sent it
 *
 * A socket is told only that its oldest n frames were sent, but a device may use
 * buffers in any order. So a frame that is done waits until all before it are.
 */
struct virtnet_xsk_tx {
	struct device *dev;
	dma_addr_t hdr_dma;
	u32 head;
	u32 tail;
	u32 num;
	union virtnet_hdr hdr;
	u32 slots[];
};

#define VIRTNET_XSK_DONE	BIT(31)

static bool virtnet_xsk_map_header(struct virtnet_xsk_tx *xsk)
{
	if (!xsk->dev) {
		xsk->hdr_dma = virt_to_phys(&xsk->hdr);
		return true;
	}
	xsk->hdr_dma = dma_map_single(xsk->dev, &xsk->hdr, sizeof(xsk->hdr),
				      DMA_TO_DEVICE);
	return !dma_mapping_error(xsk->dev, xsk->hdr_dma);
}

struct virtnet_xsk_tx *virtnet_xsk_tx_alloc(struct virtnet_sq *sq)
{
	u32 num = roundup_pow_of_two(sq->vq->num_max);
	struct virtnet_xsk_tx *xsk;

	xsk = kzalloc(struct_size(xsk, slots, num), GFP_KERNEL);
	if (!xsk)
		return NULL;
	xsk->num = num;
	xsk->dev = virtqueue_dma_dev(sq->vq);
	if (!virtnet_xsk_map_header(xsk)) {
		kfree(xsk);
		return NULL;
	}
	return xsk;
}

void virtnet_xsk_tx_free(struct virtnet_xsk_tx *xsk)
{
	if (xsk->dev)
		dma_unmap_single(xsk->dev, xsk->hdr_dma, sizeof(xsk->hdr),
				 DMA_TO_DEVICE);
	kfree(xsk);
}

static u32 *virtnet_xsk_slot(struct virtnet_xsk_tx *xsk, u32 frame)
{
	return &xsk->slots[frame & (xsk->num - 1)];
}

static void *virtnet_xsk_token(const struct virtnet_xsk_tx *xsk, u32 frame)
{
	unsigned long slot = frame & (xsk->num - 1);

	return (void *)(slot << 2 | VIRTNET_TX_XSK);
}

unsigned int virtnet_xsk_tx_done(struct virtnet_sq *sq, void *token)
{
	u32 *slot = &sq->xsk->slots[(unsigned long)token >> 2];
	u32 len = *slot;

	*slot = VIRTNET_XSK_DONE;
	return len;
}

static void virtnet_xsk_complete(struct virtnet_sq *sq)
{
	struct virtnet_xsk_tx *xsk = sq->xsk;
	u32 n = 0;

	while (n < xsk->head - xsk->tail &&
	       *virtnet_xsk_slot(xsk, xsk->tail + n) == VIRTNET_XSK_DONE)
		n++;
	xsk->tail += n;
	if (n)
		xsk_tx_completed(sq->xsk_pool, n);
}

/* Frames for which there is room, beside a packet of the stack */
static u32 virtnet_xsk_room(const struct virtnet_sq *sq)
{
	const struct virtnet_xsk_tx *xsk = sq->xsk;
	u32 free = sq->vq->num_free;

	free = free > VIRTNET_TX_MAX_ELEMS ? free - VIRTNET_TX_MAX_ELEMS : 0;
	return min(free / 2, xsk->num - (xsk->head - xsk->tail));
}

static int virtnet_xsk_add(struct virtnet_sq *sq, const struct xdp_desc *desc,
			   void *token)
{
	dma_addr_t dma = xsk_buff_raw_get_dma(sq->xsk_pool, desc->addr);
	int err;

	if (sq->vq->dma_dev)
		xsk_buff_raw_dma_sync_for_device(sq->xsk_pool, dma, desc->len);

	err = virtqueue_start_buf(sq->vq, 2, 0, token, NULL, GFP_ATOMIC);
	if (unlikely(err))
		return err;
	virtqueue_add_dma(sq->vq, sq->xsk->hdr_dma, sq->vn->hdr_len,
			  DMA_TO_DEVICE);
	virtqueue_add_dma(sq->vq, dma, desc->len, DMA_TO_DEVICE);
	return virtqueue_end_buf(sq->vq);
}

/* The socket gets a frame that can't be sent back in its turn, like all others. */
static void virtnet_xsk_send(struct virtnet_sq *sq, const struct xdp_desc *desc)
{
	struct virtnet_xsk_tx *xsk = sq->xsk;
	u32 *slot = virtnet_xsk_slot(xsk, xsk->head);
	int err;

	*slot = desc->len;
	err = virtnet_xsk_add(sq, desc, virtnet_xsk_token(xsk, xsk->head));
	xsk->head++;
	if (likely(!err))
		return;
	DEV_STATS_INC(sq->vn->dev, tx_dropped);
	*slot = VIRTNET_XSK_DONE;
}

/*
 * The need_wakeup flag for transmit is set when the pool is attached, and stays:
 * interrupts come late and as seldom as possible, so they do not help new frames.
 */
bool virtnet_xsk_tx(struct virtnet_sq *sq, int budget)
{
	struct xsk_buff_pool *pool = sq->xsk_pool;
	u32 i, n;

	virtnet_xsk_complete(sq);
	if (!sq->usable)
		return false;

	n = min_t(u32, budget, virtnet_xsk_room(sq));
	n = n ? xsk_tx_peek_release_desc_batch(pool, n) : 0;
	for (i = 0; i < n; i++)
		virtnet_xsk_send(sq, &pool->tx_descs[i]);
	if (n)
		virtnet_tx_end_frames(sq, true);
	return n == budget;
}

int virtnet_xsk_wakeup(struct net_device *dev, u32 qid, u32 flags)
{
	struct virtnet *vn = netdev_priv(dev);

	if (!READ_ONCE(vn->up))
		return -ENETDOWN;
	if (qid >= vn->max_pairs || !READ_ONCE(vn->sq[qid].xsk_pool))
		return -ENXIO;

	local_bh_disable();
	if (flags & XDP_WAKEUP_RX)
		napi_schedule(&vn->rq[qid].napi);
	if (flags & XDP_WAKEUP_TX)
		napi_schedule(&vn->sq[qid].napi);
	local_bh_enable();
	return 0;
}
