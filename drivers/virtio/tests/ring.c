// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue that ring.h describes, with verified data in both directions.
 */
#include <kunit/test-bug.h>
#include <linux/slab.h>
#include "ring.h"

#define RING_NUM	16

static struct ring *current_ring(void)
{
	return kunit_get_current_test()->priv;
}

/* The transport */

static bool notify(struct virtqueue *vq)
{
	current_ring()->notified++;
	return true;
}

static void callback(struct virtqueue *vq)
{
	current_ring()->callbacks++;
}

static int disable_vq(struct virtqueue *vq)
{
	return 0;
}

static int enable_vq(struct virtqueue *vq)
{
	ring_attach(current_ring());
	return 0;
}

static u8 get_status(struct virtio_device *vdev)
{
	return VIRTIO_CONFIG_S_DRIVER_OK;
}

static const struct virtio_config_ops config_ops = {
	.get_status = get_status,
	.disable_vq_and_reset = disable_vq,
	.enable_vq_after_reset = enable_vq,
};

void ring_attach(struct ring *ring)
{
	struct device_queue *dq = ring->dq;

	memset(dq, 0, sizeof(*dq));
	dq->ops = ring->config & RING_PACKED ? &device_packed : &device_split;
	dq->num = virtqueue_get_vring_size(ring->vq);
	dq->desc = virtqueue_get_desc_addr(ring->vq);
	dq->driver = virtqueue_get_avail_addr(ring->vq);
	dq->device = virtqueue_get_used_addr(ring->vq);
	dq->indirect = ring->config & RING_INDIRECT;
	dq->event = ring->config & RING_EVENT;
	dq->in_order = ring->config & RING_IN_ORDER;
	dq->iommu = ring->config & RING_ACCESS;
	device_set_kicks(dq, KICKS_ON, 0);
	ring->num_added = 0;
}

/* A parameter is the sum plus one: NULL is the end. */
const void *ring_gen_configs(const void *prev, char *desc)
{
	unsigned long config = (unsigned long)prev;

	if (config == RING_CONFIGS)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s%s%s%s%s",
		 config & RING_PACKED ? "packed" : "split",
		 config & RING_IN_ORDER ? " in order" : "",
		 config & RING_INDIRECT ? " indirect" : "",
		 config & RING_EVENT ? " event" : "",
		 config & RING_ACCESS ? " DMA" : "");
	return (void *)(config + 1);
}

static void set_feature(struct ring *ring, bool on, unsigned int bit)
{
	if (on)
		__virtio_set_bit(&ring->vdev, bit);
}

static void init_device(struct ring *ring)
{
	struct virtio_device *vdev = &ring->vdev;
	unsigned long config = ring->config;

	ring_init_memory(ring);
	vdev->dev.parent = ring->parent;
	vdev->config = &config_ops;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);
	set_feature(ring, true, VIRTIO_F_VERSION_1);
	set_feature(ring, config & RING_PACKED, VIRTIO_F_RING_PACKED);
	set_feature(ring, config & RING_IN_ORDER, VIRTIO_F_IN_ORDER);
	set_feature(ring, config & RING_INDIRECT, VIRTIO_RING_F_INDIRECT_DESC);
	set_feature(ring, config & RING_EVENT, VIRTIO_RING_F_EVENT_IDX);
	set_feature(ring, config & RING_ACCESS, VIRTIO_F_ACCESS_PLATFORM);
}

int ring_init(struct kunit *test)
{
	struct ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	struct ring_buf *buf;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	test->priv = ring;
	ring->test = test;
	ring->config = (unsigned long)test->param_value - 1;
	ring->dq = kunit_kzalloc(test, sizeof(*ring->dq), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring->dq);
	for (buf = ring->bufs; buf < ring->bufs + RING_BUFS; buf++) {
		buf->memory = kunit_kzalloc(test, RING_ELEMS * RING_ELEM_SIZE,
					    GFP_KERNEL);
		buf->seen = kunit_kzalloc(test, sizeof(*buf->seen), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf->memory);
		KUNIT_ASSERT_NOT_NULL(test, buf->seen);
		buf->seed = buf - ring->bufs;
	}
	init_device(ring);
	ring->vq = vring_create_virtqueue(0, RING_NUM, SMP_CACHE_BYTES,
					  &ring->vdev, true, false, false,
					  notify, callback, "ring");
	KUNIT_ASSERT_NOT_NULL(test, ring->vq);
	ring->vq->num_max = 2 * RING_NUM;
	/* It is not on the bus, which would do that with DRIVER_OK. */
	__virtio_unbreak_device(&ring->vdev);
	ring_attach(ring);
	return 0;
}

void ring_exit(struct kunit *test)
{
	struct ring *ring = test->priv;
	struct ring_buf *buf;

	if (!ring || !ring->vq)
		return;
	while ((buf = virtqueue_detach_unused_buf(ring->vq)))
		ring_take_back(ring, buf);
	KUNIT_EXPECT_EQ(test, virtqueue_get_vring_size(ring->vq),
			ring->vq->num_free);
	vring_del_virtqueue(ring->vq);
}

/* Buffers */

u32 ring_elem_len(const struct ring_buf *buf, unsigned int n)
{
	return 1 + (buf->seed * 7 + n * 31) % RING_ELEM_SIZE;
}

static u8 *elem(const struct ring_buf *buf, unsigned int n)
{
	return buf->memory + n * RING_ELEM_SIZE;
}

static enum dma_data_direction elem_dir(const struct ring_buf *buf,
					unsigned int n)
{
	return n < buf->out ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

/* What is at a place of an element, by who wrote it */
static u8 data_at(const struct ring_buf *buf, unsigned int n, unsigned int i)
{
	return (n < buf->out ? 0 : 0x80) ^ (buf->seed + n * 3 + i);
}

struct ring_buf *ring_buf_new(struct ring *ring, unsigned int out,
			      unsigned int in)
{
	struct ring_buf *buf = ring->bufs;
	unsigned int n, i;

	while (buf->in_flight)
		KUNIT_ASSERT_PTR_NE(ring->test, ++buf, ring->bufs + RING_BUFS);
	buf->out = out;
	buf->in = in;
	buf->mapped = false;
	buf->seed += RING_BUFS + 1;
	memset(buf->memory, 0, RING_ELEMS * RING_ELEM_SIZE);
	for (n = 0; n < out; n++)
		for (i = 0; i < ring_elem_len(buf, n); i++)
			elem(buf, n)[i] = data_at(buf, n, i);
	return buf;
}

static int add_old(struct ring *ring, struct ring_buf *buf)
{
	struct scatterlist sg[RING_ELEMS], *sgs[RING_ELEMS];
	unsigned int n;

	for (n = 0; n < buf->out + buf->in; n++) {
		sg_init_one(&sg[n], elem(buf, n), ring_elem_len(buf, n));
		sgs[n] = &sg[n];
	}
	return virtqueue_add_sgs(ring->vq, sgs, buf->out, buf->in, buf,
				 GFP_KERNEL);
}

static void map_elem(struct ring *ring, struct ring_buf *buf, unsigned int n)
{
	dma_addr_t dma;

	dma = virtqueue_dma_map_single_attrs(ring->vq, elem(buf, n),
					     ring_elem_len(buf, n),
					     elem_dir(buf, n), 0);
	KUNIT_ASSERT_EQ(ring->test, 0,
			virtqueue_dma_mapping_error(ring->vq, dma));
	buf->dma[n] = dma;
	buf->mapped = true;
}

static void add_piece(struct ring *ring, struct ring_buf *buf, unsigned int n,
		      enum ring_how how)
{
	enum dma_data_direction dir = elem_dir(buf, n);
	struct page *page = virt_to_page(elem(buf, n));
	unsigned int offset = offset_in_page(elem(buf, n));
	u32 len = ring_elem_len(buf, n);
	struct scatterlist sg;
	struct bio_vec bvec;

	switch (how) {
	case BY_PAGE:
		virtqueue_add_page(ring->vq, page, offset, len, dir);
		break;
	case BY_BVEC:
		bvec_set_page(&bvec, page, len, offset);
		virtqueue_add_bvec(ring->vq, &bvec, dir);
		break;
	case BY_SG:
		sg_init_one(&sg, elem(buf, n), len);
		virtqueue_add_sg(ring->vq, &sg, 1, dir);
		break;
	case BY_DMA:
		map_elem(ring, buf, n);
		virtqueue_add_dma(ring->vq, buf->dma[n], len, dir);
		break;
	default:
		virtqueue_add_ptr(ring->vq, elem(buf, n), len, dir);
		break;
	}
}

static int add_pieces(struct ring *ring, struct ring_buf *buf,
		      enum ring_how how)
{
	unsigned int n;
	int err;

	err = virtqueue_start_buf(ring->vq, buf->out, buf->in, buf, NULL,
				  GFP_KERNEL);
	if (err)
		return err;
	for (n = 0; n < buf->out + buf->in; n++)
		add_piece(ring, buf, n, how);
	return virtqueue_end_buf(ring->vq);
}

static int add_buf(struct ring *ring, struct ring_buf *buf, enum ring_how how)
{
	enum dma_data_direction dir = elem_dir(buf, 0);
	u32 len = ring_elem_len(buf, 0);

	KUNIT_ASSERT_EQ(ring->test, 1, buf->out + buf->in);
	if (how == BY_BUF_PTR)
		return virtqueue_add_buf_ptr(ring->vq, elem(buf, 0), len, dir,
					     buf);
	map_elem(ring, buf, 0);
	return virtqueue_add_buf_dma(ring->vq, buf->dma[0], len, dir, buf);
}

int ring_add(struct ring *ring, struct ring_buf *buf, enum ring_how how)
{
	int err;

	if (how == BY_OLD)
		err = add_old(ring, buf);
	else if (how < RING_HOWS)
		err = add_pieces(ring, buf, how);
	else
		err = add_buf(ring, buf, how);
	if (!err) {
		buf->in_flight = true;
		ring->added[ring->num_added++] = buf;
	}
	return err;
}

void ring_must_add(struct ring *ring, unsigned int out, unsigned int in,
		   enum ring_how how)
{
	KUNIT_ASSERT_EQ(ring->test, 0,
			ring_add(ring, ring_buf_new(ring, out, in), how));
}

/* The device */

bool ring_is_seen(struct ring *ring)
{
	return ring->dq->ops->look(ring->dq) != ring->dq->popped;
}

/* With bounce buffers the device's memory is not the driver's. */
static void check_address(struct ring *ring, const struct ring_buf *buf,
			  unsigned int n)
{
	bool same = buf->seen->elem[n].addr == virt_to_phys(elem(buf, n));

	KUNIT_ASSERT_EQ(ring->test, same, !ring_bounces(ring));
}

static void device_reads(struct ring *ring, const struct ring_buf *buf)
{
	const struct device_buf *seen = buf->seen;
	unsigned int n, i;
	const u8 *data;

	KUNIT_ASSERT_EQ(ring->test, buf->out, seen->out);
	KUNIT_ASSERT_EQ(ring->test, buf->in, seen->in);
	for (n = 0; n < buf->out + buf->in; n++) {
		KUNIT_ASSERT_EQ(ring->test, ring_elem_len(buf, n),
				seen->elem[n].len);
		check_address(ring, buf, n);
	}
	for (n = 0; n < buf->out; n++) {
		data = device_read(ring->dq, seen->elem[n].addr,
				   seen->elem[n].len);
		for (i = 0; i < seen->elem[n].len; i++)
			KUNIT_ASSERT_EQ(ring->test, data_at(buf, n, i), data[i]);
	}
}

static void device_writes(struct ring *ring, struct ring_buf *buf)
{
	unsigned int n, i;
	u8 *data;

	buf->used_len = 0;
	for (n = buf->out; n < buf->out + buf->in; n++) {
		data = device_write(ring->dq, buf->seen->elem[n].addr,
				    buf->seen->elem[n].len);
		for (i = 0; i < buf->seen->elem[n].len; i++)
			data[i] = data_at(buf, n, i);
		buf->used_len += i;
	}
}

/* Out of order where that is allowed: the last one first */
unsigned int ring_serve(struct ring *ring)
{
	unsigned int num = 0, i;
	struct ring_buf *buf;

	while (num < ring->num_added &&
	       device_pop(ring->dq, ring->added[num]->seen)) {
		device_reads(ring, ring->added[num]);
		device_writes(ring, ring->added[num]);
		num++;
	}
	for (i = 0; i < num; i++) {
		buf = ring->added[ring->config & RING_IN_ORDER ? i :
				  num - 1 - i];
		device_use(ring->dq, buf->seen, buf->used_len);
	}
	ring->num_added -= num;
	memmove(ring->added, ring->added + num,
		ring->num_added * sizeof(ring->added[0]));
	return num;
}

void ring_irq(struct ring *ring)
{
	if (device_wants_irq(ring->dq))
		KUNIT_ASSERT_EQ(ring->test, IRQ_HANDLED,
				vring_interrupt(0, ring->vq));
}

/* Taking buffers back */

void ring_take_back(struct ring *ring, struct ring_buf *buf)
{
	unsigned int n;

	KUNIT_ASSERT_TRUE(ring->test, buf->in_flight);
	buf->in_flight = false;
	for (n = 0; buf->mapped && n < buf->out + buf->in; n++)
		virtqueue_dma_unmap_single_attrs(ring->vq, buf->dma[n],
						 ring_elem_len(buf, n),
						 elem_dir(buf, n), 0);
}

static void verify(struct ring *ring, const struct ring_buf *buf, u32 len)
{
	unsigned int n, i;

	KUNIT_ASSERT_EQ(ring->test, buf->used_len, len);
	for (n = buf->out; n < buf->out + buf->in; n++)
		for (i = 0; i < ring_elem_len(buf, n); i++)
			KUNIT_ASSERT_EQ(ring->test, data_at(buf, n, i),
					elem(buf, n)[i]);
}

unsigned int ring_get_all(struct ring *ring)
{
	unsigned int num = 0, len = 0;
	struct ring_buf *buf;

	while ((buf = virtqueue_get_buf(ring->vq, &len))) {
		ring_take_back(ring, buf);
		verify(ring, buf, len);
		num++;
	}
	return num;
}
