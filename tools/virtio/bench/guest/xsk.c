// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_XDP sockets: without copies if the driver can, else with them, as any program
 * that does not ask for one or the other gets it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"
#include "peer.h"

#define FRAMES		1024	/* a power of two, and as many entries in each ring */
#define FRAME_BYTES	4096
#define SEND_BURST	32
#define MOST_IN_FLIGHT	256

struct ring {
	__u32 *producer;
	__u32 *consumer;
	void *entries;
};

/* The kernel gets frames by @fill and gives them back by @received, and for those
 * that it sends by @send and @sent.
 */
struct xsk {
	int fd;
	int asker;	/* a socket by which packets are asked for */
	int busy;	/* never sleeps */
	unsigned int bytes;
	char *frames;
	struct ring fill;
	struct ring received;
	struct ring send;
	struct ring sent;
};

static void set_option(struct xsk *xsk, int name, const void *value, size_t bytes)
{
	if (setsockopt(xsk->fd, SOL_XDP, name, value, bytes))
		die("AF_XDP option");
}

static struct ring map_ring(struct xsk *xsk, const struct xdp_ring_offset *at,
			    size_t entry_bytes, off_t which)
{
	char *p = mmap(NULL, at->desc + FRAMES * entry_bytes,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       xsk->fd, which);

	if (p == MAP_FAILED)
		die("AF_XDP ring");
	return (struct ring) {
		.producer = (__u32 *)(p + at->producer),
		.consumer = (__u32 *)(p + at->consumer),
		.entries = p + at->desc,
	};
}

static void make_rings(struct xsk *xsk)
{
	static const int options[] = {
		XDP_UMEM_FILL_RING, XDP_RX_RING, XDP_TX_RING,
		XDP_UMEM_COMPLETION_RING
	};
	struct xdp_mmap_offsets at;
	socklen_t bytes = sizeof(at);
	int size = FRAMES;
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		set_option(xsk, options[i], &size, sizeof(size));
	if (getsockopt(xsk->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &bytes))
		die("XDP_MMAP_OFFSETS");
	xsk->fill = map_ring(xsk, &at.fr, sizeof(__u64),
			     XDP_UMEM_PGOFF_FILL_RING);
	xsk->received = map_ring(xsk, &at.rx, sizeof(struct xdp_desc),
				 XDP_PGOFF_RX_RING);
	xsk->send = map_ring(xsk, &at.tx, sizeof(struct xdp_desc),
			     XDP_PGOFF_TX_RING);
	xsk->sent = map_ring(xsk, &at.cr, sizeof(__u64),
			     XDP_UMEM_PGOFF_COMPLETION_RING);
}

static void open_xsk(struct xsk *xsk)
{
	struct xdp_umem_reg memory = {
		.len = FRAMES * FRAME_BYTES,
		.chunk_size = FRAME_BYTES,
	};
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP,
		.sxdp_ifindex = if_nametoindex(DEVICE),
		.sxdp_flags = XDP_USE_NEED_WAKEUP,
	};

	xsk->fd = socket(AF_XDP, SOCK_RAW, 0);
	xsk->frames = mmap(NULL, memory.len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (xsk->fd < 0 || xsk->frames == MAP_FAILED)
		die("AF_XDP socket");
	memory.addr = (unsigned long)xsk->frames;
	set_option(xsk, XDP_UMEM_REG, &memory, sizeof(memory));
	make_rings(xsk);
	/* The kernel takes its time to let go of an earlier one. */
	while (bind(xsk->fd, (struct sockaddr *)&address, sizeof(address))) {
		if (errno != EBUSY)
			die("AF_XDP bind");
		usleep(10000);
	}
}

/* Every packet goes to the socket. */
static void redirect_to(struct xsk *xsk)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_XSKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};
	int map = bpf(BPF_MAP_CREATE, &attr), queue = 0;
	const struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, queue),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	attr = (union bpf_attr) {
		.map_fd = map,
		.key = (unsigned long)&queue,
		.value = (unsigned long)&xsk->fd,
	};
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		die("bpf map");
	attach_program(DEVICE, load_program(insns, sizeof(insns)));
}

static __u32 read_index(const __u32 *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void write_index(__u32 *index, __u32 value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/*
 * Receive
 */

static void fill_all(struct xsk *xsk)
{
	__u64 *entries = xsk->fill.entries;
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		entries[i] = i * FRAME_BYTES;
	write_index(xsk->fill.producer, FRAMES);
}

/* The frames of packets are filled again at once. Returns how many there were. */
static unsigned int take_received(struct xsk *xsk)
{
	const struct xdp_desc *packets = xsk->received.entries;
	__u32 at = *xsk->received.consumer, end = read_index(xsk->received.producer);
	__u32 fill_at = *xsk->fill.producer, i;
	__u64 *fill = xsk->fill.entries;

	for (i = at; i != end; i++)
		fill[fill_at++ % FRAMES] =
			packets[i % FRAMES].addr / FRAME_BYTES * FRAME_BYTES;
	write_index(xsk->received.consumer, end);
	write_index(xsk->fill.producer, fill_at);
	return end - at;
}

static void receive(void *what, unsigned int count)
{
	struct xsk *xsk = what;
	struct pollfd patience = { .fd = xsk->fd, .events = POLLIN };
	unsigned int got;

	for (; count; count -= MAX_BURST) {
		request_burst(xsk->asker, xsk->bytes, MAX_BURST);
		for (got = 0; got < MAX_BURST; got += take_received(xsk))
			if (poll(&patience, 1, 1000) != 1)
				die("AF_XDP poll");
	}
}

/* From a device that sends all the time: the kernel takes packets when it is asked to. */
static void receive_busy(void *what, unsigned int count)
{
	struct xsk *xsk = what;
	unsigned int got;

	for (got = 0; got < count; got += take_received(xsk))
		if (recv(xsk->fd, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN)
			die("AF_XDP receive");
}

static void poll_busily(const struct xsk *xsk)
{
	int yes = 1, us = 20;

	if (setsockopt(xsk->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &yes, sizeof(yes)) ||
	    setsockopt(xsk->fd, SOL_SOCKET, SO_BUSY_POLL, &us, sizeof(us)))
		die("AF_XDP busy polling");
}

/*
 * Send
 */

struct packet {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

/* To an address that the peer drops; sums are nobody's business there. */
static void write_packets(struct xsk *xsk)
{
	struct packet packet = {
		.eth.h_dest = { 0x52, 0x54, 0, 0, 0, 2 },
		.eth.h_source = { 0x52, 0x54, 0, 0, 0, 1 },
		.eth.h_proto = htons(ETH_P_IP),
		.ip.version = 4,
		.ip.ihl = sizeof(packet.ip) / 4,
		.ip.tot_len = htons(sizeof(packet) - sizeof(packet.eth) + xsk->bytes),
		.ip.ttl = 64,
		.ip.protocol = IPPROTO_UDP,
		.udp.dest = htons(DISCARD_PORT),
		.udp.len = htons(sizeof(packet.udp) + xsk->bytes),
	};
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		memcpy(xsk->frames + i * FRAME_BYTES, &packet, sizeof(packet));
}

static __u32 take_sent(struct xsk *xsk)
{
	__u32 end = read_index(xsk->sent.producer);

	write_index(xsk->sent.consumer, end);
	return end;
}

/* The entries of the ring name all frames in turn. */
static void put_packets(struct xsk *xsk, unsigned int n)
{
	struct xdp_desc *packets = xsk->send.entries;
	__u32 at = *xsk->send.producer, end = at + n;

	for (; at != end; at++)
		packets[at % FRAMES] = (struct xdp_desc) {
			.addr = at % FRAMES * FRAME_BYTES,
			.len = sizeof(struct packet) + xsk->bytes,
		};
	write_index(xsk->send.producer, end);
}

static void send_packets(void *what, unsigned int count)
{
	struct xsk *xsk = what;

	while (count) {
		if (*xsk->send.producer - take_sent(xsk) <=
		    MOST_IN_FLIGHT - SEND_BURST) {
			put_packets(xsk, SEND_BURST);
			count -= SEND_BURST;
		} else if (!xsk->busy) {
			usleep(50);
		}
		if (sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
		    errno != EAGAIN && errno != EBUSY && errno != ENOBUFS)
			die("AF_XDP send");
	}
}

double run_xsk(const char *direction, unsigned int bytes, unsigned int count)
{
	struct xsk xsk = { .bytes = bytes };

	open_xsk(&xsk);
	xsk.busy = !strncmp(direction, "busy-", strlen("busy-"));
	if (xsk.busy)
		direction += strlen("busy-");
	if (!strcmp(direction, "send")) {
		write_packets(&xsk);
		return measure(send_packets, &xsk, count);
	}
	fill_all(&xsk);
	redirect_to(&xsk);
	if (xsk.busy) {
		poll_busily(&xsk);
		return measure(receive_busy, &xsk, count);
	}
	xsk.asker = open_socket(PEER, BURST_PORT);
	return measure(receive, &xsk, count);
}
