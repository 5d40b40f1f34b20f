// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport of the one device, and the way in for the test: parameters.
 */
#include <linux/err.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include "script.h"

static unsigned long long features;
module_param(features, ullong, 0444);
MODULE_PARM_DESC(features, "beside VIRTIO_F_VERSION_1");

static ushort pairs = 1;
module_param(pairs, ushort, 0444);
static ushort mtu = 1500;
module_param(mtu, ushort, 0444);
static uint speed = 1000;
module_param(speed, uint, 0444);
static u8 rss_max_key_size = 40;
module_param(rss_max_key_size, byte, 0444);
static ushort rss_table = 8;
module_param(rss_table, ushort, 0444);
static uint hash_types = 0x3f;
module_param(hash_types, uint, 0444);

static ushort net_status = VIRTIO_NET_S_LINK_UP;
static struct device *parent;

static void device_run(struct work_struct *work);
DECLARE_WORK(device_work, device_run);

/* The driver has told the network where it is. */
void script_announced(void)
{
	net_status &= ~VIRTIO_NET_S_ANNOUNCE;
}

static bool is_control(const struct script_queue *queue)
{
	return script_num_queues % 2 && queue->vq.index == script_num_queues - 1;
}

static void device_execute(struct script_queue *queue)
{
	struct buffer *buf;

	if (!is_control(queue))
		nic_release(queue);
	while ((buf = queue_next(queue))) {
		if (is_control(queue))
			control_execute(queue, buf);
		else
			nic_sent(queue, buf);
	}
}

/* As an interrupt, with softirqs after it */
static void device_interrupt(struct script_queue *queue)
{
	unsigned long flags;

	if (list_empty_careful(&queue->used) || !queue->vq.callback)
		return;
	local_bh_disable();
	local_irq_save(flags);
	queue->vq.callback(&queue->vq);
	local_irq_restore(flags);
	local_bh_enable();
}

/* Receive queues come later than the send queues that they reflect. */
static void device_run(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < script_num_queues && script_status; i++)
		if (i % 2 || is_control(script_queue(i)))
			device_execute(script_queue(i));
	for (i = 0; i < script_num_queues && script_status; i++)
		device_interrupt(script_queue(i));
}

static void transport_get(struct virtio_device *vdev, unsigned int offset,
			  void *buf, unsigned int len)
{
	struct virtio_net_config config = {
		.mac = { 2, 0, 0, 0, 0, 1 },
		.status = cpu_to_virtio16(vdev, net_status),
		.max_virtqueue_pairs = cpu_to_virtio16(vdev, pairs),
		.mtu = cpu_to_virtio16(vdev, mtu),
		.speed = cpu_to_le32(speed),
		.duplex = DUPLEX_FULL,
		.rss_max_key_size = rss_max_key_size,
		.rss_max_indirection_table_length = cpu_to_le16(rss_table),
		.supported_hash_types = cpu_to_le32(hash_types),
	};

	memset(buf, 0, len);
	if (offset < sizeof(config))
		memcpy(buf, (void *)&config + offset,
		       min_t(size_t, len, sizeof(config) - offset));
}

static u8 transport_get_status(struct virtio_device *vdev)
{
	return script_status;
}

static void transport_reset(struct virtio_device *vdev)
{
	script_status = 0;
	cancel_work_sync(&device_work);
}

static u64 transport_get_features(struct virtio_device *vdev)
{
	return BIT_ULL(VIRTIO_F_VERSION_1) | features;
}

static int transport_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			      struct virtqueue *vqs[],
			      struct virtqueue_info vqs_info[],
			      struct irq_affinity *desc)
{
	watch_queues();
	return script_find_vqs(vdev, nvqs, vqs, vqs_info, desc);
}

static void transport_del_vqs(struct virtio_device *vdev)
{
	watch_queues();
	script_del_vqs(vdev);
}

static const struct virtio_config_ops transport_ops = {
	.get			= transport_get,
	.set			= script_set,
	.get_status		= transport_get_status,
	.set_status		= script_set_status,
	.reset			= transport_reset,
	.find_vqs		= transport_find_vqs,
	.del_vqs		= transport_del_vqs,
	.synchronize_cbs	= script_synchronize_cbs,
	.get_features		= transport_get_features,
	.finalize_features	= script_finalize_features,
	.bus_name		= script_bus_name,
};

const unsigned int script_request = SCRIPT_REQUEST;
const unsigned int script_max_queues = SCRIPT_QUEUES;
static_assert(SCRIPT_QUEUES <= SCRIPT_MAX_QUEUES);

struct virtio_device script_vdev = {
	.id = { VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	.config = &transport_ops,
	.dev.release = script_release,
};

/*
 * What tests do at any time
 */

static int net_status_set(const char *value, const struct kernel_param *kp)
{
	int err = kstrtou16(value, 0, &net_status);

	if (!err)
		virtio_config_changed(&script_vdev);
	return err;
}

static int net_status_get(char *to, const struct kernel_param *kp)
{
	return sysfs_emit(to, "%u\n", net_status);
}

static const struct kernel_param_ops net_status_ops = {
	.set = net_status_set,
	.get = net_status_get,
};
module_param_cb(net_status, &net_status_ops, NULL, 0644);
MODULE_PARM_DESC(net_status, "status in the configuration: 1 link up, 2 announce; changes it");

static int late_set(const char *value, const struct kernel_param *kp)
{
	unsigned int i;

	guard(mutex)(&script_lock);
	for (i = 0; i < script_num_queues; i++)
		if (is_control(script_queue(i)))
			control_answer_late(script_queue(i));
	queue_work(system_unbound_wq, &device_work);
	return 0;
}

static const struct kernel_param_ops late_ops = { .set = late_set };
module_param_cb(late, &late_ops, NULL, 0200);
MODULE_PARM_DESC(late, "write anything: commands that were held are answered");

static int lose_set(const char *value, const struct kernel_param *kp)
{
	virtio_break_device(&script_vdev);
	return 0;
}

static const struct kernel_param_ops lose_ops = { .set = lose_set };
module_param_cb(lose, &lose_ops, NULL, 0200);
MODULE_PARM_DESC(lose, "write anything: the device is gone");

static int needs_reset_set(const char *value, const struct kernel_param *kp)
{
	script_status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_config_changed(&script_vdev);
	return 0;
}

static const struct kernel_param_ops needs_reset_ops = { .set = needs_reset_set };
module_param_cb(needs_reset, &needs_reset_ops, NULL, 0200);
MODULE_PARM_DESC(needs_reset, "write anything: the device works again only after a reset");

static int suspend_set(const char *value, const struct kernel_param *kp)
{
	int err = virtio_device_freeze(&script_vdev);

	return err ?: virtio_device_restore(&script_vdev);
}

static const struct kernel_param_ops suspend_ops = { .set = suspend_set };
module_param_cb(suspend, &suspend_ops, NULL, 0200);
MODULE_PARM_DESC(suspend, "write anything: the device is suspended, and resumed at once");

static int __init transport_init(void)
{
	int err;

	parent = root_device_register("net-script");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	script_vdev.dev.parent = parent;
	err = watch_start();
	if (err)
		goto err_parent;
	err = register_virtio_device(&script_vdev);
	if (err)
		goto err_watch;
	return 0;

err_watch:
	watch_stop();
err_parent:
	root_device_unregister(parent);
	return err;
}
module_init(transport_init);

static void __exit transport_exit(void)
{
	unregister_virtio_device(&script_vdev);
	watch_stop();
	root_device_unregister(parent);
}
module_exit(transport_exit);

MODULE_DESCRIPTION("A virtio network device that follows a script, to test the driver");
MODULE_LICENSE("GPL");
