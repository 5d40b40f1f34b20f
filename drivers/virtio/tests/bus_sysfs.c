// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space sees of a device, and how the rest of the kernel knows one.
 */
#include <linux/kobject.h>
#include <linux/mm.h>
#include "bus_fake.h"

static const struct device_attribute *
find_attribute(const struct bus_type *bus, const char *name)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = bus->dev_groups; *group; group++)
		for (attr = (*group)->attrs; *attr; attr++)
			if (!strcmp((*attr)->name, name))
				return container_of_const(*attr,
							  struct device_attribute,
							  attr);

	return NULL;
}

static void free_text(void *text)
{
	free_page((unsigned long)text);
}

/* The text of an attribute; it goes with the test. */
static const char *attribute_text(struct fake *fake, const char *name)
{
	struct device *dev = &fake->vdev.dev;
	const struct device_attribute *attr;
	char *text;

	attr = find_attribute(dev->bus, name);
	KUNIT_ASSERT_NOT_NULL(fake->test, attr);

	text = (char *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fake->test, text);
	KUNIT_ASSERT_EQ(fake->test, 0,
			kunit_add_action_or_reset(fake->test, free_text, text));

	attr->show(dev, (struct device_attribute *)attr, text);
	return text;
}

static void attributes(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_start(fake);
	KUNIT_EXPECT_STREQ(test, attribute_text(fake, "device"), "0xfa4e\n");
	KUNIT_EXPECT_STREQ(test, attribute_text(fake, "vendor"), "0x1af4\n");
	KUNIT_EXPECT_STREQ(test, attribute_text(fake, "status"),
			   "0x0000000f\n");
	KUNIT_EXPECT_STREQ(test, attribute_text(fake, "modalias"),
			   "virtio:d0000FA4Ev00001AF4\n");
}

static void features_show_one_digit_per_bit(struct kunit *test)
{
	struct fake *fake = test->priv;
	char expected[64 + 2] = {};

	memset(expected, '0', 64);
	expected[FAKE_F_BOTH] = '1';
	expected[VIRTIO_F_VERSION_1] = '1';
	expected[FAKE_F_HIGH] = '1';
	expected[64] = '\n';
	fake_start(fake);
	KUNIT_EXPECT_STREQ(test, attribute_text(fake, "features"), expected);
}

static void uevent_has_the_modalias(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct device *dev = &fake->vdev.dev;
	struct kobj_uevent_env *env;

	env = kunit_kzalloc(test, sizeof(*env), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, env);
	fake_add_device(fake);
	KUNIT_ASSERT_EQ(test, dev->bus->uevent(dev, env), 0);
	KUNIT_ASSERT_EQ(test, env->envp_idx, 1);
	KUNIT_EXPECT_STREQ(test, env->envp[0],
			   "MODALIAS=virtio:d0000FA4Ev00001AF4");
}

static void virtio_devices_are_told_apart(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake_add_device(fake);
	KUNIT_EXPECT_TRUE(test, is_virtio_device(&fake->vdev.dev));
	KUNIT_EXPECT_FALSE(test, is_virtio_device(fake->vdev.dev.parent));
}

static void devices_are_numbered(struct kunit *test)
{
	struct fake *fake = test->priv;
	char name[16];
	int number;

	fake_add_device(fake);
	number = fake->vdev.index;
	snprintf(name, sizeof(name), "virtio%d", number);
	KUNIT_EXPECT_STREQ(test, dev_name(&fake->vdev.dev), name);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attributes),
	KUNIT_CASE(features_show_one_digit_per_bit),
	KUNIT_CASE(uevent_has_the_modalias),
	KUNIT_CASE(virtio_devices_are_told_apart),
	KUNIT_CASE(devices_are_numbered),
	{}
};

static struct kunit_suite suite = {
	.name = "virtio_bus_sysfs",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
