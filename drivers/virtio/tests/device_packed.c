// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packed virtqueue from the device's side: section 2.8.
 */
#include <endian.h>
#include <string.h>
#include "device.h"
#include "test.h"

/* 2.8.13: struct pvirtq_desc */
struct desc {
	u64 addr;
	u32 len;
	u16 id;
	u16 flags;
};

#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4
#define DESC_F_AVAIL		0x80
#define DESC_F_USED		0x8000

/* 2.8.14: struct pvirtq_event_suppress */
#define EVENT_ENABLE		0
#define EVENT_DISABLE		1
#define EVENT_DESC		2

static bool wrap_of(const struct device_queue *dq, u64 pos)
{
	return !(pos / dq->num & 1);
}

/* Offset and wrap counter of a position, as in an event or a notification */
static u16 off_wrap(const struct device_queue *dq, u64 pos)
{
	return pos % dq->num | wrap_of(dq, pos) << 15;
}

static u64 desc_at(const struct device_queue *dq, u64 pos)
{
	return dq->desc + pos % dq->num * sizeof(struct desc);
}

static u16 read_flags(const struct device_queue *dq, u64 pos)
{
	return device_read16(dq, desc_at(dq, pos) +
			     offsetof(struct desc, flags));
}

/* 2.8.1: available when AVAIL is the wrap counter and USED is not */
static u16 avail_flags(const struct device_queue *dq, u64 pos)
{
	return wrap_of(dq, pos) ? DESC_F_AVAIL : DESC_F_USED;
}

static bool is_avail(const struct device_queue *dq, u64 pos)
{
	return (read_flags(dq, pos) & (DESC_F_AVAIL | DESC_F_USED)) ==
	       avail_flags(dq, pos);
}

static struct desc read_desc(const struct device_queue *dq, u64 addr)
{
	struct desc desc;

	memcpy(&desc, device_read(dq, addr, sizeof(desc)), sizeof(desc));
	desc.addr = le64toh(desc.addr);
	desc.len = le32toh(desc.len);
	desc.id = le16toh(desc.id);
	desc.flags = le16toh(desc.flags);
	return desc;
}

/* Follow chains as far as they are available. */
static u64 packed_look(struct device_queue *dq)
{
	u64 pos = dq->seen;

	while (pos < dq->used + dq->num && is_avail(dq, pos)) {
		while (read_flags(dq, pos) & DESC_F_NEXT) {
			pos++;
			check(pos < dq->used + dq->num,
			      "device: chain runs into buffers in flight");
		}
		pos++;
	}
	dq->seen = pos;
	return pos;
}

/* 2.8.7: all elements of a table are one buffer; only WRITE has a meaning */
static void read_table(struct device_queue *dq, const struct desc *ref,
		       struct device_buf *buf)
{
	struct desc desc;
	u32 i;

	check(dq->indirect, "device: indirect table was not negotiated");
	check(!(ref->flags & (DESC_F_NEXT | DESC_F_WRITE)),
	      "device: flags %#x with an indirect table", ref->flags);
	check(ref->len && ref->len % sizeof(desc) == 0,
	      "device: indirect table of %u bytes", ref->len);
	buf->indirect = true;
	for (i = 0; i < ref->len / sizeof(desc); i++) {
		desc = read_desc(dq, ref->addr + i * sizeof(desc));
		check(!(desc.flags & ~DESC_F_WRITE),
		      "device: flags %#x in an indirect table", desc.flags);
		device_add_elem(buf, desc.addr, desc.len,
				desc.flags & DESC_F_WRITE);
	}
}

static void packed_pop(struct device_queue *dq, struct device_buf *buf)
{
	struct desc desc;
	u16 flags;

	buf->descs = 0;
	do {
		check(dq->popped < dq->seen,
		      "device: chain goes on beyond what is available");
		check(is_avail(dq, dq->popped),
		      "device: descriptor at %llu is not available",
		      (unsigned long long)dq->popped % dq->num);
		desc = read_desc(dq, desc_at(dq, dq->popped));
		flags = desc.flags & ~(DESC_F_AVAIL | DESC_F_USED);
		check(!(flags & ~(DESC_F_NEXT | DESC_F_WRITE |
				  DESC_F_INDIRECT)),
		      "device: unknown flags %#x", flags);
		if (flags & DESC_F_INDIRECT) {
			check(!buf->descs,
			      "device: indirect table in the middle of a chain");
			read_table(dq, &desc, buf);
		} else {
			device_add_elem(buf, desc.addr, desc.len,
					flags & DESC_F_WRITE);
		}
		dq->popped++;
		buf->descs++;
	} while (flags & DESC_F_NEXT);

	/* 2.8.6: the last descriptor has the buffer ID */
	buf->steps = buf->descs;
	buf->id = desc.id;
	check(!dq->taken[desc.id], "device: buffer ID %u is in use already",
	      desc.id);
	dq->taken[desc.id] = true;
}

static void packed_put_used(struct device_queue *dq, u32 id, u32 len,
			    u16 steps)
{
	u64 addr = desc_at(dq, dq->used);
	struct desc *desc = device_write(dq, addr, sizeof(*desc));
	u16 flags = wrap_of(dq, dq->used) ? DESC_F_AVAIL | DESC_F_USED : 0;

	desc->id = htole16(id);
	desc->len = htole32(len);
	if (len)
		flags |= DESC_F_WRITE;
	device_write16(dq, addr + offsetof(struct desc, flags), flags);
	dq->used += steps;
}

static void packed_forget(struct device_queue *dq,
			  const struct device_buf *buf)
{
	dq->taken[buf->id] = false;
}

static void packed_set_kicks(struct device_queue *dq)
{
	u16 flags = EVENT_ENABLE;

	if (dq->kicks == KICKS_OFF)
		flags = EVENT_DISABLE;
	if (dq->kicks == KICKS_EVENT) {
		flags = EVENT_DESC;
		device_write16(dq, dq->device, off_wrap(dq, dq->kick_event));
	}
	device_write16(dq, dq->device + 2, flags);
}

/* 2.8.10: is a position with this offset and wrap counter among these? */
static bool among(const struct device_queue *dq, u16 event, u64 old, u64 new)
{
	u64 pos;

	for (pos = old; pos < new; pos++)
		if (off_wrap(dq, pos) == event)
			return true;
	return false;
}

static bool packed_wants_kick(struct device_queue *dq, u64 old, u64 new)
{
	if (dq->kicks != KICKS_EVENT)
		return dq->kicks == KICKS_ON;
	return among(dq, device_read16(dq, dq->device), old, new);
}

static bool packed_wants_irq(struct device_queue *dq, u64 old, u64 new)
{
	u16 flags = device_read16(dq, dq->driver + 2);

	check(flags <= EVENT_DESC, "device: driver event flags %#x", flags);
	if (flags != EVENT_DESC)
		return flags == EVENT_ENABLE;
	check(dq->event, "device: event index was not negotiated");
	return among(dq, device_read16(dq, dq->driver), old, new);
}

static u16 packed_notify_data(const struct device_queue *dq, u64 pos)
{
	return off_wrap(dq, pos);
}

const struct device_ops device_packed = {
	.look = packed_look,
	.pop = packed_pop,
	.put_used = packed_put_used,
	.forget = packed_forget,
	.set_kicks = packed_set_kicks,
	.wants_kick = packed_wants_kick,
	.wants_irq = packed_wants_irq,
	.notify_data = packed_notify_data,
};
