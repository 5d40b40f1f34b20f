// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream by TCP, and the other end of it.
 */
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

#define STREAM_PORT	5001
#define WRITE_BYTES	(64 << 10)

static char bytes[WRITE_BYTES];

/* Whoever reads closes the connection once all has come. */
static void write_stream(void *what, unsigned int count)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, what, sizeof(struct sockaddr_in)))
		die("connect");
	while (count--)
		if (send(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
			die("send");
	if (shutdown(fd, SHUT_WR) || read(fd, bytes, sizeof(bytes)))
		die("the end of a stream");
	close(fd);
}

double run_stream(const char *address, unsigned int count)
{
	struct sockaddr_in peer = address_of(address, STREAM_PORT);

	return measure(write_stream, &peer, count);
}

void drain_streams(void)
{
	struct sockaddr_in here = address_of("0.0.0.0", STREAM_PORT);
	int listening = socket(AF_INET, SOCK_STREAM, 0), fd;

	if (listening < 0 || bind(listening, (struct sockaddr *)&here, sizeof(here)) ||
	    listen(listening, 1))
		die("listen");
	while ((fd = accept(listening, NULL, NULL)) >= 0) {
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
		close(fd);
	}
	die("accept");
}
