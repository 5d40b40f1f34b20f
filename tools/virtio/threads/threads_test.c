// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's thread: adds buffers, waits as drivers do, takes them back and
 * verifies token, length and contents of each.
 */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "threads.h"

char threads_order;

struct req {
	bool in_flight;
	unsigned int out;
	unsigned int in;
	u32 in_len;
	u64 sum;
	u32 len[REQ_ELEMS];
	u8 data[REQ_ELEMS][REQ_BYTES];
};

static struct req reqs[PAIR_REQS];
static u64 random_state;
static const char *test_now;

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	flockfile(stdout);
	printf("not ok - %s\n# %s:%d: ", test_now, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n# last of %u messages: %s\n", shim.errs, shim.last_err);
	fflush(stdout);
	_exit(1);
}

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
}

#ifdef __SANITIZE_THREAD__
void threads_pause(void)
{
	static __thread unsigned int count;

	if (count++ % 16 == 0)
		sched_yield();
}
#endif

void wait_for(sem_t *sem, const char *who)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_SECONDS;
	check(!sem_timedwait(sem, &end), "%s waits and isn't told", who);
}

void forget_old(sem_t *sem)
{
	while (!sem_trywait(sem))
		;
}

static u32 random_below(u32 n)
{
	return next_random(&random_state) % n;
}

/* The transport */

static bool notify(struct virtqueue *vq)
{
	struct pair *pair = vq->vdev->priv;

	sem_post(&pair->kick);
	return true;
}

/* Runs in the device's thread, as an interrupt does on another CPU. */
static void callback(struct virtqueue *vq)
{
	struct pair *pair = vq->vdev->priv;

	virtqueue_disable_cb(vq);
	sem_post(&pair->irq);
}

/* Buffers */

static void fill(struct req *req)
{
	unsigned int n, i;

	req->out = random_below(REQ_ELEMS);
	req->in = random_below(REQ_ELEMS - req->out) + !req->out;
	req->in_len = 0;
	req->sum = 0;
	for (n = 0; n < req->out; n++) {
		req->len[n] = 1 + random_below(REQ_BYTES);
		for (i = 0; i < req->len[n]; i++)
			req->data[n][i] = next_random(&random_state);
		req->sum = add_up(req->sum, req->data[n], req->len[n]);
	}
	for (; n < req->out + req->in; n++) {
		req->len[n] = REQ_BYTES - random_below(REQ_BYTES / 2);
		memset(req->data[n], 0, req->len[n]);
		req->in_len += req->len[n];
	}
}

static int add_pieces(struct virtqueue *vq, struct req *req)
{
	unsigned int n;
	int err;

	err = virtqueue_start_buf(vq, req->out, req->in, req, NULL, GFP_ATOMIC);
	if (err)
		return err;
	for (n = 0; n < req->out + req->in; n++)
		virtqueue_add_ptr(vq, req->data[n], req->len[n],
				  n < req->out ? DMA_TO_DEVICE :
						 DMA_FROM_DEVICE);
	return virtqueue_end_buf(vq);
}

static int add_lists(struct virtqueue *vq, struct req *req)
{
	struct scatterlist sg[REQ_ELEMS], *sgs[REQ_ELEMS];
	unsigned int n;

	for (n = 0; n < req->out + req->in; n++) {
		sg_init_one(&sg[n], req->data[n], req->len[n]);
		sgs[n] = &sg[n];
	}
	return virtqueue_add_sgs(vq, sgs, req->out, req->in, req, GFP_ATOMIC);
}

static bool add(struct pair *pair, struct req *req)
{
	int err;

	fill(req);
	err = random_below(2) ? add_pieces(pair->vq, req) :
				add_lists(pair->vq, req);
	if (err == -ENOSPC)
		return false;
	check(!err, "adding a buffer fails with %d", err);
	req->in_flight = true;
	return true;
}

static void verify(const struct req *req, u32 len)
{
	struct reply reply;
	u8 bytes[REQ_ELEMS * REQ_BYTES];
	u32 size = 0, i;
	unsigned int n;

	if (!req->in) {
		check(!len, "length %u of a readable buffer", len);
		return;
	}
	for (n = req->out; n < req->out + req->in; n++) {
		memcpy(bytes + size, req->data[n], req->len[n]);
		size += req->len[n];
	}
	memcpy(&reply, bytes, sizeof(reply));
	check(reply.len == len, "length %u, the device wrote %u", len,
	      reply.len);
	check(reply.sum == req->sum, "the device read something else");
	for (i = sizeof(reply); i < len; i++)
		check(bytes[i] == reply.fill, "byte %u of %u is wrong", i, len);
	for (; i < size; i++)
		check(!bytes[i], "byte %u behind %u was written", i, len);
}

static unsigned int get_all(struct pair *pair)
{
	unsigned int count = 0, len;
	struct req *req;

	while ((req = virtqueue_get_buf(pair->vq, &len))) {
		check(req >= reqs && req < reqs + PAIR_REQS && req->in_flight,
		      "a buffer that isn't in flight");
		req->in_flight = false;
		verify(req, len);
		count++;
	}
	check(!virtqueue_is_broken(pair->vq), "the queue broke");
	return count;
}

/* Ask for a callback in one of three ways; true: it will come. */
static bool will_be_called(struct pair *pair)
{
	unsigned int state;

	switch (random_below(3)) {
	case 0:
		return virtqueue_enable_cb(pair->vq);
	case 1:
		return virtqueue_enable_cb_delayed(pair->vq);
	default:
		state = virtqueue_enable_cb_prepare(pair->vq);
		return !virtqueue_poll(pair->vq, state);
	}
}

static void wait_for_used(struct pair *pair)
{
	forget_old(&pair->irq);
	if (!will_be_called(pair))
		return;
	pair->waits++;
	wait_for(&pair->irq, "the driver");
}

static void drive(struct pair *pair, unsigned long total)
{
	unsigned long added = 0, got = 0;
	unsigned int n, at = 0;

	while (got < total) {
		for (n = random_below(PAIR_NUM); n && added < total; n--) {
			while (reqs[at % PAIR_REQS].in_flight)
				at++;
			if (!add(pair, &reqs[at++ % PAIR_REQS]))
				break;
			added++;
		}
		virtqueue_kick(pair->vq);
		n = get_all(pair);
		got += n;
		if (!n && added > got)
			wait_for_used(pair);
	}
	check(got == added, "%lu buffers were added, %lu came back", added, got);
}

/* A queue and its two threads */

static void set_feature(struct pair *pair, bool on, unsigned int bit)
{
	if (on)
		__virtio_set_bit(&pair->vdev, bit);
}

static void create(struct pair *pair)
{
	struct virtio_device *vdev = &pair->vdev;

	pair->parent.name = "parent";
	vdev->dev.parent = &pair->parent;
	vdev->dev.name = "virtio0";
	vdev->priv = pair;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);
	set_feature(pair, true, VIRTIO_F_VERSION_1);
	set_feature(pair, pair->packed, VIRTIO_F_RING_PACKED);
	set_feature(pair, pair->indirect, VIRTIO_RING_F_INDIRECT_DESC);
	set_feature(pair, pair->event, VIRTIO_RING_F_EVENT_IDX);
	set_feature(pair, pair->in_order, VIRTIO_F_IN_ORDER);
	pair->vq = vring_create_virtqueue(0, PAIR_NUM, 64, vdev, true, false,
					  false, notify, callback, "pair");
	check(pair->vq, "no queue");
	sem_init(&pair->kick, 0, 0);
	sem_init(&pair->irq, 0, 0);
}

static void run(struct pair *pair, unsigned long total)
{
	pthread_t thread;

	create(pair);
	random_state = 2;
	check(!pthread_create(&thread, NULL, device_thread, pair), "no thread");
	drive(pair, total);
	WRITE_ONCE(pair->stop, true);
	sem_post(&pair->kick);
	pthread_join(thread, NULL);
	check(pair->vq->num_free == PAIR_NUM, "%u of %u free when idle",
	      pair->vq->num_free, PAIR_NUM);
	vring_del_virtqueue(pair->vq);
	check(!shim.alloc_live, "%ld allocations left over", shim.alloc_live);
}

int main(int argc, char *argv[])
{
	unsigned long total = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	unsigned int bits;
	char name[100];

	for (bits = 0; bits < 16; bits++) {
		struct pair pair = {
			.packed = bits & 1,
			.indirect = bits & 2,
			.event = bits & 4,
			.in_order = bits & 8,
		};

		snprintf(name, sizeof(name), "threads: %s%s%s%s",
			 pair.packed ? "packed" : "split",
			 pair.indirect ? " indirect" : "",
			 pair.event ? " event" : "",
			 pair.in_order ? " in-order" : "");
		test_now = name;
		run(&pair, total);
		printf("ok %u - %s, %lu buffers\n", bits + 1, name, total);
		printf("# the driver waited %lu times, the device %lu; %lu batches\n",
		       pair.waits, pair.device_waits, pair.batches);
		fflush(stdout);
	}
	printf("1..16\n");
	return 0;
}
