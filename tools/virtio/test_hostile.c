// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that breaks the rules. The queue is broken with one message that
 * says what was wrong, or goes on as if nothing had happened; no buffer comes
 * back twice or is lost, and nothing outside the ring is touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "queue.h"

#define DESC_SIZE	16

/* The queue is broken, and says so once, naming itself and @value. */
static void check_broken(struct tq *tq, u32 value)
{
	unsigned int len, errs = shim.errs;
	char text[16];

	check(!virtqueue_get_buf(tq->vq, &len), "a buffer that wasn't used");
	check(virtqueue_is_broken(tq->vq), "the queue isn't broken");
	snprintf(text, sizeof(text), "%u", value);
	tq->hostile = true;
	check(shim.errs == 1 && errs <= 1, "%u messages", shim.errs);
	check(strstr(shim.last_err, "requests"), "no name: %s", shim.last_err);
	check(strstr(shim.last_err, text), "no %u: %s", value, shim.last_err);
#ifndef STOCK
	check(tq->vq->why && strstr(shim.last_err, tq->vq->why),
	      "another reason is kept: %s", tq->vq->why);
#endif

	check(!virtqueue_get_buf(tq->vq, &len), "a buffer of a broken queue");
	check(tq_add_new(tq, 1, 1, HOW_OLD) == -EIO,
	      "a broken queue takes a buffer");
	check(!virtqueue_notify(tq->vq), "a broken queue can notify");
	check(shim.errs == 1, "%u messages", shim.errs);
	tq_delete(tq);
}

static void in_flight(struct tq *tq, unsigned int buffers, unsigned int elems)
{
	while (buffers--)
		tq_must_add(tq, 0, elems, HOW_OLD);
	tq_kick(tq);
	tq_pop_all(tq);
}

static void bad_id(const struct tq_config *config)
{
	static const u32 split[] = { 8, 9, 255, 0x7fff, 0x10000, ~0U };
	static const u32 packed[] = { 8, 9, 255, 0x7fff, 0xffff };
	const u32 *ids = config->packed ? packed : split;
	unsigned int i, count = config->packed ? ARRAY_SIZE(packed) :
						 ARRAY_SIZE(split);

	for (i = 0; i < count; i++) {
		struct tq *tq = tq_new(config);

		shim.errs = 0;
		in_flight(tq, 2, 1);
		tq->dq.ops->put_used(&tq->dq, ids[i], 0, 1);
		check_broken(tq, ids[i]);
	}
}

/* An ID that is in range, of no buffer in flight */
static void not_in_flight(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	bool taken[8] = {};
	unsigned int i;

	in_flight(tq, 2, 1);
	for (i = 0; i < tq->held.count; i++)
		taken[tq->held.req[i]->buf.id] = true;
	for (i = 0; taken[i]; i++)
		;
	tq->dq.ops->put_used(&tq->dq, i, 0, 1);
	check_broken(tq, i);
}

/* Split: a descriptor in the middle of a chain */
static void not_a_head(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	u16 id;

	in_flight(tq, 1, 3);
	id = tq->dq.chain[tq->held.req[0]->buf.id];
	tq->dq.ops->put_used(&tq->dq, id, 0, 1);
	check_broken(tq, id);
}

static void used_twice(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	struct device_buf buf;

	in_flight(tq, 3, 1);
	buf = tq->held.req[1]->buf;
	tq_use(tq, 1, 0);
	check(tq_get(tq), "a used buffer can't be had");
	tq->dq.ops->put_used(&tq->dq, buf.id, 0, buf.steps);
	check_broken(tq, buf.id);
}

/* A used index far ahead: each call does bounded work, and it ends. */
static void index_ahead(const struct tq_config *config)
{
	static const u16 ahead[] = { 9, 100, 0x8000, 0xffff };
	unsigned int i, n, len;

	for (i = 0; i < ARRAY_SIZE(ahead); i++) {
		struct tq *tq = tq_new(config);
		struct req *req;

		in_flight(tq, 8, 1);
		device_write16(&tq->dq, tq->dq.device + 2, ahead[i]);
		for (n = 0; (req = virtqueue_get_buf(tq->vq, &len)); n++) {
			check(n < 8, "more buffers than were added");
			req_list_take(&tq->held, 0);
			req_free(tq, req);
			/* All entries say 0. */
			check(!n, "a buffer comes back twice");
		}
		check(virtqueue_is_broken(tq->vq), "the queue isn't broken");
#ifndef STOCK
		check(!n, "a buffer, before the index was looked at");
		check(strstr(shim.last_err, "used index"), "another reason: %s",
		      shim.last_err);
#endif
		tq_delete(tq);
	}
}

#ifndef STOCK
/* The device has one buffer all the time, and @kicks others in turn. */
static struct req *keep_one(struct tq *tq, unsigned int kicks)
{
	struct req *kept = tq_must_add(tq, 1, 0, HOW_PTR);

	tq_kick(tq);
	check(tq_pop(tq), "device sees no buffer");
	while (kicks--) {
		tq_must_add(tq, 0, 1, HOW_PTR);
		tq_kick(tq);
		check(tq_pop(tq), "device sees no buffer");
		tq_use_some(tq, 1);
		check(tq_get(tq), "the buffer doesn't come back");
	}
	return kept;
}

/* A buffer that was added but not kicked is not the device's to use. */
static void not_kicked(const struct tq_config *config)
{
	unsigned int kicks;

	for (kicks = 0; kicks < (config->order ? 1 : 20); kicks++) {
		struct tq *tq = tq_new(config);

		shim.errs = 0;
		keep_one(tq, kicks);
		tq_must_add(tq, 0, 1, HOW_PTR);
		/* The kept one is 0, and free ones are taken from the front. */
		tq->dq.ops->put_used(&tq->dq, 1, 0, 1);
		check_broken(tq, 1);
	}
}

/* One that was kicked is, however long ago. */
static void kicked_long_ago(const struct tq_config *config)
{
	static const unsigned int kicks[] = { 1, 65533, 65534, 65535, 65536 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kicks); i++) {
		struct tq *tq = tq_new(config);

		keep_one(tq, kicks[i]);
		tq_must_add(tq, 0, 1, HOW_PTR);
		tq_use_some(tq, 0);
		check(tq_get(tq), "the kept buffer doesn't come back");
		tq_kick(tq);
		tq_traffic(tq, 100);
		tq_delete(tq);
	}
}
#endif

/* Used lengths beyond the buffer are cut, and the end of the queue tells of it. */
static void long_used(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, len, elems, messages;
	struct req *req, *got;

	for (round = 0; round < 50; round++) {
		elems = 1 + round % 4;
		req = tq_must_add(tq, 1, elems - 1, round % HOWS);
		tq_kick(tq);
		tq_pop_all(tq);
		req_list_take(&tq->held, 0);
		tq->dq.ops->put_used(&tq->dq, req->buf.id,
				     req->in_len + 1 + (round & 1) * rnd_below(1U << 31),
				     req->buf.steps);
		tq->dq.ops->forget(&tq->dq, &req->buf);
		got = virtqueue_get_buf(tq->vq, &len);
		check(got == req, "the buffer doesn't come back");
		check(len == req->in_len, "used length %u of a buffer of %u",
		      len, req->in_len);
		req_free(tq, req);
	}
	messages = shim.errs + shim.dev_warns + shim.dev_infos;
	check(!messages, "%u messages", messages);
	check(!virtqueue_is_broken(tq->vq), "the queue is broken");
	tq_traffic(tq, 300);
	tq_delete(tq);
	check(shim.dev_infos == 1, "%u messages at the end", shim.dev_infos);
}

#ifndef STOCK
/* A used length is good, however large the buffer: its size has more than 32 bits. */
static void huge_buffer(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	struct device_buf buf;
	unsigned int len, i;

	for (i = 0; i < 2 * tq->dq.num; i++) {
		check(!virtqueue_start_buf(tq->vq, 0, 2, &buf, NULL,
					   GFP_ATOMIC), "no room");
		virtqueue_add_dma(tq->vq, 1 << 20, 1U << 31, DMA_FROM_DEVICE);
		virtqueue_add_dma(tq->vq, 1 << 20, 1U << 31, DMA_FROM_DEVICE);
		check(!virtqueue_end_buf(tq->vq), "no huge buffer");
		virtqueue_kick(tq->vq);
		check(device_pop(&tq->dq, &buf), "device sees no buffer");
		device_use(&tq->dq, &buf, 4096);
		check(virtqueue_get_buf(tq->vq, &len) == &buf,
		      "the buffer doesn't come back");
		check(len == 4096, "used length %u instead of 4096", len);
	}
	tq->kicked = tq->dq.seen;
	tq_delete(tq);
}
#endif

/* What the device writes into descriptors it has used means nothing. */
static void scribble(struct tq *tq, unsigned int bytes)
{
	/* Packed: ID and flags are what tells the driver of used buffers. */
	unsigned int size = tq->config.packed ? 12 : DESC_SIZE;
	u64 desc;

	while (bytes--) {
		desc = tq->dq.desc + rnd_below(tq->dq.num) * DESC_SIZE;
		*(u8 *)device_write(&tq->dq, desc + rnd_below(size), 1) = rnd();
	}
}

static void scribbled_descriptors(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, n;

	for (round = 0; round < 2000; round++) {
		for (n = rnd_below(4); n; n--) {
			int err = tq_add_new(tq, rnd_below(3), 1,
					     rnd_below(HOWS));

			check(!err || err == -ENOSPC, "adding fails: %d", err);
		}
		tq_kick(tq);
		tq_pop_all(tq);
		scribble(tq, 30);
		for (n = rnd_below(4); n && tq->held.count; n--)
			tq_use_some(tq, rnd_below(tq->held.count));
		tq_get_all(tq);
	}
	check(!virtqueue_is_broken(tq->vq), "the queue is broken");
	tq_delete(tq);
}

/*
 * A device that writes anything anywhere in the ring, at any moment. The
 * driver's side has to hold: what comes back was added and is not back yet.
 */
static struct tq *garbage_tq;

static void garbage_at(u64 addr, unsigned int size)
{
	u64 at = addr + rnd_below(size);

	if (one_in(2)) {
		*(u8 *)device_write(&garbage_tq->dq, at, 1) = rnd();
		return;
	}
	/* Small numbers get further than random ones. */
	at &= ~1ULL;
	device_write16(&garbage_tq->dq, at,
		       rnd_below(garbage_tq->dq.num + 1) | (rnd() & 0x8087));
}

static void garbage(void)
{
	const struct device_queue *dq = &garbage_tq->dq;
	bool packed = garbage_tq->config.packed;

	if (!one_in(3))
		return;
	switch (rnd_below(3)) {
	case 0:
		garbage_at(dq->desc, dq->num * DESC_SIZE);
		break;
	case 1:
		garbage_at(dq->driver, packed ? 4 : 6 + 2 * dq->num);
		break;
	default:
		garbage_at(dq->device, packed ? 4 : 6 + 8 * dq->num);
		break;
	}
}

static void garbage_round(struct tq *tq, struct req_list *out)
{
	unsigned int n, len, i;
	struct req *req;

	for (n = rnd_below(5); n; n--) {
		req = req_new(rnd_below(3), 1, 20);
		if (tq_add(tq, req, rnd_below(HOWS)))
			req_free(tq, req);
		else
			req_list_push(out, req_list_take(&tq->added, 0));
	}
	virtqueue_kick(tq->vq);
	if (one_in(2))
		virtqueue_disable_cb(tq->vq);
	if (one_in(2))
		virtqueue_enable_cb(tq->vq);
	if (one_in(3))
		virtqueue_enable_cb_delayed(tq->vq);
	vring_interrupt(0, tq->vq);
	for (n = 0; n < 4 * tq->dq.num; n++) {
		req = virtqueue_get_buf(tq->vq, &len);
		if (!req)
			break;
		for (i = 0; i < out->count; i++)
			if (out->req[(out->first + i) % TQ_MAX_REQS] == req)
				break;
		check(i < out->count, "a buffer that isn't in flight");
		check(len <= req->in_len, "used length %u of a buffer of %u",
		      len, req->in_len);
		req_list_take(out, i);
		req_free(tq, req);
	}
	check(n < 4 * tq->dq.num, "used buffers without end");
	check(tq->vq->num_free <= tq->dq.num, "%u free of %u",
	      tq->vq->num_free, tq->dq.num);
}

static void garbage_everywhere(const struct tq_config *config)
{
	unsigned int life, round;

	for (life = 0; life < 150; life++) {
		struct tq *tq = tq_new(config);
		struct req_list out = {};

		garbage_tq = tq;
		tq->hostile = true;
		shim.errs = 0;
		shim.point = garbage;
		for (round = 0; round < 30; round++) {
			garbage_round(tq, &out);
			if (virtqueue_is_broken(tq->vq))
				break;
		}
		shim.point = NULL;
		check(shim.errs == virtqueue_is_broken(tq->vq),
		      "%u messages", shim.errs);
		/* Whatever happened, each buffer is there once. */
		tq->held = out;
		tq_delete(tq);
	}
}

/* In order, a batch that ends with what is not in flight, or out of range */
static void batch_of_nothing(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	in_flight(tq, 3, 1);
	tq->dq.ops->put_used(&tq->dq, 5, 0, 1);
	check_broken(tq, 5);
}

static void batch_out_of_range(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	in_flight(tq, 3, 1);
	tq->dq.ops->put_used(&tq->dq, 200, 0, 3);
	check_broken(tq, 200);
}

/* Split: the used index covers two buffers, the element names the third. */
static void batch_beyond_index(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int len, n;
	struct req *req;

	in_flight(tq, 4, 1);
	tq->dq.ops->put_used(&tq->dq, tq->held.req[2]->buf.id, 0, 2);
	for (n = 0; (req = virtqueue_get_buf(tq->vq, &len)); n++) {
		check(req == tq->held.req[tq->held.first], "a wrong buffer");
		req_free(tq, req_list_take(&tq->held, 0));
	}
	check(n < 3, "%u buffers of two that were used", n);
	check(virtqueue_is_broken(tq->vq), "the queue isn't broken");
	check(shim.errs == 1, "%u messages", shim.errs);
	tq->hostile = true;
	tq_delete(tq);
}

/* A batch, then another that begins with a buffer of the first */
static void batch_twice(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	struct device_buf buf;

	in_flight(tq, 4, 1);
	buf = tq->held.req[1]->buf;
	tq_use_batch(tq, 3);
	check(tq_get_all(tq) == 3, "a batch is incomplete");
	tq->dq.ops->put_used(&tq->dq, buf.id, 0, 1);
	check_broken(tq, buf.id);
}

static void add_in_order_tests(const struct tq_config *base)
{
	struct tq_config config = *base;
	const char *name;

	config.in_order = true;
	name = tq_name(&config);
	test_add(garbage_everywhere, &config, "hostile: garbage everywhere, %s",
		 name);
	test_add(batch_of_nothing, &config,
		 "hostile: a batch ends at no buffer, %s", name);
	test_add(batch_out_of_range, &config,
		 "hostile: a batch ends out of range, %s", name);
	test_add(batch_twice, &config, "hostile: a batch used twice, %s", name);
	if (!config.packed)
		test_add(batch_beyond_index, &config,
			 "hostile: a batch beyond the used index, %s", name);
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;
	const char *name;

	if (config.order || config.legacy)
		return;
	config.num = 8;
	add_in_order_tests(&config);
	name = tq_name(&config);
	test_add(garbage_everywhere, &config, "hostile: garbage everywhere, %s",
		 name);
	if (config.event)
		return;
	test_add(bad_id, &config, "hostile: ID out of range, %s", name);
	test_add(not_in_flight, &config, "hostile: ID not in flight, %s", name);
	test_add(used_twice, &config, "hostile: used twice, %s", name);
#ifndef STOCK
	test_add(not_kicked, &config, "hostile: not kicked, %s", name);
	if (!config.order && !config.access && !config.indirect)
		test_add(kicked_long_ago, &config,
			 "hostile: kicked long ago, %s", name);
#endif
	test_add(long_used, &config, "hostile: used length, %s", name);
#ifndef STOCK
	test_add(huge_buffer, &config, "hostile: huge buffer, %s", name);
#endif
	test_add(scribbled_descriptors, &config,
		 "hostile: scribbled descriptors, %s", name);
	if (config.packed)
		return;
	test_add(index_ahead, &config, "hostile: used index ahead, %s", name);
	if (!config.indirect)
		test_add(not_a_head, &config, "hostile: ID of no head, %s",
			 name);
}

void hostile_tests(void)
{
	tq_all_configs(add_tests_for);
}
