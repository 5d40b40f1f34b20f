// SPDX-License-Identifier: GPL-2.0-only
/*
 * One test for each clause of the specification about the driver's side of a
 * ring, with the bytes in the ring compared. Documentation/virtio/conformance.rst
 * lists them; scripts/test.d/23-conformance compares the two.
 */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include "queue.h"

#ifndef STOCK
struct raw_split {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

struct raw_packed {
	u64 addr;
	u32 len;
	u16 id;
	u16 flags;
};

static struct tq *tq;

static struct raw_split split_at(unsigned int i)
{
	struct raw_split desc;

	memcpy(&desc, device_read(&tq->dq, tq->dq.desc + 16 * i, 16), 16);
	return desc;
}

static struct raw_packed packed_at(unsigned int i)
{
	struct raw_packed desc;

	memcpy(&desc, device_read(&tq->dq, tq->dq.desc + 16 * i, 16), 16);
	return desc;
}

/* A 16-bit field of the driver area, of the device area */
static u16 driver16(unsigned int n)
{
	return device_read16(&tq->dq, tq->dq.driver + 2 * n);
}

static void set_device16(unsigned int n, u16 val)
{
	device_write16(&tq->dq, tq->dq.device + 2 * n, val);
}

static u16 used_event(void)
{
	return driver16(2 + tq->dq.num);
}

static void set_avail_event(u16 val)
{
	set_device16(2 + 4 * tq->dq.num, val);
}

/* Add, publish, use, take back: @count buffers of 1 + 1 elements */
static void cycle(unsigned int count)
{
	while (count--) {
		tq_must_add(tq, 1, 1, HOW_SG);
		virtqueue_kick(tq->vq);
		tq_pop_all(tq);
		tq_use_some(tq, 0);
		tq_get_all(tq);
	}
	tq->dq.told = tq->dq.used;
}

/* The bytes of a buffer's descriptors in a row, in the ring or a table */

static void alignment(void)
{
	check(tq->dq.desc % 16 == 0, "descriptor area at %#lx",
	      (unsigned long)tq->dq.desc);
	check(tq->dq.driver % (tq->config.packed ? 4 : 2) == 0,
	      "driver area at %#lx", (unsigned long)tq->dq.driver);
	check(tq->dq.device % 4 == 0, "device area at %#lx",
	      (unsigned long)tq->dq.device);
}

static void split_bytes(void)
{
	struct req *req = tq_must_add(tq, 1, 2, HOW_PTR);
	unsigned int n;
	u16 head;

	virtqueue_kick(tq->vq);
	head = driver16(2);
	for (n = 0; n < 3; n++) {
		struct raw_split desc = split_at(head);

		check(le64toh(desc.addr) == virt_to_phys(req->elem[n].data),
		      "wrong address in element %u", n);
		check(le32toh(desc.len) == req->elem[n].len, "length %u",
		      desc.len);
		check(le16toh(desc.flags) == (n < 2) + (n ? 2 : 0), "flags %#x",
		      desc.flags);
		head = le16toh(desc.next);
	}
	check(driver16(1) == 1, "available index %u", driver16(1));
}

static void packed_bytes(void)
{
	struct req *req = tq_must_add(tq, 1, 2, HOW_PTR);
	unsigned int n;

	virtqueue_kick(tq->vq);
	for (n = 0; n < 3; n++) {
		struct raw_packed desc = packed_at(n);

		check(le64toh(desc.addr) == virt_to_phys(req->elem[n].data),
		      "wrong address in element %u", n);
		check(le32toh(desc.len) == req->elem[n].len, "length %u",
		      desc.len);
		check(le16toh(desc.flags) == 0x80 + (n < 2) + (n ? 2 : 0),
		      "flags %#x", desc.flags);
	}
	tq_pop_all(tq);
	check(le16toh(packed_at(2).id) == tq->held.req[0]->buf.id, "buffer ID");
}

/* The device of this harness checks the place of each element. */
static void writable_last(void)
{
	unsigned int round;

	for (round = 0; round < 200; round++) {
		tq_must_add(tq, 1 + rnd_below(3), 1 + rnd_below(3),
			    HOW_OLD + rnd_below(HOWS - HOW_OLD));
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* Flags of all descriptors that a full ring has, over some laps */
static void each_flags(void (*fn)(u16 flags))
{
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		while (!tq_add_new(tq, 1, 1 + round % 2, HOW_OLD))
			;
		tq_kick(tq);
		for (i = 0; i < tq->dq.num; i++)
			fn(le16toh(tq->config.packed ? packed_at(i).flags :
						       split_at(i).flags));
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

static void not_indirect(u16 flags)
{
	check(!(flags & 4), "flags %#x without the feature", flags);
}

static void indirect_negotiated(void)
{
	each_flags(not_indirect);
}

static void not_both(u16 flags)
{
	check((flags & 5) != 5, "flags %#x: INDIRECT and NEXT", flags);
}

static void indirect_alone(void)
{
	each_flags(not_both);
}

/* Calls @fn for each table that is in flight when the ring is full. */
static void each_table(void (*fn)(u64 addr, unsigned int num))
{
	unsigned int i, tables = 0;

	while (!tq_add_new(tq, 1, 3, HOW_OLD))
		;
	tq_kick(tq);
	for (i = 0; i < tq->dq.num; i++) {
		struct raw_split split = split_at(i);
		struct raw_packed packed = packed_at(i);
		u16 flags = tq->config.packed ? packed.flags : split.flags;

		if (!(le16toh(flags) & 4))
			continue;
		fn(le64toh(split.addr), le32toh(split.len) / 16);
		tables++;
	}
	check(tables > 1, "%u tables in a full ring", tables);
}

static void table_flags_of(u64 addr, unsigned int num)
{
	u16 flags, allowed = tq->config.packed ? 2 : 3;
	unsigned int i;

	for (i = 0; i < num; i++) {
		flags = device_read16(&tq->dq, addr + 16 * i +
				      (tq->config.packed ? 14 : 12));
		check(!(flags & ~allowed), "flags %#x in a table", flags);
	}
}

static void table_flags(void)
{
	each_table(table_flags_of);
}

static void table_links_of(u64 addr, unsigned int num)
{
	unsigned int i;
	u16 next;

	for (i = 0; i + 1 < num; i++) {
		next = device_read16(&tq->dq, addr + 16 * i + 14);
		check(next == i + 1, "element %u of a table leads to %u", i,
		      next);
	}
}

static void table_sequential(void)
{
	each_table(table_links_of);
}

/* In-order split: a descriptor with NEXT leads to the one after it. */
static void in_order_next(void)
{
	unsigned int round, i, num = tq->dq.num;
	struct raw_split desc;

	for (round = 0; round < 50; round++) {
		tq_must_add(tq, 1, 1 + round % 3, HOW_OLD);
		tq_kick(tq);
		for (i = 0; i < num; i++) {
			desc = split_at(i);
			check(!(le16toh(desc.flags) & 1) ||
			      le16toh(desc.next) == (i + 1) % num,
			      "descriptor %u leads to %u", i, desc.next);
		}
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* One used entry for many: all come back, in the order they were added. */
static void in_order_batch(void)
{
	unsigned int round, n;

	for (round = 0; round < 60; round++) {
		n = 1 + round % 4;
		while (n--)
			tq_must_add(tq, 1, rnd_below(2), HOW_OLD);
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_batch(tq, tq->held.count);
		check(tq_get_all(tq) == 1 + round % 4, "a batch is incomplete");
	}
}

/* Order of writes */

static u16 idx_before;
static u16 idx_add;
static unsigned int points;

static void idx_is_old_or_new(void)
{
	u16 idx = driver16(1);

	points++;
	check(idx == idx_before || idx == (u16)(idx_before + idx_add),
	      "available index went from %u to %u", idx_before, idx);
}

static void idx_increments(void)
{
	unsigned int round;

	for (round = 0; round < 66000; round += idx_add) {
		idx_before = driver16(1);
		check(idx_before == (u16)round, "available index %u of %u",
		      idx_before, round);
		idx_add = 1 + round % 3;
		points = idx_add;
		while (points--)
			tq_must_add(tq, 0, 1, HOW_SG);
		shim.point = idx_is_old_or_new;
		virtqueue_kick_prepare(tq->vq);
		shim.point = NULL;
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

static unsigned long barriers_before;
static enum shim_barrier wanted;
static bool saw_public;

/* Available for the device to see? */
static bool is_public(void)
{
	struct device_queue dq = tq->dq;

	return dq.ops->look(&dq) != dq.popped;
}

static unsigned long barriers(void)
{
	return shim.barriers[wanted][0] + shim.barriers[wanted][1];
}

static void not_before_barrier(void)
{
	if (!is_public())
		return;
	saw_public = true;
	check(barriers() > barriers_before, "public before the barrier");
}

static void barrier_before_public(void)
{
	unsigned int round;

	for (round = 0; round < 2 * tq->dq.num; round++) {
		tq_must_add(tq, 1, 2, HOW_PAGE);
		tq_must_add(tq, 1, 1, HOW_PAGE);
		check(!is_public(), "public before the kick");
		saw_public = false;
		wanted = SHIM_WMB;
		barriers_before = barriers();
		shim.point = not_before_barrier;
		virtqueue_kick_prepare(tq->vq);
		shim.point = NULL;
		check(saw_public, "never public within the kick");
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);

		/* Without a kick */
		barriers_before = barriers();
		shim.point = not_before_barrier;
		tq_must_add(tq, 1, 2, HOW_OLD);
		shim.point = NULL;
		not_before_barrier();
		check(is_public(), "not public at once");
		virtqueue_kick(tq->vq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

static void never_public(void)
{
	check(!is_public(), "a part of a buffer is public");
}

/* Whatever is added, and whether it ends or not: not before the kick */
static void first_last(void)
{
	unsigned int round;

	for (round = 0; round < 4 * tq->dq.num; round++) {
		shim.point = never_public;
		tq_must_add(tq, 1, 1 + round % 3, HOW_SG + round % 3);
		shim.point = NULL;
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* At the barrier the buffer is public, and the device asks to be told of it. */
static void ask_at_barrier(void)
{
	if (barriers() == barriers_before)
		return;
	shim.point = NULL;
	check(is_public(), "not public at the barrier");
	device_set_kicks(&tq->dq, tq->config.event ? KICKS_EVENT : KICKS_ON,
			 tq->dq.popped);
}

static void barrier_before_suppression(void)
{
	unsigned int round;

	for (round = 0; round < 2 * tq->dq.num; round++) {
		device_set_kicks(&tq->dq, KICKS_OFF, 0);
		tq_must_add(tq, 1, 1, HOW_SG);
		wanted = SHIM_MB;
		barriers_before = barriers();
		shim.point = ask_at_barrier;
		check(virtqueue_kick_prepare(tq->vq), "the wish is not seen");
		check(!shim.point, "no barrier");
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* The whole list fits or nothing is written: the ring's bytes are the same. */
static void room_first(void)
{
	u8 before[16 * 8], after[16 * 8];

	while (!tq_add_new(tq, 0, 1, HOW_SG))
		;
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use(tq, 0, 0);
	tq_get_all(tq);
	memcpy(before, device_read(&tq->dq, tq->dq.desc, sizeof(before)),
	       sizeof(before));
	check(tq_add_new(tq, 1, 1, HOW_PAGE) == -ENOSPC, "no room is no error");
	memcpy(after, device_read(&tq->dq, tq->dq.desc, sizeof(after)),
	       sizeof(after));
	check(!memcmp(before, after, sizeof(before)), "the ring was written");
}

/* What the device has stays as it is, whatever else is added and used. */
static void exposed_unaltered(void)
{
	struct raw_split before, after;
	unsigned int round, at;

	tq_must_add(tq, 1, 0, HOW_PTR);
	tq_kick(tq);
	tq_pop_all(tq);
	at = tq->config.packed ? 0 : tq->held.req[0]->buf.id;
	before = split_at(at);
	for (round = 0; round < 5; round++) {
		while (!tq_add_new(tq, 0, 1, HOW_SG))
			;
		tq_kick(tq);
		after = split_at(at);
		check(!memcmp(&before, &after, sizeof(before)),
		      "a descriptor in flight changed");
		tq_pop_all(tq);
		if (tq->config.packed)
			break;	/* used ones would be written over it */
		while (tq->held.count > 1)
			tq_use_some(tq, 1);
		tq_get_all(tq);
	}
}

/* Wrap counters: one lap after the other, descriptor by descriptor */
static void wrap_counter(void)
{
	unsigned int pos;
	u16 want, flags;

	for (pos = 0; pos < 5 * tq->dq.num; pos++) {
		tq_must_add(tq, 1, 0, HOW_SG);
		tq_kick(tq);
		want = pos / tq->dq.num % 2 ? 0x8000 : 0x80;
		flags = le16toh(packed_at(pos % tq->dq.num).flags);
		check((flags & 0x8080) == want, "flags %#x at %u", flags, pos);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* Callbacks */

static void flags_0_or_1(void)
{
	virtqueue_disable_cb(tq->vq);
	check(driver16(0) == 1, "flags %u when disabled", driver16(0));
	virtqueue_enable_cb(tq->vq);
	check(driver16(0) == 0, "flags %u when enabled", driver16(0));
}

static void flags_0_with_event(void)
{
	unsigned int round;

	for (round = 0; round < 20; round++) {
		virtqueue_disable_cb(tq->vq);
		check(!driver16(0), "flags %u when disabled", driver16(0));
		virtqueue_enable_cb(tq->vq);
		check(!driver16(0), "flags %u when enabled", driver16(0));
		cycle(1);
	}
}

static void used_event_exact(void)
{
	unsigned int round;

	for (round = 0; round < 65600; round++) {
		if (round % 100 == 0 || round > 65500) {
			virtqueue_disable_cb(tq->vq);
			check(used_event() != (u16)round, "used_event when disabled");
			virtqueue_enable_cb(tq->vq);
			check(used_event() == (u16)round, "used_event %u of %u",
			      used_event(), round);
		}
		cycle(1);
	}
}

static void spurious_interrupts(void)
{
	unsigned int round;

	for (round = 0; round < 100; round++) {
		check(vring_interrupt(0, tq->vq) == IRQ_NONE, "not refused");
		tq_must_add(tq, 1, 0, HOW_SG);
		check(vring_interrupt(0, tq->vq) == IRQ_NONE, "not refused");
		tq_kick(tq);
		check(vring_interrupt(0, tq->vq) == IRQ_NONE, "not refused");
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

static void packed_event_flags(void)
{
	u16 enabled = tq->config.event ? 2 : 0, position;
	unsigned int round;

	for (round = 0; round < 5 * tq->dq.num; round++) {
		virtqueue_disable_cb(tq->vq);
		check(driver16(1) == 1, "flags %u when disabled", driver16(1));
		virtqueue_enable_cb(tq->vq);
		check(driver16(1) == enabled, "flags %u when enabled",
		      driver16(1));
		position = tq->dq.ops->notify_data(&tq->dq, tq->dq.used);
		check(driver16(0) == position || !tq->config.event,
		      "off_wrap %#x", driver16(0));
		cycle(1);
	}
}

/* Used lengths, and nothing else of the buffer, are passed on. */
static void used_length(void)
{
	unsigned int len, want;
	struct req *req;

	for (want = 0; want < 5; want++) {
		req = req_new(0, 1, 1);
		check(!tq_add(tq, req, HOW_SG), "no room");
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use(tq, 0, want % 2);
		check(virtqueue_get_buf(tq->vq, &len) == req, "wrong token");
		check(len == want % 2, "length %u", len);
		req_list_take(&tq->used, 0);
		req_free(tq, req);
	}
}

/* Notifications */

static void used_flags_zero(void)
{
	check(!device_read16(&tq->dq, tq->dq.device), "flags of the used ring");
}

static bool add_and_prepare(unsigned int count)
{
	bool kick;

	while (count--)
		tq_must_add(tq, 1, 0, HOW_SG);
	kick = virtqueue_kick_prepare(tq->vq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	return kick;
}

static void notify_by_flags(void)
{
	unsigned int round;

	for (round = 0; round < 100; round++) {
		set_avail_event(rnd());
		set_device16(0, round % 2);
		check(add_and_prepare(1) == !(round % 2), "flags %u", round % 2);
	}
}

static void notify_by_event(void)
{
	unsigned int round;
	int off;

	for (round = 0; round < 66000;) {
		off = rnd_below(7) - 3;
		set_device16(0, rnd_below(2));
		set_avail_event(round + off);
		check(add_and_prepare(3) == (off >= 0 && off < 3),
		      "avail_event %d from %u", off, round);
		round += 3;
	}
}

static void packed_notify(void)
{
	unsigned int round;
	int off;

	for (round = 0; round < 40 * tq->dq.num;) {
		set_device16(1, 1);
		check(!add_and_prepare(1), "notified against DISABLE");
		set_device16(1, 0);
		check(add_and_prepare(1), "not notified with ENABLE");
		round += 2;
		if (!tq->config.event)
			continue;
		off = rnd_below(4);
		set_device16(0, tq->dq.ops->notify_data(&tq->dq, round + off));
		set_device16(1, 2);
		check(add_and_prepare(3) == (off < 3), "event %d from %u", off,
		      round);
		round += 3;
	}
}

static void notification_data(void)
{
	unsigned int round;
	u16 where;
	u32 data;

	for (round = 0; round < 66000; round++) {
		tq_must_add(tq, 1, 0, HOW_SG);
		virtqueue_kick_prepare(tq->vq);
		tq_pop_all(tq);
		data = vring_notification_data(tq->vq);
		where = tq->dq.ops->notify_data(&tq->dq, round + 1);
		check(data == (tq->vq->index | (u32)where << 16),
		      "data %#x after %u", data, round + 1);
		tq_use_all(tq);
		tq_get_all(tq);
	}
}

/* The clauses */

enum { SPLIT = 1, PACKED = 2, BOTH = 3 };
enum { ANY, NO, YES };

struct clause {
	const char *section;
	const char *name;
	void (*fn)(void);
	u8 layouts;
	u8 indirect;
	u8 event;
	u8 in_order;
};

static const struct clause clauses[] = {
	{ "2.7.1", "alignment", alignment, SPLIT },
	{ "2.7.4.2", "writable_last", writable_last, SPLIT },
	{ "2.7.5", "split_bytes", split_bytes, SPLIT, NO },
	{ "2.7.5.2", "in_order_next", in_order_next, SPLIT, ANY, ANY, YES },
	{ "2.7.5.3.1", "indirect_negotiated", indirect_negotiated, SPLIT, NO },
	{ "2.7.5.3.1", "table_flags", table_flags, SPLIT, YES },
	{ "2.7.5.3.1", "indirect_alone", indirect_alone, SPLIT, YES },
	{ "2.7.5.3.1", "table_sequential", table_sequential, SPLIT, YES, ANY,
	  YES },
	{ "2.7.6.1", "idx_increments", idx_increments, SPLIT },
	{ "2.7.7.1", "flags_0_or_1", flags_0_or_1, SPLIT, ANY, NO },
	{ "2.7.7.1", "flags_0_with_event", flags_0_with_event, SPLIT, ANY, YES },
	{ "2.7.7.1", "used_event_exact", used_event_exact, SPLIT, NO, YES },
	{ "2.7.7.1", "spurious_interrupts", spurious_interrupts, BOTH },
	{ "2.7.8.2", "used_length", used_length, BOTH },
	{ "2.7.9", "in_order_batch", in_order_batch, SPLIT, ANY, ANY, YES },
	{ "2.7.10.1", "used_flags_zero", used_flags_zero, SPLIT },
	{ "2.7.10.1", "notify_by_flags", notify_by_flags, SPLIT, ANY, NO },
	{ "2.7.10.1", "notify_by_event", notify_by_event, SPLIT, ANY, YES },
	{ "2.7.13.3.1", "barrier_before_public", barrier_before_public, SPLIT },
	{ "2.7.13.4.1", "barrier_before_suppression",
	  barrier_before_suppression, SPLIT },
	{ "2.8.1", "wrap_counter", wrap_counter, PACKED },
	{ "2.8.7", "indirect_alone", indirect_alone, PACKED, YES },
	{ "2.8.9", "in_order_batch", in_order_batch, PACKED, ANY, ANY, YES },
	{ "2.8.10", "packed_notify", packed_notify, PACKED },
	{ "2.8.11", "alignment", alignment, PACKED },
	{ "2.8.13", "packed_bytes", packed_bytes, PACKED, NO },
	{ "2.8.14", "packed_event_flags", packed_event_flags, PACKED },
	{ "2.8.17", "writable_last", writable_last, PACKED },
	{ "2.8.17", "room_first", room_first, PACKED, NO },
	{ "2.8.17", "first_last", first_last, BOTH },
	{ "2.8.19", "indirect_negotiated", indirect_negotiated, PACKED, NO },
	{ "2.8.19", "table_flags", table_flags, PACKED, YES },
	{ "2.8.21", "barrier_before_public", barrier_before_public, PACKED },
	{ "2.8.21", "barrier_before_suppression",
	  barrier_before_suppression, PACKED },
	{ "2.9", "notification_data", notification_data, BOTH },
	{ "3.3.1", "exposed_unaltered", exposed_unaltered, BOTH, NO, ANY, NO },
};

static bool matches(u8 wanted_feature, bool on)
{
	return wanted_feature == ANY || (wanted_feature == YES) == on;
}

/* Which clause a test is of is in its name. */
static void clause_test(const struct tq_config *config)
{
	const char *name = test_name();
	const struct clause *c;
	char start[60];

	for (c = clauses; c < clauses + ARRAY_SIZE(clauses); c++) {
		snprintf(start, sizeof(start), "clause: %s %s, ", c->section,
			 c->name);
		if (!strncmp(name, start, strlen(start)))
			break;
	}
	tq = tq_new(config);
	c->fn();
	tq_delete(tq);
}
#endif

void clause_tests(void)
{
#ifndef STOCK
	const struct clause *c;
	unsigned int bits;

	for (c = clauses; c < clauses + ARRAY_SIZE(clauses); c++) {
		for (bits = 0; bits < 16; bits++) {
			struct tq_config config = {
				.num = bits & 1 ? 9 : 8,
				.packed = bits & 1,
				.indirect = bits & 2,
				.event = bits & 4,
				.in_order = bits & 8,
			};

			if (!(c->layouts & (config.packed ? PACKED : SPLIT)) ||
			    !matches(c->indirect, config.indirect) ||
			    !matches(c->event, config.event) ||
			    !matches(c->in_order, config.in_order))
				continue;
			test_add(clause_test, &config, "clause: %s %s, %s",
				 c->section, c->name, tq_name(&config));
		}
	}
#endif
}
