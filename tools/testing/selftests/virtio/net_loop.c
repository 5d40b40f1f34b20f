// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_loop DEVICE FRAMES: for a device that brings back what it sends, as the simulator of
 * vDPA does. Frames of all sizes are sent to the device's own address, several at a time,
 * and have to come back unchanged and in order.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* IEEE 802: for experiments within one network */
#define OUR_TYPE	0x88b5
#define WINDOW		16

static uint8_t address[ETH_ALEN];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The frame of that number, all of it; returns its length */
static size_t make_frame(uint8_t *frame, uint32_t number)
{
	size_t len = ETH_ZLEN + number % (ETH_FRAME_LEN - ETH_ZLEN + 1), i;
	uint32_t random = number * 2654435761u + 1;
	uint16_t type = htons(OUR_TYPE);

	memcpy(frame, address, ETH_ALEN);
	memcpy(frame + ETH_ALEN, address, ETH_ALEN);
	memcpy(frame + 2 * ETH_ALEN, &type, sizeof(type));
	for (i = ETH_HLEN; i < len; i++) {
		random = random * 1664525 + 1013904223;
		frame[i] = random >> 24;
	}
	return len;
}

static int open_device(const char *name)
{
	struct sockaddr_ll place = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(OUR_TYPE),
		.sll_ifindex = if_nametoindex(name),
	};
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(OUR_TYPE));
	struct ifreq request = { 0 };

	if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof(place)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die(name);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		die("address");
	memcpy(address, request.ifr_hwaddr.sa_data, ETH_ALEN);
	return fd;
}

static void send_frame(int fd, uint32_t number)
{
	uint8_t frame[ETH_FRAME_LEN];
	size_t len = make_frame(frame, number);

	if (send(fd, frame, len, 0) != (ssize_t)len)
		die("send");
}

static void check_frame(int fd, uint32_t number)
{
	uint8_t frame[ETH_FRAME_LEN + 1], want[ETH_FRAME_LEN];
	ssize_t len = recv(fd, frame, sizeof(frame), 0);

	if (len < 0)
		die("nothing comes back");
	if (len == (ssize_t)make_frame(want, number) && !memcmp(frame, want, len))
		return;
	fprintf(stderr, "frame %u comes back changed\n", number);
	exit(1);
}

int main(int argc, char **argv)
{
	uint32_t frames, sent = 0, number;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: net_loop DEVICE FRAMES\n");
		return 2;
	}
	fd = open_device(argv[1]);
	frames = strtoul(argv[2], NULL, 10);
	for (number = 0; number < frames; number++) {
		while (sent < frames && sent - number < WINDOW)
			send_frame(fd, sent++);
		check_frame(fd, number);
	}
	return 0;
}
