// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rings promise to drivers, on a kernel's own memory and its DMA API, with
 * bounce buffers when it was booted with swiotlb=force; and as a part of tools/virtio
 * on a pretended IOMMU, where they are also tested with all that a kernel can't make
 * go wrong.
 */
#include <kunit/test-bug.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "ring.h"

/* One after the other, and many at a time, over the end of the ring */
static void data_goes_both_ways(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int round, num, i, out;

	for (round = 0; round < 200; round++) {
		num = 1 + round % 5;
		for (i = 0; i < num; i++) {
			out = (round + i) % 3;
			ring_must_add(ring, out, 1 + (round + i) / 3 % 2,
				      (round + i) % RING_HOWS);
		}
		virtqueue_kick(ring->vq);
		KUNIT_ASSERT_EQ(test, num, ring_serve(ring));
		KUNIT_ASSERT_EQ(test, num, ring_get_all(ring));
	}
	KUNIT_EXPECT_EQ(test, ring->dq->num, ring->vq->num_free);
}

static void pieces_wait_for_the_kick(struct kunit *test)
{
	struct ring *ring = test->priv;

	ring_must_add(ring, 1, 1, BY_PTR);
	ring_must_add(ring, 2, 0, BY_SG);
	KUNIT_EXPECT_FALSE(test, ring_is_seen(ring));
	virtqueue_kick(ring->vq);
	KUNIT_EXPECT_EQ(test, 1, ring->notified);
	KUNIT_EXPECT_EQ(test, 2, ring_serve(ring));
	KUNIT_EXPECT_EQ(test, 2, ring_get_all(ring));
}

static void one_call_adds_a_buffer(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		ring_must_add(ring, i & 1, !(i & 1), BY_BUF_PTR);
		ring_must_add(ring, i & 1, !(i & 1), BY_BUF_DMA);
		KUNIT_ASSERT_FALSE(test, ring_is_seen(ring));
		virtqueue_kick(ring->vq);
		KUNIT_ASSERT_EQ(test, 2, ring_serve(ring));
		KUNIT_ASSERT_EQ(test, 2, ring_get_all(ring));
	}
	KUNIT_EXPECT_EQ(test, ring->dq->num, ring->vq->num_free);
}

static void old_calls_are_seen_at_once(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		ring_must_add(ring, i & 1, 2, BY_OLD);
		KUNIT_ASSERT_EQ(test, 1, ring_serve(ring));
		KUNIT_ASSERT_EQ(test, 1, ring_get_all(ring));
	}
	KUNIT_EXPECT_EQ(test, 0, ring->notified);
}

static void a_full_ring_says_so(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int i, num = ring->dq->num;

	for (i = 0; i < num; i++)
		ring_must_add(ring, 1, 0, BY_PAGE);
	KUNIT_EXPECT_EQ(test, 0, ring->vq->num_free);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			ring_add(ring, ring_buf_new(ring, 1, 0), BY_PTR));
	KUNIT_EXPECT_EQ(test, 1, ring->notified);
	KUNIT_EXPECT_EQ(test, num, ring_serve(ring));
	KUNIT_EXPECT_EQ(test, num, ring_get_all(ring));
	ring_must_add(ring, 1, 0, BY_PTR);
}

static void callbacks_come_when_enabled(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		ring->callbacks = 0;
		KUNIT_ASSERT_TRUE(test, virtqueue_enable_cb(ring->vq));
		ring_must_add(ring, 1, 1, BY_OLD);
		ring_serve(ring);
		ring_irq(ring);
		KUNIT_ASSERT_EQ(test, 1, ring->callbacks);

		virtqueue_disable_cb(ring->vq);
		KUNIT_ASSERT_EQ(test, 1, ring_get_all(ring));
		ring_must_add(ring, 1, 1, BY_PTR);
		virtqueue_kick(ring->vq);
		ring_serve(ring);
		ring_irq(ring);
		/* Used since: no callback will come, and the driver is told so. */
		KUNIT_ASSERT_FALSE(test, virtqueue_enable_cb(ring->vq));
		KUNIT_ASSERT_EQ(test, 1, ring_get_all(ring));
	}
}

/* No bounce buffer is as large as this. */
#define TOO_LARGE	(1024 * 1024)

static int add_too_large(struct ring *ring, struct ring_buf *buf, void *large,
			 unsigned int at)
{
	unsigned int n;
	int err;

	err = virtqueue_start_buf(ring->vq, 0, RING_ELEMS, buf, NULL,
				  GFP_KERNEL);
	if (err)
		return err;
	for (n = 0; n < RING_ELEMS; n++)
		virtqueue_add_ptr(ring->vq, n == at ? large : buf->memory,
				  n == at ? TOO_LARGE : RING_ELEM_SIZE,
				  DMA_FROM_DEVICE);
	return virtqueue_end_buf(ring->vq);
}

static void a_mapping_that_fails_is_undone(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int round, free;
	void *large;

	if (!ring_bounces(ring))
		kunit_skip(test, "mappings don't fail here");
	large = kunit_kzalloc(test, TOO_LARGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, large);
	/* At each element, at each place in the ring */
	for (round = 0; round < RING_ELEMS * ring->dq->num; round++) {
		free = ring->vq->num_free;
		KUNIT_ASSERT_EQ(test, -ENOMEM,
				add_too_large(ring, ring_buf_new(ring, 0, 1),
					      large, round % RING_ELEMS));
		KUNIT_ASSERT_EQ(test, free, ring->vq->num_free);
		KUNIT_ASSERT_FALSE(test, ring_is_seen(ring));
		ring_must_add(ring, 0, 1, BY_PTR);
		virtqueue_kick(ring->vq);
		KUNIT_ASSERT_EQ(test, 1, ring_serve(ring));
		KUNIT_ASSERT_EQ(test, 1, ring_get_all(ring));
	}
}

static void recycle(struct virtqueue *vq, void *buf)
{
	struct kunit *test = kunit_get_current_test();

	ring_take_back(test->priv, buf);
}

static void fill_some(struct ring *ring)
{
	ring_must_add(ring, 1, 2, BY_OLD);
	ring_must_add(ring, 0, 1, BY_DMA);
	ring_must_add(ring, 2, 1, BY_PTR);
}

static void check_empty(struct ring *ring, unsigned int num)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(ring->test, num, virtqueue_get_vring_size(ring->vq));
	KUNIT_ASSERT_EQ(ring->test, num, ring->vq->num_free);
	for (i = 0; i < RING_BUFS; i++)
		KUNIT_ASSERT_FALSE(ring->test, ring->bufs[i].in_flight);
}

static void a_reset_gives_all_back(struct kunit *test)
{
	struct ring *ring = test->priv;

	fill_some(ring);
	KUNIT_ASSERT_EQ(test, 0, virtqueue_reset(ring->vq, recycle, NULL));
	check_empty(ring, ring->dq->num);
	data_goes_both_ways(test);
}

static void a_ring_changes_its_size(struct kunit *test)
{
	struct ring *ring = test->priv;
	unsigned int num;

	for (num = 32; num >= 8; num /= 2) {
		fill_some(ring);
		KUNIT_ASSERT_EQ(test, 0,
				virtqueue_resize(ring->vq, num, recycle, NULL));
		check_empty(ring, num);
		old_calls_are_seen_at_once(test);
	}
}

static void a_device_that_lies_breaks_the_ring(struct kunit *test)
{
	struct ring *ring = test->priv;
	struct ring_buf *buf = ring_buf_new(ring, 1, 1);
	unsigned int len;

	fill_some(ring);
	virtqueue_kick(ring->vq);
	/* A position of the ring, and an ID that is none */
	ring->dq->ops->put_used(ring->dq, 1000, 0, 1);
	KUNIT_EXPECT_NULL(test, virtqueue_get_buf(ring->vq, &len));
	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(ring->vq));
	KUNIT_EXPECT_EQ(test, -EIO, ring_add(ring, buf, BY_OLD));
	KUNIT_EXPECT_EQ(test, -EIO, ring_add(ring, buf, BY_PTR));
	/* The end of the test takes all buffers back. */
}

#define RING_CASE(name) KUNIT_CASE_PARAM(name, ring_gen_configs)

static struct kunit_case cases[] = {
	RING_CASE(data_goes_both_ways),
	RING_CASE(pieces_wait_for_the_kick),
	RING_CASE(one_call_adds_a_buffer),
	RING_CASE(old_calls_are_seen_at_once),
	RING_CASE(a_full_ring_says_so),
	RING_CASE(callbacks_come_when_enabled),
	RING_CASE(a_mapping_that_fails_is_undone),
	RING_CASE(a_reset_gives_all_back),
	RING_CASE(a_ring_changes_its_size),
	RING_CASE(a_device_that_lies_breaks_the_ring),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_ring",
	.init = ring_init,
	.exit = ring_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("Tests of the virtio rings");
MODULE_LICENSE("GPL");
