// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest does while its instructions are counted.
 *
 * load read DEVICE,... BYTES DEPTH COUNT	random direct reads, in turn
 * load send ADDRESS COUNT		UDP packets of 64 bytes
 * load receive ADDRESS COUNT		the same, as peer.c sends them
 *
 * A tenth of it runs first and isn't counted.  Prints ns for each operation.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "peer.h"

#define PAGE 4096
#define MAX_DEPTH 64
#define MAX_DISKS 16
#define PACKET_BYTES 64

/* The marks that the plugin looks for */
static inline void mark_start(void)
{
	asm volatile("nopl 0x56495230(%rax)");
}

static inline void mark_stop(void)
{
	asm volatile("nopl 0x56495231(%rax)");
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

struct disks {
	int fd[MAX_DISKS];
	unsigned int count;
	unsigned int next;
	size_t bytes;
	unsigned long long blocks;
	unsigned int depth;
	aio_context_t context;
	struct iocb iocb[MAX_DEPTH];
	char *memory;
	unsigned int random;
};

static off_t random_offset(struct disks *disks)
{
	disks->random = disks->random * 1664525 + 1013904223;
	return (disks->random >> 8) % disks->blocks * disks->bytes;
}

static int next_disk(struct disks *disks)
{
	return disks->fd[disks->next++ % disks->count];
}

static void open_disk(struct disks *disks, const char *name)
{
	unsigned long long size;
	int fd = open(name, O_RDONLY | O_DIRECT);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		die(name);
	disks->blocks = size / disks->bytes;
	disks->fd[disks->count++] = fd;
}

/*
 * The same page again and again: no page is behind its neighbour in physical
 * memory, so each is a segment of its own, on each run.
 */
static char *scattered_memory(size_t bytes)
{
	int fd = open("/dev/shm/bench", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *memory = mmap(NULL, bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (fd < 0 || ftruncate(fd, PAGE) || memory == MAP_FAILED)
		die("memory");
	for (i = 0; i < bytes; i += PAGE)
		if (mmap(memory + i, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		    MAP_FAILED)
			die("mmap");
	close(fd);
	return memory;
}

static void open_disks(struct disks *disks, char *names, size_t bytes,
		       unsigned int depth)
{
	char *name;

	disks->bytes = bytes;
	disks->depth = depth;
	for (name = strtok(names, ","); name && disks->count < MAX_DISKS;
	     name = strtok(NULL, ","))
		open_disk(disks, name);
	disks->memory = scattered_memory(bytes * depth);
	if (syscall(SYS_io_setup, depth, &disks->context))
		die("io_setup");
}

static void read_one_by_one(struct disks *disks, unsigned int count)
{
	while (count--)
		if (pread(next_disk(disks), disks->memory, disks->bytes,
			  random_offset(disks)) != (ssize_t)disks->bytes)
			die("pread");
}

static void submit(struct disks *disks, struct iocb **iocbs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		iocbs[i]->aio_offset = random_offset(disks);
	if (syscall(SYS_io_submit, disks->context, n, iocbs) != n)
		die("io_submit");
}

static void prepare(struct disks *disks, struct iocb **iocbs)
{
	unsigned int i;

	for (i = 0; i < disks->depth; i++) {
		disks->iocb[i] = (struct iocb) {
			.aio_fildes = next_disk(disks),
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_buf = (unsigned long)disks->memory + i * disks->bytes,
			.aio_nbytes = disks->bytes,
			.aio_data = (unsigned long)&disks->iocb[i],
		};
		iocbs[i] = &disks->iocb[i];
	}
}

static void read_many(struct disks *disks, unsigned int count)
{
	struct iocb *iocbs[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	unsigned int done = 0, started = disks->depth;
	int i, n;

	prepare(disks, iocbs);
	submit(disks, iocbs, disks->depth);
	while (done < count) {
		n = syscall(SYS_io_getevents, disks->context, 1, disks->depth,
			    events, NULL);
		if (n < 1)
			die("io_getevents");
		done += n;
		for (i = 0; i < n; i++) {
			if (events[i].res != (long)disks->bytes)
				die("read");
			iocbs[i] = (struct iocb *)events[i].data;
		}
		if (started + n > count)
			n = started < count ? count - started : 0;
		if (n)
			submit(disks, iocbs, n);
		started += n;
	}
}

static void read_disks(struct disks *disks, unsigned int count)
{
	if (disks->depth == 1)
		read_one_by_one(disks, count);
	else
		read_many(disks, count);
}

static int open_socket(const char *address, unsigned int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(address),
	};
	struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		die(address);
	return fd;
}

static void send_packets(int fd, unsigned int count)
{
	char packet[PACKET_BYTES] = "";

	while (count--)
		if (send(fd, packet, sizeof(packet), 0) < 0)
			die("send");
}

/* A lost packet would make the counts wrong: better none. */
static void receive_packets(int fd, unsigned int count)
{
	char packet[PACKET_BYTES];
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (i % BURST == 0)
			send_packets(fd, 1);
		if (recv(fd, packet, sizeof(packet), 0) != sizeof(packet))
			die("recv");
	}
}

static double run_disks(char **argv)
{
	unsigned int count = atoi(argv[3]);
	struct disks disks = {};
	double start;

	open_disks(&disks, argv[0], atoi(argv[1]), atoi(argv[2]));
	read_disks(&disks, count / 10);
	start = now_ns();
	mark_start();
	read_disks(&disks, count);
	mark_stop();
	return (now_ns() - start) / count;
}

static double run_network(char **argv, unsigned int port,
			  void (*run)(int fd, unsigned int count))
{
	int fd = open_socket(argv[0], port);
	unsigned int count = atoi(argv[1]);
	double start;

	run(fd, count / 10 / BURST * BURST);
	start = now_ns();
	mark_start();
	run(fd, count);
	mark_stop();
	return (now_ns() - start) / count;
}

int main(int argc, char **argv)
{
	double ns;

	if (argc == 6 && !strcmp(argv[1], "read")) {
		ns = run_disks(argv + 2);
	} else if (argc == 4 && !strcmp(argv[1], "send")) {
		ns = run_network(argv + 2, DISCARD_PORT, send_packets);
	} else if (argc == 4 && !strcmp(argv[1], "receive")) {
		ns = run_network(argv + 2, BURST_PORT, receive_packets);
	} else {
		fprintf(stderr, "usage: see the head of load.c\n");
		return 2;
	}
	printf("%.0f\n", ns);
	return 0;
}
