/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device and a driver for it, both fake. What the bus does to them is
 * recorded in words, in the order in which it happens:
 *
 *	reset			the device was reset
 *	reset:admin		the same, and with VIRTIO_F_ADMIN_VQ it would have looked
 *				for a queue, of which there was none
 *	+driver, +failed, ...	this status bit was set; a write that sets none
 *				is "+nothing", one that clears some "cleared"
 *	finalize		features were sent to the device
 *	sync, sync:broken	callbacks were waited for; queues were broken
 *	lost			a status was written where there is no device
 *	find_vqs, del_vqs	the driver asked for its queue, gave it up
 *	probe, remove, ...	an operation of the driver was called
 *
 * so that a test compares a sentence. Reading status or features is no event.
 */
#ifndef VIRTIO_BUS_FAKE_H
#define VIRTIO_BUS_FAKE_H

#include <kunit/test.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

/* No driver of the kernel has this device type. */
#define FAKE_DEVICE	0xfa4e
#define FAKE_VENDOR	0x1af4

/* Bits for device types are 0 to 23 and 50 to 63 (2.2). */
#define FAKE_F_BOTH	1
#define FAKE_F_LEGACY	2
#define FAKE_F_DEVICE	3
#define FAKE_F_DRIVER	5
#define FAKE_F_HIGH	63

/**
 * struct fake - a device, its driver, and how they behave
 * @vdev: the device
 * @drv: the driver; a test may change it before fake_add_driver()
 * @ids: its table, for this device only
 * @vq: the queue that probe and restore ask for
 * @test: whose fake this is
 * @added: what is on the bus
 *
 * The device:
 * @status: its status byte
 * @gone: it has vanished: registers read as all ones, and writes are lost
 * @offers: features that it offers
 * @refuses: features with which it does not accept FEATURES_OK
 * @unknown: features that the transport takes out
 * @finalized: features that it was sent last, before @unknown were taken out
 * @finalize_error: what finalize_features() returns
 *
 * The driver:
 * @declines: features that validate() takes out
 * @validate_error: what validate() returns
 * @probe_error: what probe() returns
 * @freeze_error: what freeze() returns
 * @restore_error: what restore() returns
 * @keeps_running: remove() does not reset the device
 * @in_probe: called in probe()
 * @in_remove: called in remove()
 * @in_freeze: called in freeze()
 * @in_restore: called in restore()
 * @change_is_atomic: config_changed() was called with interrupts off and the
 *	lock held, each time
 *
 * @record: what has happened
 * @taken: what fake_record() has returned
 */
struct fake {
	struct virtio_device vdev;
	struct virtio_driver drv;
	struct virtio_device_id ids[2];
	struct virtqueue vq;
	struct kunit *test;
	struct {
		bool device;
		bool driver;
		bool tried;
	} added;

	u8 status;
	bool gone;
	u64 offers;
	u64 refuses;
	u64 unknown;
	u64 finalized;
	int finalize_error;

	u64 declines;
	int validate_error;
	int probe_error;
	int freeze_error;
	int restore_error;
	bool keeps_running;
	void (*in_probe)(struct fake *fake);
	void (*in_remove)(struct fake *fake);
	void (*in_freeze)(struct fake *fake);
	void (*in_restore)(struct fake *fake);
	bool change_is_atomic;

	char record[256];
	char taken[256];
};

static inline struct fake *to_fake(struct virtio_device *vdev)
{
	return container_of(vdev, struct fake, vdev);
}

/* For each suite: test->priv is a fake, of which nothing is on the bus yet. */
int fake_init(struct kunit *test);
void fake_exit(struct kunit *test);

/* What has happened since the last call */
const char *fake_record(struct fake *fake);

void fake_add_device(struct fake *fake);
int fake_add_driver(struct fake *fake);

/* Both on the bus and bound, or not as the case may be; an empty record */
void fake_start(struct fake *fake);

bool fake_is_bound(const struct fake *fake);
void fake_unbind(struct fake *fake);
/* 0, or the error of the bus's probe */
int fake_bind(struct fake *fake);

/* Operations of the driver that it does not have until a test gives it them */
int fake_validate(struct virtio_device *vdev);
void fake_scan(struct virtio_device *vdev);
int fake_reset_prepare(struct virtio_device *vdev);
int fake_reset_done(struct virtio_device *vdev);
void fake_restart_failed(struct virtio_device *vdev);
void fake_shutdown(struct virtio_device *vdev);

#endif
