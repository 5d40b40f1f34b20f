// SPDX-License-Identifier: GPL-2.0-only
/*
 * AF_XDP: sends back, without the network stack, what comes to UDP port 7007.
 *
 *  net_xsk DEVICE QUEUE copy|zerocopy|busypoll
 *
 * "busypoll" is without copies, too: the socket has the kernel poll the queue, and
 * wakes nobody. It says "ready" when it is bound, and goes on until it is ended. The sender can
 * verify what comes back like an answer. Each frame of the shared memory has one
 * owner at a time: a frame that the kernel hands back without having had it ends
 * this with an error. Static and without a library, so that a guest needs nothing
 * else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORT		7007
#define QUEUES		16
#define FRAMES		1024
#define FRAME_SIZE	4096
#define RING		512
#define JUMP(op, reg, value, by) \
	{ .code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .off = (by), .imm = (value) }
#define LOAD(size, to, from, at) \
	{ .code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), .off = (at) }
#define MOVE(to, from) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) }
#define SET(reg, value) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value) }
#define EXIT { .code = BPF_JMP | BPF_EXIT }

enum owner { OURS, FILLED, SENT };

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

/* A ring shared with the kernel: entries are addresses or descriptors. */
struct ring {
	uint32_t *producer;
	uint32_t *consumer;
	uint32_t *flags;
	void *entries;
	uint32_t at;
};

static struct xsk {
	int fd;
	uint8_t *memory;
	enum owner owner[FRAMES];
	struct ring rx, tx, fill, completion;
} xsk;

static void fail(const char *what)
{
	fprintf(stderr, "net_xsk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bpf(int command, union bpf_attr *attr)
{
	int fd = syscall(SYS_bpf, command, attr, sizeof(*attr));

	if (fd < 0)
		fail("bpf");
	return fd;
}

/* To the socket of its queue goes what is for our port, all else to the stack. */
static int load_program(int map)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data)),
		LOAD(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end)),
		MOVE(BPF_REG_4, BPF_REG_2),
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_4,
		  .imm = sizeof(struct headers) },
		{ .code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = BPF_REG_4,
		  .src_reg = BPF_REG_3, .off = 12 },
		LOAD(BPF_H, BPF_REG_5, BPF_REG_2, offsetof(struct headers, eth.h_proto)),
		JUMP(BPF_JNE, BPF_REG_5, htons(ETH_P_IP), 10),
		LOAD(BPF_B, BPF_REG_5, BPF_REG_2, offsetof(struct headers, ip.protocol)),
		JUMP(BPF_JNE, BPF_REG_5, IPPROTO_UDP, 8),
		LOAD(BPF_H, BPF_REG_5, BPF_REG_2, offsetof(struct headers, udp.dest)),
		JUMP(BPF_JNE, BPF_REG_5, htons(PORT), 6),
		LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, rx_queue_index)),
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map }, {},
		SET(BPF_REG_3, XDP_PASS),
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		EXIT,
		SET(BPF_REG_0, XDP_PASS),
		EXIT,
	};
	static char log[16384];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
		.expected_attach_type = BPF_XDP,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/* The link lives as long as this process. */
static void attach(int ifindex, int queue)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_XSKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = QUEUES,
	};
	int map = bpf(BPF_MAP_CREATE, &attr), program;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&queue;
	attr.value = (uintptr_t)&xsk.fd;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);

	program = load_program(map);
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = program;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_DRV_MODE;
	bpf(BPF_LINK_CREATE, &attr);
}

static void set_option(int name, const void *value, socklen_t len)
{
	if (setsockopt(xsk.fd, SOL_XDP, name, value, len))
		fail("setsockopt");
}

static void map_ring(struct ring *ring, const struct xdp_ring_offset *offset,
		     size_t entry, uint64_t page)
{
	uint8_t *map = mmap(NULL, offset->desc + RING * entry,
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			    xsk.fd, page);

	if (map == MAP_FAILED)
		fail("mmap");
	ring->producer = (void *)(map + offset->producer);
	ring->consumer = (void *)(map + offset->consumer);
	ring->flags = (void *)(map + offset->flags);
	ring->entries = map + offset->desc;
}

static void map_rings(void)
{
	struct xdp_mmap_offsets offsets;
	socklen_t len = sizeof(offsets);

	if (getsockopt(xsk.fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &len))
		fail("XDP_MMAP_OFFSETS");
	map_ring(&xsk.rx, &offsets.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	map_ring(&xsk.tx, &offsets.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
	map_ring(&xsk.fill, &offsets.fr, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING);
	map_ring(&xsk.completion, &offsets.cr, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
}

static void prefer_busy_poll(void)
{
	int on = 1, microseconds = 20, packets = 64;

	if (setsockopt(xsk.fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)) ||
	    setsockopt(xsk.fd, SOL_SOCKET, SO_BUSY_POLL, &microseconds, sizeof(microseconds)) ||
	    setsockopt(xsk.fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &packets, sizeof(packets)))
		fail("setsockopt");
}

static void open_socket(int ifindex, int queue, bool zerocopy)
{
	struct xdp_umem_reg umem = { .len = FRAMES * FRAME_SIZE, .chunk_size = FRAME_SIZE };
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP,
		.sxdp_ifindex = ifindex,
		.sxdp_queue_id = queue,
		.sxdp_flags = XDP_USE_NEED_WAKEUP | (zerocopy ? XDP_ZEROCOPY : XDP_COPY),
	};
	int size = RING, tries = 100;

	xsk.fd = socket(AF_XDP, SOCK_RAW, 0);
	xsk.memory = mmap(NULL, umem.len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (xsk.fd < 0 || xsk.memory == MAP_FAILED)
		fail("socket");
	umem.addr = (uintptr_t)xsk.memory;
	set_option(XDP_UMEM_REG, &umem, sizeof(umem));
	set_option(XDP_UMEM_FILL_RING, &size, sizeof(size));
	set_option(XDP_UMEM_COMPLETION_RING, &size, sizeof(size));
	set_option(XDP_RX_RING, &size, sizeof(size));
	set_option(XDP_TX_RING, &size, sizeof(size));
	map_rings();
	/* the kernel takes its time to let go of an earlier socket */
	while (bind(xsk.fd, (void *)&address, sizeof(address))) {
		if (errno != EBUSY || !tries--)
			fail("bind");
		usleep(100000);
	}
}

static uint32_t owned(uint64_t address, enum owner owner)
{
	uint64_t frame = address / FRAME_SIZE;

	if (frame >= FRAMES || xsk.owner[frame] != owner) {
		fprintf(stderr, "net_xsk: frame %llu came back to whom it was not taken from\n",
			(unsigned long long)frame);
		exit(1);
	}
	return frame;
}

static void fill(uint32_t frame)
{
	uint64_t *entries = xsk.fill.entries;

	xsk.owner[frame] = FILLED;
	entries[xsk.fill.at++ % RING] = (uint64_t)frame * FRAME_SIZE;
	__atomic_store_n(xsk.fill.producer, xsk.fill.at, __ATOMIC_RELEASE);
}

static void take_completions(void)
{
	const uint64_t *entries = xsk.completion.entries;
	uint32_t end = __atomic_load_n(xsk.completion.producer, __ATOMIC_ACQUIRE);
	struct ring *ring = &xsk.completion;

	while (ring->at != end)
		fill(owned(entries[ring->at++ % RING], SENT));
	__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
}

static void exchange(struct headers *h)
{
	uint8_t mac[ETH_ALEN];
	uint32_t ip = h->ip.saddr;
	uint16_t port = h->udp.source;

	memcpy(mac, h->eth.h_source, ETH_ALEN);
	memcpy(h->eth.h_source, h->eth.h_dest, ETH_ALEN);
	memcpy(h->eth.h_dest, mac, ETH_ALEN);
	h->ip.saddr = h->ip.daddr;
	h->ip.daddr = ip;
	h->udp.source = h->udp.dest;
	h->udp.dest = port;
}

/* There are fewer filled frames than places in the ring that sends. */
static void send_back(const struct xdp_desc *desc)
{
	struct xdp_desc *entries = xsk.tx.entries;

	xsk.owner[owned(desc->addr, FILLED)] = SENT;
	exchange((void *)(xsk.memory + desc->addr));
	entries[xsk.tx.at++ % RING] = *desc;
	__atomic_store_n(xsk.tx.producer, xsk.tx.at, __ATOMIC_RELEASE);
}

static void take_packets(void)
{
	const struct xdp_desc *entries = xsk.rx.entries;
	uint32_t end = __atomic_load_n(xsk.rx.producer, __ATOMIC_ACQUIRE);

	while (xsk.rx.at != end)
		send_back(&entries[xsk.rx.at++ % RING]);
	__atomic_store_n(xsk.rx.consumer, xsk.rx.at, __ATOMIC_RELEASE);
}

static bool wants_wakeup(const struct ring *ring)
{
	return __atomic_load_n(ring->flags, __ATOMIC_ACQUIRE) & XDP_RING_NEED_WAKEUP;
}

/* poll() wakes up who wants to be filled, too. */
static void look_again(bool busy)
{
	struct pollfd p = { .fd = xsk.fd, .events = POLLIN };

	if (busy)
		recvfrom(xsk.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	else
		poll(&p, 1, 10);
}

static void serve(bool busy)
{
	int frame;

	for (frame = 0; frame < RING; frame++)
		fill(frame);
	puts("ready");
	fflush(stdout);
	for (;;) {
		take_completions();
		take_packets();
		if (wants_wakeup(&xsk.tx))
			sendto(xsk.fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		look_again(busy);
	}
}

int main(int argc, char **argv)
{
	int ifindex, queue;
	bool busy;

	if (argc != 4)
		return 2;
	ifindex = if_nametoindex(argv[1]);
	if (!ifindex)
		fail(argv[1]);
	queue = atoi(argv[2]);
	busy = !strcmp(argv[3], "busypoll");
	open_socket(ifindex, queue, busy || !strcmp(argv[3], "zerocopy"));
	if (busy)
		prefer_busy_poll();
	attach(ifindex, queue);
	serve(busy);
}
