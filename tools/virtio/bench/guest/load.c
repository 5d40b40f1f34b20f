// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest does while its instructions are counted.
 *
 * load read DEVICE BYTES DEPTH COUNT	random direct reads
 * load send ADDRESS COUNT		UDP packets of 64 bytes
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
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 64

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

struct disk {
	int fd;
	size_t bytes;
	unsigned long long blocks;
	unsigned int depth;
	aio_context_t context;
	struct iocb iocb[MAX_DEPTH];
	char *memory;
	unsigned int random;
};

static off_t random_offset(struct disk *disk)
{
	disk->random = disk->random * 1664525 + 1013904223;
	return (disk->random >> 8) % disk->blocks * disk->bytes;
}

static void open_disk(struct disk *disk, const char *name, size_t bytes,
		      unsigned int depth)
{
	unsigned long long size;

	disk->fd = open(name, O_RDONLY | O_DIRECT);
	if (disk->fd < 0 || ioctl(disk->fd, BLKGETSIZE64, &size))
		die(name);
	disk->bytes = bytes;
	disk->blocks = size / bytes;
	disk->depth = depth;
	disk->memory = aligned_alloc(4096, bytes * depth);
	memset(disk->memory, 1, bytes * depth);
	if (syscall(SYS_io_setup, depth, &disk->context))
		die("io_setup");
}

static void read_one_by_one(struct disk *disk, unsigned int count)
{
	while (count--)
		if (pread(disk->fd, disk->memory, disk->bytes,
			  random_offset(disk)) != (ssize_t)disk->bytes)
			die("pread");
}

static void submit(struct disk *disk, struct iocb **iocbs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		iocbs[i]->aio_offset = random_offset(disk);
	if (syscall(SYS_io_submit, disk->context, n, iocbs) != n)
		die("io_submit");
}

static void prepare(struct disk *disk, struct iocb **iocbs)
{
	unsigned int i;

	for (i = 0; i < disk->depth; i++) {
		disk->iocb[i] = (struct iocb) {
			.aio_fildes = disk->fd,
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_buf = (unsigned long)disk->memory + i * disk->bytes,
			.aio_nbytes = disk->bytes,
			.aio_data = (unsigned long)&disk->iocb[i],
		};
		iocbs[i] = &disk->iocb[i];
	}
}

static void read_many(struct disk *disk, unsigned int count)
{
	struct iocb *iocbs[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	unsigned int done = 0, started = disk->depth;
	int i, n;

	prepare(disk, iocbs);
	submit(disk, iocbs, disk->depth);
	while (done < count) {
		n = syscall(SYS_io_getevents, disk->context, 1, disk->depth,
			    events, NULL);
		if (n < 1)
			die("io_getevents");
		done += n;
		for (i = 0; i < n; i++) {
			if (events[i].res != (long)disk->bytes)
				die("read");
			iocbs[i] = (struct iocb *)events[i].data;
		}
		if (started + n > count)
			n = started < count ? count - started : 0;
		if (n)
			submit(disk, iocbs, n);
		started += n;
	}
}

static void read_disk(struct disk *disk, unsigned int count)
{
	if (disk->depth == 1)
		read_one_by_one(disk, count);
	else
		read_many(disk, count);
}

static int open_socket(const char *address)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = inet_addr(address),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die(address);
	return fd;
}

static void send_packets(int fd, unsigned int count)
{
	char packet[64] = "";

	while (count--)
		if (send(fd, packet, sizeof(packet), 0) < 0)
			die("send");
}

int main(int argc, char **argv)
{
	struct disk disk = {};
	unsigned int count;
	double start;
	int fd;

	if (argc == 6 && !strcmp(argv[1], "read")) {
		count = atoi(argv[5]);
		open_disk(&disk, argv[2], atoi(argv[3]), atoi(argv[4]));
		read_disk(&disk, count / 10);
		start = now_ns();
		mark_start();
		read_disk(&disk, count);
		mark_stop();
	} else if (argc == 4 && !strcmp(argv[1], "send")) {
		count = atoi(argv[3]);
		fd = open_socket(argv[2]);
		send_packets(fd, count / 10);
		start = now_ns();
		mark_start();
		send_packets(fd, count);
		mark_stop();
	} else {
		fprintf(stderr, "give: read DEVICE BYTES DEPTH COUNT, or: send ADDRESS COUNT\n");
		return 2;
	}
	printf("%.0f\n", (now_ns() - start) / count);
	return 0;
}
