// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_segments ADDRESS|DEVICE BYTES SIZE: send so many bytes in one call, for the device to
 * cut into UDP datagrams of this size. With an address the kernel keeps them apart from the
 * headers it makes; with a device both are made here, and are in one piece if that is less
 * than a page.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

#define MAX_BYTES	60000

struct packet {
	struct virtio_net_hdr offload;
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	char data[MAX_BYTES];
} __attribute__((packed));

static int send_datagrams(const struct in_addr *addr, int bytes, int size)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = *addr,
	};
	static char data[MAX_BYTES];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return -1;
	return sendto(fd, data, bytes, 0, (void *)&to, sizeof(to));
}

/* The device that gets it is none that verifies checksums. */
static void make_packet(struct packet *p, int bytes, int size)
{
	*p = (struct packet) {
		.offload = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
			.hdr_len = sizeof(p->eth) + sizeof(p->ip) + sizeof(p->udp),
			.gso_size = size,
			.csum_start = sizeof(p->eth) + sizeof(p->ip),
			.csum_offset = offsetof(struct udphdr, check),
		},
		.eth.h_dest = { 2, 0, 0, 0, 0, 0x99 },
		.eth.h_proto = htons(ETH_P_IP),
		.ip.version = 4,
		.ip.ihl = 5,
		.ip.tot_len = htons(sizeof(p->ip) + sizeof(p->udp) + bytes),
		.ip.ttl = 64,
		.ip.protocol = IPPROTO_UDP,
		.udp.dest = htons(9),
		.udp.len = htons(sizeof(p->udp) + bytes),
	};
}

static int send_packet(const char *device, int bytes, int size)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
	static struct packet packet;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		return -1;
	make_packet(&packet, bytes, size);
	return sendto(fd, &packet, offsetof(struct packet, data) + bytes, 0, (void *)&to,
		      sizeof(to));
}

int main(int argc, char **argv)
{
	struct in_addr addr;
	int bytes, size, err;

	bytes = argc == 4 ? atoi(argv[2]) : 0;
	if (bytes < 1 || bytes > MAX_BYTES) {
		fprintf(stderr, "usage: net_segments ADDRESS|DEVICE BYTES SIZE\n");
		return 2;
	}
	size = atoi(argv[3]);
	if (inet_pton(AF_INET, argv[1], &addr) == 1)
		err = send_datagrams(&addr, bytes, size);
	else
		err = send_packet(argv[1], bytes, size);
	if (err < 0) {
		perror("net_segments");
		return 1;
	}
	return 0;
}
