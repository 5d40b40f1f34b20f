// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network traffic with contents that are verified byte for byte.
 *
 *  serve                   send back all that comes to port 7000 by UDP and TCP,
 *                          until "stop" comes
 *  vsock                   send back all that comes by streams of virtual machines
 *  udp ADDRESS COUNT SIZE  COUNT datagrams of 4 to SIZE bytes and back, up to 32
 *                          under way; one that got lost is sent again
 *  gso ADDRESS COUNT SIZE  the same with datagrams of SIZE bytes, of which the
 *                          kernel gets as many as possible in one piece
 *  send ADDRESS COUNT SIZE COUNT datagrams that nobody has to answer
 *  tcp ADDRESS MIB         a stream and back, both directions at once
 *  stop ADDRESS            end "serve" on the other side
 *
 * An address is one of IPv4 or IPv6, or for streams "vsock:" and the number of a machine,
 * 2 for a guest's host. NET_PORT in the environment is another port.
 * Prints one line of figures; exits 0 only if every byte came back as it was sent.
 * Static and without other programs, so that a guest needs nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

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

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_vm vm;
};

static unsigned int port(void)
{
	const char *other = getenv("NET_PORT");

	return other ? atoi(other) : PORT;
}

/* Returns its length. */
static socklen_t parse_address(union address *a, const char *host)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
		a->any.sa_family = AF_INET;
		a->v4.sin_port = htons(port());
		return sizeof(a->v4);
	}
	if (sscanf(host, "vsock:%u", &a->vm.svm_cid) == 1) {
		a->any.sa_family = AF_VSOCK;
		a->vm.svm_port = port();
		return sizeof(a->vm);
	}
	if (inet_pton(AF_INET6, host, &a->v6.sin6_addr) != 1)
		fail(host);
	a->any.sa_family = AF_INET6;
	a->v6.sin6_port = htons(port());
	return sizeof(a->v6);
}

static int new_socket(int family, int type)
{
	int fd = socket(family, type, 0);
	int one = 1, room = 4 << 20;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return fd;
}

static int connected_socket(int type, const char *host)
{
	union address a;
	socklen_t len = parse_address(&a, host);
	int fd = new_socket(a.any.sa_family, type);

	if (fd < 0 || connect(fd, &a.any, len))
		fail("connect");
	return fd;
}

/* One of IPv6 takes IPv4 too; there are kernels without. */
static int serving_socket(int type)
{
	const char *host = "::";
	union address a;
	socklen_t len;
	int fd = new_socket(AF_INET6, type);

	if (fd < 0) {
		host = "0.0.0.0";
		fd = new_socket(AF_INET, type);
	}
	len = parse_address(&a, host);
	if (fd < 0 || bind(fd, &a.any, len))
		fail("bind");
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
	union address from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	len = recvfrom(fd, buf, sizeof(buf), 0, &from.any, &from_len);
	if (len < 0)
		return 1;
	sendto(fd, buf, len, 0, &from.any, from_len);
	return len != sizeof(STOP) || memcmp(buf, STOP, len);
}

static bool serve_stream(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return false;
	if (!fork()) {
		/* or its socket is kept by a peer that has gone */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		echo_stream(fd);
		_exit(0);
	}
	close(fd);
	return true;
}

static int serve_vsock(void)
{
	union address a = { .vm = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY,
				    .svm_port = port() } };
	int fd = new_socket(AF_VSOCK, SOCK_STREAM);

	if (fd < 0 || bind(fd, &a.any, sizeof(a.vm)) || listen(fd, 16))
		fail("vsock");
	while (serve_stream(fd))
		;
	return 1;
}

static int serve(void)
{
	struct pollfd fds[2] = {
		{ .fd = serving_socket(SOCK_DGRAM), .events = POLLIN },
		{ .fd = serving_socket(SOCK_STREAM), .events = POLLIN },
	};

	if (listen(fds[1].fd, 16))
		fail("listen");
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents && !echo_datagram(fds[0].fd))
			return 0;
		if (fds[1].revents)
			serve_stream(fds[1].fd);
	}
	return 1;
}

/* A datagram under way: the number is its first four bytes, and its seed. */
struct flight {
	uint32_t number;
	long sent;
	int tries;
};

/* How they are sent: all of max bytes and put together, or each by itself */
struct udp {
	int fd;
	unsigned int max;
	bool gso;
	uint8_t batch[MAX_DATAGRAM];
	size_t batch_len;
};

static size_t datagram(const struct udp *udp, uint8_t *buf, uint32_t number)
{
	size_t len = udp->max;

	if (!udp->gso)
		len = 4 + (number * 2654435761u >> 8) % (len - 3);
	fill(buf, len, number);
	memcpy(buf, &number, 4);
	return len;
}

/* Full queues and a server that isn't there yet are like loss. */
static void send_batch(struct udp *udp)
{
	if (udp->batch_len && send(udp->fd, udp->batch, udp->batch_len, 0) < 0 &&
	    errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
		fail("send");
	udp->batch_len = 0;
}

static void send_datagram(struct udp *udp, struct flight *flight)
{
	if (flight->tries++ == TRIES) {
		errno = ETIMEDOUT;
		fail("no answer to a datagram");
	}
	flight->sent = now_ms();
	if (udp->batch_len + udp->max > sizeof(udp->batch))
		send_batch(udp);
	udp->batch_len += datagram(udp, udp->batch + udp->batch_len,
				   flight->number);
	if (!udp->gso)
		send_batch(udp);
}

/* Returns the flight that an answer ends, NULL for one that was answered. */
static struct flight *check_datagram(const struct udp *udp,
				     const uint8_t *got, size_t len,
				     struct flight *flights)
{
	static uint8_t want[MAX_DATAGRAM];
	uint32_t number;
	int i;

	if (len < 4)
		goto wrong;
	memcpy(&number, got, 4);
	if (datagram(udp, want, number) != len || memcmp(want, got, len))
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

/* Sends what is new, and what has waited for too long: that is counted. */
static uint32_t send_due(struct udp *udp, struct flight *flights,
			 uint32_t *next, uint32_t count)
{
	struct flight *flight;
	uint32_t again = 0;

	for (flight = flights; flight < flights + WINDOW; flight++) {
		if (!flight->tries && *next < count) {
			flight->number = (*next)++;
			send_datagram(udp, flight);
		} else if (flight->tries &&
			   now_ms() - flight->sent > RETRY_MS) {
			again++;
			send_datagram(udp, flight);
		}
	}
	send_batch(udp);
	return again;
}

static int udp(const char *host, uint32_t count, unsigned int max, bool gso)
{
	static struct udp udp;
	static uint8_t buf[MAX_DATAGRAM];
	struct flight flights[WINDOW] = {}, *flight;
	struct pollfd p = { .events = POLLIN };
	uint32_t next = 0, done = 0, again = 0;
	uint64_t bytes = 0;
	ssize_t len;

	udp = (struct udp){ .fd = connected_socket(SOCK_DGRAM, host),
			    .max = max, .gso = gso };
	p.fd = udp.fd;
	if (gso && setsockopt(udp.fd, SOL_UDP, UDP_SEGMENT, &max, sizeof(max)))
		fail("UDP_SEGMENT");
	while (done < count) {
		again += send_due(&udp, flights, &next, count);
		if (poll(&p, 1, RETRY_MS) <= 0)
			continue;
		while ((len = recv(p.fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
			flight = check_datagram(&udp, buf, len, flights);
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

/*
 * Full queues are waited for, so that it is as fast as the device. That nobody
 * listens there is said once for each call.
 */
static int send_only(const char *host, uint32_t count, unsigned int size)
{
	static uint8_t buf[MAX_DATAGRAM];
	int fd = connected_socket(SOCK_DGRAM, host);
	uint32_t sent;

	for (sent = 0; sent < count;)
		if (send(fd, buf, size, 0) >= 0)
			sent++;
		else if (errno != ECONNREFUSED && errno != ENOBUFS)
			fail("send");
	printf("%u datagrams of %u bytes sent\n", count, size);
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
	struct pollfd p = { .fd = connected_socket(SOCK_STREAM, host) };
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
	struct pollfd p = { .fd = connected_socket(SOCK_DGRAM, host),
			    .events = POLLIN };
	int i;

	for (i = 0; i < TRIES; i++) {
		send(p.fd, STOP, sizeof(STOP), 0);
		if (poll(&p, 1, RETRY_MS) > 0)
			return 0;
	}
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "traffic: see the head of its source for the arguments\n");
	return 2;
}

static int datagrams(const char *how, const char *host, uint32_t count,
		     unsigned int size)
{
	if (size < 4 || size > MAX_DATAGRAM)
		return usage();
	if (!strcmp(how, "send"))
		return send_only(host, count, size);
	if (!strcmp(how, "udp") || !strcmp(how, "gso"))
		return udp(host, count, size, *how == 'g');
	return usage();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 2 && !strcmp(argv[1], "vsock"))
		return serve_vsock();
	if (argc == 5)
		return datagrams(argv[1], argv[2], strtoul(argv[3], NULL, 0),
				 strtoul(argv[4], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "tcp"))
		return tcp(argv[2], strtoull(argv[3], NULL, 0));
	if (argc == 3 && !strcmp(argv[1], "stop"))
		return stop(argv[2]);
	return usage();
}
