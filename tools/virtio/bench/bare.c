// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limit: what any driver must write and read, and nothing else. Nothing
 * is mapped, no room is looked for, no number is checked, and buffers are used
 * in order.
 */
#include "bench.h"

#define NEXT		1
#define INDIRECT	4
#define PACKED_AVAIL	(1 << 7)
#define PACKED_USED	(1 << 15)

struct split_desc {
	__u64 addr;
	__u32 len;
	__u16 flags;
	__u16 next;
};

struct packed_desc {
	__u64 addr;
	__u32 len;
	__u16 id;
	__u16 flags;
};

struct bare {
	void *desc;
	__u16 *avail;
	const volatile __u32 *used;
	unsigned int ring;
	unsigned int slot;	/* next descriptor */
	unsigned int get;	/* next used one */
	__u16 head;		/* split: buffers so far */
	__u16 flags;		/* packed: what makes a descriptor available */
	void *token[MAX_RING];
};

static union {
	struct split_desc split[64];
	struct packed_desc packed[64];
} table;

static struct bare bare;

static inline unsigned int step(unsigned int slot)
{
	return slot + 1 < bare.ring ? slot + 1 : 0;
}

static inline unsigned int split_write(struct split_desc *desc,
				       unsigned int slot, unsigned int n)
{
	unsigned int i, next;

	for (i = 0; i < n; i++, slot = next) {
		next = step(slot);
		desc[slot].addr = (__u64)&bare + 4096 * i;
		desc[slot].len = 4096;
		desc[slot].flags = i + 1 < n ? NEXT : 0;
		desc[slot].next = next;
	}
	return slot;
}

static inline void split_add(bool indirect, unsigned int n)
{
	struct split_desc *ring = bare.desc;
	unsigned int slot = bare.slot;

	if (indirect)
		split_write(table.split, 0, n);
	bare.slot = split_write(ring, slot, indirect ? 1 : n);
	if (indirect)
		ring[slot].flags = INDIRECT;
	bare.avail[2 + (bare.head++ & (bare.ring - 1))] = slot;
	bare.token[slot] = &bare;
}

static inline void *split_get(void)
{
	unsigned int i = bare.get++ & (bare.ring - 1);

	return bare.token[bare.used[1 + 2 * i]];
}

static inline unsigned int packed_write(struct packed_desc *desc,
					unsigned int slot, unsigned int n,
					unsigned int id)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		desc[slot].addr = (__u64)&bare + 4096 * i;
		desc[slot].len = 4096;
		desc[slot].id = id;
		desc[slot].flags = bare.flags | (i + 1 < n ? NEXT : 0);
		slot = step(slot);
		if (!slot)
			bare.flags ^= PACKED_AVAIL | PACKED_USED;
	}
	return slot;
}

static inline void packed_add(bool indirect, unsigned int n)
{
	struct packed_desc *ring = bare.desc;
	unsigned int slot = bare.slot;

	if (indirect)
		packed_write(table.packed, 0, n, slot);
	bare.slot = packed_write(ring, slot, indirect ? 1 : n, slot);
	if (indirect)
		ring[slot].flags |= INDIRECT;
	bare.token[slot] = &bare;
}

static inline void *packed_get(unsigned int n)
{
	const volatile struct packed_desc *ring = bare.desc;
	unsigned int slot = bare.get;

	bare.get += n;
	if (bare.get >= bare.ring)
		bare.get -= bare.ring;
	return bare.token[ring[slot].id];
}

static inline void publish(struct device_side *dev)
{
	if (!dev->packed)
		__atomic_store_n(&bare.avail[1], bare.head, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void bare_start(const struct device_side *dev)
{
	bare = (struct bare) {
		.desc	= (void *)dev->desc,
		.avail	= (void *)dev->avail,
		.used	= dev->used,
		.ring	= dev->ring,
		.flags	= PACKED_AVAIL,
	};
}

void bare_run(struct device_side *dev, const struct load *load, bool indirect,
	      unsigned int count)
{
	unsigned int n = dev->chain;
	__u64 sum = 0;
	unsigned int i;

	while (count--) {
		for (i = 0; i < load->batch; i++) {
			if (dev->packed)
				packed_add(indirect, n);
			else
				split_add(indirect, n);
		}
		publish(dev);
		device_use(dev, load->batch);
		for (i = 0; i < load->batch; i++) {
			if (dev->packed)
				sum += (__u64)packed_get(indirect ? 1 : n);
			else
				sum += (__u64)split_get();
		}
	}
	dev->sum += sum;
}
