// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split virtqueue from the device's side: section 2.7.
 */
#include <endian.h>
#include <string.h>
#include "device.h"
#include "test.h"

/* 2.7.5: struct virtq_desc */
struct desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4

#define AVAIL_F_NO_INTERRUPT	1
#define USED_F_NO_NOTIFY	1

/* 2.7.6, 2.7.8: where the fields of the two rings are */
static u64 avail_flags(const struct device_queue *dq)
{
	return dq->driver;
}

static u64 avail_idx(const struct device_queue *dq)
{
	return dq->driver + 2;
}

static u64 avail_entry(const struct device_queue *dq, u64 pos)
{
	return dq->driver + 4 + 2 * (pos % dq->num);
}

static u64 used_event(const struct device_queue *dq)
{
	return dq->driver + 4 + 2 * dq->num;
}

static u64 used_flags(const struct device_queue *dq)
{
	return dq->device;
}

static u64 used_idx(const struct device_queue *dq)
{
	return dq->device + 2;
}

static u64 used_entry(const struct device_queue *dq, u64 pos)
{
	return dq->device + 4 + 8 * (pos % dq->num);
}

static u64 avail_event(const struct device_queue *dq)
{
	return dq->device + 4 + 8 * dq->num;
}

static struct desc read_desc(const struct device_queue *dq, u64 table, u16 i)
{
	struct desc desc;

	memcpy(&desc, device_read(dq, table + i * sizeof(desc), sizeof(desc)),
	       sizeof(desc));
	if (dq->native)
		return desc;
	desc.addr = le64toh(desc.addr);
	desc.len = le32toh(desc.len);
	desc.flags = le16toh(desc.flags);
	desc.next = le16toh(desc.next);
	return desc;
}

static u64 split_look(struct device_queue *dq)
{
	u16 ahead = device_read16(dq, avail_idx(dq)) - (u16)dq->popped;

	check(ahead <= dq->num, "device: available index is %u ahead", ahead);
	check(dq->popped + ahead >= dq->seen,
	      "device: available index went back");
	dq->seen = dq->popped + ahead;
	check(dq->seen - dq->used <= dq->num,
	      "device: more buffers available than descriptors");
	return dq->seen;
}

/* 2.7.5.3: a table has its own chain, and nothing else in the ring does */
static void read_table(struct device_queue *dq, const struct desc *ref,
		       struct device_buf *buf)
{
	u32 num = ref->len / sizeof(struct desc);
	struct desc desc;
	u32 i = 0, n = 0;

	check(dq->indirect, "device: indirect table was not negotiated");
	check(ref->flags == DESC_F_INDIRECT,
	      "device: flags %#x with an indirect table", ref->flags);
	check(ref->len && ref->len % sizeof(struct desc) == 0,
	      "device: indirect table of %u bytes", ref->len);
	check(num <= 1 << 16, "device: table of %u elements", num);
	buf->indirect = true;
	do {
		check(i < num, "device: next is %u in a table of %u", i, num);
		check(n++ < num, "device: loop in an indirect table");
		desc = read_desc(dq, ref->addr, i);
		check(!(desc.flags & ~(DESC_F_NEXT | DESC_F_WRITE)),
		      "device: flags %#x in an indirect table", desc.flags);
		device_add_elem(buf, desc.addr, desc.len,
				desc.flags & DESC_F_WRITE);
		i = desc.next;
	} while (desc.flags & DESC_F_NEXT);
}

static void take(struct device_queue *dq, u32 i)
{
	check(i < dq->num, "device: descriptor %u of %u", i, dq->num);
	check(!dq->taken[i], "device: descriptor %u is in use already", i);
	dq->taken[i] = true;
	/* 2.7.9, 2.7.5.1: in order, the table is a ring. */
	check(!dq->in_order || i == dq->next_desc,
	      "device: descriptor %u instead of %u", i, dq->next_desc);
	dq->next_desc = (i + 1) % dq->num;
}

static void split_pop(struct device_queue *dq, struct device_buf *buf)
{
	u16 i = device_read16(dq, avail_entry(dq, dq->popped));
	struct desc desc;

	buf->id = i;
	buf->descs = 0;
	for (;;) {
		take(dq, i);
		buf->descs++;
		desc = read_desc(dq, dq->desc, i);
		check(!(desc.flags &
			~(DESC_F_NEXT | DESC_F_WRITE | DESC_F_INDIRECT)),
		      "device: unknown flags %#x", desc.flags);
		if (desc.flags & DESC_F_INDIRECT) {
			check(buf->descs == 1,
			      "device: indirect table in the middle of a chain");
			read_table(dq, &desc, buf);
			break;
		}
		device_add_elem(buf, desc.addr, desc.len,
				desc.flags & DESC_F_WRITE);
		if (!(desc.flags & DESC_F_NEXT))
			break;
		dq->chain[i] = desc.next;
		i = desc.next;
	}
	buf->steps = 1;
	dq->popped++;
}

static void split_put_used(struct device_queue *dq, u32 id, u32 len, u16 steps)
{
	u32 *entry = device_write(dq, used_entry(dq, dq->used), 8);

	entry[0] = dq->native ? id : htole32(id);
	entry[1] = dq->native ? len : htole32(len);
	dq->used += steps;
	device_write16(dq, used_idx(dq), dq->used);
}

static void split_forget(struct device_queue *dq, const struct device_buf *buf)
{
	unsigned int n;
	u16 i = buf->id;

	for (n = 0; n < buf->descs; n++) {
		dq->taken[i] = false;
		i = dq->chain[i];
	}
}

/* 2.7.10: with event index, flags is 0 and the index decides */
static void split_set_kicks(struct device_queue *dq)
{
	if (!dq->event)
		device_write16(dq, used_flags(dq), dq->kicks == KICKS_OFF ?
			       USED_F_NO_NOTIFY : 0);
	else if (dq->kicks == KICKS_EVENT)
		device_write16(dq, avail_event(dq), dq->kick_event);
	else if (dq->kicks == KICKS_ON)
		device_write16(dq, avail_event(dq), dq->seen);
	else
		device_write16(dq, avail_event(dq), dq->seen - 1);
}

/* 2.7.7.1, 2.7.10: is @event from @old on and before @new? */
static bool crossed(u16 event, u16 old, u16 new)
{
	return (u16)(event - old) < (u16)(new - old);
}

static bool split_wants_kick(struct device_queue *dq, u64 old, u64 new)
{
	if (!dq->event)
		return dq->kicks != KICKS_OFF;
	return crossed(device_read16(dq, avail_event(dq)), old, new);
}

static bool split_wants_irq(struct device_queue *dq, u64 old, u64 new)
{
	u16 flags = device_read16(dq, avail_flags(dq));

	check(!(flags & ~AVAIL_F_NO_INTERRUPT),
	      "device: unknown available flags %#x", flags);
	if (!dq->event)
		return !flags;
	check(!flags, "device: available flags %#x with event index", flags);
	return crossed(device_read16(dq, used_event(dq)), old, new);
}

static u16 split_notify_data(const struct device_queue *dq, u64 pos)
{
	return pos;
}

const struct device_ops device_split = {
	.look = split_look,
	.pop = split_pop,
	.put_used = split_put_used,
	.forget = split_forget,
	.set_kicks = split_set_kicks,
	.wants_kick = split_wants_kick,
	.wants_irq = split_wants_irq,
	.notify_data = split_notify_data,
};
