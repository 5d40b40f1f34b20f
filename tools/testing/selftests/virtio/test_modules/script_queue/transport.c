// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the transports of all scripted devices have in common: queues that come and
 * go, and a status.
 */
#include <linux/module.h>
#include "queue.h"

unsigned int script_num_queues;
/* Held while queues go, and by tests that use one */
DEFINE_MUTEX(script_lock);
u8 script_status;

static uint starts;
module_param(starts, uint, 0444);
MODULE_PARM_DESC(starts, "how often the driver has started the device");

static struct script_queue *queues[SCRIPT_MAX_QUEUES];

struct script_queue *script_queue(unsigned int index)
{
	return queues[index];
}

void script_set(struct virtio_device *vdev, unsigned int offset,
		const void *buf, unsigned int len)
{
}

void script_set_status(struct virtio_device *vdev, u8 status)
{
	if (status & ~script_status & VIRTIO_CONFIG_S_DRIVER_OK)
		starts++;
	script_status = status;
	queue_work(system_unbound_wq, &device_work);
}

void script_synchronize_cbs(struct virtio_device *vdev)
{
	flush_work(&device_work);
}

int script_finalize_features(struct virtio_device *vdev)
{
	return 0;
}

const char *script_bus_name(struct virtio_device *vdev)
{
	return dev_name(vdev->dev.parent);
}

void script_del_vqs(struct virtio_device *vdev)
{
	unsigned int i;

	cancel_work_sync(&device_work);
	guard(mutex)(&script_lock);
	script_num_queues = 0;
	for (i = 0; i < SCRIPT_MAX_QUEUES; i++) {
		if (queues[i])
			queue_destroy(queues[i]);
		queues[i] = NULL;
	}
}

int script_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
		    struct virtqueue *vqs[], struct virtqueue_info vqs_info[],
		    struct irq_affinity *desc)
{
	unsigned int i;

	if (nvqs > script_max_queues)
		return -ENOENT;
	for (i = 0; i < nvqs; i++) {
		queues[i] = queue_create(vdev, i, &vqs_info[i]);
		if (!queues[i]) {
			script_del_vqs(vdev);
			return -ENOMEM;
		}
		vqs[i] = &queues[i]->vq;
	}
	script_num_queues = nvqs;
	return 0;
}

void script_release(struct device *dev)
{
}
