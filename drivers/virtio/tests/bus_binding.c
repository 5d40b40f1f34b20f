// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a driver comes to a device and goes again: which pairs, the order of the
 * status bits (3.1.1), what is reset and when.
 */
#include "bus_fake.h"

static void status_bits_in_order(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake->drv.scan = fake_scan;
	fake_add_device(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "reset +acknowledge");
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize validate +features_ok probe find_vqs +driver_ok scan");
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
}

static void device_comes_after_the_driver(struct kunit *test)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	fake_add_device(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok probe find_vqs +driver_ok");
}

static void be_ready(struct fake *fake)
{
	virtio_device_ready(&fake->vdev);
}

static void driver_may_be_ready_in_probe(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->in_probe = be_ready;
	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe +driver_ok find_vqs");
}

static void failed_probe_sets_failed(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.scan = fake_scan;
	fake->probe_error = -EIO;
	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe +failed");
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
}

static void failed_device_is_reset_before_the_next_try(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->probe_error = -EIO;
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake_bind(fake), -EIO);
	fake_record(fake);

	fake->probe_error = 0;
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "reset +acknowledge +driver finalize +features_ok probe find_vqs +driver_ok");
}

static void unbound_device_is_reset_once(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove reset del_vqs +acknowledge");
	KUNIT_EXPECT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize +features_ok probe find_vqs +driver_ok");
}

/* The warning that goes with it is looked for in the kernel's log. */
static void driver_that_does_not_reset(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake->keeps_running = true;
	fake_unbind(fake);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove del_vqs reset +acknowledge");
}

static void device_leaves_with_its_driver(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	unregister_virtio_device(&fake->vdev);
	fake->added.device = false;
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "remove reset del_vqs +acknowledge");
}

static void vendor_and_type_match(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->ids[0].vendor = VIRTIO_DEV_ANY_ID;
	fake_start(fake);
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
}

static void another_vendor_does_not_match(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->ids[0].vendor = FAKE_VENDOR + 1;
	fake_start(fake);
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
}

static void another_type_does_not_match(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->ids[0].device = FAKE_DEVICE + 1;
	fake_start(fake);
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
}

static void second_entry_of_the_table_matches(struct kunit *test)
{
	struct virtio_device_id table[3] = {};
	struct fake *fake = test->priv;

	table[0] = (struct virtio_device_id){ FAKE_DEVICE + 1, FAKE_VENDOR };
	table[1] = fake->ids[0];
	fake->drv.id_table = table;
	fake_start(fake);
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
	/* The table does not outlive the test. */
	fake->drv.id_table = fake->ids;
}

/* Feature tables */

static int register_table(struct fake *fake, const unsigned int *table,
			  unsigned int size)
{
	fake->drv.feature_table = table;
	fake->drv.feature_table_size = size;
	return fake_add_driver(fake);
}

static void feature_64_is_refused(struct kunit *test)
{
	static const unsigned int table[] = { FAKE_F_BOTH, 64 };
	struct fake *fake = test->priv;

	fake_add_device(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, register_table(fake, table, 2), -EINVAL);
	KUNIT_EXPECT_STREQ(test, fake_record(fake), "");
	KUNIT_EXPECT_EQ(test, register_table(fake, table, 1), 0);
	KUNIT_EXPECT_TRUE(test, fake_is_bound(fake));
}

static void legacy_feature_64_is_refused(struct kunit *test)
{
	static const unsigned int table[] = { 64 };
	struct fake *fake = test->priv;

	fake->drv.feature_table_legacy = table;
	fake->drv.feature_table_size_legacy = 1;
	KUNIT_EXPECT_EQ(test, fake_add_driver(fake), -EINVAL);
}

static void missing_table_is_refused(struct kunit *test)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, register_table(fake, NULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, register_table(fake, NULL, 0), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(status_bits_in_order),
	KUNIT_CASE(device_comes_after_the_driver),
	KUNIT_CASE(driver_may_be_ready_in_probe),
	KUNIT_CASE(failed_probe_sets_failed),
	KUNIT_CASE(failed_device_is_reset_before_the_next_try),
	KUNIT_CASE(unbound_device_is_reset_once),
	KUNIT_CASE(driver_that_does_not_reset),
	KUNIT_CASE(device_leaves_with_its_driver),
	KUNIT_CASE(vendor_and_type_match),
	KUNIT_CASE(another_vendor_does_not_match),
	KUNIT_CASE(another_type_does_not_match),
	KUNIT_CASE(second_entry_of_the_table_matches),
	KUNIT_CASE(feature_64_is_refused),
	KUNIT_CASE(legacy_feature_64_is_refused),
	KUNIT_CASE(missing_table_is_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_binding",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
