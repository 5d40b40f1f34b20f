// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network's other end: what the guest sends arrives here, and packets to
 * BURST_PORT are answered.
 *
 * peer: prints the TCP port for QEMU's -netdev socket,connect=127.0.0.1:PORT
 * and serves the first connection until it closes. On it each frame comes
 * after its length, in 4 bytes.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

#define MAX_FRAME (sizeof(struct ethhdr) + 65535)
#define MAX_WAIT 600

struct udp_frame {
	__be32 length;
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct burst burst;
	unsigned char data[MAX_BYTES];
} __attribute__((packed));

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_all(int fd, void *p, size_t size)
{
	ssize_t n = recv(fd, p, size, MSG_WAITALL);

	/* QEMU ended */
	if (n != (ssize_t)size)
		exit(0);
}

static void write_all(int fd, const char *p, size_t size)
{
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = send(fd, p, size, MSG_NOSIGNAL);
		if (n <= 0)
			exit(0);
	}
}

static int wants_burst(const struct udp_frame *frame)
{
	return frame->eth.h_proto == htons(ETH_P_IP) &&
	       frame->ip.protocol == IPPROTO_UDP &&
	       frame->udp.dest == htons(BURST_PORT);
}

static void turn_around(struct udp_frame *frame)
{
	unsigned char station[ETH_ALEN];
	__be32 address = frame->ip.saddr;
	__be16 port = frame->udp.source;

	memcpy(station, frame->eth.h_source, ETH_ALEN);
	memcpy(frame->eth.h_source, frame->eth.h_dest, ETH_ALEN);
	memcpy(frame->eth.h_dest, station, ETH_ALEN);
	frame->ip.saddr = frame->ip.daddr;
	frame->ip.daddr = address;
	frame->udp.source = frame->udp.dest;
	frame->udp.dest = port;
}

static __u16 sum_of(const void *header, unsigned int bytes)
{
	const unsigned char *p = header;
	unsigned int i, sum = 0;

	for (i = 0; i < bytes; i += 2)
		sum += p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Returns the size of the frame. */
static size_t set_bytes(struct udp_frame *frame, unsigned int bytes)
{
	size_t udp = sizeof(frame->udp) + bytes, ip = sizeof(frame->ip) + udp;
	size_t size = sizeof(frame->eth) + ip;

	frame->length = htonl(size);
	frame->ip.tot_len = htons(ip);
	frame->ip.check = 0;
	frame->ip.check = htons(sum_of(&frame->ip, sizeof(frame->ip)));
	frame->udp.len = htons(udp);
	frame->udp.check = 0;
	return sizeof(frame->length) + size;
}

/* In one piece, so that as many as possible arrive at once */
static void answer(int fd, struct udp_frame *frame)
{
	static char burst[MAX_BURST * sizeof(*frame)];
	unsigned int i, count = ntohl(frame->burst.count);
	unsigned int bytes = ntohl(frame->burst.bytes);
	size_t size;

	if (count > MAX_BURST || bytes > MAX_BYTES ||
	    bytes < sizeof(frame->burst)) {
		fprintf(stderr, "peer: %u packets of %u bytes\n", count, bytes);
		exit(1);
	}
	turn_around(frame);
	size = set_bytes(frame, bytes);
	for (i = 0; i < count; i++) {
		frame->burst.last = i + 1 == count;
		memcpy(burst + i * size, frame, size);
	}
	write_all(fd, burst, count * size);
}

static void serve(int fd)
{
	static struct udp_frame frame;
	size_t size;

	for (;;) {
		read_all(fd, &frame.length, sizeof(frame.length));
		size = ntohl(frame.length);
		if (size > MAX_FRAME) {
			fprintf(stderr, "peer: a frame of %zu bytes\n", size);
			exit(1);
		}
		read_all(fd, &frame.eth, size);
		if (wants_burst(&frame))
			answer(fd, &frame);
	}
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
	    listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		die("peer: cannot listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(void)
{
	int listener = listen_somewhere(), fd, yes = 1;

	alarm(MAX_WAIT);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)))
		die("peer: no connection");
	serve(fd);
	return 0;
}
