// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that vanish, so that each register reads as all ones, and devices that
 * lose their state. A transport that is asked to reset a device that is gone waits
 * for ever: here that would be the word "reset".
 */
#include <linux/delay.h>
#include "bus_fake.h"

static void vanish(struct fake *fake)
{
	fake->gone = true;
}

static void gone_before_unbind(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	vanish(fake);
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "sync:broken remove sync:broken del_vqs");
}

static void gone_within_remove(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->in_remove = vanish;
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove sync:broken del_vqs");
}

static void gone_before_shutdown(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;

	fake_start(fake);
	vanish(fake);
	dev->bus->shutdown(dev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync:broken sync:broken");
}

static void gone_before_suspend(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	vanish(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "sync:broken freeze sync:broken del_vqs");
}

static void gone_when_probed(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_add_device(fake);
	fake_record(fake);
	vanish(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync");
	fake->gone = false;
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
}

/* It still runs, with the queues of a driver that is long gone. */
static void back_when_bound_again(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	vanish(fake);
	fake_unbind(fake);
	fake->gone = false;
	fake_record(fake);
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok probe find_vqs +driver_ok");
}

/* The driver without freeze(), which the bus stops itself */
static void gone_before_it_is_stopped(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.freeze = NULL;
	fake->drv.restore = NULL;
	fake_start(fake);
	vanish(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync:broken sync:broken");
}

static bool is_broken_soon(struct fake *fake)
{
	unsigned int tries = 300;

	while (!virtqueue_is_broken(&fake->vq) && --tries)
		msleep(100);
	return tries;
}

static void wait_until_gone(struct fake *fake)
{
	vanish(fake);
	KUNIT_EXPECT_TRUE(fake->test, is_broken_soon(fake));
}

/* Nobody but the bus looks at it. */
static void gone_while_idle(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	wait_until_gone(fake);
	fake_unbind(fake);
}

/* remove() waits for an answer, and the device goes: the queue breaks. */
static void gone_while_remove_waits(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->in_remove = wait_until_gone;
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove sync:broken del_vqs");
}

/* Resets */

static bool status_is_soon(struct fake *fake, u8 status)
{
	unsigned int tries = 300;

	while (READ_ONCE(fake->status) != status && --tries)
		msleep(100);
	/* What comes after it */
	msleep(100);
	return tries;
}

#define AFTER_HOOKS \
	"reset_prepare freeze reset del_vqs reset +acknowledge +driver finalize +features_ok reset_done restore find_vqs +driver_ok"

static bool is_recorded_soon(const struct fake *fake, const char *record)
{
	unsigned int tries = 100;

	while (strcmp(fake->record, record) && --tries)
		msleep(100);
	return tries;
}

#define RUNNING	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
		 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static void need_reset(struct fake *fake)
{
	fake->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_config_changed(&fake->vdev);
}

static void start_with_hooks(struct fake *fake)
{
	fake->drv.reset_prepare = fake_reset_prepare;
	fake->drv.reset_done = fake_reset_done;
	fake_start(fake);
}

static void device_needs_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	need_reset(fake);
	KUNIT_EXPECT_TRUE(test, status_is_soon(fake, RUNNING));
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed " AFTER_HOOKS);
	KUNIT_EXPECT_FALSE(test, virtqueue_is_broken(&fake->vq));
}

static void reset_finds_no_queue_of_the_transport(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->offers |= BIT_ULL(VIRTIO_F_ADMIN_VQ);
	start_with_hooks(fake);
	need_reset(fake);
	KUNIT_EXPECT_TRUE(test, status_is_soon(fake, RUNNING));
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed " AFTER_HOOKS);
	KUNIT_EXPECT_TRUE(test, virtio_has_feature(&fake->vdev,
						   VIRTIO_F_ADMIN_VQ));
}

/* As by a function-level reset, of which no transport of the base tells */
static void somebody_else_resets_the_device(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	fake->status = 0;
	virtio_device_check(&fake->vdev);
	KUNIT_EXPECT_TRUE(test, status_is_soon(fake, RUNNING));
	KUNIT_EXPECT_STREQ(test, fake_record(fake), AFTER_HOOKS);
}

static void driver_asks_for_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	KUNIT_EXPECT_TRUE(test, virtio_device_request_reset(&fake->vdev));
	KUNIT_EXPECT_TRUE(test, is_recorded_soon(fake, AFTER_HOOKS));
	/* Once is enough. */
	virtio_device_check(&fake->vdev);
	msleep(200);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), AFTER_HOOKS);
}

static void driver_without_hooks_asks_for_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	KUNIT_EXPECT_TRUE(test, virtio_device_request_reset(&fake->vdev));
	KUNIT_EXPECT_TRUE(test, is_broken_soon(fake));
	msleep(100);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync:broken");
}

/* Who unbinds it, or is about to suspend, has the device locked. */
static void reset_waits_for_who_has_the_device(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	device_lock(&fake->vdev.dev);
	KUNIT_EXPECT_TRUE(test, virtio_device_request_reset(&fake->vdev));
	msleep(200);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	device_unlock(&fake->vdev.dev);
	KUNIT_EXPECT_TRUE(test, is_recorded_soon(fake, AFTER_HOOKS));
}

/* A resume has reset it: that is what the driver wanted. */
static void suspend_is_a_reset_too(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	device_lock(&fake->vdev.dev);
	KUNIT_EXPECT_TRUE(test, virtio_device_request_reset(&fake->vdev));
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_FALSE(test, virtio_device_request_reset(&fake->vdev));
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	fake_record(fake);
	device_unlock(&fake->vdev.dev);
	virtio_device_check(&fake->vdev);
	msleep(200);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
}

static void driver_resets_the_device_itself(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	virtio_reset_device(&fake->vdev);
	virtio_config_changed(&fake->vdev);
	msleep(200);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "reset changed");
}

/* remove() waits for an answer, and the device has lost the question. */
static void lose_state_in_remove(struct fake *fake)
{
	fake->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	KUNIT_EXPECT_TRUE(fake->test, is_broken_soon(fake));
}

static void device_needs_a_reset_in_remove(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	fake->in_remove = lose_state_in_remove;
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove reset del_vqs +acknowledge");
}

static void reset_is_beyond_the_driver(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	need_reset(fake);
	KUNIT_EXPECT_TRUE(test, is_broken_soon(fake));
	msleep(100);
	need_reset(fake);
	msleep(100);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "changed sync:broken changed");
}

static void reset_fails(struct kunit *test)
{
	struct fake *fake = test->priv;

	start_with_hooks(fake);
	fake->restore_error = -ENOMEM;
	need_reset(fake);
	KUNIT_EXPECT_TRUE(test, status_is_soon(fake, VIRTIO_CONFIG_S_FAILED |
					       (RUNNING & ~VIRTIO_CONFIG_S_DRIVER_OK)));
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
	fake_unbind(fake);
	fake->restore_error = 0;
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
}

/* Three resets in a row are tried, and no more. */
static void device_always_needs_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;
	unsigned int i;

	start_with_hooks(fake);
	for (i = 0; i < 3; i++) {
		need_reset(fake);
		KUNIT_EXPECT_TRUE(test, status_is_soon(fake, RUNNING));
		KUNIT_EXPECT_FALSE(test, virtqueue_is_broken(&fake->vq));
	}
	need_reset(fake);
	KUNIT_EXPECT_TRUE(test, is_broken_soon(fake));
	msleep(200);
	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(&fake->vq));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(gone_before_unbind),
	KUNIT_CASE(gone_within_remove),
	KUNIT_CASE(gone_before_shutdown),
	KUNIT_CASE(gone_before_suspend),
	KUNIT_CASE(gone_before_it_is_stopped),
	KUNIT_CASE(gone_when_probed),
	KUNIT_CASE(back_when_bound_again),
	KUNIT_CASE(gone_while_idle),
	KUNIT_CASE(gone_while_remove_waits),
	KUNIT_CASE(device_needs_a_reset),
	KUNIT_CASE(reset_finds_no_queue_of_the_transport),
	KUNIT_CASE(somebody_else_resets_the_device),
	KUNIT_CASE(driver_asks_for_a_reset),
	KUNIT_CASE(driver_without_hooks_asks_for_a_reset),
	KUNIT_CASE(reset_waits_for_who_has_the_device),
	KUNIT_CASE(suspend_is_a_reset_too),
	KUNIT_CASE(driver_resets_the_device_itself),
	KUNIT_CASE(device_needs_a_reset_in_remove),
	KUNIT_CASE(reset_is_beyond_the_driver),
	KUNIT_CASE(reset_fails),
	KUNIT_CASE(device_always_needs_a_reset),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_gone",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
