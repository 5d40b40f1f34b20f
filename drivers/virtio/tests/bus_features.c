// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which features a device and a driver end up with (2.2 and 3.1.1, steps 4 to 6).
 */
#include <linux/virtio.h>
#include <linux/virtio_anchor.h>
#include <uapi/linux/virtio_ring.h>
#include "bus_fake.h"

#define MODERN		BIT_ULL(VIRTIO_F_VERSION_1)
#define OF_A_RING	(BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT_ULL(VIRTIO_F_RING_PACKED))

static const unsigned int legacy_features[] = { FAKE_F_LEGACY };

static void give_legacy_table(struct fake *fake)
{
	fake->drv.feature_table_legacy = legacy_features;
	fake->drv.feature_table_size_legacy = ARRAY_SIZE(legacy_features);
}

static void modern_device_gets_what_both_have(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->offers |= BIT_ULL(FAKE_F_LEGACY);
	give_legacy_table(fake);
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, MODERN |
			BIT_ULL(FAKE_F_BOTH) | BIT_ULL(FAKE_F_HIGH));
	KUNIT_EXPECT_EQ(test, fake->finalized, fake->vdev.features);
}

static void legacy_device_gets_the_legacy_table(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->offers = BIT_ULL(FAKE_F_BOTH) | BIT_ULL(FAKE_F_LEGACY);
	give_legacy_table(fake);
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, BIT_ULL(FAKE_F_LEGACY));
}

static void legacy_device_gets_the_only_table(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->offers = BIT_ULL(FAKE_F_BOTH) | BIT_ULL(FAKE_F_LEGACY);
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, BIT_ULL(FAKE_F_BOTH));
}

static void transport_bits_are_for_the_transport(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 agreed = MODERN | OF_A_RING | BIT_ULL(FAKE_F_BOTH) |
		     BIT_ULL(FAKE_F_HIGH);

	fake->offers |= OF_A_RING;
	fake->unknown = BIT_ULL(VIRTIO_F_RING_PACKED);
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake->finalized, agreed);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, agreed & ~fake->unknown);
}

static void next_driver_starts_afresh(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	fake_unbind(fake);
	fake->offers = MODERN | OF_A_RING;
	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_EQ(test, fake->vdev.features, fake->offers);
}

static void declining_a_feature_tells_the_device(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake->declines = BIT_ULL(FAKE_F_BOTH);
	fake_start(fake);
	KUNIT_EXPECT_EQ(test, fake->finalized, MODERN | BIT_ULL(FAKE_F_HIGH));

	fake_unbind(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize validate finalize +features_ok probe find_vqs +driver_ok");
}

static void declining_nothing_tells_nothing(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake_start(fake);
	fake_unbind(fake);
	fake_record(fake);
	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize validate +features_ok probe find_vqs +driver_ok");
}

static void expect_no_probe(struct fake *fake, int err, const char *record)
{
	struct kunit *test = fake->test;

	fake_start(fake);
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
	KUNIT_EXPECT_EQ(test, fake_bind(fake), err);
	KUNIT_EXPECT_FALSE(test, fake_is_bound(fake));
	KUNIT_EXPECT_STREQ(test, fake_record(fake), record);
	KUNIT_EXPECT_TRUE(test, fake->status & VIRTIO_CONFIG_S_FAILED);
}

static void driver_finds_the_device_invalid(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake->validate_error = -ERANGE;
	expect_no_probe(fake, -ERANGE,
			"reset +acknowledge +driver finalize validate +failed");
}

static void device_refuses_the_features(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->refuses = BIT_ULL(FAKE_F_BOTH);
	expect_no_probe(fake, -ENODEV,
			"reset +acknowledge +driver finalize +features_ok +failed");
}

static void transport_fails_to_finalize(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake->finalize_error = -EPROTO;
	expect_no_probe(fake, -EPROTO,
			"reset +acknowledge +driver finalize +failed");
}

static void transport_fails_to_finalize_again(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->drv.validate = fake_validate;
	fake->declines = BIT_ULL(FAKE_F_BOTH);
	fake_start(fake);
	fake_unbind(fake);
	fake->finalize_error = -EPROTO;
	KUNIT_EXPECT_EQ(test, fake_bind(fake), -EPROTO);
	KUNIT_EXPECT_FALSE(test, fake->status & VIRTIO_CONFIG_S_FEATURES_OK);
}

static void legacy_device_knows_no_features_ok(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_add_device(fake);
	fake_record(fake);
	fake->offers = BIT_ULL(FAKE_F_BOTH);
	KUNIT_ASSERT_EQ(test, fake_add_driver(fake), 0);
	KUNIT_EXPECT_STREQ(test, fake_record(fake),
			   "+driver finalize probe find_vqs +driver_ok");
}

static void filter_covers_ring_features(struct kunit *test)
{
#ifdef CONFIG_VIRTIO_DEBUG
	struct fake *fake = test->priv;

	fake->offers |= OF_A_RING | BIT_ULL(VIRTIO_F_IN_ORDER);
	fake_start(fake);
	fake_unbind(fake);
	fake->vdev.debugfs_filter_features = BIT_ULL(FAKE_F_BOTH) |
					     BIT_ULL(VIRTIO_F_IN_ORDER);
	KUNIT_ASSERT_EQ(test, fake_bind(fake), 0);
	KUNIT_EXPECT_EQ(test, fake->vdev.features,
			MODERN | OF_A_RING | BIT_ULL(FAKE_F_HIGH));
	KUNIT_EXPECT_EQ(test, fake->finalized, fake->vdev.features);
#else
	kunit_skip(test, "the kernel has no filter (VIRTIO_DEBUG)");
#endif
}

/* Memory that devices reach through the DMA API only, as in a protected guest */

static bool only_the_fake(struct virtio_device *vdev)
{
	return vdev->id.device == FAKE_DEVICE;
}

static int bind_restricted(struct fake *fake, u64 offers)
{
	bool (*before)(struct virtio_device *vdev) = virtio_check_mem_acc_cb;
	int err;

	fake->offers = offers;
	virtio_set_mem_acc_cb(only_the_fake);
	err = fake_bind(fake);
	virtio_set_mem_acc_cb(before);
	return err;
}

static void restricted_memory_needs_the_dma_api(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 platform = BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);

	fake_start(fake);
	fake_unbind(fake);
	KUNIT_EXPECT_EQ(test, bind_restricted(fake, platform), -ENODEV);
	KUNIT_EXPECT_EQ(test, bind_restricted(fake, MODERN), -ENODEV);
	KUNIT_EXPECT_FALSE(test, fake->status & VIRTIO_CONFIG_S_FEATURES_OK);
	KUNIT_EXPECT_EQ(test, bind_restricted(fake, MODERN | platform), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(modern_device_gets_what_both_have),
	KUNIT_CASE(legacy_device_gets_the_legacy_table),
	KUNIT_CASE(legacy_device_gets_the_only_table),
	KUNIT_CASE(transport_bits_are_for_the_transport),
	KUNIT_CASE(next_driver_starts_afresh),
	KUNIT_CASE(declining_a_feature_tells_the_device),
	KUNIT_CASE(declining_nothing_tells_nothing),
	KUNIT_CASE(driver_finds_the_device_invalid),
	KUNIT_CASE(device_refuses_the_features),
	KUNIT_CASE(transport_fails_to_finalize),
	KUNIT_CASE(transport_fails_to_finalize_again),
	KUNIT_CASE(legacy_device_knows_no_features_ok),
	KUNIT_CASE(filter_covers_ring_features),
	KUNIT_CASE(restricted_memory_needs_the_dma_api),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_features",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
