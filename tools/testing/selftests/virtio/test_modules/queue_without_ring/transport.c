// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio transport whose queues are no rings, with two devices: a disk that
 * any block driver can use, and one on which contract.c tests each op.
 *
 * What a transport for a fabric would send to another machine stays in this
 * module; all else is as it would be there.
 */
#include <linux/blk_types.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_blk.h>
#include <linux/vmalloc.h>
#include "message_queue.h"

static unsigned int disk_mib = 32;
module_param(disk_mib, uint, 0444);
MODULE_PARM_DESC(disk_mib, "size of the disk in MiB");

static ushort queue_size = 64;
module_param(queue_size, ushort, 0444);
MODULE_PARM_DESC(queue_size, "elements that a queue of the disk has room for");

static ushort queues = 2;
module_param(queues, ushort, 0444);
MODULE_PARM_DESC(queues, "queues of the disk");

module_param_named(fail_start, mq_fail_start, uint, 0644);
MODULE_PARM_DESC(fail_start, "let every Nth buffer fail to start (-ENOMEM)");
module_param_named(fail_add, mq_fail_add, uint, 0644);
MODULE_PARM_DESC(fail_add, "let every Nth element fail (-ENOMEM)");
module_param_named(reverse, mq_reverse, bool, 0644);
MODULE_PARM_DESC(reverse, "execute the newest buffer first");

/* Room for all that contract.c does, and no power of 2 */
#define ECHO_QUEUE_SIZE	50

static struct device *parent;
static struct message_device *disk;
static struct message_device *echo;

/*
 * Configuration, status, features: what virtio_config_ops asks of a transport
 */

static void transport_get(struct virtio_device *vdev, unsigned int offset,
			  void *buf, unsigned int len)
{
	const struct message_device *dev = to_device(vdev);

	memset(buf, 0, len);
	if (offset < dev->config_len)
		memcpy(buf, dev->config + offset,
		       min_t(size_t, len, dev->config_len - offset));
}

/* No field of these devices can be written. */
static void transport_set(struct virtio_device *vdev, unsigned int offset,
			  const void *buf, unsigned int len)
{
}

static u8 transport_get_status(struct virtio_device *vdev)
{
	return to_device(vdev)->status;
}

static void transport_set_status(struct virtio_device *vdev, u8 status)
{
	struct message_device *dev = to_device(vdev);
	u8 set = status & ~dev->status;
	struct virtqueue *vq;

	dev->status = status;
	if (set & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_device_for_each_vq(vdev, vq)
			mq_start(to_mq(vq));
}

/* No more execution and no more callbacks; buffers can be detached. */
static void transport_reset(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(vdev, vq)
		mq_stop(to_mq(vq));
	to_device(vdev)->status = 0;
}

static void transport_synchronize_cbs(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(vdev, vq)
		mq_synchronize(to_mq(vq));
}

static u64 transport_get_features(struct virtio_device *vdev)
{
	return to_device(vdev)->features;
}

/* No feature of a ring was offered, so none can have been taken. */
static int transport_finalize_features(struct virtio_device *vdev)
{
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return -EINVAL;
	return vdev->features & ~to_device(vdev)->features ? -EINVAL : 0;
}

static const char *transport_bus_name(struct virtio_device *vdev)
{
	return dev_name(parent);
}

static void transport_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		mq_destroy(to_mq(vq));
}

static int transport_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			      struct virtqueue *vqs[],
			      struct virtqueue_info vqs_info[],
			      struct irq_affinity *desc)
{
	struct message_device *dev = to_device(vdev);
	unsigned int i, index = 0;
	struct message_queue *mq;

	for (i = 0; i < nvqs; i++) {
		vqs[i] = NULL;
		if (!vqs_info[i].name)
			continue;
		mq = NULL;
		if (index < dev->max_queues)
			mq = mq_create(vdev, index++, dev->queue_size,
				       &vqs_info[i], dev->execute);
		if (!mq) {
			transport_del_vqs(vdev);
			return index < dev->max_queues ? -ENOMEM : -ENOENT;
		}
		vqs[i] = &mq->vq;
	}
	return 0;
}

static const struct virtio_config_ops transport_ops = {
	.get			= transport_get,
	.set			= transport_set,
	.get_status		= transport_get_status,
	.set_status		= transport_set_status,
	.reset			= transport_reset,
	.find_vqs		= transport_find_vqs,
	.del_vqs		= transport_del_vqs,
	.synchronize_cbs	= transport_synchronize_cbs,
	.get_features		= transport_get_features,
	.finalize_features	= transport_finalize_features,
	.bus_name		= transport_bus_name,
};

/*
 * The devices
 */

static void message_device_release(struct device *d)
{
	struct message_device *dev = to_device(dev_to_virtio(d));

	vfree(dev->memory);
	kfree(dev->config);
	kfree(dev);
}

static struct message_device *
message_device_create(u32 id, u64 features, unsigned int max_queues,
		      unsigned int size,
		      void (*execute)(struct virtio_device *vdev,
				      struct message *msg))
{
	struct message_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->vdev.dev.parent = parent;
	dev->vdev.dev.release = message_device_release;
	dev->vdev.config = &transport_ops;
	dev->vdev.id.device = id;
	dev->vdev.id.vendor = VIRTIO_DEV_ANY_ID;
	dev->features = features | BIT_ULL(VIRTIO_F_VERSION_1);
	dev->max_queues = max_queues;
	dev->queue_size = size;
	dev->execute = execute;
	return dev;
}

static struct message_device *message_device_add(struct message_device *dev)
{
	int err = register_virtio_device(&dev->vdev);

	if (err) {
		put_device(&dev->vdev.dev);
		return ERR_PTR(err);
	}
	return dev;
}

static struct message_device *disk_add(void)
{
	struct virtio_blk_config *config;
	struct message_device *dev;

	dev = message_device_create(VIRTIO_ID_BLOCK,
				    BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
				    BIT_ULL(VIRTIO_BLK_F_FLUSH) |
				    BIT_ULL(VIRTIO_BLK_F_MQ),
				    queues, queue_size, disk_execute);
	if (IS_ERR(dev))
		return dev;
	config = kzalloc(sizeof(*config), GFP_KERNEL);
	dev->config = config;
	dev->config_len = sizeof(*config);
	dev->memory_len = (u64)disk_mib << 20;
	dev->memory = vzalloc(dev->memory_len);
	if (!config || !dev->memory) {
		vfree(dev->memory);
		kfree(config);
		kfree(dev);
		return ERR_PTR(-ENOMEM);
	}
	config->capacity = cpu_to_virtio64(&dev->vdev,
					   dev->memory_len / SECTOR_SIZE);
	/* A request has a header and a status besides. */
	config->seg_max = cpu_to_virtio32(&dev->vdev, queue_size - 2);
	config->num_queues = cpu_to_virtio16(&dev->vdev, queues);
	return message_device_add(dev);
}

static struct message_device *echo_add(void)
{
	struct message_device *dev;

	dev = message_device_create(VIRTIO_ID_ECHO, 0, 1, ECHO_QUEUE_SIZE,
				    echo_execute);
	return IS_ERR(dev) ? dev : message_device_add(dev);
}

/*
 * Any write unplugs the disk by surprise: its queues hear of it from the core, and
 * execute nothing more. Binding it again plugs it in.
 */
static int cut_set(const char *value, const struct kernel_param *kp)
{
	if (IS_ERR_OR_NULL(disk))
		return -ENODEV;
	device_lock(&disk->vdev.dev);
	virtio_break_device(&disk->vdev);
	device_unlock(&disk->vdev.dev);
	return 0;
}

static const struct kernel_param_ops cut_ops = { .set = cut_set };
module_param_cb(cut, &cut_ops, NULL, 0200);
MODULE_PARM_DESC(cut, "write anything: the connection to the disk is lost");

static int __init transport_init(void)
{
	int err;

	if (queue_size < 3 || !queues || !disk_mib)
		return -EINVAL;
	parent = root_device_register("virtio-messages");
	if (IS_ERR(parent))
		return PTR_ERR(parent);

	err = register_virtio_driver(&contract_driver);
	if (err)
		goto no_driver;
	echo = echo_add();
	if (IS_ERR(echo)) {
		err = PTR_ERR(echo);
		goto no_echo;
	}
	disk = disk_add();
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto no_disk;
	}
	return 0;

no_disk:
	unregister_virtio_device(&echo->vdev);
no_echo:
	unregister_virtio_driver(&contract_driver);
no_driver:
	root_device_unregister(parent);
	return err;
}
module_init(transport_init);

static void __exit transport_exit(void)
{
	unregister_virtio_device(&disk->vdev);
	unregister_virtio_device(&echo->vdev);
	unregister_virtio_driver(&contract_driver);
	root_device_unregister(parent);
}
module_exit(transport_exit);

MODULE_DESCRIPTION("A virtio transport whose queues are no rings, to test the core");
MODULE_LICENSE("GPL");
