// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device and the driver that fake.h describes.
 */
#include <kunit/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "bus_fake.h"

static void record(struct fake *fake, const char *event)
{
	size_t len = strlen(fake->record);

	scnprintf(fake->record + len, sizeof(fake->record) - len, "%s%s",
		  len ? " " : "", event);
}

const char *fake_record(struct fake *fake)
{
	strscpy(fake->taken, fake->record);
	fake->record[0] = '\0';
	return fake->taken;
}

/* The device */

static const struct {
	u8 bit;
	const char *event;
} status_bits[] = {
	{ VIRTIO_CONFIG_S_ACKNOWLEDGE, "+acknowledge" },
	{ VIRTIO_CONFIG_S_DRIVER, "+driver" },
	{ VIRTIO_CONFIG_S_FEATURES_OK, "+features_ok" },
	{ VIRTIO_CONFIG_S_DRIVER_OK, "+driver_ok" },
	{ VIRTIO_CONFIG_S_FAILED, "+failed" },
};

static void record_status(struct fake *fake, u8 status)
{
	unsigned int i;

	if (fake->status & ~status)
		record(fake, "cleared");
	if (!(status & ~fake->status))
		record(fake, "+nothing");
	for (i = 0; i < ARRAY_SIZE(status_bits); i++)
		if (status & ~fake->status & status_bits[i].bit)
			record(fake, status_bits[i].event);
}

static u8 device_get_status(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	return fake->gone ? 0xff : fake->status;
}

static void device_set_status(struct virtio_device *vdev, u8 status)
{
	struct fake *fake = to_fake(vdev);

	if (fake->gone) {
		record(fake, "lost");
		return;
	}
	record_status(fake, status);
	if (vdev->features & fake->refuses)
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	fake->status = status;
}

static void device_reset(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	/* The PCI transport takes commands off its own queue then. */
	if (virtio_has_feature(vdev, VIRTIO_F_ADMIN_VQ) &&
	    list_empty(&vdev->vqs))
		record(fake, "reset:admin");
	else
		record(fake, "reset");
	fake->status = 0;
}

static u64 device_get_features(struct virtio_device *vdev)
{
	return to_fake(vdev)->offers;
}

static int device_finalize_features(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "finalize");
	fake->finalized = vdev->features;
	vdev->features &= ~fake->unknown;
	return fake->finalize_error;
}

static void device_synchronize_cbs(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, fake->vq.broken ? "sync:broken" : "sync");
}

/* Nobody adds a buffer to it. */
static const struct virtqueue_ops queue_ops;

static int device_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			   struct virtqueue *vqs[],
			   struct virtqueue_info vqs_info[],
			   struct irq_affinity *desc)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "find_vqs");
	if (nvqs != 1)
		return -ENOENT;

	memset(&fake->vq, 0, sizeof(fake->vq));
	fake->vq.ops = &queue_ops;
	fake->vq.vdev = vdev;
	fake->vq.name = vqs_info[0].name;
	virtqueue_register(&fake->vq);
	vqs[0] = &fake->vq;
	return 0;
}

static void device_del_vqs(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "del_vqs");
	virtqueue_unregister(&fake->vq);
}

/* It has no configuration space. */
static void device_get(struct virtio_device *vdev, unsigned int offset,
		       void *buf, unsigned int len)
{
	record(to_fake(vdev), "get");
	memset(buf, 0, len);
}

static void device_set(struct virtio_device *vdev, unsigned int offset,
		       const void *buf, unsigned int len)
{
	record(to_fake(vdev), "set");
}

static const struct virtio_config_ops device_ops = {
	.get			= device_get,
	.set			= device_set,
	.get_status		= device_get_status,
	.set_status		= device_set_status,
	.reset			= device_reset,
	.find_vqs		= device_find_vqs,
	.del_vqs		= device_del_vqs,
	.synchronize_cbs	= device_synchronize_cbs,
	.get_features		= device_get_features,
	.finalize_features	= device_finalize_features,
};

/* The driver */

static const unsigned int driver_features[] = {
	FAKE_F_BOTH, FAKE_F_DRIVER, FAKE_F_HIGH,
};

int fake_validate(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "validate");
	vdev->features &= ~fake->declines;
	return fake->validate_error;
}

void fake_scan(struct virtio_device *vdev)
{
	record(to_fake(vdev), "scan");
}

static int set_up_queue(struct virtio_device *vdev)
{
	return PTR_ERR_OR_ZERO(virtio_find_single_vq(vdev, NULL, "fake"));
}

static int driver_probe(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "probe");
	if (fake->in_probe)
		fake->in_probe(fake);

	return fake->probe_error ?: set_up_queue(vdev);
}

static void driver_remove(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "remove");
	if (fake->in_remove)
		fake->in_remove(fake);

	if (!fake->keeps_running)
		virtio_reset_device(vdev);
	if (!list_empty(&vdev->vqs))
		vdev->config->del_vqs(vdev);
}

/* For one CPU there is nothing in a lock to look at, but for debugging. */
static const bool locks_are_there =
	IS_ENABLED(CONFIG_SMP) || IS_ENABLED(CONFIG_DEBUG_SPINLOCK);

static void driver_config_changed(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "changed");
	if (!irqs_disabled())
		fake->change_is_atomic = false;
	if (locks_are_there && spin_trylock(&vdev->config_lock)) {
		spin_unlock(&vdev->config_lock);
		fake->change_is_atomic = false;
	}
}

static int driver_freeze(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "freeze");
	if (fake->in_freeze)
		fake->in_freeze(fake);
	if (fake->freeze_error)
		return fake->freeze_error;

	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	return 0;
}

static int driver_restore(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, "restore");
	if (fake->in_restore)
		fake->in_restore(fake);

	return fake->restore_error ?: set_up_queue(vdev);
}

int fake_reset_prepare(struct virtio_device *vdev)
{
	record(to_fake(vdev), "reset_prepare");
	return driver_freeze(vdev);
}

int fake_reset_done(struct virtio_device *vdev)
{
	record(to_fake(vdev), "reset_done");
	return driver_restore(vdev);
}

void fake_restart_failed(struct virtio_device *vdev)
{
	record(to_fake(vdev), "restart_failed");
}

void fake_shutdown(struct virtio_device *vdev)
{
	struct fake *fake = to_fake(vdev);

	record(fake, virtqueue_is_broken(&fake->vq) ? "shutdown:broken" :
						      "shutdown");
	virtio_device_shutdown(vdev);
}

/* On and off the bus */

void fake_add_device(struct fake *fake)
{
	int err;

	err = register_virtio_device(&fake->vdev);
	fake->added.tried = true;
	fake->added.device = !err;
	/* On an error the first reference is ours; now one is, either way. */
	if (!err)
		get_device(&fake->vdev.dev);

	KUNIT_ASSERT_EQ(fake->test, err, 0);
}

int fake_add_driver(struct fake *fake)
{
	int err;

	err = register_virtio_driver(&fake->drv);
	fake->added.driver = !err;
	return err;
}

void fake_start(struct fake *fake)
{
	fake_add_device(fake);
	KUNIT_ASSERT_EQ(fake->test, fake_add_driver(fake), 0);
	fake_record(fake);
}

bool fake_is_bound(const struct fake *fake)
{
	return fake->vdev.dev.driver == &fake->drv.driver;
}

void fake_unbind(struct fake *fake)
{
	device_release_driver(&fake->vdev.dev);
}

int fake_bind(struct fake *fake)
{
	return device_driver_attach(&fake->drv.driver, &fake->vdev.dev);
}

static void fake_release(struct device *dev)
{
	kfree(to_fake(dev_to_virtio(dev)));
}

static void describe_device(struct fake *fake, struct device *parent)
{
	struct virtio_device *vdev = &fake->vdev;

	vdev->dev.parent = parent;
	vdev->dev.release = fake_release;
	vdev->config = &device_ops;
	vdev->id.device = FAKE_DEVICE;
	vdev->id.vendor = FAKE_VENDOR;
	fake->offers = BIT_ULL(FAKE_F_BOTH) | BIT_ULL(FAKE_F_DEVICE) |
		       BIT_ULL(FAKE_F_HIGH) | BIT_ULL(VIRTIO_F_VERSION_1);
}

static void describe_driver(struct fake *fake)
{
	struct virtio_driver *drv = &fake->drv;

	fake->ids[0] = fake->vdev.id;
	drv->driver.name = "virtio_bus_test";
	drv->id_table = fake->ids;
	drv->feature_table = driver_features;
	drv->feature_table_size = ARRAY_SIZE(driver_features);
	drv->probe = driver_probe;
	drv->remove = driver_remove;
	drv->config_changed = driver_config_changed;
	drv->freeze = driver_freeze;
	drv->restore = driver_restore;
	fake->change_is_atomic = true;
}

int fake_init(struct kunit *test)
{
	struct device *parent;
	struct fake *fake;

	parent = kunit_device_register(test, "virtio-bus-test");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	fake = kzalloc(sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;

	describe_device(fake, parent);
	describe_driver(fake);
	fake->test = test;
	test->priv = fake;
	return 0;
}

void fake_exit(struct kunit *test)
{
	struct fake *fake = test->priv;

	/* The test could not begin. */
	if (!fake)
		return;

	if (fake->added.driver)
		unregister_virtio_driver(&fake->drv);
	if (fake->added.device)
		unregister_virtio_device(&fake->vdev);
	if (fake->added.tried)
		put_device(&fake->vdev.dev);
	else
		kfree(fake);
}

MODULE_DESCRIPTION("KUnit tests of the virtio bus");
MODULE_LICENSE("GPL");
