// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a driver hears of changes of the configuration space: at once while it
 * runs, later and once when it or the bus holds them back, never after its end.
 */
#include "bus_fake.h"

static void change(struct fake *fake)
{
	virtio_config_changed(&fake->vdev);
}

static void change_thrice(struct fake *fake)
{
	change(fake);
	change(fake);
	change(fake);
}

static void disable_and_change(struct fake *fake)
{
	virtio_config_driver_disable(&fake->vdev);
	change(fake);
}

static void change_while_disabled(struct fake *fake)
{
	disable_and_change(fake);
	virtio_config_driver_enable(&fake->vdev);
}

static void running_driver_hears_of_each(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	change_thrice(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed changed changed");
	KUNIT_EXPECT_TRUE(test, fake->change_is_atomic);
}

static void changes_within_probe_are_heard_after_it(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->in_probe = change_thrice;
	fake->drv.scan = fake_scan;
	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok scan changed");
	KUNIT_EXPECT_TRUE(test, fake->change_is_atomic);

	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void driver_that_enables_in_probe_still_waits(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->in_probe = change_while_disabled;
	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok changed");
}

static void driver_that_disables_in_probe_is_left_alone(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->in_probe = disable_and_change;
	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok");

	virtio_config_driver_enable(&fake->vdev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void driver_holds_changes_back(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	virtio_config_driver_disable(&fake->vdev);
	change_thrice(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");

	virtio_config_driver_enable(&fake->vdev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
	KUNIT_EXPECT_TRUE(test, fake->change_is_atomic);

	virtio_config_driver_enable(&fake->vdev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void one_enable_ends_two_disables(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	virtio_config_driver_disable(&fake->vdev);
	virtio_config_driver_disable(&fake->vdev);
	virtio_config_driver_enable(&fake->vdev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void driver_that_goes_hears_of_none(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->in_remove = change;
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove reset del_vqs +acknowledge");
}

/* As virtio_scsi may, whose commands are recovered until its host is removed */
static void start_again(struct fake *fake)
{
	virtio_device_freeze(&fake->vdev);
	virtio_device_restore(&fake->vdev);
}

static void driver_that_goes_has_the_device_started_again(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->in_remove = start_again;
	fake_unbind(fake);
	fake_record(fake);
	KUNIT_ASSERT_FALSE(test, fake->vdev.config_core_enabled);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
}

static void next_driver_hears_of_nothing_old(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	virtio_config_driver_disable(&fake->vdev);
	fake->in_remove = change;
	fake_unbind(fake);
	change(fake);
	fake_record(fake);

	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok");
	/* Nor does it find reports switched off. */
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void change_in_a_failed_probe_is_forgotten(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->in_probe = change;
	fake->probe_error = -EIO;
	fake_start(fake);
	fake->in_probe = NULL;
	fake->probe_error = 0;
	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok probe find_vqs +driver_ok");
}

static void device_without_a_driver_may_change(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_add_device(fake);
	fake_record(fake);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
}

static void driver_need_not_care(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.config_changed = NULL;
	fake_start(fake);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	KUNIT_EXPECT_FALSE(test, fake->vdev.config_change_pending);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(running_driver_hears_of_each),
	KUNIT_CASE(changes_within_probe_are_heard_after_it),
	KUNIT_CASE(driver_that_enables_in_probe_still_waits),
	KUNIT_CASE(driver_that_disables_in_probe_is_left_alone),
	KUNIT_CASE(driver_holds_changes_back),
	KUNIT_CASE(one_enable_ends_two_disables),
	KUNIT_CASE(driver_that_goes_hears_of_none),
	KUNIT_CASE(driver_that_goes_has_the_device_started_again),
	KUNIT_CASE(next_driver_hears_of_nothing_old),
	KUNIT_CASE(change_in_a_failed_probe_is_forgotten),
	KUNIT_CASE(device_without_a_driver_may_change),
	KUNIT_CASE(driver_need_not_care),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_changes",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
