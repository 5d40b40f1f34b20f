/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _DRIVERS_NET_VIRTIO_NET_RX_H
#define _DRIVERS_NET_VIRTIO_NET_RX_H
/*
 * What the kinds of receive buffers share: where their memory comes from, and how a
 * buffer becomes a packet for the stack or for an XDP program.
 */
#include <net/page_pool/helpers.h>

#include "virtio_net.h"

struct sk_buff;

/* The longest packet that the stack takes */
#define VIRTNET_MAX_LEN		(ETH_HLEN + 2 * VLAN_HLEN + ETH_MAX_MTU)

/* What an skb needs after its data */
#define VIRTNET_TAILROOM	SKB_DATA_ALIGN(sizeof(struct skb_shared_info))

/*
 * Tokens: what must be known of a posted buffer is in the low bits of its address. A
 * context would cost more.
 */
#define VIRTNET_BUF_ALIGN	128
#define VIRTNET_BUF_MAX		4096
#define VIRTNET_BUF_UNITS	(VIRTNET_BUF_MAX / VIRTNET_BUF_ALIGN - 1UL)
#define VIRTNET_BUF_XDP		(VIRTNET_BUF_UNITS + 1)

/**
 * struct virtnet_buf - a receive buffer in one piece
 * @start: its memory, aligned to VIRTNET_BUF_ALIGN
 * @size: of that, a multiple of VIRTNET_BUF_ALIGN
 * @xdp: it has the room around a packet that XDP programs are promised, and its
 *       memory is from the pool that XDP knows. False for buffers that were posted
 *       before a program was attached.
 */
struct virtnet_buf {
	void *start;
	unsigned int size;
	bool xdp;
};

static inline struct virtnet_buf virtnet_buf_of(void *token)
{
	unsigned long bits = (unsigned long)token & (VIRTNET_BUF_ALIGN - 1);

	return (struct virtnet_buf) {
		.start = token - bits,
		.size = ((bits & VIRTNET_BUF_UNITS) + 1) * VIRTNET_BUF_ALIGN,
		.xdp = bits & VIRTNET_BUF_XDP,
	};
}

static inline unsigned long virtnet_buf_bits(unsigned int size, bool xdp)
{
	return size / VIRTNET_BUF_ALIGN - 1 + (xdp ? VIRTNET_BUF_XDP : 0);
}

/* A program sees whole packets only, with their checksums in place. */
static inline bool virtnet_hdr_is_plain(const union virtnet_hdr *hdr)
{
	return hdr->plain.gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	       !(hdr->plain.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

/* rx_memory.c; @bits: of the buffers, see virtnet_buf_bits() */
int virtnet_mem_start(struct virtnet_rq *rq);
void virtnet_mem_stop(struct virtnet_rq *rq);
bool virtnet_mem_cut(struct virtnet_rq *rq, unsigned long bits, gfp_t gfp);
void *virtnet_mem_alloc_page(struct virtnet_rq *rq, gfp_t gfp);
/* @napi: by the queue's NAPI */
void virtnet_mem_free(struct virtnet_rq *rq, void *p, bool napi);

static inline void *virtnet_mem_take(struct virtnet_rq *rq)
{
	void *p = rq->cut.next;

	rq->cut.next += rq->cut.size;
	rq->cut.left--;
	return p;
}

static inline void *virtnet_mem_alloc(struct virtnet_rq *rq, unsigned long bits,
				      gfp_t gfp)
{
	/* A buffer for XDP is a whole page if pages are small. */
	if ((bits & VIRTNET_BUF_XDP) && PAGE_SIZE == VIRTNET_BUF_MAX)
		return virtnet_mem_alloc_page(rq, gfp);
	if (unlikely(!rq->cut.left || rq->cut.bits != bits) &&
	    !virtnet_mem_cut(rq, bits, gfp))
		return NULL;
	return virtnet_mem_take(rq);
}

/* True if the pool maps memory; otherwise the ring does, or nobody */
static inline bool virtnet_mem_mapped(const struct virtnet_rq *rq)
{
	return IS_ENABLED(CONFIG_PAGE_POOL) && rq->vq->dma_dev;
}

static inline dma_addr_t virtnet_mem_dma(void *p)
{
	struct page *page = virt_to_head_page(p);

	return page_pool_get_dma_addr(page) + (p - page_address(page));
}

/* Append memory to the buffer that is being built. */
static inline void virtnet_mem_add(struct virtnet_rq *rq, void *p,
				   unsigned int len)
{
	if (virtnet_mem_mapped(rq))
		virtqueue_add_dma(rq->vq, virtnet_mem_dma(p), len,
				  DMA_FROM_DEVICE);
	else
		virtqueue_add_ptr(rq->vq, p, len, DMA_FROM_DEVICE);
}

/* Memory that is a buffer by itself */
static inline int virtnet_mem_add_buf(struct virtnet_rq *rq, void *p,
				      unsigned int len, void *token)
{
	if (virtnet_mem_mapped(rq))
		return virtqueue_add_buf_dma(rq->vq, virtnet_mem_dma(p), len,
					     DMA_FROM_DEVICE, token);
	return virtqueue_add_buf_ptr(rq->vq, p, len, DMA_FROM_DEVICE, token);
}

void virtnet_mem_sync_mapped(struct virtnet_rq *rq, void *p, unsigned int len);
void virtnet_mem_sync_back_mapped(struct virtnet_rq *rq, void *p,
				  unsigned int len);

/* The device has written @len bytes: let the CPU see them. */
static inline void virtnet_mem_sync(struct virtnet_rq *rq, void *p,
				    unsigned int len)
{
	if (virtnet_mem_mapped(rq))
		virtnet_mem_sync_mapped(rq, p, len);
}

/* The CPU may have written @len bytes, and the device gets them again. */
static inline void virtnet_mem_sync_back(struct virtnet_rq *rq, void *p,
					 unsigned int len)
{
	if (virtnet_mem_mapped(rq))
		virtnet_mem_sync_back_mapped(rq, p, len);
}

/* rx_buf.c */
/* What to post from now on: the device gets @len bytes at @offset of @size. */
void virtnet_buf_set_layout(struct virtnet_rq *rq, unsigned int size, bool xdp,
			    unsigned int offset, unsigned int len);
int virtnet_buf_fill(struct virtnet_rq *rq, gfp_t gfp);
void virtnet_buf_free(struct virtnet_rq *rq, void *token);
/* These consume the buffer, even if they fail. */
struct sk_buff *virtnet_buf_to_skb(struct virtnet_rq *rq,
				   struct virtnet_buf buf, void *data,
				   unsigned int len);
bool virtnet_buf_move(struct virtnet_rq *rq, struct virtnet_buf *buf, void **data,
		      unsigned int len, unsigned int before, unsigned int behind);
void virtnet_buf_to_xdp(struct virtnet_rq *rq, struct virtnet_buf buf,
			void *data, unsigned int len, struct xdp_buff *xdp);
/* Run @prog on a packet, and do what it says. */
void virtnet_xdp_receive(struct virtnet_rq *rq, struct bpf_prog *prog,
			 struct virtnet_xdp *vx,
			 struct virtnet_rx_batch *batch);
/* A packet has an impossible length, or is not complete. */
void virtnet_rx_bad_length(struct virtnet_rq *rq,
			   struct virtnet_rx_batch *batch);

#endif /* _DRIVERS_NET_VIRTIO_NET_RX_H */
