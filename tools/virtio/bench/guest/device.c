// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a network device is asked for besides packets: commands, ring sizes, long
 * segments, and what it costs to have it.
 */
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

#define PAGE		4096
#define SMALL_RING	64
#define LARGE_RING	256
#define SEGMENT_BYTES	1448
#define SEGMENTS	45

struct device {
	int fd;
	struct ifreq request;
};

static void ask(struct device *device, unsigned long what, const char *name)
{
	if (ioctl(device->fd, what, &device->request))
		die(name);
}

static struct device open_device(const char *name)
{
	struct device device = { .fd = socket(AF_INET, SOCK_DGRAM, 0) };

	if (device.fd < 0)
		die("socket");
	snprintf(device.request.ifr_name, IFNAMSIZ, "%s", name);
	return device;
}

/* The request goes on pointing to @ring. */
static void get_ring(struct device *device, struct ethtool_ringparam *ring)
{
	*ring = (struct ethtool_ringparam) { .cmd = ETHTOOL_GRINGPARAM };
	device->request.ifr_data = (char *)ring;
	ask(device, SIOCETHTOOL, "ETHTOOL_GRINGPARAM");
}

/*
 * Commands: each sets the MAC address, in the end the one from before.
 */
static void send_commands(void *what, unsigned int count)
{
	struct device *device = what;

	while (count--) {
		device->request.ifr_hwaddr.sa_data[5] ^= 1;
		ask(device, SIOCSIFHWADDR, "SIOCSIFHWADDR");
	}
}

double run_command(unsigned int count)
{
	struct device device = open_device(DEVICE);

	ask(&device, SIOCGIFHWADDR, "SIOCGIFHWADDR");
	return measure(send_commands, &device, count);
}

/*
 * A receive ring of another size: its buffers are taken back and others posted.
 */
static void set_ring(struct device *device, unsigned int buffers)
{
	struct ethtool_ringparam ring;

	get_ring(device, &ring);
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = buffers;
	ask(device, SIOCETHTOOL, "ETHTOOL_SRINGPARAM");
}

/* @count buffers are posted. */
static void refill(void *what, unsigned int count)
{
	for (; count; count -= SMALL_RING + LARGE_RING) {
		set_ring(what, SMALL_RING);
		set_ring(what, LARGE_RING);
	}
}

double run_refill(unsigned int count)
{
	struct device device = open_device(DEVICE);

	return measure(refill, &device, count);
}

/*
 * TCP segments of 64 KiB, made here, so that the stack has no part in the figures
 */

struct long_packet {
	struct virtio_net_hdr offload;
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
	char data[SEGMENTS * SEGMENT_BYTES];
} __attribute__((packed));

static void send_long_packets(void *what, unsigned int count)
{
	static struct long_packet packet = {
		.offload = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			.gso_size = SEGMENT_BYTES,
			.hdr_len = offsetof(struct long_packet, data) -
				   offsetof(struct long_packet, eth),
			.csum_start = sizeof(packet.eth) + sizeof(packet.ip),
			.csum_offset = offsetof(struct tcphdr, check),
		},
		.eth.h_dest = { 0x52, 0x54, 0, 0, 0, 2 },
		.ip = {
			.version = 4,
			.ihl = sizeof(packet.ip) / 4,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
		},
		.tcp.doff = sizeof(packet.tcp) / 4,
		.tcp.ack = 1,
	};
	int *fd = what;

	packet.eth.h_proto = htons(ETH_P_IP);
	packet.ip.tot_len = htons(sizeof(packet) -
				  offsetof(struct long_packet, ip));
	while (count--)
		if (send(*fd, &packet, sizeof(packet), 0) != sizeof(packet))
			die("send");
}

/* A socket for whole frames, with one of the options that it may have */
static int open_packet_socket(const char *device, int option)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), yes = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, SOL_PACKET, option, &yes, sizeof(yes)))
		die(device);
	return fd;
}

double run_tso(const char *device, unsigned int count)
{
	int fd = open_packet_socket(device, PACKET_VNET_HDR);

	return measure(send_long_packets, &fd, count);
}

/*
 * Memory of receive buffers
 */

/* The sum of the numbers that follow @key in @file */
static long sum_of(const char *file, const char *key)
{
	FILE *in = fopen(file, "r");
	char line[256], word[64];
	long sum = 0, value;

	if (!in)
		die(file);
	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%63s %ld", word, &value) == 2 &&
		    !strcmp(word, key))
			sum += value;
	fclose(in);
	return sum;
}

/*
 * Those that CPUs keep for themselves are free as well. What else ends is given time to
 * give back its memory.
 */
static long free_pages(void)
{
	usleep(300000);
	return sum_of("/proc/vmstat", "nr_free_pages") +
	       sum_of("/proc/zoneinfo", "count:");
}

double posted_bytes(const char *name, int xdp)
{
	struct device device = open_device(name);
	struct ethtool_ringparam ring;
	long before;

	if (xdp)
		attach_action(name, XDP_PASS);
	get_ring(&device, &ring);
	device.request.ifr_flags = IFF_UP;
	free_pages();	/* takes memory itself, the first time */
	before = free_pages();
	ask(&device, SIOCSIFFLAGS, "SIOCSIFFLAGS");
	return (double)(before - free_pages()) * PAGE / ring.rx_pending;
}

/*
 * How many packets a ring takes before the driver stops the queue, while the device
 * takes none. There is no queue in front of it.
 */
double packets_in_flight(const char *device)
{
	int fd = open_packet_socket(device, PACKET_QDISC_BYPASS), room = 64 << 20;
	struct ethhdr frame[PACKET_BYTES / sizeof(struct ethhdr)] = {};
	unsigned int sent = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		die("SO_SNDBUFFORCE");
	while (send(fd, frame, sizeof(frame), MSG_DONTWAIT) > 0)
		sent++;
	return sent;
}
