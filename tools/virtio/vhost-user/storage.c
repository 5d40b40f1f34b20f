// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sectors, and what of a buffer is where.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "storage.h"
#include "test.h"

static struct {
	u8 *bytes;
	u64 size;
} disk;

void disk_make(u64 size, bool keep)
{
	disk.size = size;
	if (!keep)
		return;
	disk.bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(disk.bytes != MAP_FAILED, "no memory for the disk");
}

void *map_file(const char *file, u64 size, int how)
{
	int fd = open(file, O_RDWR | O_CREAT | how, 0600);
	void *map;

	check(fd >= 0 && !ftruncate(fd, size), "no file %s", file);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(map != MAP_FAILED, "no memory for %s", file);
	close(fd);
	return map;
}

void disk_in_file(const char *file, u64 size)
{
	disk.size = size;
	disk.bytes = map_file(file, size, 0);
}

u64 disk_size(void)
{
	return disk.size;
}

static bool on_disk(u64 sector, u64 len)
{
	return sector <= disk.size / SECTOR && len <= disk.size - sector * SECTOR;
}

u64 buf_out_len(const struct device_buf *buf)
{
	u64 len = 0;
	unsigned int i;

	for (i = 0; i < buf->out; i++)
		len += buf->elem[i].len;
	return len;
}

/* How much of element @elem is meant; @at and @left go on to the next one. */
static u64 part_of(const struct device_elem *elem, u64 *at, u64 *left)
{
	u64 part;

	if (*at >= elem->len) {
		*at -= elem->len;
		return 0;
	}
	part = elem->len - *at;
	if (part > *left)
		part = *left;
	*left -= part;
	return part;
}

void buf_read(const struct device_queue *dq, const struct device_buf *buf, u64 at, void *data,
	      u64 len)
{
	const struct device_elem *elem;
	u64 part;

	for (elem = buf->elem; len; elem++) {
		check(elem < buf->elem + buf->out, "device: too few readable bytes");
		part = part_of(elem, &at, &len);
		if (!part)
			continue;
		memcpy(data, device_read(dq, elem->addr + at, part), part);
		data += part;
		at = 0;
	}
}

void buf_write(const struct device_queue *dq, const struct device_buf *buf, u64 at,
	       const void *data, u64 len)
{
	const struct device_elem *elem;
	u64 part;

	for (elem = buf->elem + buf->out; len; elem++) {
		check(elem < buf->elem + buf->out + buf->in, "device: too few writable bytes");
		part = part_of(elem, &at, &len);
		if (!part)
			continue;
		memcpy(device_write(dq, elem->addr + at, part), data, part);
		data += part;
		at = 0;
	}
}

bool disk_read(const struct device_queue *dq, const struct device_buf *buf, u64 at, u64 sector,
	       u64 len)
{
	if (!on_disk(sector, len))
		return false;
	if (disk.bytes)
		buf_write(dq, buf, at, disk.bytes + sector * SECTOR, len);
	return true;
}

bool disk_write(const struct device_queue *dq, const struct device_buf *buf, u64 at, u64 sector,
		u64 len)
{
	if (!on_disk(sector, len))
		return false;
	if (disk.bytes)
		buf_read(dq, buf, at, disk.bytes + sector * SECTOR, len);
	return true;
}
