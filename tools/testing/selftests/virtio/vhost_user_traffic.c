// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network traffic with contents that are verified byte for byte.
 *
 *  serve                   send back all that comes to port 7000, by UDP and TCP,
 *                          until "stop" comes
 *  udp ADDRESS COUNT SIZE  COUNT datagrams of 1 to SIZE bytes and back, up to 32
 *                          under way; one that got lost is sent again
 *  tcp ADDRESS MIB         a stream and back, both directions at once
 *  stop ADDRESS            end "serve" on the other side
 *
 * Prints one line of figures; exits 0 only if every byte came back as it was
 * sent. Static and without other programs, so that a guest needs nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT		7000
#define WINDOW		32
#define TRIES		20
#define RETRY_MS	300
#define STALL_MS	10000
#define MAX_DATAGRAM	60000
#define BLOCK		65536
#define STOP		"stop serving"

static void fail(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The same seed gives the same bytes. */
static void fill(uint8_t *buf, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
	size_t i;

	for (i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf[i] = x;
	}
}

static struct sockaddr_in address(const char *host)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(PORT) };

	if (host && inet_pton(AF_INET, host, &a.sin_addr) != 1)
		fail(host);
	return a;
}

static int new_socket(int type, const char *host, int bound)
{
	struct sockaddr_in a = address(host);
	int fd = socket(AF_INET, type, 0);
	int one = 1, room = 4 << 20;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bound) {
		if (bind(fd, (void *)&a, sizeof(a)))
			fail("bind");
	} else if (connect(fd, (void *)&a, sizeof(a))) {
		fail("connect");
	}
	return fd;
}

/* Sends back until the other side has sent all. */
static void echo_stream(int fd)
{
	static uint8_t buf[BLOCK];
	ssize_t got, sent, n;

	while ((got = read(fd, buf, sizeof(buf))) > 0)
		for (sent = 0; sent < got; sent += n) {
			n = write(fd, buf + sent, got - sent);
			if (n <= 0)
				return;
		}
}

/* Returns 0 when it was told to stop. */
static int echo_datagram(int fd)
{
	static uint8_t buf[MAX_DATAGRAM + 1];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	len = recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &from_len);
	if (len < 0)
		return 1;
	sendto(fd, buf, len, 0, (void *)&from, from_len);
	return len != sizeof(STOP) || memcmp(buf, STOP, len);
}

static int serve(void)
{
	struct pollfd fds[2] = {
		{ .fd = new_socket(SOCK_DGRAM, NULL, 1), .events = POLLIN },
		{ .fd = new_socket(SOCK_STREAM, NULL, 1), .events = POLLIN },
	};
	int fd;

	if (listen(fds[1].fd, 4))
		fail("listen");
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && !echo_datagram(fds[0].fd))
			return 0;
		if (!fds[1].revents)
			continue;
		fd = accept(fds[1].fd, NULL, NULL);
		if (fd >= 0 && !fork()) {
			echo_stream(fd);
			_exit(0);
		}
		close(fd);
	}
	return 1;
}

/* A datagram under way: the number is its first four bytes, and its seed. */
struct flight {
	uint32_t number;
	long sent;
	int tries;
};

static size_t datagram(uint8_t *buf, uint32_t number, unsigned int max)
{
	size_t len = 4 + (number * 2654435761u >> 8) % (max - 3);

	fill(buf, len, number);
	memcpy(buf, &number, 4);
	return len;
}

static void send_datagram(int fd, struct flight *flight, unsigned int max)
{
	static uint8_t buf[MAX_DATAGRAM];
	size_t len = datagram(buf, flight->number, max);

	if (flight->tries++ == TRIES) {
		errno = ETIMEDOUT;
		fail("no answer to a datagram");
	}
	flight->sent = now_ms();
	/* Full queues and a server that isn't there yet are like loss. */
	if (send(fd, buf, len, 0) < 0 && errno != ENOBUFS &&
	    errno != EAGAIN && errno != ECONNREFUSED)
		fail("send");
}

/* Returns the flight that an answer ends, NULL for one that was answered. */
static struct flight *check_datagram(const uint8_t *got, size_t len,
				     struct flight *flights, unsigned int max)
{
	static uint8_t want[MAX_DATAGRAM];
	uint32_t number;
	int i;

	if (len < 4)
		goto wrong;
	memcpy(&number, got, 4);
	if (datagram(want, number, max) != len || memcmp(want, got, len))
		goto wrong;
	for (i = 0; i < WINDOW; i++)
		if (flights[i].tries && flights[i].number == number)
			return &flights[i];
	return NULL;
wrong:
	fprintf(stderr, "traffic: a datagram of %zu bytes came back changed\n",
		len);
	exit(1);
}

static int udp(const char *host, uint32_t count, unsigned int max)
{
	static uint8_t buf[MAX_DATAGRAM];
	struct flight flights[WINDOW] = {}, *flight;
	struct pollfd p = { .fd = new_socket(SOCK_DGRAM, host, 0),
			    .events = POLLIN };
	uint32_t next = 0, done = 0, again = 0;
	uint64_t bytes = 0;
	ssize_t len;
	int i;

	while (done < count) {
		for (i = 0; i < WINDOW; i++) {
			flight = &flights[i];
			if (!flight->tries && next < count) {
				flight->number = next++;
				send_datagram(p.fd, flight, max);
			} else if (flight->tries &&
				   now_ms() - flight->sent > RETRY_MS) {
				again++;
				send_datagram(p.fd, flight, max);
			}
		}
		if (poll(&p, 1, RETRY_MS) <= 0)
			continue;
		while ((len = recv(p.fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
			flight = check_datagram(buf, len, flights, max);
			if (!flight)
				continue;
			flight->tries = 0;
			bytes += len;
			done++;
		}
	}
	printf("%u datagrams, %llu bytes each way, %u sent again\n", count,
	       (unsigned long long)bytes, again);
	return 0;
}

/* A direction of a stream: block number n has the seed n. */
struct stream {
	uint8_t block[BLOCK];
	uint64_t at;
	uint64_t end;
};

static size_t stream_part(struct stream *s)
{
	if (s->at % BLOCK == 0)
		fill(s->block, BLOCK, s->at / BLOCK);
	return BLOCK - s->at % BLOCK;
}

static int stream_send(struct stream *s, int fd)
{
	size_t part = stream_part(s);
	ssize_t n = send(fd, s->block + s->at % BLOCK, part,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	s->at += n;
	if (s->at == s->end)
		shutdown(fd, SHUT_WR);
	return 0;
}

static int stream_check(struct stream *s, int fd)
{
	static uint8_t got[BLOCK];
	size_t part = stream_part(s);
	ssize_t n = recv(fd, got, part, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	if (!n || memcmp(got, s->block + s->at % BLOCK, n)) {
		fprintf(stderr, "traffic: the stream %s at byte %llu\n",
			n ? "came back changed" : "ended",
			(unsigned long long)s->at);
		exit(1);
	}
	s->at += n;
	return 0;
}

static int tcp(const char *host, uint64_t mib)
{
	static struct stream out, in;
	struct pollfd p = { .fd = new_socket(SOCK_STREAM, host, 0) };
	long start = now_ms(), ms;

	out.end = mib << 20;
	in.end = out.end;
	while (in.at < in.end) {
		p.events = POLLIN | (out.at < out.end ? POLLOUT : 0);
		if (poll(&p, 1, STALL_MS) <= 0) {
			errno = ETIMEDOUT;
			fail("the stream stalls");
		}
		if ((p.revents & POLLOUT && stream_send(&out, p.fd)) ||
		    (p.revents & (POLLIN | POLLHUP) && stream_check(&in, p.fd)))
			fail("stream");
	}
	ms = now_ms() - start;
	printf("%llu MiB each way, %llu Mbit/s\n", (unsigned long long)mib,
	       (unsigned long long)(in.end * 8 / 1000 / (ms ?: 1)));
	return 0;
}

/* The answer may get lost: try a few times. */
static int stop(const char *host)
{
	struct pollfd p = { .fd = new_socket(SOCK_DGRAM, host, 0),
			    .events = POLLIN };
	int i;

	for (i = 0; i < TRIES; i++) {
		send(p.fd, STOP, sizeof(STOP), 0);
		if (poll(&p, 1, RETRY_MS) > 0)
			return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 5 && !strcmp(argv[1], "udp")) {
		unsigned long max = strtoul(argv[4], NULL, 0);

		if (max >= 4 && max <= MAX_DATAGRAM)
			return udp(argv[2], strtoul(argv[3], NULL, 0), max);
	}
	if (argc == 4 && !strcmp(argv[1], "tcp"))
		return tcp(argv[2], strtoull(argv[3], NULL, 0));
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return stop(argv[2]);
	fprintf(stderr, "traffic: see the head of its source for the arguments\n");
	return 2;
}
