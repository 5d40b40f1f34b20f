// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that moves no data.
 *
 * Driver and device share memory on the same machine, so it uses host order.
 */
#include "bench.h"
#include <stdlib.h>
#include <string.h>

#define DESC_NEXT	1
#define DESC_WRITE	2
#define DESC_INDIRECT	4
#define PACKED_AVAIL	(1 << 7)
#define PACKED_USED	(1 << 15)

struct split_desc {
	__u64 addr;
	__u32 len;
	__u16 flags;
	__u16 next;
};

struct split_avail {
	__u16 flags;
	__u16 idx;
	__u16 ring[];
};

struct split_used {
	__u16 flags;
	__u16 idx;
	struct {
		__u32 id;
		__u32 len;
	} ring[];
};

struct packed_desc {
	__u64 addr;
	__u32 len;
	__u16 id;
	__u16 flags;
};

static void split_use(struct device_side *dev, unsigned int n)
{
	const struct split_avail *avail = dev->avail;
	struct split_used *used = dev->used;
	unsigned int mask = dev->ring - 1;
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned int slot = (dev->next + i) & mask;

		used->ring[slot].id = avail->ring[slot];
		used->ring[slot].len = dev->written;
	}
	dev->next += n;
	__atomic_store_n(&used->idx, dev->next, __ATOMIC_RELEASE);
}

/* One entry, in the first slot of the batch, names the last buffer. */
static void split_use_in_order(struct device_side *dev, unsigned int n)
{
	const struct split_avail *avail = dev->avail;
	struct split_used *used = dev->used;
	unsigned int mask = dev->ring - 1;
	unsigned int slot = dev->next & mask;

	used->ring[slot].id = avail->ring[(dev->next + n - 1) & mask];
	used->ring[slot].len = dev->written;
	dev->next += n;
	__atomic_store_n(&used->idx, dev->next, __ATOMIC_RELEASE);
}

static __u16 packed_used_flags(const struct device_side *dev, bool wrap)
{
	return (wrap ? PACKED_AVAIL | PACKED_USED : 0) |
	       (dev->written ? DESC_WRITE : 0);
}

/* Step over a buffer of @n descriptors; the last one of them. */
static unsigned int packed_step(struct device_side *dev, unsigned int n)
{
	unsigned int last = dev->next + n - 1;
	unsigned int next = dev->next + n;

	if (next >= dev->ring) {
		next -= dev->ring;
		dev->wrap = !dev->wrap;
	}
	dev->next = next;
	return last < dev->ring ? last : last - dev->ring;
}

static void packed_write_used(struct device_side *dev, unsigned int slot,
			      bool wrap, __u16 id)
{
	struct packed_desc *used = (struct packed_desc *)dev->used + slot;

	used->id = id;
	used->len = dev->written;
	__atomic_store_n(&used->flags, packed_used_flags(dev, wrap),
			 __ATOMIC_RELEASE);
}

static void packed_use(struct device_side *dev, unsigned int n)
{
	const struct packed_desc *desc = dev->desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		unsigned int slot = dev->next;
		bool table = desc[slot].flags & DESC_INDIRECT;
		bool wrap = dev->wrap;
		unsigned int last = packed_step(dev, table ? 1 : dev->chain);

		packed_write_used(dev, slot, wrap, desc[last].id);
	}
}

static void packed_use_in_order(struct device_side *dev, unsigned int n)
{
	const struct packed_desc *desc = dev->desc;
	unsigned int slot = dev->next;
	unsigned int last = slot;
	bool wrap = dev->wrap;
	unsigned int i;

	for (i = 0; i < n; i++) {
		bool table = desc[dev->next].flags & DESC_INDIRECT;

		last = packed_step(dev, table ? 1 : dev->chain);
	}
	packed_write_used(dev, slot, wrap, desc[last].id);
}

/* A device that works for its living reads all descriptors of a buffer. */

static void read_split_table(struct device_side *dev,
			     const struct split_desc *table, unsigned int i)
{
	for (;;) {
		dev->sum += table[i].addr + table[i].len;
		if (!(table[i].flags & DESC_NEXT))
			break;
		i = table[i].next;
	}
}

static void read_split_buffer(struct device_side *dev, unsigned int head)
{
	const struct split_desc *desc = (const struct split_desc *)dev->desc;

	if (desc[head].flags & DESC_INDIRECT) {
		dev->indirect++;
		desc = (const struct split_desc *)desc[head].addr;
		head = 0;
	}
	read_split_table(dev, desc, head);
	dev->buffers++;
}

static unsigned int split_poll(struct device_side *dev, unsigned int max)
{
	const struct split_avail *avail = dev->avail;
	struct split_used *used = dev->used;
	unsigned int mask = dev->ring - 1;
	__u16 idx = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
	unsigned int n = 0;

	for (; dev->next != idx && n < max; dev->next++, n++) {
		unsigned int slot = dev->next & mask;
		unsigned int head = avail->ring[slot];

		read_split_buffer(dev, head);
		used->ring[slot].id = head;
		used->ring[slot].len = dev->written;
	}
	if (n)
		__atomic_store_n(&used->idx, dev->next, __ATOMIC_RELEASE);
	return n;
}

static bool packed_is_avail(const struct device_side *dev)
{
	const struct packed_desc *desc = dev->desc;
	__u16 flags = __atomic_load_n(&desc[dev->next].flags,
					 __ATOMIC_ACQUIRE);

	return !!(flags & PACKED_AVAIL) == dev->wrap &&
	       !!(flags & PACKED_USED) != dev->wrap;
}

static void read_packed_table(struct device_side *dev,
			      const struct packed_desc *entry)
{
	const struct packed_desc *table = (const void *)entry->addr;
	unsigned int i;

	for (i = 0; i < entry->len / sizeof(*table); i++)
		dev->sum += table[i].addr + table[i].len;
	dev->indirect++;
}

/* The number of descriptors of the buffer at dev->next */
static unsigned int read_packed_chain(struct device_side *dev)
{
	const struct packed_desc *desc = dev->desc;
	unsigned int slot = dev->next;
	unsigned int n = 1;

	while (desc[slot].flags & DESC_NEXT) {
		dev->sum += desc[slot].addr + desc[slot].len;
		slot = slot + 1 < dev->ring ? slot + 1 : 0;
		n++;
	}
	dev->sum += desc[slot].addr + desc[slot].len;
	return n;
}

static unsigned int packed_poll(struct device_side *dev, unsigned int max)
{
	const struct packed_desc *desc = dev->desc;
	unsigned int n;

	for (n = 0; n < max && packed_is_avail(dev); n++) {
		unsigned int slot = dev->next;
		bool wrap = dev->wrap;
		unsigned int num = 1;

		if (desc[slot].flags & DESC_INDIRECT)
			read_packed_table(dev, &desc[slot]);
		else
			num = read_packed_chain(dev);
		packed_write_used(dev, slot, wrap,
				  desc[packed_step(dev, num)].id);
		dev->buffers++;
	}
	return n;
}

unsigned int device_poll(struct device_side *dev, unsigned int max)
{
	return dev->packed ? packed_poll(dev, max) : split_poll(dev, max);
}

void device_use(struct device_side *dev, unsigned int n)
{
	if (dev->inspect)
		device_poll(dev, n);
	else if (dev->packed && dev->in_order)
		packed_use_in_order(dev, n);
	else if (dev->packed)
		packed_use(dev, n);
	else if (dev->in_order)
		split_use_in_order(dev, n);
	else
		split_use(dev, n);
}

static void *copy_of(const void *p, size_t size)
{
	void *copy = aligned_alloc(4096, (size + 4095) & ~4095UL);

	if (!copy)
		abort();
	return memcpy(copy, p, size);
}

void device_copy(struct device_side *copy, const struct device_side *dev)
{
	size_t used = dev->packed ? sizeof(struct packed_desc) * dev->ring :
				    8 * dev->ring + 4;

	*copy = *dev;
	copy->desc = copy_of(dev->desc, 16 * dev->ring);
	copy->avail = copy_of(dev->avail, dev->packed ? 4 : 2 * dev->ring + 4);
	copy->used = copy_of(dev->used, used);
	/* What was used has lost the flag that says how long the buffer is. */
	if (dev->packed && 2 * dev->indirect > dev->buffers)
		copy->chain = 1;
}

void device_copy_free(struct device_side *copy)
{
	free((void *)copy->desc);
	free((void *)copy->avail);
	free(copy->used);
}
