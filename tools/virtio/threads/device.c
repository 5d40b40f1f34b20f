// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device's thread: takes buffers, and uses them in another order or, in
 * order, in batches. Written from sections 2.7 and 2.8 of the specification,
 * with the barriers that the driver's pair with.
 */
#include <string.h>
#include "threads.h"

#define MAX_HELD	8

struct elem {
	u8 *data;
	u32 len;
	bool write;
};

struct held {
	u16 id;
	u16 steps;	/* packed: descriptors; split: 1 */
	unsigned int num;
	struct elem elem[REQ_ELEMS];
};

/* Positions count from the start: buffers (split), descriptors (packed). */
struct dev {
	struct pair *pair;
	struct vring split;
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver;
	struct vring_packed_desc_event *device;
	u64 avail;
	u64 used;
	u64 told;
	struct held held[MAX_HELD];
	unsigned int count;
	u64 random;
};

static bool wrap_of(u64 pos)
{
	return !(pos / PAIR_NUM & 1);
}

static u16 off_wrap(u64 pos)
{
	return pos % PAIR_NUM | wrap_of(pos) << 15;
}

/*
 * Both sides write the flags of packed descriptors, in turn, and the driver with
 * plain stores where they only keep a descriptor its own. ThreadSanitizer shall
 * look at what the flags protect and not at them.
 */
static noinline __attribute__((no_sanitize_thread))
u16 read_flags(const struct vring_packed_desc *desc)
{
	return *(const volatile __le16 *)&desc->flags;
}

static noinline __attribute__((no_sanitize_thread))
void write_flags(struct vring_packed_desc *desc, u16 flags)
{
	*(volatile __le16 *)&desc->flags = flags;
}

/* Taking buffers */

static void add_elem(struct held *buf, u64 addr, u32 len, u16 flags)
{
	check(buf->num < REQ_ELEMS, "device: a buffer of too many elements");
	check(len && len <= REQ_BYTES, "device: an element of %u bytes", len);
	buf->elem[buf->num].data = phys_to_virt(addr);
	buf->elem[buf->num].len = len;
	buf->elem[buf->num].write = flags & VRING_DESC_F_WRITE;
	buf->num++;
}

static bool split_pop(struct dev *dev, struct held *buf)
{
	const struct vring_desc *desc = dev->split.desc;
	unsigned int i;

	if (READ_ONCE(dev->split.avail->idx) == (u16)dev->avail)
		return false;
	/* The index before the entry: ring_publish() */
	virt_rmb();
	i = dev->split.avail->ring[dev->avail++ % PAIR_NUM];
	check(i < PAIR_NUM, "device: head %u", i);
	buf->id = i;
	buf->steps = 1;
	buf->num = 0;
	if (desc[i].flags & VRING_DESC_F_INDIRECT) {
		desc = phys_to_virt(desc[i].addr);
		i = 0;
	}
	for (;;) {
		add_elem(buf, desc[i].addr, desc[i].len, desc[i].flags);
		if (!(desc[i].flags & VRING_DESC_F_NEXT))
			return true;
		i = desc[i].next;
	}
}

static bool packed_pop(struct dev *dev, struct held *buf)
{
	const struct vring_packed_desc *desc, *table;
	u16 avail = wrap_of(dev->avail) ? 0x80 : 0x8000, flags;
	u32 i;

	desc = &dev->desc[dev->avail % PAIR_NUM];
	flags = read_flags(desc);
	if ((flags & 0x8080) != avail)
		return false;
	/* The flags before the rest: ring_publish() */
	virt_rmb();
	buf->steps = 0;
	buf->num = 0;
	if (flags & VRING_DESC_F_INDIRECT) {
		table = phys_to_virt(desc->addr);
		for (i = 0; i < desc->len / sizeof(*table); i++)
			add_elem(buf, table[i].addr, table[i].len,
				 table[i].flags);
		flags = 0;
	} else {
		add_elem(buf, desc->addr, desc->len, flags);
	}
	while (flags & VRING_DESC_F_NEXT) {
		buf->steps++;
		desc = &dev->desc[(dev->avail + buf->steps) % PAIR_NUM];
		flags = desc->flags;
		add_elem(buf, desc->addr, desc->len, flags);
	}
	buf->steps++;
	buf->id = desc->id;
	dev->avail += buf->steps;
	return true;
}

static bool pop(struct dev *dev)
{
	struct held *buf = &dev->held[dev->count];

	if (dev->count == MAX_HELD)
		return false;
	if (!(dev->pair->packed ? packed_pop(dev, buf) : split_pop(dev, buf)))
		return false;
	dev->count++;
	return true;
}

/* Using them */

/* Fill the writable part from the start; how much of it, at random or all */
static u32 answer(struct dev *dev, const struct held *buf, bool full)
{
	struct reply reply = {};
	const u8 *bytes = (const u8 *)&reply;
	u32 size = 0, done = 0, i, n;

	for (n = 0; n < buf->num; n++) {
		if (buf->elem[n].write)
			size += buf->elem[n].len;
		else
			reply.sum = add_up(reply.sum, buf->elem[n].data,
					   buf->elem[n].len);
	}
	if (!size)
		return 0;
	check(size >= sizeof(reply), "device: %u writable bytes", size);
	reply.fill = next_random(&dev->random);
	reply.len = size;
	if (!full)
		reply.len -= next_random(&dev->random) %
			     (size - sizeof(reply) + 1);
	for (n = 0; n < buf->num; n++) {
		for (i = 0; buf->elem[n].write && i < buf->elem[n].len &&
		     done < reply.len; i++, done++)
			buf->elem[n].data[i] = done < sizeof(reply) ?
					       bytes[done] : reply.fill;
	}
	return reply.len;
}

static void put_used(struct dev *dev, u16 id, u32 len, u16 steps)
{
	struct vring_packed_desc *desc = &dev->desc[dev->used % PAIR_NUM];
	struct vring_used_elem *elem;

	if (dev->pair->packed) {
		desc->id = id;
		desc->len = len;
		/* The rest before the flags: ring_read_used() */
		virt_wmb();
		write_flags(desc, wrap_of(dev->used) ? 0x8080 : 0);
		dev->used += steps;
		return;
	}
	elem = &dev->split.used->ring[dev->used % PAIR_NUM];
	elem->id = id;
	elem->len = len;
	dev->used += steps;
	/* The element before the index: split_refresh_used() */
	virt_wmb();
	WRITE_ONCE(dev->split.used->idx, (u16)dev->used);
}

static void use_one(struct dev *dev)
{
	unsigned int n = next_random(&dev->random) % dev->count;
	struct held buf = dev->held[n];

	dev->held[n] = dev->held[--dev->count];
	put_used(dev, buf.id, answer(dev, &buf, false), buf.steps);
}

static void use_batch(struct dev *dev)
{
	unsigned int n = 1 + next_random(&dev->random) % dev->count, i;
	struct held *buf = dev->held;
	u16 steps = 0;
	u32 len;

	for (i = 0; i < n; i++, buf++) {
		len = answer(dev, buf, i + 1 < n);
		steps += buf->steps;
	}
	buf--;
	put_used(dev, buf->id, len, steps);
	dev->count -= n;
	memmove(dev->held, dev->held + n, dev->count * sizeof(*dev->held));
	if (n > 1)
		dev->pair->batches++;
}

/* Telling and being told */

static bool split_wants_irq(struct dev *dev)
{
	if (!dev->pair->event)
		return !(READ_ONCE(dev->split.avail->flags) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	return vring_need_event(READ_ONCE(vring_used_event(&dev->split)),
				dev->used, dev->told);
}

static bool packed_wants_irq(struct dev *dev)
{
	u16 flags = READ_ONCE(dev->driver->flags), event;
	u64 pos;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	/* The flags before the position: ring_ask() */
	virt_rmb();
	event = READ_ONCE(dev->driver->off_wrap);
	for (pos = dev->told; pos < dev->used; pos++)
		if (off_wrap(pos) == event)
			return true;
	return false;
}

static void tell(struct dev *dev)
{
	bool wants;

	if (dev->told == dev->used)
		return;
	/* What was used before what the driver wants: poll and enable_cb */
	virt_mb();
	wants = dev->pair->packed ? packed_wants_irq(dev) :
				    split_wants_irq(dev);
	dev->told = dev->used;
	if (wants)
		vring_interrupt(0, dev->pair->vq);
}

static void set_kicks(struct dev *dev, bool on)
{
	if (!dev->pair->packed) {
		if (!dev->pair->event)
			WRITE_ONCE(dev->split.used->flags,
				   on ? 0 : VRING_USED_F_NO_NOTIFY);
		else if (on)
			WRITE_ONCE(*(u16 *)&vring_avail_event(&dev->split),
				   (u16)dev->avail);
		return;
	}
	if (on && dev->pair->event) {
		WRITE_ONCE(dev->device->off_wrap, off_wrap(dev->avail));
		/* The position before the flags that make it count */
		virt_wmb();
		WRITE_ONCE(dev->device->flags, VRING_PACKED_EVENT_FLAG_DESC);
		return;
	}
	WRITE_ONCE(dev->device->flags, on ? VRING_PACKED_EVENT_FLAG_ENABLE :
					    VRING_PACKED_EVENT_FLAG_DISABLE);
}

/* Nothing to do: ask to be told, look once more, and wait. */
static void wait_for_kick(struct dev *dev)
{
	forget_old(&dev->pair->kick);
	set_kicks(dev, true);
	/* What we want before another look: kick_prepare */
	virt_mb();
	if (!pop(dev) && !READ_ONCE(dev->pair->stop)) {
		dev->pair->device_waits++;
		wait_for(&dev->pair->kick, "the device");
	}
	set_kicks(dev, false);
}

static void attach(struct dev *dev, struct pair *pair)
{
	void *desc = phys_to_virt(virtqueue_get_desc_addr(pair->vq));
	void *driver = phys_to_virt(virtqueue_get_avail_addr(pair->vq));
	void *device = phys_to_virt(virtqueue_get_used_addr(pair->vq));

	memset(dev, 0, sizeof(*dev));
	dev->pair = pair;
	dev->random = 1;
	dev->split.num = PAIR_NUM;
	dev->split.desc = desc;
	dev->split.avail = driver;
	dev->split.used = device;
	dev->desc = desc;
	dev->driver = driver;
	dev->device = device;
}

void *device_thread(void *arg)
{
	struct pair *pair = arg;
	struct dev dev;

	attach(&dev, pair);
	while (!READ_ONCE(pair->stop)) {
		while (next_random(&dev.random) % 4 && pop(&dev))
			;
		if (!dev.count) {
			tell(&dev);
			wait_for_kick(&dev);
		} else if (pair->in_order) {
			use_batch(&dev);
		} else {
			use_one(&dev);
		}
		if (next_random(&dev.random) % 4 == 0)
			tell(&dev);
	}
	return NULL;
}
