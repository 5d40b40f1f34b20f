// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network's other end: what the guest sends arrives here, and packets to
 * BURST_PORT are answered.
 *
 * peer: prints the TCP port for QEMU's -netdev socket,connect=127.0.0.1:PORT
 * and serves the first connection until it closes.  On it each frame comes
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

#define MAX_FRAME 2048
#define MAX_WAIT 600

struct udp_frame {
	__be32 length;
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	unsigned char data[MAX_FRAME];
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

/* The sum over the IP header does not care who is the sender. */
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
	frame->udp.check = 0;
}

static void answer(int fd, struct udp_frame *frame, size_t size)
{
	static char burst[BURST * sizeof(*frame)];
	unsigned int i;

	turn_around(frame);
	for (i = 0; i < BURST; i++)
		memcpy(burst + i * size, frame, size);
	write_all(fd, burst, BURST * size);
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
			answer(fd, &frame, sizeof(frame.length) + size);
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
