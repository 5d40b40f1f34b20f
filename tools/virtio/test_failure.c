// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory and mappings that fail: each one in turn, at each position in the
 * ring. Afterwards everything is as it was before, the device has seen
 * nothing, and the queue works.
 */
#include <linux/workqueue.h>
#include <string.h>
#include "queue.h"

#ifndef STOCK
#include "../../drivers/virtio/virtio_ring_internal.h"

#define MAX_NUM	16

/* The driver's private state, and the ring's bytes */
struct inside {
	struct vring_virtqueue vring;
	struct vring_state state[MAX_NUM];
	u8 ring[8192];
};

/* Descriptors that are free have any contents. */
static void forget_free_descs(struct inside *inside)
{
	const struct vring_virtqueue *vring = &inside->vring;
	struct vring_desc *desc = (void *)inside->ring;
	unsigned int i = vring->free_head, n;
	bool packed = vring_is_packed(&vring->vq);

	if (packed)
		i = vring->packed.cursor.at.desc - vring->rings.packed.desc;
	for (n = 0; n < vring->vq.num_free; n++) {
		memset(&desc[i], 0, sizeof(*desc));
		i = packed ? (i + 1) % vring->rings.num : inside->state[i].next;
	}
}

/* But for what a buffer that is being built may change, and new tables */
static void look_inside(struct inside *inside, struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	unsigned int i, num = vring->rings.num;

	check(num <= MAX_NUM && vring->rings.mem.size <= sizeof(inside->ring),
	      "test: the ring is too large");
	memcpy(&inside->vring, vring, sizeof(*vring));
	memset(&inside->vring.vq.build, 0, sizeof(vring->vq.build));
	if (vring_is_packed(vq)) {
		memset(&inside->vring.packed.cursor, 0,
		       sizeof(vring->packed.cursor));
		inside->vring.packed.cursor.at = vring->packed.cursor.at;
		inside->vring.packed.map_next = 0;
		inside->vring.packed.map_last = 0;
	} else {
		memset(&inside->vring.split.cursor, 0,
		       sizeof(vring->split.cursor));
	}
	memset(&inside->vring.tables, 0, sizeof(vring->tables));
	inside->vring.table_map = NULL;

	memset(inside->state, 0, sizeof(inside->state));
	for (i = 0; i < num; i++) {
		if (vring->rings.state[i].data)
			memcpy(&inside->state[i], &vring->rings.state[i],
			       sizeof(inside->state[i]));
		inside->state[i].next = vring->rings.state[i].next;
	}
	memcpy(inside->ring, vring->rings.mem.addr, vring->rings.mem.size);
	forget_free_descs(inside);
}
#endif

/* What must not change when a buffer can't be added */
struct snapshot {
	unsigned int num_free;
	long map_live;
	u64 seen;
#ifndef STOCK
	struct inside inside;
#endif
};

static struct snapshot take_snapshot(struct tq *tq)
{
	static struct snapshot snapshot;

	snapshot.num_free = tq->vq->num_free;
	snapshot.map_live = shim.map_live;
	snapshot.seen = tq->dq.ops->look(&tq->dq);
#ifndef STOCK
	look_inside(&snapshot.inside, tq->vq);
#endif
	return snapshot;
}

static void check_inside(struct tq *tq, const struct snapshot *before)
{
#ifndef STOCK
	static struct inside now;

	look_inside(&now, tq->vq);
	check(!memcmp(&now.vring, &before->inside.vring, sizeof(now.vring)),
	      "the queue's private state is another");
	check(!memcmp(now.state, before->inside.state, sizeof(now.state)),
	      "the private state of buffers is another");
	check(!memcmp(now.ring, before->inside.ring, sizeof(now.ring)),
	      "the ring is another");
#endif
}

static void check_snapshot(struct tq *tq, const struct snapshot *before)
{
	struct snapshot now;

	check_inside(tq, before);
	tq_kick(tq);
	now = take_snapshot(tq);
	check(now.num_free == before->num_free, "%u free, %u before",
	      now.num_free, before->num_free);
	check(now.map_live == before->map_live, "%ld mappings, %ld before",
	      now.map_live, before->map_live);
	check(now.seen == before->seen, "device sees a buffer that failed");
}

/* One buffer from end to end, to move on in the ring */
static void one_buffer(struct tq *tq, unsigned int elems, enum tq_how how)
{
	tq_must_add(tq, elems / 2, elems - elems / 2, how);
	tq_kick(tq);
	check(tq_pop(tq), "device doesn't see the buffer");
	check(!tq_pop(tq), "device sees another buffer");
	tq_use_some(tq, 0);
	check(tq_get(tq), "the buffer doesn't come back");
}

/* The @fail-th mapping of a buffer of @elems elements fails. */
static void map_fails_once(struct tq *tq, unsigned int elems,
			   unsigned int fail, enum tq_how how)
{
	struct snapshot before = take_snapshot(tq);
	int err;

	shim.map_fail_at = fail;
	err = tq_add_new(tq, elems / 2, elems - elems / 2, how);
	check(!shim.map_fail_at, "test: no mapping failed");
	check(err == -ENOMEM, "a failed mapping gives %d", err);
	check_snapshot(tq, &before);
}

/* Every mapping of buffers of every size, at every position, in every way */
static void map_fails(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int elems, fail, shift, num = tq->dq.num;
	unsigned int max = num + 2 * config->indirect;
	enum tq_how how;

	for (how = 0; how < HOWS; how++) {
#ifndef STOCK
		if (how == HOW_DMA || how == HOW_BUF_DMA || how == HOW_MIX)
			continue;
#endif
		for (elems = 1; elems <= max; elems++) {
			for (fail = 1; fail <= elems; fail++) {
				/* A shorter buffer comes in its place. */
				map_fails_once(tq, elems, fail, how);
				one_buffer(tq, 1 + rnd_below(fail), how);
			}
		}
		for (shift = 0; shift < 2 * num; shift++) {
			map_fails_once(tq, num, num, how);
			map_fails_once(tq, num, 1 + rnd_below(num), how);
			one_buffer(tq, 1, how);
		}
	}
	check(!shim.errs && !virtqueue_is_broken(tq->vq), "a failed mapping is no error");
	tq_traffic(tq, 300);
	tq_delete(tq);
}

/* The same while buffers are in flight, with failures of all kinds */
static void random_failures(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	tq->failing = true;
	tq_traffic(tq, 3000);
	tq->failing = false;
	tq_traffic(tq, 300);
	tq_delete(tq);
}

static void create_fails(const struct tq_config *config)
{
	static struct tq tq;
	unsigned int n;

	for (n = 1; ; n++) {
		tq_init(&tq, config);
		shim.alloc_fail_at = n;
		if (tq_create(&tq)) {
			if (shim.alloc_fail_at)
				break;
			/* It can do without the tables of its descriptors. */
			check(config->indirect, "a failed allocation is ignored");
			tq_traffic(&tq, 300);
			tq_delete(&tq);
			continue;
		}
		check(!shim.alloc_fail_at, "creation fails for another reason");
		check(list_empty(&tq.vdev.vqs), "a queue that isn't there");
		tq_check_clean();
	}
	check(n > 3, "no allocation failed");
	shim.alloc_fail_at = 0;
	tq_traffic(&tq, 300);
	tq_delete(&tq);
}

#ifndef STOCK
/* The allocation for the tables of the descriptors, when a queue is made */
#define OWN_TABLES	4

/*
 * Without memory for a table: direct if that fits, or will when buffers were
 * used; else somebody has to free memory.
 */
static void no_table(const struct tq_config *config)
{
	struct snapshot before;
	unsigned int n, num;
	struct tq *tq;

	shim.alloc_fail_at = OWN_TABLES;
	tq = tq_new(config);
	check(!shim.alloc_fail_at, "test: no allocation failed");
	num = tq->dq.num;

	shim.alloc_fail_all = true;
	tq_must_add(tq, 1, num - 2, HOW_PTR);
	check(tq->vq->num_free == 1, "no table, and not direct");
	tq_kick(tq);
	before = take_snapshot(tq);
	for (n = 2; n < 5; n++) {
		check(tq_add_new(tq, 1, n - 1, HOW_PTR) == -ENOSPC,
		      "room will be, and no -ENOSPC");
		check_snapshot(tq, &before);
	}
	check(tq_add_new(tq, 1, num, HOW_PTR) == -ENOMEM,
	      "no memory, and no -ENOMEM");
	check_snapshot(tq, &before);
	tq_must_add(tq, 1, 0, HOW_PTR);
	check(tq_add_new(tq, 2, 3, HOW_PTR) == -ENOSPC,
	      "a full queue, and no -ENOSPC");
	shim.alloc_fail_all = false;
	time_passes();
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_all(tq);
	tq_get_all(tq);
	tq_traffic(tq, 300);
	tq_delete(tq);
}

/* Each allocation for a table fails in turn. */
static void table_fails(const struct tq_config *config)
{
	unsigned int n;

	for (n = 1; n < 5; n++) {
		struct tq *tq = tq_new(config);

		tq_must_add(tq, 0, tq->dq.num - 1, HOW_PTR);
		shim.alloc_fail_at = n;
		tq_add_new(tq, 1, 3, HOW_PTR);
		shim.alloc_fail_at = 0;
		tq_kick(tq);
		tq_pop_all(tq);
		tq_use_all(tq);
		tq_get_all(tq);
		tq_traffic(tq, 100);
		tq_delete(tq);
	}
}
#endif

static void add_mapping_tests(struct tq_config config)
{
	config.num = config.packed ? 5 : 4;
	test_add(map_fails, &config, "failure: each mapping, %s",
		 tq_name(&config));
	config.num = 8;
	test_add(map_fails, &config, "failure: each mapping, %s",
		 tq_name(&config));
	config.bounce = true;
	test_add(map_fails, &config, "failure: each mapping, %s",
		 tq_name(&config));
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;

	if (config.order || config.event)
		return;
	config.num = 8;
	test_add(create_fails, &config, "failure: creation, %s",
		 tq_name(&config));
	test_add(random_failures, &config, "failure: at random, %s",
		 tq_name(&config));
#ifndef STOCK
	if (config.indirect) {
		test_add(no_table, &config, "failure: no table, %s",
			 tq_name(&config));
		test_add(table_fails, &config, "failure: each table, %s",
			 tq_name(&config));
	}
#endif
	if (config.access)
		add_mapping_tests(config);
}

void failure_tests(void)
{
	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
}
