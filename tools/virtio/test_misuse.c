// SPDX-License-Identifier: GPL-2.0-only
/*
 * The piecewise API used wrongly by a driver: always caught, reported once for
 * a queue, and nothing is damaged. And what is unusual but allowed.
 */
#include <string.h>
#include "queue.h"

#ifndef STOCK
static u8 data[64];

static int start(struct tq *tq, unsigned int out, unsigned int in)
{
	return virtqueue_start_buf(tq->vq, out, in, data, NULL, GFP_ATOMIC);
}

/* Add an element in one of the ways. */
static void add(struct tq *tq, unsigned int way, enum dma_data_direction dir)
{
	struct bvec_iter iter = { .bi_size = sizeof(data) };
	struct scatterlist sg;
	struct bio_vec bvec;

	bvec_set_virt(&bvec, data, sizeof(data));
	switch (way % 6) {
	case 0:
		virtqueue_add_page(tq->vq, virt_to_page(data),
				   offset_in_page(data), sizeof(data), dir);
		break;
	case 1:
		virtqueue_add_ptr(tq->vq, data, sizeof(data), dir);
		break;
	case 2:
		virtqueue_add_bvec(tq->vq, &bvec, dir);
		break;
	case 3:
		sg_init_one(&sg, data, sizeof(data));
		virtqueue_add_sg(tq->vq, &sg, 1, dir);
		break;
	case 4:
		virtqueue_add_bvecs(tq->vq, &bvec, &iter, UINT_MAX, dir);
		break;
	default:
		virtqueue_add_dma(tq->vq, 0x1000, sizeof(data), dir);
		break;
	}
}

#define OUT	DMA_TO_DEVICE
#define IN	DMA_FROM_DEVICE

static void end_fails(struct tq *tq, const char *what)
{
	int err = virtqueue_end_buf(tq->vq);

	check(err == -EINVAL, "%s: end_buf returns %d", what, err);
}

static void more_than_declared(struct tq *tq, unsigned int way)
{
	start(tq, 1, 0);
	add(tq, way, OUT);
	add(tq, way, OUT);
	end_fails(tq, "a second readable element");

	start(tq, 0, 1);
	add(tq, way, IN);
	add(tq, way, IN);
	add(tq, way, IN);
	end_fails(tq, "a second writable element");

	start(tq, 0, 2);
	add(tq, way, OUT);
	end_fails(tq, "readable instead of writable");

	start(tq, 2, 0);
	add(tq, way, OUT);
	add(tq, way, IN);
	end_fails(tq, "writable instead of readable");

	start(tq, 1, 1);
	add(tq, way, DMA_BIDIRECTIONAL);
	end_fails(tq, "both directions");
}

static void long_list(struct tq *tq, unsigned int way)
{
	struct scatterlist sg[4];
	unsigned int i;

	sg_init_table(sg, 4);
	for (i = 0; i < 4; i++)
		sg_set_buf(&sg[i], data, 16);
	start(tq, 3, 0);
	virtqueue_add_sg(tq->vq, sg, 4, OUT);
	end_fails(tq, "a list that is too long");
	start(tq, 0, 3);
	virtqueue_add_sg(tq->vq, sg, UINT_MAX, IN);
	end_fails(tq, "a list that is too long");
}

static void long_array(struct tq *tq, unsigned int way)
{
	struct bvec_iter iter = { .bi_size = 2 * sizeof(data) };
	struct bio_vec bvecs[2];

	bvec_set_virt(&bvecs[0], data, sizeof(data));
	bvec_set_virt(&bvecs[1], data, sizeof(data));
	start(tq, 1, 2);
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, UINT_MAX, OUT);
	end_fails(tq, "an array that is too long");
	start(tq, 0, 3);
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, sizeof(data) / 2, IN);
	end_fails(tq, "an array of vectors that are too long");
}

static void no_length(struct tq *tq, unsigned int way)
{
	struct bvec_iter iter = { .bi_size = sizeof(data) };
	struct bio_vec bvec;

	bvec_set_virt(&bvec, data, sizeof(data));
	start(tq, 0, 1);
	virtqueue_add_bvecs(tq->vq, &bvec, &iter, 0, IN);
	end_fails(tq, "elements of no length");
}

static void wrong_order(struct tq *tq, unsigned int way)
{
	start(tq, 2, 2);
	add(tq, way, OUT);
	add(tq, way, IN);
	add(tq, way, OUT);
	add(tq, way, IN);
	end_fails(tq, "readable after writable");
}

static void end_without_start(struct tq *tq, unsigned int way)
{
	end_fails(tq, "no start");
	add(tq, way, OUT);
	end_fails(tq, "no start, but an element");
	start(tq, 1, 0);
	virtqueue_cancel_buf(tq->vq);
	add(tq, way, OUT);
	end_fails(tq, "end after cancel");
}

static void second_start(struct tq *tq, unsigned int way)
{
	check(!start(tq, 2, 0), "start fails");
	add(tq, way, OUT);
	check(start(tq, 1, 0) == -EINVAL, "a second start is accepted");
	check(virtqueue_add_buf_dma(tq->vq, 0x1000, sizeof(data), OUT, data) ==
	      -EINVAL, "a buffer within a buffer is accepted");
	add(tq, way, OUT);
	virtqueue_end_buf(tq->vq);
}

static void second_cancel(struct tq *tq, unsigned int way)
{
	virtqueue_cancel_buf(tq->vq);
	start(tq, 2, 2);
	add(tq, way, OUT);
	virtqueue_cancel_buf(tq->vq);
	virtqueue_cancel_buf(tq->vq);
}

static void empty_buffer(struct tq *tq, unsigned int way)
{
	start(tq, 1, 1);
	end_fails(tq, "an empty buffer");
	check(start(tq, 0, 0) == -EINVAL, "no elements at all are accepted");
}

static void bad_arguments(struct tq *tq, unsigned int way)
{
	check(virtqueue_start_buf(tq->vq, 1, 0, NULL, NULL, GFP_ATOMIC) ==
	      -EINVAL, "no token is accepted");
	check(start(tq, 1 << 16, 0) == -EINVAL, "65536 elements are accepted");
	check(start(tq, 0, 0x80000001) == -EINVAL, "2^31 elements are accepted");
	check(start(tq, 0x80000001, 0x80000000) == -EINVAL,
	      "2^32 + 1 elements are accepted");
	check(start(tq, 40000, 40000) == -EINVAL, "80000 are accepted");
	check(virtqueue_add_buf_ptr(tq->vq, data, sizeof(data), IN, NULL) ==
	      -EINVAL, "an element without a token is accepted");
	check(virtqueue_add_buf_ptr(tq->vq, data, sizeof(data),
				    DMA_BIDIRECTIONAL, data) == -EINVAL,
	      "an element for both directions is accepted");
}

#ifdef DEBUG
static void call_in_between(struct tq *tq, unsigned int way)
{
	unsigned int len;

	start(tq, 1, 0);
	if (way & 1)
		virtqueue_kick_prepare(tq->vq);
	else
		virtqueue_get_buf(tq->vq, &len);
	virtqueue_cancel_buf(tq->vq);
}
#endif

static const struct {
	const char *name;
	void (*fn)(struct tq *tq, unsigned int way);
} misuses[] = {
	{ "more elements than declared", more_than_declared },
	{ "a list that is too long", long_list },
	{ "an array that is too long", long_array },
	{ "elements of no length", no_length },
	{ "readable after writable", wrong_order },
	{ "end without start", end_without_start },
	{ "second start", second_start },
	{ "second cancel", second_cancel },
	{ "empty buffer", empty_buffer },
	{ "bad arguments", bad_arguments },
#ifdef DEBUG
	{ "a call in between", call_in_between },
#endif
};

/* Misuse on a queue at work, at each position in the ring */
static void misuse(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, i, free, which = 0;
	long maps;

	shim.expect_warns = true;
	for (i = 0; i < ARRAY_SIZE(misuses); i++)
		if (strstr(test_name(), misuses[i].name))
			which = i;
	for (round = 0; round < 40; round++) {
		tq_must_add(tq, 0, 1, round % HOWS);
		free = tq->vq->num_free;
		maps = shim.map_live;
		misuses[which].fn(tq, round);
		check(tq->vq->num_free == free, "%u free, %u before",
		      tq->vq->num_free, free);
		check(shim.map_live == maps, "%ld mappings, %ld before",
		      shim.map_live, maps);
		tq_kick(tq);
		check(tq_pop(tq) && !tq_pop(tq), "device sees another buffer");
		tq_use_some(tq, 0);
		tq_get_all(tq);
	}
	check(shim.warns, "misuse is not reported");
#ifndef DEBUG
	check(shim.warns == 1, "misuse is reported %u times", shim.warns);
#endif
	tq_traffic(tq, 300);
	tq_delete(tq);
}

/* Nothing is added, and no direction is closed by that. */
static void add_nothing(struct tq *tq)
{
	struct bvec_iter iter = {};
	struct scatterlist sg;
	struct bio_vec bvec;

	sg_init_one(&sg, data, sizeof(data));
	bvec_set_virt(&bvec, data, sizeof(data));
	virtqueue_add_sg(tq->vq, &sg, 0, IN);
	virtqueue_add_bvecs(tq->vq, &bvec, &iter, UINT_MAX, IN);
}

/* Fewer elements than declared are fine, and so are empty lists. */
static void fewer(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, out, in, len, num = tq->dq.num, at;
	struct device_buf buf;

	for (round = 0; round < 200; round++) {
		out = rnd_below(num);
		in = rnd_below(num - out) + !out;
		if (out == num - 1)
			in = 0;
		check(!start(tq, out + rnd_below(num - out - in + 1), in),
		      "start fails");
		add_nothing(tq);
		for (at = 0; at < out + in; at++)
			add(tq, config->access ? 0 : round,
			    at < out ? OUT : IN);
		check(!virtqueue_end_buf(tq->vq), "end_buf fails");
		virtqueue_kick_prepare(tq->vq);
		check(device_pop(&tq->dq, &buf), "device sees no buffer");
		check(buf.out == out && buf.in == in,
		      "device sees %u+%u elements of %u+%u", buf.out, buf.in,
		      out, in);
		device_use(&tq->dq, &buf, 0);
		check(virtqueue_get_buf(tq->vq, &len) == data && !len,
		      "the buffer doesn't come back");
	}
	tq_delete(tq);
}

/* A part of a list, and a list with an early end mark */
static void part_of_list(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	struct scatterlist sg[4];
	struct device_buf buf;
	unsigned int i, len;

	sg_init_table(sg, 4);
	for (i = 0; i < 4; i++)
		sg_set_buf(&sg[i], data + i, 16 + i);
	start(tq, 3, 3);
	virtqueue_add_sg(tq->vq, sg, 2, OUT);
	sg_mark_end(&sg[1]);
	virtqueue_add_sg(tq->vq, sg, 3, IN);
	virtqueue_add_sg(tq->vq, &sg[3], UINT_MAX, IN);
	check(!virtqueue_end_buf(tq->vq), "end_buf fails");
	virtqueue_kick(tq->vq);
	check(device_pop(&tq->dq, &buf), "device sees no buffer");
	check(buf.out == 2 && buf.in == 3, "device sees %u+%u elements",
	      buf.out, buf.in);
	check(buf.elem[1].len == 17 && buf.elem[3].len == 17 &&
	      buf.elem[4].len == 19, "device sees other elements");
	device_use(&tq->dq, &buf, 5);
	check(virtqueue_get_buf(tq->vq, &len) == data && len == 5,
	      "the buffer doesn't come back");
	tq_delete(tq);
}

/* A part of an array, in elements that are not longer than some maximum */
static void part_of_array(const struct tq_config *config)
{
	static const u8 lens[] = { 8, 8, 1, 8, 7, 17, 15 };
	static const u8 starts[] = { 23, 31, 39, 40, 48 };
	struct bvec_iter iter = { .bi_idx = 1, .bi_bvec_done = 3, .bi_size = 32 };
	struct tq *tq = tq_new(config);
	struct bio_vec bvecs[3];
	struct device_buf buf;
	unsigned int i, len;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	for (i = 0; i < 3; i++)
		bvec_set_virt(&bvecs[i], data + 20 * i, 20);
	start(tq, 5, 2);
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, 8, OUT);
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, 17, IN);
	iter.bi_size = 0;
	virtqueue_add_bvecs(tq->vq, bvecs, &iter, 1, IN);
	check(!virtqueue_end_buf(tq->vq), "end_buf fails");
	virtqueue_kick(tq->vq);
	check(device_pop(&tq->dq, &buf), "device sees no buffer");
	check(buf.out == 5 && buf.in == 2, "device sees %u+%u elements",
	      buf.out, buf.in);
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		check(buf.elem[i].len == lens[i], "element %u has %u bytes", i,
		      buf.elem[i].len);
	for (i = 0; i < buf.out; i++)
		check(!memcmp(device_read(&tq->dq, buf.elem[i].addr, lens[i]),
			      data + starts[i], lens[i]),
		      "element %u is something else", i);
	memset(device_write(&tq->dq, buf.elem[5].addr, 17), 0xa5, 17);
	memset(device_write(&tq->dq, buf.elem[6].addr, 15), 0xa6, 15);
	device_use(&tq->dq, &buf, 32);
	check(virtqueue_get_buf(tq->vq, &len) == data && len == 32,
	      "the buffer doesn't come back");
	check(data[22] == 22 && data[23] == 0xa5 && data[39] == 0xa5 &&
	      data[40] == 0xa6 && data[54] == 0xa6 && data[55] == 55,
	      "the device's bytes are elsewhere");
	tq_delete(tq);
}

/* Cancel with any number of elements, at any position */
static void cancel(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, num = tq->dq.num;
	struct req *req;

	for (round = 0; round < 50 * num; round++) {
		u32 elems = 1 + rnd_below(num - 1);
		unsigned int out = rnd_below(elems + 1);

		req = req_new(out, elems - out, 50);
		check(!tq_start(tq, req, round % (HOWS - 1) + 1),
		      "start fails");
		virtqueue_cancel_buf(tq->vq);
		req_free(tq, req);
		check(!shim.map_live, "mappings after cancel");
		check(tq->vq->num_free == num, "%u of %u free after cancel",
		      tq->vq->num_free, num);
		tq_kick(tq);
		check(!tq_pop(tq), "device sees a cancelled buffer");
		tq_must_add(tq, 1, 1, round % HOWS);
		tq_kick(tq);
		check(tq_pop(tq) && !tq_pop(tq), "device sees another buffer");
		tq_use_some(tq, 0);
		check(tq_get(tq), "the buffer doesn't come back");
	}
	tq_traffic(tq, 300);
	tq_delete(tq);
}

/*
 * Nothing is to be seen between end and kick: a device that polls shall not
 * fetch the line of the index again for each buffer.
 */
static void not_before_kick(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, n, num = tq->dq.num;

	for (round = 0; round < 4 * num; round++) {
		for (n = 0; n < 1 + round % num; n++) {
			tq_must_add(tq, n & 1, !(n & 1),
				    1 + round % (HOWS - 1));
			check(!tq_pop(tq), "device sees a buffer early");
		}
		tq_kick(tq);
		for (n = 0; n < 1 + round % num; n++)
			check(tq_pop(tq), "device doesn't see all");
		tq_use_all(tq);
		tq_get_all(tq);
	}
	tq_delete(tq);
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;
	unsigned int i;

	if (config.order || config.legacy || config.event)
		return;
	config.num = config.packed ? 7 : 8;
	for (i = 0; i < ARRAY_SIZE(misuses); i++)
		test_add(misuse, &config, "misuse: %s, %s", misuses[i].name,
			 tq_name(&config));
	test_add(fewer, &config, "use: fewer elements, %s", tq_name(&config));
	test_add(part_of_list, &config, "use: part of a list, %s",
		 tq_name(&config));
	test_add(part_of_array, &config, "use: part of an array, %s",
		 tq_name(&config));
	test_add(cancel, &config, "use: cancel, %s", tq_name(&config));
	test_add(not_before_kick, &config, "use: nothing before the kick, %s",
		 tq_name(&config));
}

void misuse_tests(void)
{
	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
}
#else
void misuse_tests(void)
{
}
#endif
