// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_segments ADDRESS BYTES SIZE: send so many bytes in one call, for the device to
 * cut into UDP datagrams of this size.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	static char data[65000];
	int fd, size;

	if (argc != 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: net_segments ADDRESS BYTES SIZE\n");
		return 2;
	}
	size = atoi(argv[3]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
	    sendto(fd, data, atoi(argv[2]), 0, (void *)&to, sizeof(to)) < 0) {
		perror("net_segments");
		return 1;
	}
	return 0;
}
