// SPDX-License-Identifier: GPL-2.0-only
/*
 * scsi_vectors DISK SEGMENTS
 *
 * Writes and reads back one request of so many pieces of memory that no two of
 * them touch, which is the longest scatterlist that the disk takes. Fails when
 * the data differs or when the kernel had to cut the request.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	4096

/* Fields 1 and 5 of the disk's statistics: requests that were read, written */
static unsigned long requests(const char *disk)
{
	const char *name = strrchr(disk, '/');
	unsigned long reads, writes;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/%s/stat", name ? name + 1 : disk);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lu %*u %*u %*u %lu", &reads, &writes) != 2)
		errx(1, "cannot read %s", path);
	fclose(file);
	return reads + writes;
}

static char *memory(unsigned int segments)
{
	char *area = mmap(NULL, 2UL * segments * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (area == MAP_FAILED)
		err(1, "mmap");
	return area;
}

/* Every other page, so that the kernel can't join two */
static void describe(struct iovec *vec, char *area, unsigned int segments,
		     unsigned int offset, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < segments; i++) {
		vec[i].iov_base = area + 2UL * i * PAGE + offset;
		vec[i].iov_len = len;
	}
}

static void fill(const struct iovec *vec, unsigned int segments)
{
	unsigned int i, k;

	for (i = 0; i < segments; i++)
		for (k = 0; k < vec[i].iov_len; k++)
			((unsigned char *)vec[i].iov_base)[k] = rand();
}

static void compare(const struct iovec *a, const struct iovec *b,
		    unsigned int segments)
{
	unsigned int i;

	for (i = 0; i < segments; i++)
		if (memcmp(a[i].iov_base, b[i].iov_base, a[i].iov_len))
			errx(1, "piece %u of %u differs", i, segments);
}

static void transfer(int fd, const char *disk, unsigned int segments,
		     unsigned int offset, unsigned int len)
{
	ssize_t size = (ssize_t)segments * len;
	struct iovec *out = calloc(segments, sizeof(*out));
	struct iovec *in = calloc(segments, sizeof(*in));
	unsigned long before;

	if (!out || !in)
		err(1, "calloc");
	describe(out, memory(segments), segments, offset, len);
	describe(in, memory(segments), segments, offset, len);
	fill(out, segments);

	before = requests(disk);
	if (pwritev(fd, out, segments, 0) != size)
		err(1, "write of %u pieces of %u bytes", segments, len);
	if (preadv(fd, in, segments, 0) != size)
		err(1, "read of %u pieces of %u bytes", segments, len);
	if (requests(disk) != before + 2)
		errx(1, "%u pieces of %u bytes became %lu requests, not 2",
		     segments, len, requests(disk) - before);
	compare(out, in, segments);
	free(in);
	free(out);
}

int main(int argc, char **argv)
{
	unsigned int segments = argc == 3 ? atoi(argv[2]) : 0;
	int fd;

	if (!segments)
		errx(2, "usage: scsi_vectors DISK SEGMENTS");
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0)
		err(1, "%s", argv[1]);
	transfer(fd, argv[1], segments, 0, PAGE);
	transfer(fd, argv[1], segments, 512, 512);
	transfer(fd, argv[1], 1, 0, PAGE);
	return 0;
}
