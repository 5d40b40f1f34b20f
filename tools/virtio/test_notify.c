// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications in both directions: suppression of callbacks, delayed ones,
 * and races. For a race, the device acts at each point within a call of the
 * driver: wherever the core reads or writes the ring, or has a barrier.
 */
#include "queue.h"

/* An act of the device, at the n-th point of a call */
static unsigned int point_now, point_at;
static void (*point_act)(void);
static bool point_done;

static void point_hook(void)
{
	if (point_now++ != point_at)
		return;
	shim.point = NULL;
	point_act();
	point_done = true;
}

static void point_arm(unsigned int at, void (*act)(void))
{
	point_now = 0;
	point_at = at;
	point_act = act;
	point_done = false;
	shim.point = point_hook;
}

/* Returns whether the device got to act. */
static bool point_disarm(void)
{
	shim.point = NULL;
	return point_done;
}

static void put_in_flight(struct tq *tq, unsigned int num)
{
	while (num--)
		tq_must_add(tq, 0, 1, HOW_OLD);
	tq_kick(tq);
	tq_pop_all(tq);
}

/* Let the driver be done with everything and wait for the next buffer. */
static void settle(struct tq *tq)
{
	tq_use_all(tq);
	tq->dq.told = tq->dq.used;
	tq_get_all(tq);
	while (!virtqueue_enable_cb(tq->vq))
		tq_get_all(tq);
}

/* A new queue interrupts; one without a callback never asks for that. */
static void first_interrupt(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	bool irq;

	put_in_flight(tq, 1);
	tq_use_some(tq, 0);
	irq = device_wants_irq(&tq->dq);
	if (!config->no_callback)
		check(irq, "a new queue doesn't want interrupts");
	else if (config->packed || !config->event)
		check(!irq, "a queue without a callback wants interrupts");
	tq_delete(tq);
}

static void interrupt_result(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);

	check(vring_interrupt(0, tq->vq) == IRQ_NONE && !tq->callbacks,
	      "interrupt without a used buffer is taken");
	put_in_flight(tq, 1);
	check(vring_interrupt(0, tq->vq) == IRQ_NONE && !tq->callbacks,
	      "interrupt without a used buffer is taken");
	tq_use_some(tq, 0);
	check(vring_interrupt(0, tq->vq) == IRQ_HANDLED,
	      "interrupt for a used buffer is refused");
	check(tq->callbacks == !config->no_callback, "%lu callbacks",
	      tq->callbacks);
	tq_delete(tq);
}

/* While callbacks are disabled the device is told so, where it can be. */
static void disabled(const struct tq_config *config)
{
	unsigned int round;
	struct tq *tq = tq_new(config);

	for (round = 0; round < 3 * tq->dq.num; round++) {
		virtqueue_disable_cb(tq->vq);
		put_in_flight(tq, 2);
		tq_use_some(tq, 0);
		if (config->packed || !config->event)
			check(!device_wants_irq(&tq->dq),
			      "interrupts are wanted while disabled");
		settle(tq);
		put_in_flight(tq, 1);
		tq_use_some(tq, 0);
		check(tq_irq(tq), "interrupts are not wanted while enabled");
		settle(tq);
	}
	tq_delete(tq);
}

/* Buffers that were there before are reported by each way to enable. */
static void enable_reports(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, state;

	for (round = 0; round < 3 * tq->dq.num; round++) {
		virtqueue_disable_cb(tq->vq);
		check(virtqueue_enable_cb(tq->vq), "enable_cb: a phantom");
		virtqueue_disable_cb(tq->vq);
		check(virtqueue_enable_cb_delayed(tq->vq),
		      "enable_cb_delayed: a phantom");
		state = virtqueue_enable_cb_prepare(tq->vq);
		check(!virtqueue_poll(tq->vq, state), "poll: a phantom");

		put_in_flight(tq, 1);
		check(!virtqueue_poll(tq->vq, state), "poll: a phantom");
		tq_use_some(tq, 0);
		check(virtqueue_poll(tq->vq, state), "poll: a buffer is missed");
		virtqueue_disable_cb(tq->vq);
		check(!virtqueue_enable_cb(tq->vq),
		      "enable_cb: a buffer is missed");
		virtqueue_disable_cb(tq->vq);
		state = virtqueue_enable_cb_prepare(tq->vq);
		check(virtqueue_poll(tq->vq, state), "poll: a buffer is missed");
		virtqueue_disable_cb(tq->vq);
		check(!virtqueue_enable_cb_delayed(tq->vq),
		      "enable_cb_delayed: all buffers are missed");
		settle(tq);
	}
	tq_delete(tq);
}

/* A delayed callback comes late, but comes. */
static void delayed(const struct tq_config *config)
{
	unsigned int round, n, at, count = 8;
	struct tq *tq = tq_new(config);

	for (round = 0; round < 3 * tq->dq.num; round++) {
		virtqueue_disable_cb(tq->vq);
		put_in_flight(tq, count);
		check(virtqueue_enable_cb_delayed(tq->vq), "a phantom");
		for (n = 0, at = 0; n < count; n++) {
			tq_use_some(tq, 0);
			if (tq_irq(tq) && !at)
				at = n + 1;
		}
		check(at, "a delayed callback never comes");
		if (config->event)
			check(at > count / 2, "delayed callback at %u of %u",
			      at, count);
		else
			check(at == 1, "callback at %u without event index", at);
		settle(tq);
	}
	tq_delete(tq);
}

#ifndef STOCK
/*
 * A buffer that the device was not shown yet does not count: it will not be used
 * before the driver, who waits for the callback, kicks.
 */
static void delayed_before_kick(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round, n, public, hidden, told;

	for (round = 0; round < 6 * tq->dq.num; round++) {
		public = round % 4;
		hidden = 1 + round % (tq->dq.num - public);
		virtqueue_disable_cb(tq->vq);
		put_in_flight(tq, public);
		for (n = 0; n < hidden; n++)
			tq_must_add(tq, 1, 0, HOW_PTR);
		check(virtqueue_enable_cb_delayed(tq->vq), "a phantom");
		for (n = 0, told = 0; n < public; n++) {
			tq_use_some(tq, 0);
			told += tq_irq(tq);
		}
		check(told || !public, "%u public and %u other buffers: no callback",
		      public, hidden);
		tq_kick(tq);
		tq_pop_all(tq);
		settle(tq);
	}
	tq_delete(tq);
}
#endif

/*
 * A driver that has one buffer in flight, takes one for each interrupt, and
 * never disables callbacks (virtio-rng) is told of each.
 */
static void one_per_interrupt(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int round;

	for (round = 0; round < 70000; round++) {
		put_in_flight(tq, 1);
		tq_use(tq, 0, 0);
		check(tq_irq(tq), "no interrupt for buffer %u", round);
		check(tq_get(tq), "the interrupt came for nothing");
	}
	tq_delete(tq);
}

/* Races */

static struct tq *race_tq;
static bool race_irq;

static void race_use(void)
{
	tq_use_some(race_tq, 0);
	race_irq = device_wants_irq(&race_tq->dq);
}

enum race_call { ENABLE, PREPARE_POLL, DELAYED, GET_BUF };

/* True: the driver was told that there is nothing; it will wait. */
static bool driver_waits(struct tq *tq, enum race_call call)
{
	unsigned int state;

	switch (call) {
	case ENABLE:
		return virtqueue_enable_cb(tq->vq);
	case PREPARE_POLL:
		state = virtqueue_enable_cb_prepare(tq->vq);
		return !virtqueue_poll(tq->vq, state);
	case DELAYED:
		return virtqueue_enable_cb_delayed(tq->vq);
	default:
		tq->racing = true;
		tq_get_all(tq);
		tq->racing = false;
		return true;
	}
}

/*
 * The device uses a buffer, the driver is told and takes it; and at some point
 * of the driver's call the device uses another, of @more that are in flight.
 */
static bool race_once(struct tq *tq, enum race_call call, unsigned int at,
		      unsigned int more)
{
	bool waits, acted, missed;

	put_in_flight(tq, 1 + more);
	tq_use_some(tq, 0);
	check(tq_irq(tq), "no interrupt for the first buffer");
	if (call != GET_BUF) {
		virtqueue_disable_cb(tq->vq);
		tq_get_all(tq);
	}

	race_irq = false;
	point_arm(at, race_use);
	waits = driver_waits(tq, call);
	acted = point_disarm();

	missed = acted && waits && !race_irq && tq->used.count;
	/* A delay is fine if the interrupt comes with the others. */
	while (missed && call == DELAYED && tq->held.count) {
		tq_use_some(tq, 0);
		missed = !tq_irq(tq);
	}
	check(!missed, "used at point %u: the driver waits and isn't told", at);
	if (race_irq)
		vring_interrupt(0, tq->vq);
	settle(tq);
	return acted;
}

static void race(const struct tq_config *config, enum race_call call)
{
	struct tq *tq = tq_new(config);
	unsigned int at, round;
	bool acted = true;

	race_tq = tq;
	for (at = 0; acted; at++) {
		acted = false;
		for (round = 0; round < 2 * tq->dq.num + 1; round++)
			acted |= race_once(tq, call, at, 1 + round % 3);
	}
	check(at > 2, "test: the call has no points");
	tq_delete(tq);
}

static void race_enable(const struct tq_config *config)
{
	race(config, ENABLE);
}

static void race_poll(const struct tq_config *config)
{
	race(config, PREPARE_POLL);
}

static void race_delayed(const struct tq_config *config)
{
	race(config, DELAYED);
}

static void race_get(const struct tq_config *config)
{
	race(config, GET_BUF);
}

/*
 * disable_cb() may run at any time, in the callback usually. Whatever it
 * meets, callbacks that are enabled after it are enabled.
 */
static void race_enable_act(void)
{
	virtqueue_enable_cb(race_tq->vq);
}

static void race_disable_act(void)
{
	virtqueue_disable_cb(race_tq->vq);
}

static void race_both(const struct tq_config *config, bool disable_first)
{
	struct tq *tq = tq_new(config);
	unsigned int at, round;
	bool acted = true;

	race_tq = tq;
	for (at = 0; acted; at++) {
		acted = false;
		for (round = 0; round < 2 * tq->dq.num + 1; round++) {
			if (!disable_first)
				virtqueue_disable_cb(tq->vq);
			point_arm(at, disable_first ? race_enable_act :
						      race_disable_act);
			if (disable_first)
				virtqueue_disable_cb(tq->vq);
			else
				virtqueue_enable_cb(tq->vq);
			acted |= point_disarm();

			settle(tq);
			put_in_flight(tq, 1);
			tq_use_some(tq, 0);
			check(tq_irq(tq), "point %u: callbacks stay disabled",
			      at);
			settle(tq);
		}
	}
	tq_delete(tq);
}

static void disable_meets_enable(const struct tq_config *config)
{
	race_both(config, true);
}

static void enable_meets_disable(const struct tq_config *config)
{
	race_both(config, false);
}

#ifndef STOCK
/*
 * With VIRTIO_F_NOTIFICATION_DATA another CPU may notify within a kick: it must
 * not send the device to what isn't public yet.
 */
static void notify_within_kick(void)
{
	struct device_queue *dq = &race_tq->dq;
	u16 old = dq->ops->notify_data(dq, dq->seen);
	u16 data = vring_notification_data(race_tq->vq) >> 16;
	u16 public = dq->ops->notify_data(dq, dq->ops->look(dq));

	check(data == old || data == public,
	      "notification of %#x, and %#x is public", data, public);
}

static void notification_data(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int at, n;
	bool acted = true;

	race_tq = tq;
	for (at = 0; acted; at++) {
		for (n = 0; n < 3; n++)
			tq_must_add(tq, 1, 0, HOW_PTR);
		point_arm(at, notify_within_kick);
		virtqueue_kick_prepare(tq->vq);
		acted = point_disarm();
		tq_pop_all(tq);
		settle(tq);
	}
	check(at > 2, "nothing was tried");
	tq_delete(tq);
}
#endif

/* In order: one used element stands for three buffers, of which one was taken. */
static void half_a_batch(const struct tq_config *config)
{
	struct tq *tq = tq_new(config);
	unsigned int n;

	for (n = 0; n < 3; n++)
		tq_must_add(tq, 0, 1, HOW_OLD);
	tq_kick(tq);
	tq_pop_all(tq);
	tq_use_batch(tq, 3);
	virtqueue_disable_cb(tq->vq);
	check(tq_get(tq), "no used buffer");
	check(!virtqueue_enable_cb(tq->vq), "the rest of a batch is overlooked");
	check(virtqueue_poll(tq->vq, virtqueue_enable_cb_prepare(tq->vq)),
	      "a poll overlooks the rest of a batch");
	check(tq_get_all(tq) == 2, "the rest of a batch is lost");
	check(virtqueue_enable_cb(tq->vq), "more than there is");
	tq_delete(tq);
}

static void add_tests_for(const struct tq_config *base)
{
	struct tq_config config = *base;
	const char *name;

	if (config.order || config.legacy || config.indirect)
		return;
	config.num = config.packed ? 11 : 16;
	name = tq_name(&config);
	test_add(first_interrupt, &config, "notify: a new queue, %s", name);
	test_add(interrupt_result, &config, "notify: interrupt, %s", name);
	test_add(disabled, &config, "notify: disable_cb, %s", name);
	test_add(enable_reports, &config, "notify: enable_cb, %s", name);
	test_add(delayed, &config, "notify: delayed callback, %s", name);
#ifndef STOCK
	test_add(delayed_before_kick, &config,
		 "notify: delayed callback before a kick, %s", name);
#endif
	if (config.in_order)
		test_add(half_a_batch, &config, "notify: half a batch, %s",
			 name);
	config.num = config.packed ? 5 : 4;
	name = tq_name(&config);
	test_add(one_per_interrupt, &config,
		 "notify: one buffer for each interrupt, %s", name);
	test_add(race_enable, &config, "notify: race with enable_cb, %s", name);
	test_add(race_poll, &config, "notify: race with poll, %s", name);
	test_add(race_delayed, &config,
		 "notify: race with enable_cb_delayed, %s", name);
	test_add(race_get, &config, "notify: race with get_buf, %s", name);
	test_add(disable_meets_enable, &config,
		 "notify: enable_cb within disable_cb, %s", name);
	test_add(enable_meets_disable, &config,
		 "notify: disable_cb within enable_cb, %s", name);
#ifndef STOCK
	test_add(notification_data, &config,
		 "notify: notification data within a kick, %s", name);
#endif
	config.no_callback = true;
	name = tq_name(&config);
	test_add(first_interrupt, &config, "notify: a new queue, %s", name);
	test_add(interrupt_result, &config, "notify: interrupt, %s", name);
}

void notify_tests(void)
{
	tq_all_configs(add_tests_for);
	tq_all_in_order(add_tests_for);
}
