// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the block driver has to do, rule by rule, with a device that does as the test
 * says. The fuzzer finds out what must never happen; this is about what must.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include "blk.h"
#include "rules.h"
#include "../../shim.h"

#define F(name)		BIT_ULL(VIRTIO_BLK_F_##name)
#define AT(field)	offsetof(struct virtio_blk_config, field)

/**
 * struct rule - a test
 * @name: what has to be
 * @run: looks whether it is
 * @ring: the first byte of host_create(): 8 with the DMA API
 * @features: of the device
 * @config: its configuration
 */
struct rule {
	const char *name;
	void (*run)(void);
	u8 ring;
	u64 features;
	struct virtio_blk_config config;
};

static const struct rule *rule;
static u8 memory[4096] __aligned(4096);

bool is_kdump_kernel(void)
{
	return false;
}

bool dev_is_dma_coherent(struct device *dev)
{
	return true;
}

int blk_revalidate_disk_zones(struct gendisk *disk)
{
	return 0;
}

void blk_request_ended(struct request *req)
{
}

void target_changed(void *owner, u8 *p)
{
}

/* All that is asked for succeeds. */
u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	const struct device_elem *last = &buf->elem[buf->out + buf->in - 1];
	const struct virtio_blk_outhdr *hdr = host_elem(queue, &buf->elem[0]);
	struct request *req = block_request(hdr->ioprio);
	u8 *in = host_elem(queue, last);

	req->answered = true;
	req->says[VIRTIO_BLK_S_OK] = true;
	in[last->len - 1] = VIRTIO_BLK_S_OK;
	return buf->in_len;
}

/* What tests do */

static struct request *read_block(void)
{
	struct request *req = blk_mq_alloc_request(block_disk()->queue, REQ_OP_READ, 0);

	check(!IS_ERR(req), "all are in use");
	req->vecs[0] = (struct bio_vec) { virt_to_page(memory), 512, 0 };
	req->nr_vecs = 1;
	req->__data_len = 512;
	req->bios[0].bi_io_vec = req->vecs;
	req->bios[0].bi_iter.bi_size = 512;
	req->bio = req->bios;
	return req;
}

static struct request *send(void)
{
	struct request *req = read_block();

	check(block_send(req, true), "a request is refused");
	return req;
}

static void answer(bool interrupt)
{
	check(host_take(0), "the device was not shown a request");
	host_give(0, 0);
	if (interrupt)
		host_interrupt(0);
}

static void want_success(struct request *req)
{
	check(req->ended && !req->result, "a request does not succeed");
	blk_mq_free_request(req);
}

static void want_error(struct request *req)
{
	check(req->ended && req->result, "a request does not fail");
	blk_mq_free_request(req);
}

static void send_and_answer(void)
{
	struct request *req = send();

	answer(true);
	want_success(req);
}

/* As the bus does: what was in flight is sent again. */
static void restart(void)
{
	struct request *req;

	check(!target_driver->reset_prepare(&host.vdev), "no preparation");
	host.status = VIRTIO_CONFIG_S_DRIVER;
	check(!target_driver->reset_done(&host.vdev), "no new start");
	while ((req = block_requeued()))
		check(block_send(req, true), "a request is refused");
}

/* Requests that take long */

static void rule_lost_interrupt(void)
{
	struct request *req = send();

	answer(false);
	block_time_out();
	want_success(req);
	send_and_answer();
}

/* It comes while the driver waits for it. */
static void late_interrupt(void)
{
	host_interrupt(0);
}

static void rule_late_interrupt(void)
{
	struct request *req = send();
	unsigned long warns = shim.dev_warns;

	answer(false);
	host.on_wait = late_interrupt;
	block_time_out();
	want_success(req);
	check(shim.dev_warns == warns, "an interrupt is said to be lost");
}

static void rule_lost_notification(void)
{
	struct request *req = send();
	unsigned int before = host.notified;

	block_time_out();
	check(host.notified == before + 1, "%u notifications", host.notified - before);
	check(!req->ended, "a device that is there has no time");
	answer(true);
	want_success(req);
}

static void rule_gone(void)
{
	struct request *req = send();

	host.gone = true;
	block_time_out();
	work_run();
	want_error(req);
	host.gone = false;
	check(host.resets, "a request ends before the device is reset");
}

static void rule_needs_reset(void)
{
	struct request *req = send();

	host.needs_reset = true;
	block_time_out();
	check(host.checked && !req->ended, "the bus is not asked to look");
	restart();
	answer(true);
	want_success(req);
	send_and_answer();
}

/* Its requests end, they are not sent again, whichever comes first. */
static void rule_lost_before_a_reset(void)
{
	struct request *req = send();

	host.gone = true;
	block_time_out();
	check(target_driver->reset_prepare(&host.vdev), "a reset of what is lost");
	work_run();
	want_error(req);
	host.gone = false;
	check(target_driver->reset_prepare(&host.vdev), "a reset of what was lost");
}

/* Nobody starts it again. */
static void rule_needs_reset_too_late(void)
{
	struct request *req = send();

	host.bound = false;
	host.needs_reset = true;
	block_time_out();
	work_run();
	want_error(req);
}

/* There never is memory, and nothing else under way that would give some back. */
static void rule_never_memory(void)
{
	struct request *req = read_block();
	unsigned long start = jiffies;

	do {
		shim.map_fail_at = 1;
		jiffies += HZ / 2;
		check(jiffies - start < 40 * HZ, "a request is tried for ever");
	} while (!block_send(req, true));
	shim.map_fail_at = 0;
	check(jiffies - start >= 30 * HZ, "a request is given up after %lu ticks",
	      jiffies - start);
	want_error(req);
	send_and_answer();
}

/* What the configuration says */

static void rule_hints(void)
{
	const struct queue_limits *lim = &block_disk()->queue->limits;

	check(lim->logical_block_size == 1024 && lim->physical_block_size == 4096,
	      "blocks of %u and %u", lim->logical_block_size, lim->physical_block_size);
	check(lim->alignment_offset == 3072, "alignment offset %u", lim->alignment_offset);
	check(lim->io_min == 4096 && lim->io_opt == 65536, "sizes %u and %u",
	      lim->io_min, lim->io_opt);
}

static void rule_change_of_size(void)
{
	u64 capacity = 4096;

	memcpy(host.config + AT(capacity), &capacity, sizeof(capacity));
	target_driver->config_changed(&host.vdev);
	work_run();
	check(get_capacity(block_disk()) == capacity, "capacity %llu",
	      (unsigned long long)get_capacity(block_disk()));
}

/* A reset undoes what the administrator has chosen. */
static void rule_cache_after_a_reset(void)
{
	struct device *dev = &block_disk()->dev;

	host.config[AT(wce)] = 0;
	target_attr_cache_type->store(dev, NULL, "write through", 1);
	check(!host.written[AT(wce)], "the cache is not switched off");
	host.written[AT(wce)] = 1;
	restart();
	check(!host.written[AT(wce)], "the cache is not switched off again");
	host.config[AT(wce)] = 1;
	check(!target_driver->reset_prepare(&host.vdev), "no preparation");
	host.status = VIRTIO_CONFIG_S_DRIVER;
	check(target_driver->reset_done(&host.vdev), "a cache that nobody flushes");
	target_driver->restart_failed(&host.vdev);
}

static void rule_features_do_not_come_back(void)
{
	struct request *req;

	target_driver->freeze(&host.vdev);
	check(block_waits(), "nobody waits for who is about to notify the device");
	target_driver->restart_failed(&host.vdev);
	check(!block_disk()->queue->quiesced, "who waits does so for ever");
	req = read_block();
	block_send(req, true);
	want_error(req);
}

#define RULE(name, ...) { #name, rule_##name, .features = F(SEG_MAX), \
			  .config = { .capacity = 16384, .seg_max = 14, .blk_size = 512 }, \
			  __VA_ARGS__ }

#pragma GCC diagnostic ignored "-Winitializer-overrides"
static const struct rule rules[] = {
	RULE(lost_interrupt),
	RULE(late_interrupt),
	RULE(lost_notification),
	RULE(gone),
	RULE(needs_reset),
	RULE(lost_before_a_reset),
	RULE(needs_reset_too_late),
	RULE(never_memory, .ring = 8),
	RULE(hints, .features = F(TOPOLOGY) | F(BLK_SIZE),
	     .config = { .capacity = 16384, .blk_size = 1024, .physical_block_exp = 2,
			 .alignment_offset = 3, .min_io_size = 4, .opt_io_size = 64 }),
	RULE(change_of_size),
	RULE(cache_after_a_reset, .features = F(FLUSH) | F(CONFIG_WCE)),
	RULE(features_do_not_come_back),
};

/* One input: what the device is, what is above the driver, and one step. */
void target_load(void)
{
	unsigned int bit;

	check(!target_init(), "the module can't be loaded");
	host_create(&rule->config, sizeof(rule->config));
	for (bit = 0; bit < 64; bit++)
		if (rule->features & BIT_ULL(bit))
			__virtio_set_bit(&host.vdev, bit);
	host.on_wait = host_do_nothing;
}

void target_unload(void)
{
	target_exit();
}

void target_rule(void)
{
	rule->run();
	host.on_wait = NULL;
}

int main(void)
{
	unsigned int failed = 0;

	for (rule = rules; rule < rules + ARRAY_SIZE(rules); rule++) {
		if (rule_holds(rule->ring, 1, 0))
			continue;
		printf("not so: %s\n", rule->name);
		failed++;
	}
	return rules_end(ARRAY_SIZE(rules), failed);
}
