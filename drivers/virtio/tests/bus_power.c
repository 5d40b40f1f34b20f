// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspend, resume and shutdown: no device runs while the machine sleeps or after
 * it is down, and each runs again afterwards, as it was, or says why not.
 */
#include <linux/virtio_ids.h>
#include "bus_fake.h"

static void change(struct fake *fake)
{
	virtio_config_changed(&fake->vdev);
}

static void driver_freezes_and_restores(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 features;

	fake_start(fake);
	features = fake->vdev.features;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "freeze reset del_vqs");

	fake->finalized = 0;
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok restore find_vqs +driver_ok");
	KUNIT_EXPECT_EQ(test, fake->finalized, features);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, features);
}

static void features_are_not_chosen_again(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 features;

	fake->drv.validate = fake_validate;
	fake->declines = BIT_ULL(FAKE_F_BOTH);
	fake_start(fake);
	features = fake->vdev.features;
	KUNIT_ASSERT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	fake_record(fake);

	fake->declines = 0;
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok restore find_vqs +driver_ok");
	KUNIT_EXPECT_EQ(test, fake->vdev.features, features);
}

static void driver_without_freeze_is_stopped(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.freeze = NULL;
	fake->drv.restore = NULL;
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync:broken reset");

	/* As a kernel with hardened notifications does on the way to ready */
	__virtio_unbreak_device(&fake->vdev);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok +driver_ok");
	KUNIT_EXPECT_TRUE(test, virtqueue_is_broken(&fake->vq));
}

static void driver_refuses_to_freeze(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->freeze_error = -EBUSY;
	fake->in_freeze = change;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "freeze changed");

	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void change_in_suspend_is_heard_after_it(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->in_freeze = change;
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "freeze reset del_vqs");

	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok restore find_vqs +driver_ok changed");
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");
}

static void expect_failed_restore(struct fake *fake, int err,
				  const char *record)
{
	struct kunit *test = fake->test;

	change(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), err);
	/* A driver that does not run is told of no change, either. */
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), record);
	KUNIT_EXPECT_TRUE(test, fake->status & VIRTIO_CONFIG_S_FAILED);
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
}

static void freeze(struct fake *fake)
{
	fake_start(fake);
	KUNIT_ASSERT_EQ(fake->test, virtio_device_freeze(&fake->vdev), 0);
	fake_record(fake);
}

static void be_ready(struct fake *fake)
{
	virtio_device_ready(&fake->vdev);
}

static void driver_may_be_ready_in_restore(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->in_restore = be_ready;
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok restore +driver_ok find_vqs");
}

static void feature_is_lost(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->offers &= ~BIT_ULL(FAKE_F_BOTH);
	expect_failed_restore(fake, -ENODEV,
			      "reset +acknowledge +driver +failed");
}

static void device_refuses_its_features(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->refuses = BIT_ULL(FAKE_F_HIGH);
	expect_failed_restore(fake, -ENODEV,
			      "reset +acknowledge +driver finalize +features_ok +failed");
}

static void transport_fails_to_finalize(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->finalize_error = -EPROTO;
	expect_failed_restore(fake, -EPROTO,
			      "reset +acknowledge +driver finalize +failed");
}

static void driver_fails_to_restore(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->restore_error = -ENOMEM;
	expect_failed_restore(fake, -ENOMEM,
			      "reset +acknowledge +driver finalize +features_ok restore +failed");
}

static void driver_is_told_that_it_does_not_run_again(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.restart_failed = fake_restart_failed;
	freeze(fake);
	fake->finalize_error = -EPROTO;
	expect_failed_restore(fake, -EPROTO,
			      "reset +acknowledge +driver finalize +failed restart_failed");
	fake->finalize_error = 0;
	fake->restore_error = -ENOMEM;
	expect_failed_restore(fake, -ENOMEM,
			      "reset +acknowledge +driver finalize +features_ok restore +failed restart_failed");
	fake->restore_error = 0;
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok restore find_vqs +driver_ok changed");
}

static void failed_restore_is_mended_by_binding_again(struct kunit *test)
{
	struct fake *fake = test->priv;

	freeze(fake);
	fake->restore_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), -ENOMEM);
	fake_unbind(fake);
	fake_record(fake);
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok");
}

static void failed_status_is_kept(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	virtio_add_status(&fake->vdev, VIRTIO_CONFIG_S_FAILED);
	fake_record(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "freeze reset del_vqs reset +acknowledge +failed +driver finalize +features_ok restore find_vqs +driver_ok");
}

static void failed_status_is_kept_without_a_driver(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->probe_error = -EIO;
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +failed");
}

static void device_without_a_driver_sleeps(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_add_device(fake);
	fake_record(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_freeze(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	KUNIT_EXPECT_EQ(test, virtio_device_restore(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "reset +acknowledge");
}

static void shutdown_stops_the_device(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;

	fake_start(fake);
	dev->bus->shutdown(dev);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "sync:broken reset");
	KUNIT_EXPECT_EQ(test, fake->status, 0);
}

static void shutdown_leaves_a_device_without_driver_alone(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;

	fake_add_device(fake);
	fake_record(fake);
	dev->bus->shutdown(dev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
}

static void shutdown_leaves_an_iommu_running(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;

	fake_start(fake);
	fake->vdev.id.device = VIRTIO_ID_IOMMU;
	dev->bus->shutdown(dev);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	KUNIT_EXPECT_FALSE(test, virtqueue_is_broken(&fake->vq));
}

static void driver_shuts_down_first(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;

	fake->drv.shutdown = fake_shutdown;
	fake_start(fake);
	dev->bus->shutdown(dev);
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "shutdown sync:broken reset");
}

/* Resets that the transport does */

static void hooks_around_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 features;

	fake->drv.reset_prepare = fake_reset_prepare;
	fake->drv.reset_done = fake_reset_done;
	fake->in_freeze = change;
	fake_start(fake);
	features = fake->vdev.features;
	KUNIT_EXPECT_EQ(test, virtio_device_reset_prepare(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset_prepare freeze reset del_vqs");

	fake->finalized = 0;
	KUNIT_EXPECT_EQ(test, virtio_device_reset_done(&fake->vdev), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok reset_done restore find_vqs +driver_ok changed");
	KUNIT_EXPECT_EQ(test, fake->finalized, features);
}

static void hooks_are_optional(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_reset_prepare(&fake->vdev),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, virtio_device_reset_done(&fake->vdev),
			-EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	change(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "changed");

	fake_unbind(fake);
	fake_record(fake);
	KUNIT_EXPECT_EQ(test, virtio_device_reset_prepare(&fake->vdev),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, virtio_device_reset_done(&fake->vdev),
			-EOPNOTSUPP);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
}

static void driver_refuses_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.reset_prepare = fake_reset_prepare;
	fake_start(fake);
	fake->freeze_error = -EBUSY;
	fake->in_freeze = change;
	KUNIT_EXPECT_EQ(test, virtio_device_reset_prepare(&fake->vdev), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset_prepare freeze changed");
}

static void driver_fails_after_a_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.reset_prepare = fake_reset_prepare;
	fake->drv.reset_done = fake_reset_done;
	fake_start(fake);
	KUNIT_ASSERT_EQ(test, virtio_device_reset_prepare(&fake->vdev), 0);
	fake->restore_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, virtio_device_reset_done(&fake->vdev), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, fake->status & VIRTIO_CONFIG_S_FAILED);
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(driver_freezes_and_restores),
	KUNIT_CASE(features_are_not_chosen_again),
	KUNIT_CASE(driver_without_freeze_is_stopped),
	KUNIT_CASE(driver_refuses_to_freeze),
	KUNIT_CASE(change_in_suspend_is_heard_after_it),
	KUNIT_CASE(driver_may_be_ready_in_restore),
	KUNIT_CASE(feature_is_lost),
	KUNIT_CASE(device_refuses_its_features),
	KUNIT_CASE(transport_fails_to_finalize),
	KUNIT_CASE(driver_fails_to_restore),
	KUNIT_CASE(driver_is_told_that_it_does_not_run_again),
	KUNIT_CASE(failed_restore_is_mended_by_binding_again),
	KUNIT_CASE(failed_status_is_kept),
	KUNIT_CASE(failed_status_is_kept_without_a_driver),
	KUNIT_CASE(device_without_a_driver_sleeps),
	KUNIT_CASE(shutdown_stops_the_device),
	KUNIT_CASE(shutdown_leaves_a_device_without_driver_alone),
	KUNIT_CASE(shutdown_leaves_an_iommu_running),
	KUNIT_CASE(driver_shuts_down_first),
	KUNIT_CASE(hooks_around_a_reset),
	KUNIT_CASE(hooks_are_optional),
	KUNIT_CASE(driver_refuses_a_reset),
	KUNIT_CASE(driver_fails_after_a_reset),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_power",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
