// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio bus: brings devices, registered by transports, together with
 * drivers, and walks each pair through the life that the specification gives
 * a device: reset, acknowledged, driver found, features agreed, running,
 * reset again.
 *
 * Section numbers refer to version 1.2 of the virtio specification.
 *
 * Locking: probe, remove, freeze, restore and shutdown are serialised by the
 * driver core. config_lock orders the delivery of configuration changes, that
 * come from interrupts, against the switches that hold them back.
 */
#define pr_fmt(fmt) "virtio: " fmt

#include <linux/virtio.h>
#include <linux/virtio_anchor.h>
#include <linux/virtio_config.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_ids.h>

/* struct virtio_device keeps its features in one u64. */
#define FEATURE_BITS		64

/* Bits that belong to rings and transports; no driver has them in its table. */
#define TRANSPORT_FEATURES	GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1, \
					    VIRTIO_TRANSPORT_F_START)

/* What user space matches modules by: the device type, then the vendor. */
#define MODALIAS_FMT		"virtio:d%08Xv%08X"

/* How often the bus checks a device that has a driver. */
#define WATCH_PERIOD		(10 * HZ)
/* How long a device may be away, as it is during a function-level reset. */
#define WATCH_AGAIN		(2 * HZ)
/* How often in a row a device may want to be reset. */
#define MAX_RECOVERIES		3

/**
 * struct virtio_watch - what the bus knows about the health of a device
 * @vdev: the device
 * @work: looks whether it is there, and needs no reset
 * @lost: its queues are broken for good, and why was said
 * @missed: it was not there at the last look
 * @requested: its driver asks for a reset
 * @leaving: the driver is being unbound, or the machine goes down
 * @stopped: we have reset it, and not yet started it again
 * @recoveries: resets in a row that it has asked for
 * @recovered: when the last of them was, in jiffies
 */
struct virtio_watch {
	struct virtio_device *vdev;
	struct delayed_work work;
	bool lost;
	bool missed;
	bool requested;
	bool leaving;
	bool stopped;
	u8 recoveries;
	unsigned long recovered;
};

/* Hands out the N of "virtioN". */
static DEFINE_IDA(device_numbers);

/* sysfs: what user space sees of every device on this bus */

static ssize_t device_show(struct device *d, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", dev_to_virtio(d)->id.device);
}
static DEVICE_ATTR_RO(device);

static ssize_t vendor_show(struct device *d, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", dev_to_virtio(d)->id.vendor);
}
static DEVICE_ATTR_RO(vendor);

static ssize_t status_show(struct device *d, struct device_attribute *attr,
			   char *buf)
{
	struct virtio_device *vdev = dev_to_virtio(d);

	return sysfs_emit(buf, "0x%08x\n", vdev->config->get_status(vdev));
}
static DEVICE_ATTR_RO(status);

static ssize_t modalias_show(struct device *d, struct device_attribute *attr,
			     char *buf)
{
	const struct virtio_device_id *id = &dev_to_virtio(d)->id;

	return sysfs_emit(buf, MODALIAS_FMT "\n", id->device, id->vendor);
}
static DEVICE_ATTR_RO(modalias);

/* One character per bit, bit 0 first, so that more bits only add to its end. */
static ssize_t features_show(struct device *d, struct device_attribute *attr,
			     char *buf)
{
	u64 features = dev_to_virtio(d)->features;
	char bits[FEATURE_BITS + 1] = {};
	unsigned int bit;

	for (bit = 0; bit < FEATURE_BITS; bit++)
		bits[bit] = features & BIT_ULL(bit) ? '1' : '0';

	return sysfs_emit(buf, "%s\n", bits);
}
static DEVICE_ATTR_RO(features);

static struct attribute *virtio_device_attrs[] = {
	&dev_attr_device.attr,
	&dev_attr_features.attr,
	&dev_attr_modalias.attr,
	&dev_attr_status.attr,
	&dev_attr_vendor.attr,
	NULL
};
ATTRIBUTE_GROUPS(virtio_device);

/* Matching */

static bool virtio_id_covers(const struct virtio_device_id *id,
			     const struct virtio_device_id *device)
{
	if (id->device != VIRTIO_DEV_ANY_ID && id->device != device->device)
		return false;

	return id->vendor == VIRTIO_DEV_ANY_ID || id->vendor == device->vendor;
}

static int virtio_dev_match(struct device *d, const struct device_driver *driver)
{
	const struct virtio_device_id *device = &dev_to_virtio(d)->id;
	const struct virtio_device_id *id = drv_to_virtio(driver)->id_table;

	/* Device type 0 is reserved (section 5): here it ends the table. */
	for (; id->device; id++)
		if (virtio_id_covers(id, device))
			return 1;

	return 0;
}

static int virtio_dev_uevent(const struct device *d, struct kobj_uevent_env *env)
{
	const struct virtio_device_id *id = &dev_to_virtio(d)->id;

	return add_uevent_var(env, "MODALIAS=" MODALIAS_FMT,
			      id->device, id->vendor);
}

/* The bound driver, or NULL. */
static struct virtio_driver *virtio_bound_driver(const struct virtio_device *vdev)
{
	struct device_driver *driver = vdev->dev.driver;

	return driver ? drv_to_virtio(driver) : NULL;
}

/* Configuration changes */

/* Reporting is on, so the device is watched: do that now. */
static void virtio_look_after(struct virtio_device *vdev)
{
	mod_delayed_work(system_freezable_wq, &vdev->watch->work, 0);
}

/*
 * Tells the driver that the configuration space changed, or remembers it for
 * the time when the driver may be told. Reporting is on in the core only while
 * a driver is bound, so there is one to tell.
 */
static void virtio_report_config_change(struct virtio_device *vdev)
{
	struct virtio_driver *drv;

	lockdep_assert_held(&vdev->config_lock);

	if (!vdev->config_core_enabled || vdev->config_driver_disabled) {
		vdev->config_change_pending = true;
		return;
	}

	/* It may be its way to say that it needs a reset (2.1.1). */
	virtio_look_after(vdev);

	vdev->config_change_pending = false;
	drv = virtio_bound_driver(vdev);
	if (drv->config_changed)
		drv->config_changed(vdev);
}

static void virtio_report_held_back_change(struct virtio_device *vdev)
{
	if (vdev->config_change_pending)
		virtio_report_config_change(vdev);
}

static void virtio_core_config_off(struct virtio_device *vdev)
{
	spin_lock_irq(&vdev->config_lock);
	vdev->config_core_enabled = false;
	spin_unlock_irq(&vdev->config_lock);
}

/* From now on the driver hears of changes, and the device is watched. */
static void virtio_core_config_on(struct virtio_device *vdev)
{
	vdev->watch->lost = false;
	WRITE_ONCE(vdev->watch->requested, false);
	WRITE_ONCE(vdev->watch->stopped, false);
	queue_delayed_work(system_freezable_wq, &vdev->watch->work, WATCH_PERIOD);

	spin_lock_irq(&vdev->config_lock);
	vdev->config_core_enabled = true;
	virtio_report_held_back_change(vdev);
	spin_unlock_irq(&vdev->config_lock);
}

/*
 * What an earlier driver switched off, or was not told any more, must not
 * reach the next one: that reads the configuration itself when it probes.
 */
static void virtio_forget_config_changes(struct virtio_device *vdev)
{
	spin_lock_irq(&vdev->config_lock);
	vdev->config_core_enabled = false;
	vdev->config_driver_disabled = false;
	vdev->config_change_pending = false;
	spin_unlock_irq(&vdev->config_lock);
}

/**
 * virtio_config_changed - a transport reports a configuration change
 * @dev: the device whose configuration space changed
 *
 * Calls the driver's config_changed(), with @dev->config_lock held and
 * interrupts off. While the core or the driver hold changes back (during
 * probe and suspend, or after virtio_config_driver_disable()), any number of
 * changes is remembered as one, and reported when both allow it.
 *
 * Context: Any, usually the transport's interrupt handler. Does not sleep.
 *
 * See section 2.5, Device Configuration Space, and section 2.3, Notifications.
 */
void virtio_config_changed(struct virtio_device *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->config_lock, flags);
	virtio_report_config_change(dev);
	spin_unlock_irqrestore(&dev->config_lock, flags);
}
EXPORT_SYMBOL_GPL(virtio_config_changed);

/* False if nobody looks any more. */
static bool virtio_look_while_running(struct virtio_device *vdev, bool request_reset)
{
	unsigned long flags;
	bool running;

	spin_lock_irqsave(&vdev->config_lock, flags);
	running = vdev->config_core_enabled;
	if (running) {
		if (request_reset)
			WRITE_ONCE(vdev->watch->requested, true);
		virtio_look_after(vdev);
	}
	spin_unlock_irqrestore(&vdev->config_lock, flags);
	return running;
}

/**
 * virtio_device_check - have the bus look after a device
 * @dev: the device
 *
 * For drivers that wait too long. If the device is gone its queues are broken
 * soon, if it lost its state it is started again, see &struct virtio_driver.
 *
 * Context: Any. Does not sleep.
 * Return: false if nobody will start it again, as it is being stopped.
 */
bool virtio_device_check(struct virtio_device *dev)
{
	return virtio_look_while_running(dev, false);
}
EXPORT_SYMBOL_GPL(virtio_device_check);

/**
 * virtio_device_request_reset - have the bus reset a device
 * @dev: the device
 *
 * For drivers that have no other means left to make it work. The bus does, soon,
 * what it does for a device that asks for this itself: it calls the driver's
 * reset_prepare() and reset_done(), with the device locked, and if there are none,
 * or if they fail, the queues are broken. See &struct virtio_driver.
 *
 * Context: Any. Does not sleep.
 * Return: false if nobody will do so, as the device is being stopped.
 */
bool virtio_device_request_reset(struct virtio_device *dev)
{
	return virtio_look_while_running(dev, true);
}
EXPORT_SYMBOL_GPL(virtio_device_request_reset);

/**
 * virtio_config_driver_disable - a driver holds configuration changes back
 * @dev: the device that the calling driver is bound to
 *
 * When it returns, config_changed() is not running, and will not be called
 * before virtio_config_driver_enable(). Calls don't nest: the first enable ends
 * what any number of disables began. Ends by itself when the driver is unbound.
 *
 * Context: process context with interrupts on. Takes @dev->config_lock, so not
 * from config_changed() itself. Does not sleep.
 */
void virtio_config_driver_disable(struct virtio_device *dev)
{
	spin_lock_irq(&dev->config_lock);
	dev->config_driver_disabled = true;
	spin_unlock_irq(&dev->config_lock);
}
EXPORT_SYMBOL_GPL(virtio_config_driver_disable);

/**
 * virtio_config_driver_enable - a driver wants configuration changes again
 * @dev: the device that the calling driver is bound to
 *
 * Reports what was held back, if anything was, before it returns; within probe
 * it is the core that reports it, once probe has succeeded.
 *
 * Context: process context with interrupts on. Takes @dev->config_lock, and
 * calls the driver's config_changed() under it. Does not sleep.
 */
void virtio_config_driver_enable(struct virtio_device *dev)
{
	spin_lock_irq(&dev->config_lock);
	dev->config_driver_disabled = false;
	virtio_report_held_back_change(dev);
	spin_unlock_irq(&dev->config_lock);
}
EXPORT_SYMBOL_GPL(virtio_config_driver_enable);

/* Device status and reset */

/**
 * virtio_add_status - set bits in the device status
 * @dev: the device
 * @status: VIRTIO_CONFIG_S_* bits to set; bits that are set already stay set
 *
 * A driver may not clear single bits; only virtio_reset_device() does away with
 * them. The device may refuse bits (FEATURES_OK): read the status back to see.
 *
 * Context: may sleep. The caller makes sure that nobody else changes the status
 * at the same time, as the driver core does around probe and remove.
 *
 * See section 2.1, Device Status Field.
 */
void virtio_add_status(struct virtio_device *dev, unsigned int status)
{
	might_sleep();
	/* All ones are no status to write back: the device may come again. */
	if (virtio_device_is_gone(dev))
		return;

	dev->config->set_status(dev, dev->config->get_status(dev) | status);
}
EXPORT_SYMBOL_GPL(virtio_add_status);

/*
 * No queue is used from here on: the driver's calls fail with -EIO, and once
 * running callbacks have ended each later one sees that its queue is broken.
 */
static void virtio_stop_queues(struct virtio_device *vdev)
{
	virtio_break_device(vdev);
	virtio_synchronize_cbs(vdev);
}

/*
 * At a reset the PCI transport takes commands off its administration virtqueue (2.13), if
 * that feature was negotiated, and has a stale pointer to it while there are no queues.
 */
static void virtio_do_reset(struct virtio_device *vdev)
{
	bool hide = virtio_has_feature(vdev, VIRTIO_F_ADMIN_VQ) &&
		    list_empty(&vdev->vqs);

	if (hide)
		__virtio_clear_bit(vdev, VIRTIO_F_ADMIN_VQ);
	vdev->config->reset(vdev);
	if (hide)
		__virtio_set_bit(vdev, VIRTIO_F_ADMIN_VQ);
}

/*
 * Order matters: some devices never recover from a kick that arrives after
 * their reset, so the kicks have to end first.
 */
static void virtio_stop_device(struct virtio_device *vdev)
{
	virtio_stop_queues(vdev);
	WRITE_ONCE(vdev->watch->stopped, true);
	if (!virtio_device_is_gone(vdev))
		virtio_do_reset(vdev);
}

static void virtio_report_gone(struct virtio_device *vdev)
{
	if (!vdev->watch->lost)
		dev_err(&vdev->dev, "the device is gone: its registers read as all ones\n");
	vdev->watch->lost = true;
}

/* Called before anything that may wait for the device: if gone it never answers. */
static bool virtio_lose_if_gone(struct virtio_device *vdev)
{
	if (!virtio_device_is_gone(vdev))
		return false;

	virtio_report_gone(vdev);
	virtio_stop_queues(vdev);
	return true;
}

/**
 * virtio_reset_device - stop a device, and put it back to its initial state
 * @dev: the device to reset
 *
 * After it the device neither sends interrupts nor touches memory, so the
 * memory of its queues and buffers can go; no queue callback is running, and
 * the status and the negotiated features are gone on the device's side.
 *
 * The caller makes sure that no kick is in progress, and keeps other contexts
 * (system calls, works, bottom halves) off the queues, for instance by
 * virtio_break_device() and a flush of these contexts.
 *
 * A device that is gone is not reset: its queues are broken, and callbacks waited
 * for, which comes to the same.
 *
 * Context: may sleep. Not from callbacks of a queue or the configuration, and
 * not while the device is being added or removed by someone else. How long a
 * device may take is the transport's business.
 *
 * See section 2.4, Device Reset.
 */
void virtio_reset_device(struct virtio_device *dev)
{
	/* The transport would wait for the end of the reset. */
	if (virtio_lose_if_gone(dev))
		return;

	/* Hardened: no interrupt after this point finds a usable queue. */
	if (IS_ENABLED(CONFIG_VIRTIO_HARDEN_NOTIFICATION))
		virtio_stop_queues(dev);

	WRITE_ONCE(dev->watch->stopped, true);
	virtio_do_reset(dev);
}
EXPORT_SYMBOL_GPL(virtio_reset_device);

/* Steps 1 and 2 of section 3.1.1, Driver Initialization. */
static void virtio_reset_and_acknowledge(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

/*
 * A driver that gave up (section 2.1.1) is followed by a reset, not by a retry. A
 * device that was gone when its driver was unbound may be back, and still run.
 */
static void virtio_clear_earlier_use(struct virtio_device *vdev)
{
	if (vdev->config->get_status(vdev) & (VIRTIO_CONFIG_S_FAILED |
					      VIRTIO_CONFIG_S_DRIVER_OK))
		virtio_reset_and_acknowledge(vdev);
}

static bool virtio_is_running(struct virtio_device *vdev)
{
	return vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_DRIVER_OK;
}

/* Feature negotiation */

static bool virtio_table_has(const unsigned int *table, unsigned int size,
			     unsigned int fbit)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		if (table[i] == fbit)
			return true;

	return false;
}

static bool virtio_driver_offers(const struct virtio_driver *drv, unsigned int fbit)
{
	if (virtio_table_has(drv->feature_table, drv->feature_table_size, fbit))
		return true;
	if (!drv->feature_table_legacy)
		return false;

	return virtio_table_has(drv->feature_table_legacy,
				drv->feature_table_size_legacy, fbit);
}

/**
 * virtio_check_driver_offered_feature - check that a driver may ask for a feature
 * @vdev: the device that the driver is bound to
 * @fbit: the number of the feature bit that the driver asks for
 *
 * A bit that is in neither feature table of the driver is never negotiated. A
 * driver that asks for one all the same has a bug, for which this warns once;
 * the answer that it gets is "not negotiated".
 *
 * Context: Any.
 *
 * See section 2.2, Feature Bits.
 */
void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
	const struct virtio_driver *drv = virtio_bound_driver(vdev);

	if (drv && virtio_driver_offers(drv, fbit))
		return;

	dev_WARN_ONCE(&vdev->dev, 1, "feature %u is asked for, but not in the driver's tables\n",
		      fbit);
}
EXPORT_SYMBOL_GPL(virtio_check_driver_offered_feature);

static u64 virtio_table_to_mask(const unsigned int *table, unsigned int size)
{
	u64 mask = 0;
	unsigned int i;

	/* Registration has refused bits that don't fit. */
	for (i = 0; i < size; i++)
		mask |= BIT_ULL(table[i]);

	return mask;
}

/* Legacy devices may have a table of their own (section 2.2.3). */
static u64 virtio_driver_features(const struct virtio_driver *drv, bool legacy)
{
	if (legacy && drv->feature_table_legacy)
		return virtio_table_to_mask(drv->feature_table_legacy,
					    drv->feature_table_size_legacy);

	return virtio_table_to_mask(drv->feature_table, drv->feature_table_size);
}

static void virtio_choose_features(struct virtio_device *vdev,
				   const struct virtio_driver *drv)
{
	u64 offered = vdev->config->get_features(vdev);
	bool legacy = !(offered & BIT_ULL(VIRTIO_F_VERSION_1));

	vdev->features = offered & virtio_driver_features(drv, legacy);
	/* finalize_features() drops those that the transport doesn't know. */
	vdev->features |= offered & TRANSPORT_FEATURES;

	/* Of both, so that what a device does wrong can be switched off. */
	virtio_debug_device_filter_features(vdev);
}

/* The driver may decline features; if it does, the device has to be told. */
static int virtio_let_driver_validate(struct virtio_device *vdev,
				      const struct virtio_driver *drv)
{
	u64 before = vdev->features;
	int err;

	if (!drv->validate)
		return 0;

	err = drv->validate(vdev);
	if (err || vdev->features == before)
		return err;

	return vdev->config->finalize_features(vdev);
}

/*
 * On a platform that restricts access to guest memory (a protected guest, say)
 * a device that goes around the DMA API cannot work, and must not try.
 */
static int virtio_check_memory_access(struct virtio_device *vdev)
{
	if (!virtio_check_mem_acc_cb(vdev))
		return 0;

	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1)) {
		dev_warn(&vdev->dev, "restricted memory access needs VIRTIO_F_VERSION_1, which the device lacks\n");
		return -ENODEV;
	}
	if (!virtio_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
		dev_warn(&vdev->dev, "restricted memory access needs VIRTIO_F_ACCESS_PLATFORM, which the device lacks\n");
		return -ENODEV;
	}

	return 0;
}

/* Steps 5 and 6 of section 3.1.1: the device accepts the choice, or does not. */
static int virtio_seal_features(struct virtio_device *vdev)
{
	unsigned int status;
	int err;

	err = virtio_check_memory_access(vdev);
	if (err)
		return err;

	/* A legacy device knows no FEATURES_OK (section 3.1.2). */
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return 0;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	status = vdev->config->get_status(vdev);
	if (status & VIRTIO_CONFIG_S_FEATURES_OK)
		return 0;

	dev_err(&vdev->dev, "device refuses features %#llx (status %#x)\n",
		vdev->features, status);
	return -ENODEV;
}

static int virtio_negotiate_features(struct virtio_device *vdev,
				     const struct virtio_driver *drv)
{
	int err;

	virtio_choose_features(vdev, drv);

	err = vdev->config->finalize_features(vdev);
	if (err)
		return err;

	err = virtio_let_driver_validate(vdev, drv);
	if (err)
		return err;

	return virtio_seal_features(vdev);
}

/* Binding and unbinding a driver */

/* Steps 3 to 8 of section 3.1.1. */
static int virtio_start_driver(struct virtio_device *vdev, struct virtio_driver *drv)
{
	int err;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);

	err = virtio_negotiate_features(vdev, drv);
	if (err)
		return err;

	err = drv->probe(vdev);
	if (err)
		return err;

	/* A driver that uses its queues in probe has done this already. */
	if (!virtio_is_running(vdev))
		virtio_device_ready(vdev);

	if (drv->scan)
		drv->scan(vdev);

	return 0;
}

static int virtio_dev_probe(struct device *d)
{
	struct virtio_device *vdev = dev_to_virtio(d);
	int err;

	vdev->watch->lost = false;
	vdev->watch->leaving = false;
	vdev->watch->recoveries = 0;
	if (virtio_lose_if_gone(vdev))
		return -ENODEV;

	virtio_clear_earlier_use(vdev);
	virtio_forget_config_changes(vdev);

	err = virtio_start_driver(vdev, virtio_bound_driver(vdev));
	if (err) {
		virtio_add_status(vdev, VIRTIO_CONFIG_S_FAILED);
		return err;
	}

	virtio_core_config_on(vdev);
	return 0;
}

/* Nor is a reset under way when this returns, nor will one begin. */
static void virtio_stop_watch(struct virtio_device *vdev)
{
	virtio_core_config_off(vdev);
	cancel_delayed_work_sync(&vdev->watch->work);
}

static void virtio_dev_remove(struct device *d)
{
	struct virtio_device *vdev = dev_to_virtio(d);
	struct virtio_driver *drv = virtio_bound_driver(vdev);

	virtio_core_config_off(vdev);
	WRITE_ONCE(vdev->watch->leaving, true);
	virtio_lose_if_gone(vdev);
	drv->remove(vdev);
	/* A reset that the driver asked for may have turned it on meanwhile. */
	virtio_stop_watch(vdev);

	/* The driver's memory goes next: a running device would write to it. */
	if (dev_WARN_ONCE(d, vdev->config->get_status(vdev) && !virtio_device_is_gone(vdev),
			  "driver %s did not reset the device\n", d->driver->name))
		virtio_reset_device(vdev);

	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
}

/**
 * virtio_device_shutdown - stop a device before the machine goes down
 * @dev: the device; it has a driver
 *
 * What the bus does when the driver has no shutdown(), and for a driver that
 * has one to call when it is done with its own: no more changes of the
 * configuration are reported, all queues are broken, no callback is running,
 * and the device is reset.
 *
 * The next kernel owns the memory that the queues are in, and IOMMUs lose their
 * mappings soon, by which some devices get stuck: so none is left running.
 *
 * Context: may sleep.
 */
void virtio_device_shutdown(struct virtio_device *dev)
{
	virtio_core_config_off(dev);
	virtio_stop_device(dev);
}
EXPORT_SYMBOL_GPL(virtio_device_shutdown);

/*
 * Other devices' mappings end through it as long as the machine runs, from timers too,
 * and its driver waits for each answer with interrupts off.
 */
static bool virtio_is_iommu(const struct virtio_device *dev)
{
	return dev->id.device == VIRTIO_ID_IOMMU;
}

/*
 * Before power-off, reboot or kexec. A device without a driver isn't running, and an
 * IOMMU has to go on running.
 */
static void virtio_dev_shutdown(struct device *d)
{
	struct virtio_device *vdev = dev_to_virtio(d);
	struct virtio_driver *drv = virtio_bound_driver(vdev);

	if (!drv)
		return;

	WRITE_ONCE(vdev->watch->leaving, true);
	virtio_lose_if_gone(vdev);
	if (drv->shutdown)
		drv->shutdown(vdev);
	else if (!virtio_is_iommu(vdev))
		virtio_device_shutdown(vdev);
	cancel_delayed_work_sync(&vdev->watch->work);
}

static const struct bus_type virtio_bus = {
	.name		= "virtio",
	.match		= virtio_dev_match,
	.uevent		= virtio_dev_uevent,
	.probe		= virtio_dev_probe,
	.remove		= virtio_dev_remove,
	.shutdown	= virtio_dev_shutdown,
	.dev_groups	= virtio_device_groups,
};

/* Drivers */

static bool virtio_table_is_sound(const unsigned int *table, unsigned int size)
{
	unsigned int i;

	if (size && !table)
		return false;

	for (i = 0; i < size; i++)
		if (table[i] >= FEATURE_BITS)
			return false;

	return true;
}

static bool virtio_legacy_table_is_sound(const struct virtio_driver *drv)
{
	/* Without a table of its own, legacy mode uses the other one. */
	if (!drv->feature_table_legacy)
		return true;

	return virtio_table_is_sound(drv->feature_table_legacy,
				     drv->feature_table_size_legacy);
}

/**
 * __register_virtio_driver - make a driver known to the bus
 * @driver: the driver; it stays the caller's, and must live until it has been
 *	unregistered
 * @owner: the module that the driver is in; register_virtio_driver() fills it in
 *
 * Probes each device on the bus that matches the driver's id table and has no
 * driver yet.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if a feature table is missing or has a bit above 63, or
 * the error of driver_register().
 */
int __register_virtio_driver(struct virtio_driver *driver, struct module *owner)
{
	if (!virtio_table_is_sound(driver->feature_table,
				   driver->feature_table_size) ||
	    !virtio_legacy_table_is_sound(driver)) {
		pr_err("driver %s has a bad feature table, not registered\n",
		       driver->driver.name);
		return -EINVAL;
	}

	driver->driver.bus = &virtio_bus;
	driver->driver.owner = owner;

	return driver_register(&driver->driver);
}
EXPORT_SYMBOL_GPL(__register_virtio_driver);

/**
 * unregister_virtio_driver - take a driver off the bus
 * @driver: a driver that was registered successfully
 *
 * Unbinds all its devices; when it returns the driver is not in use any more.
 *
 * Context: may sleep.
 */
void unregister_virtio_driver(struct virtio_driver *driver)
{
	driver_unregister(&driver->driver);
}
EXPORT_SYMBOL_GPL(unregister_virtio_driver);

/* Devices */

static void virtio_watch_device(struct work_struct *work);

/*
 * A transport's device tree node may have one child that describes the virtio
 * device behind it, and that other nodes refer to. On some platforms the child
 * means something else: then its "compatible" differs, and it is left alone.
 */
static int virtio_take_of_node(struct virtio_device *vdev)
{
	/* 8 for as many hexadecimal digits */
	char compatible[sizeof("virtio,device") + 8];
	struct device_node *parent, *child;

	parent = dev_of_node(vdev->dev.parent);
	if (!parent || !of_get_available_child_count(parent))
		return 0;

	if (of_get_available_child_count(parent) > 1) {
		dev_err(&vdev->dev, "%pOF has more than one child node\n",
			parent);
		return -EINVAL;
	}

	child = of_get_next_available_child(parent, NULL);
	snprintf(compatible, sizeof(compatible), "virtio,device%x",
		 vdev->id.device);
	if (of_device_is_compatible(child, compatible))
		vdev->dev.of_node = child;
	else
		of_node_put(child);

	return 0;
}

static void virtio_drop_of_node(struct virtio_device *vdev)
{
	of_node_put(vdev->dev.of_node);
	vdev->dev.of_node = NULL;
}

static int virtio_name_device(struct virtio_device *vdev)
{
	int number;

	number = ida_alloc(&device_numbers, GFP_KERNEL);
	if (number < 0)
		return number;

	vdev->index = number;
	return dev_set_name(&vdev->dev, "virtio%d", number);
}

static void virtio_init_device(struct virtio_device *vdev)
{
	vdev->dev.bus = &virtio_bus;
	device_initialize(&vdev->dev);

	/* No number yet. */
	vdev->index = -1;
	vdev->failed = false;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);
	spin_lock_init(&vdev->config_lock);
	virtio_forget_config_changes(vdev);
}

static int virtio_add_watch(struct virtio_device *vdev)
{
	struct virtio_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);

	if (!watch)
		return -ENOMEM;

	watch->vdev = vdev;
	INIT_DEFERRABLE_WORK(&watch->work, virtio_watch_device);
	vdev->watch = watch;
	return 0;
}

static int virtio_add_device(struct virtio_device *vdev)
{
	int err;

	/* Firmware, or a kernel before this one, may have used the device. */
	virtio_reset_and_acknowledge(vdev);

	virtio_debug_device_init(vdev);
	virtqueue_debug_init(vdev);
	err = device_add(&vdev->dev);
	if (err)
		virtio_debug_device_exit(vdev);

	return err;
}

/**
 * register_virtio_device - put a device on the bus
 * @dev: the device. Its transport has filled in @dev->id, @dev->config,
 *	@dev->dev.parent and @dev->dev.release, and zeroed all else.
 *
 * Resets and acknowledges the device, names it "virtioN", and probes it if a
 * driver matches. A driver that fails to probe is no error here: the device
 * stays on the bus without one.
 *
 * Whatever is returned, @dev is reference counted from here on: after an error
 * the caller drops its reference with put_device(&@dev->dev), and never frees
 * @dev itself.
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM or -ENOSPC if there is no name for it, -EINVAL if the
 * device tree has more than one node for it, or the error of device_add().
 *
 * See section 3.1.1, Driver Initialization.
 */
int register_virtio_device(struct virtio_device *dev)
{
	int err;

	virtio_init_device(dev);

	err = virtio_add_watch(dev);
	if (err)
		goto give_up;

	err = virtio_name_device(dev);
	if (err)
		goto give_up;

	err = virtio_take_of_node(dev);
	if (err)
		goto give_up;

	err = virtio_add_device(dev);
	if (err)
		goto give_up;

	return 0;

give_up:
	virtio_drop_of_node(dev);
	if (dev->index >= 0)
		ida_free(&device_numbers, dev->index);
	kfree(dev->watch);
	virtio_add_status(dev, VIRTIO_CONFIG_S_FAILED);
	return err;
}
EXPORT_SYMBOL_GPL(register_virtio_device);

/**
 * is_virtio_device - whether a struct device is that of a virtio device
 * @dev: any device
 *
 * Context: Any.
 * Return: true if @dev is on the virtio bus, so that dev_to_virtio() is valid.
 */
bool is_virtio_device(struct device *dev)
{
	return dev->bus == &virtio_bus;
}
EXPORT_SYMBOL_GPL(is_virtio_device);

/**
 * unregister_virtio_device - take a device off the bus
 * @dev: a device that was registered successfully
 *
 * Unbinds the driver, if there is one, and drops the reference that registering
 * took: unless the caller holds one of its own, @dev may be gone afterwards.
 *
 * Context: may sleep.
 */
void unregister_virtio_device(struct virtio_device *dev)
{
	int number = dev->index;

	virtio_debug_device_exit(dev);

	get_device(&dev->dev);
	device_unregister(&dev->dev);
	virtio_drop_of_node(dev);
	kfree(dev->watch);
	put_device(&dev->dev);

	ida_free(&device_numbers, number);
}
EXPORT_SYMBOL_GPL(unregister_virtio_device);

/* Suspend and resume */

/* For a driver that has no freeze() */
static int virtio_stop_driver(struct virtio_device *vdev)
{
	virtio_stop_device(vdev);
	return 0;
}

/* Let @quiesce, if there is a driver, give the queues up. */
static int virtio_freeze_driver(struct virtio_device *vdev,
				int (*quiesce)(struct virtio_device *vdev))
{
	int err;

	virtio_core_config_off(vdev);
	vdev->failed = !virtio_lose_if_gone(vdev) &&
		       vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FAILED;

	err = quiesce ? quiesce(vdev) : 0;
	if (err)
		virtio_core_config_on(vdev);

	return err;
}

/**
 * virtio_device_freeze - stop a device for suspend or hibernation
 * @dev: the device, with or without a driver
 *
 * Holds configuration changes back and calls the driver's freeze(), which gives
 * up the queues. A driver without a freeze() knows nothing of suspend: for it
 * the queues are broken and the device is reset, so that nothing is written to
 * memory while that is saved, and its requests fail, where otherwise they would
 * wait for ever.
 *
 * Context: may sleep. Called by transports from their suspend callbacks.
 * Return: 0, or the error of freeze(), after which the device runs on.
 *
 * See section 2.4, Device Reset.
 */
int virtio_device_freeze(struct virtio_device *dev)
{
	const struct virtio_driver *drv = virtio_bound_driver(dev);

	virtio_stop_watch(dev);
	return virtio_freeze_driver(dev, drv ? drv->freeze ?: virtio_stop_driver : NULL);
}
EXPORT_SYMBOL_GPL(virtio_device_freeze);

/*
 * The driver may rely on what was agreed before, so no feature can be dropped
 * now; and none may be accepted that the device, which can be another version
 * of itself after hibernation, does not offer any more (section 2.2.1).
 */
static int virtio_renegotiate_features(struct virtio_device *vdev)
{
	u64 lost = vdev->features & ~vdev->config->get_features(vdev);
	int err;

	if (lost) {
		dev_err(&vdev->dev, "device does not offer features %#llx any more\n",
			lost);
		return -ENODEV;
	}

	err = vdev->config->finalize_features(vdev);
	if (err)
		return err;

	return virtio_seal_features(vdev);
}

/* Queues that were not set up again are dead: say so, and fail requests. */
static void virtio_write_off_queues(struct virtio_device *vdev)
{
	if (list_empty(&vdev->vqs))
		return;

	dev_warn(&vdev->dev, "driver %s cannot resume, bind it again to use the device\n",
		 vdev->dev.driver->name);
	virtio_break_device(vdev);
}

/*
 * Initialise a device that was reset, with the features that it had, and let
 * @resume set its queues up: the driver's restore() or reset_done(), or NULL.
 */
static int virtio_restart_driver(struct virtio_device *vdev,
				 int (*resume)(struct virtio_device *vdev))
{
	int err;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);

	err = virtio_renegotiate_features(vdev);
	if (err)
		return err;

	if (resume) {
		err = resume(vdev);
		if (err)
			return err;
	}

	if (!virtio_is_running(vdev))
		virtio_device_ready(vdev);

	/* Last, as virtio_device_ready() may mend broken queues. */
	if (!resume)
		virtio_write_off_queues(vdev);

	return 0;
}

static int virtio_restart_device(struct virtio_device *vdev,
				 int (*resume)(struct virtio_device *vdev))
{
	const struct virtio_driver *drv = virtio_bound_driver(vdev);
	int err;

	virtio_reset_and_acknowledge(vdev);

	/* It had failed before, and its status goes on saying so. */
	if (vdev->failed)
		virtio_add_status(vdev, VIRTIO_CONFIG_S_FAILED);

	if (!drv)
		return 0;

	err = virtio_restart_driver(vdev, resume);
	if (err) {
		virtio_add_status(vdev, VIRTIO_CONFIG_S_FAILED);
		if (drv->restart_failed)
			drv->restart_failed(vdev);
		return err;
	}

	virtio_core_config_on(vdev);
	return 0;
}

/**
 * virtio_device_restore - start a device again after virtio_device_freeze()
 * @dev: the device, with or without a driver
 *
 * Initialises the device as for the first time, but with the features that were
 * negotiated then, and calls the driver's restore(), which sets the queues up.
 * Then reports a configuration change that was held back, if there was any.
 *
 * Context: may sleep. Called by transports from their resume callbacks.
 * Return: 0, -ENODEV if the device does not offer or accept the features any
 * more, or the error of finalize_features() or restore(). After an error the
 * device has its FAILED status, and the driver stays bound.
 *
 * See section 3.1.1, Driver Initialization.
 */
int virtio_device_restore(struct virtio_device *dev)
{
	const struct virtio_driver *drv = virtio_bound_driver(dev);

	return virtio_restart_device(dev, drv ? drv->restore : NULL);
}
EXPORT_SYMBOL_GPL(virtio_device_restore);

/* Resets that the transport does, of all of the device */

/**
 * virtio_device_reset_prepare - a transport is about to reset a device
 * @dev: the device, with or without a driver
 *
 * Holds configuration changes back and calls the driver's reset_prepare(),
 * which gives up the queues. The device is reset by the transport's own means
 * next (a function-level reset, say), and virtio_device_reset_done() follows.
 *
 * Context: may sleep. Called by transports, with the device locked.
 * Return: 0; -EOPNOTSUPP if the driver has no reset_prepare(), or its error:
 * then the device runs on, if it can, and reset_done() must not follow.
 */
int virtio_device_reset_prepare(struct virtio_device *dev)
{
	const struct virtio_driver *drv = virtio_bound_driver(dev);

	if (!drv || !drv->reset_prepare)
		return -EOPNOTSUPP;

	virtio_stop_watch(dev);
	return virtio_freeze_driver(dev, drv->reset_prepare);
}
EXPORT_SYMBOL_GPL(virtio_device_reset_prepare);

/**
 * virtio_device_reset_done - a transport has reset a device
 * @dev: the device, after virtio_device_reset_prepare() was successful
 *
 * Initialises the device as virtio_device_restore() does, and calls the
 * driver's reset_done(), which sets the queues up.
 *
 * Context: may sleep. Called by transports, with the device locked.
 * Return: 0; -EOPNOTSUPP if the driver has no reset_done(), or as
 * virtio_device_restore().
 */
int virtio_device_reset_done(struct virtio_device *dev)
{
	const struct virtio_driver *drv = virtio_bound_driver(dev);

	if (!drv || !drv->reset_done)
		return -EOPNOTSUPP;

	return virtio_restart_device(dev, drv->reset_done);
}
EXPORT_SYMBOL_GPL(virtio_device_reset_done);

/* Devices that vanish, or want to be reset */

/*
 * The device lost its state, and all that it was asked for: start again, where
 * the driver knows how. Otherwise all requests fail until it is bound again.
 */
static void virtio_recover_device(struct virtio_device *vdev)
{
	const struct virtio_driver *drv = virtio_bound_driver(vdev);
	int err = -EOPNOTSUPP;

	if (vdev->watch->recoveries++ == MAX_RECOVERIES) {
		err = -ELOOP;
	} else if (drv->reset_prepare && drv->reset_done) {
		err = virtio_freeze_driver(vdev, drv->reset_prepare);
		if (!err)
			err = virtio_restart_device(vdev, drv->reset_done);
	}
	if (!err) {
		vdev->watch->recovered = jiffies;
		dev_warn(&vdev->dev, "the device was reset, and works again\n");
		return;
	}

	dev_err(&vdev->dev, "all requests fail (%d) until driver %s resets the device or is bound again\n",
		err, vdev->dev.driver->name);
	vdev->watch->lost = true;
	virtio_stop_queues(vdev);
}

/* True if the device has lost its state, or it or its driver asks for a reset */
static bool virtio_wants_recovery(struct virtio_device *vdev, u8 status)
{
	if (status & VIRTIO_CONFIG_S_NEEDS_RESET)
		dev_warn(&vdev->dev, "the device needs a reset\n");
	else if (!(status & VIRTIO_CONFIG_S_DRIVER_OK) &&
		 !READ_ONCE(vdev->watch->stopped))
		dev_warn(&vdev->dev, "the device was reset by somebody else\n");
	else if (READ_ONCE(vdev->watch->requested))
		dev_warn(&vdev->dev, "driver %s asks for a reset of the device\n",
			 vdev->dev.driver->name);
	else
		return false;

	return true;
}

/* Nobody will start it again: the driver must not wait for what the device had. */
static void virtio_give_up_device(struct virtio_device *vdev)
{
	vdev->watch->lost = true;
	virtio_break_device(vdev);
}

/* How long until the next look; 0 for no more. */
static unsigned long virtio_watch_present(struct virtio_device *vdev, u8 status)
{
	unsigned long again = WATCH_PERIOD;

	if (READ_ONCE(vdev->watch->leaving)) {
		if (virtio_wants_recovery(vdev, status))
			virtio_give_up_device(vdev);
		return WATCH_AGAIN;
	}

	/* Whoever unbinds or shuts down has the lock, and waits for this work. */
	if (!device_trylock(&vdev->dev))
		return WATCH_AGAIN;

	if (!READ_ONCE(vdev->config_core_enabled)) {
		again = WATCH_AGAIN;
	} else if (virtio_wants_recovery(vdev, status)) {
		virtio_recover_device(vdev);
		/* virtio_restart_device() has it watched again. */
		again = 0;
	} else if (time_after(jiffies, vdev->watch->recovered + WATCH_PERIOD / 2)) {
		vdev->watch->recoveries = 0;
	}
	device_unlock(&vdev->dev);
	return again;
}

/*
 * Runs while a driver is bound, and while it is being unbound: broken queues then end
 * the wait for a device that is gone. As the work is cancelled where the device is
 * locked, it waits for nothing but the driver's own calls to stop and start.
 */
static void virtio_watch_device(struct work_struct *work)
{
	struct virtio_watch *watch = container_of(to_delayed_work(work),
						  struct virtio_watch, work);
	struct virtio_device *vdev = watch->vdev;
	unsigned long again = WATCH_AGAIN;

	if (watch->lost)
		return;

	if (!virtio_device_is_gone(vdev)) {
		watch->missed = false;
		again = virtio_watch_present(vdev, vdev->config->get_status(vdev));
	} else if (!watch->missed) {
		watch->missed = true;
	} else {
		virtio_report_gone(vdev);
		virtio_break_device(vdev);
		again = 0;
	}

	if (again)
		queue_delayed_work(system_freezable_wq, &watch->work, again);
}

static int __init virtio_bus_init(void)
{
	int err;

	err = bus_register(&virtio_bus);
	if (err) {
		pr_err("cannot register the bus, no virtio device will work: %d\n",
		       err);
		return err;
	}

	virtio_debug_init();
	return 0;
}
core_initcall(virtio_bus_init);

static void __exit virtio_bus_exit(void)
{
	virtio_debug_exit();
	bus_unregister(&virtio_bus);
	ida_destroy(&device_numbers);
}
module_exit(virtio_bus_exit);

MODULE_DESCRIPTION("Bus of virtio devices and their drivers");
MODULE_LICENSE("GPL");
