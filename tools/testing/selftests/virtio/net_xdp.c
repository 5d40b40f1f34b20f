// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP: the UDP port that a packet is for says what is done with it, all else passes.
 * Those that go back have the addresses of both ends exchanged, which leaves the
 * checksums right, so that the sender can verify them like an answer. Built by
 * scripts/net.sh for the BPF machine. The section "xdp" is for packets in one
 * buffer, "xdp.frags" for those in several.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stddef.h>

#define SECTION(name)	__attribute__((section(name), used))
#define PORT(number)	__builtin_bswap16(number)
#define HEAD		32
#define MARK		0x12345678

static long (*adjust_head)(struct xdp_md *ctx, int by) =
	(void *)BPF_FUNC_xdp_adjust_head;
static long (*adjust_meta)(struct xdp_md *ctx, int by) =
	(void *)BPF_FUNC_xdp_adjust_meta;
static long (*redirect)(__u32 ifindex, __u64 flags) =
	(void *)BPF_FUNC_redirect;

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

static __always_inline struct headers *headers(struct xdp_md *ctx)
{
	struct headers *h = (void *)(long)ctx->data;

	return (void *)(h + 1) <= (void *)(long)ctx->data_end ? h : NULL;
}

static __always_inline void exchange(struct headers *h)
{
	unsigned char mac[ETH_ALEN];
	__be32 ip = h->ip.saddr;
	__be16 port = h->udp.source;

	__builtin_memcpy(mac, h->eth.h_source, ETH_ALEN);
	__builtin_memcpy(h->eth.h_source, h->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(h->eth.h_dest, mac, ETH_ALEN);
	h->ip.saddr = h->ip.daddr;
	h->ip.daddr = ip;
	h->udp.source = h->udp.dest;
	h->udp.dest = port;
}

/* Room in front of the packet is there, may be written, and is given back. */
static __always_inline int grow_and_shrink(struct xdp_md *ctx)
{
	struct headers *h;
	char *data;

	if (adjust_head(ctx, -HEAD))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	if (data + HEAD > (char *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memset(data, 0xff, HEAD);
	if (adjust_head(ctx, HEAD))
		return XDP_ABORTED;
	h = headers(ctx);
	if (!h)
		return XDP_ABORTED;
	exchange(h);
	return XDP_TX;
}

/* What is written in front of the packet goes with it to the stack. */
static __always_inline int mark(struct xdp_md *ctx)
{
	__u32 *meta;

	if (adjust_meta(ctx, -(int)sizeof(*meta)))
		return XDP_ABORTED;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	*meta = MARK;
	return XDP_PASS;
}

static __always_inline int act(struct xdp_md *ctx)
{
	struct headers *h = headers(ctx);

	if (!h || h->eth.h_proto != PORT(ETH_P_IP) ||
	    h->ip.protocol != IPPROTO_UDP || h->ip.ihl != 5)
		return XDP_PASS;
	switch (h->udp.dest) {
	case PORT(7001):
		return XDP_DROP;
	case PORT(7002):
		exchange(h);
		return XDP_TX;
	case PORT(7003):
		exchange(h);
		return redirect(ctx->ingress_ifindex, 0);
	case PORT(7004):
		return grow_and_shrink(ctx);
	case PORT(7005):
		return mark(ctx);
	case PORT(7006):
		return XDP_ABORTED;
	}
	return XDP_PASS;
}

SECTION("xdp") int one_buffer(struct xdp_md *ctx)
{
	return act(ctx);
}

SECTION("xdp.frags") int several_buffers(struct xdp_md *ctx)
{
	return act(ctx);
}

SECTION("license") char gpl[] = "GPL";
