// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport of the one device, and the way in for the test: parameters.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/unaligned.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include "script.h"

uint script_pi;
module_param_named(pi, script_pi, uint, 0444);
MODULE_PARM_DESC(pi, "the disk has protection information of this type");

static uint seg_max = 32;
module_param(seg_max, uint, 0444);
static uint max_sectors = 1024;
module_param(max_sectors, uint, 0444);
static uint cmd_per_lun = 32;
module_param(cmd_per_lun, uint, 0444);
static ushort max_target;
module_param(max_target, ushort, 0444);
static uint max_lun = 8;
module_param(max_lun, uint, 0444);
static uint num_queues = 1;
module_param(num_queues, uint, 0444);

static uint status_bits;
module_param(status_bits, uint, 0644);
MODULE_PARM_DESC(status_bits, "set in the device status until the next reset");
static uint lose_interrupts;
module_param(lose_interrupts, uint, 0644);
MODULE_PARM_DESC(lose_interrupts, "how many interrupts of the request queue get lost");

static struct device *parent;

static void device_run(struct work_struct *work);
DECLARE_WORK(device_work, device_run);

/* Execute what was offered, then interrupt. */
static void device_run_queue(struct script_queue *queue)
{
	struct buffer *buf;
	unsigned long flags;

	while (queue->vq.index != SCRIPT_EVENT && (buf = queue_next(queue)))
		target_execute(queue, buf);
	if (list_empty_careful(&queue->used) || !queue->vq.callback)
		return;
	if (queue->vq.index == SCRIPT_REQUEST && lose_interrupts) {
		lose_interrupts--;
		return;
	}
	local_irq_save(flags);
	queue->vq.callback(&queue->vq);
	local_irq_restore(flags);
}

static void device_run(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < SCRIPT_QUEUES && script_status; i++)
		if (script_queue(i))
			device_run_queue(script_queue(i));
}

static void transport_get(struct virtio_device *vdev, unsigned int offset,
			  void *buf, unsigned int len)
{
	struct virtio_scsi_config config = {
		.num_queues = cpu_to_virtio32(vdev, num_queues),
		.seg_max = cpu_to_virtio32(vdev, seg_max),
		.max_sectors = cpu_to_virtio32(vdev, max_sectors),
		.cmd_per_lun = cpu_to_virtio32(vdev, cmd_per_lun),
		.event_info_size = cpu_to_virtio32(vdev, 16),
		.sense_size = cpu_to_virtio32(vdev, 96),
		.cdb_size = cpu_to_virtio32(vdev, 32),
		.max_target = cpu_to_virtio16(vdev, max_target),
		.max_lun = cpu_to_virtio32(vdev, max_lun),
	};

	memset(buf, 0, len);
	if (offset < sizeof(config))
		memcpy(buf, (void *)&config + offset,
		       min_t(size_t, len, sizeof(config) - offset));
}

static u8 transport_get_status(struct virtio_device *vdev)
{
	return script_status | status_bits;
}

static void transport_reset(struct virtio_device *vdev)
{
	script_status = 0;
	status_bits = 0;
	cancel_work_sync(&device_work);
}

static u64 transport_get_features(struct virtio_device *vdev)
{
	return BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_SCSI_F_HOTPLUG) |
	       BIT_ULL(VIRTIO_SCSI_F_CHANGE) |
	       (script_pi ? BIT_ULL(VIRTIO_SCSI_F_T10_PI) : 0);
}

static const struct virtio_config_ops transport_ops = {
	.get			= transport_get,
	.set			= script_set,
	.get_status		= transport_get_status,
	.set_status		= script_set_status,
	.reset			= transport_reset,
	.find_vqs		= script_find_vqs,
	.del_vqs		= script_del_vqs,
	.synchronize_cbs	= script_synchronize_cbs,
	.get_features		= transport_get_features,
	.finalize_features	= script_finalize_features,
	.bus_name		= script_bus_name,
};

const unsigned int script_request = SCRIPT_REQUEST;
const unsigned int script_max_queues = SCRIPT_QUEUES;
static_assert(SCRIPT_QUEUES <= SCRIPT_MAX_QUEUES);

struct virtio_device script_vdev = {
	.id = { VIRTIO_ID_SCSI, VIRTIO_DEV_ANY_ID },
	.config = &transport_ops,
	.dev.release = script_release,
};

/* TYPE LUN REASON, hexadecimal; LUN is the first four bytes. */
static int event_set(const char *value, const struct kernel_param *kp)
{
	struct virtio_scsi_event event = {};
	struct script_queue *queue;
	u32 type, lun, reason;
	struct buffer *buf;

	if (sscanf(value, "%x %x %x", &type, &lun, &reason) != 3)
		return -EINVAL;
	guard(mutex)(&script_lock);
	queue = script_queue(SCRIPT_EVENT);
	buf = queue ? queue_next(queue) : NULL;
	if (!buf)
		return -ENOBUFS;
	event.event = cpu_to_virtio32(&script_vdev, type);
	event.reason = cpu_to_virtio32(&script_vdev, reason);
	put_unaligned_be32(lun, event.lun);
	buffer_write(buf, 0, &event, sizeof(event));
	queue_move(queue, buf, &queue->used);
	queue_work(system_unbound_wq, &device_work);
	return 0;
}

static int event_get(char *to, const struct kernel_param *kp)
{
	guard(mutex)(&script_lock);
	if (!script_queue(SCRIPT_EVENT))
		return -ENODEV;
	return queue_describe(script_queue(SCRIPT_EVENT), to, PAGE_SIZE);
}

static const struct kernel_param_ops event_ops = {
	.set = event_set,
	.get = event_get,
};
module_param_cb(event, &event_ops, NULL, 0600);
MODULE_PARM_DESC(event, "send an event: TYPE LUN REASON; or the room for them");

static int release_set(const char *value, const struct kernel_param *kp)
{
	guard(mutex)(&script_lock);
	target_release();
	queue_work(system_unbound_wq, &device_work);
	return 0;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "write anything: what is held is answered");

static int late_set(const char *value, const struct kernel_param *kp)
{
	guard(mutex)(&script_lock);
	target_answer_late();
	queue_work(system_unbound_wq, &device_work);
	return 0;
}

static const struct kernel_param_ops late_ops = { .set = late_set };
module_param_cb(late, &late_ops, NULL, 0200);
MODULE_PARM_DESC(late, "write anything: task management is answered after all");

static int config_set(const char *value, const struct kernel_param *kp)
{
	virtio_config_changed(&script_vdev);
	return 0;
}

static const struct kernel_param_ops config_ops = { .set = config_set };
module_param_cb(config, &config_ops, NULL, 0200);
MODULE_PARM_DESC(config, "write anything: the configuration changes");

static int appear_set(const char *value, const struct kernel_param *kp)
{
	status_bits = 0;
	script_status = 0;
	return 0;
}

static const struct kernel_param_ops appear_ops = { .set = appear_set };
module_param_cb(appear, &appear_ops, NULL, 0200);
MODULE_PARM_DESC(appear, "write anything: the device is there again, as new");

static int lose_set(const char *value, const struct kernel_param *kp)
{
	status_bits = 0xff;
	virtio_break_device(&script_vdev);
	return 0;
}

static const struct kernel_param_ops lose_ops = { .set = lose_set };
module_param_cb(lose, &lose_ops, NULL, 0200);
MODULE_PARM_DESC(lose, "write anything: the device is gone");

static int __init transport_init(void)
{
	int err;

	parent = root_device_register("scsi-script");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	err = target_init();
	if (err)
		goto no_target;
	script_vdev.dev.parent = parent;
	err = register_virtio_device(&script_vdev);
	if (err)
		goto no_device;
	return 0;

no_device:
	target_exit();
no_target:
	root_device_unregister(parent);
	return err;
}
module_init(transport_init);

static void __exit transport_exit(void)
{
	unregister_virtio_device(&script_vdev);
	target_exit();
	root_device_unregister(parent);
}
module_exit(transport_exit);

MODULE_DESCRIPTION("A virtio SCSI device that follows a script, to test the driver");
MODULE_LICENSE("GPL");
