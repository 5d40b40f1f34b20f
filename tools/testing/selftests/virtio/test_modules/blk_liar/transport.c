// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings the lying disk: each write of a list of words to the parameter "device"
 * removes the disk that is there and makes another one. The words are
 *
 *	features=MASK		bits 0 to 23 of the features
 *	ring=N			elements that a queue holds
 *	early=1			the first queue breaks before the disk is there
 *	FIELD=VALUE		of struct virtio_blk_config, see below
 *
 * An empty list makes no other one. "lost" is for a disk that is pulled out;
 * "status_bits=255" is what its registers read as then.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "liar.h"

#define AT(name)	offsetof(struct virtio_blk_config, name)

static const struct {
	const char *name;
	unsigned int offset;
	unsigned int size;
} fields[] = {
	{ "capacity", AT(capacity), 8 },
	{ "size_max", AT(size_max), 4 },
	{ "seg_max", AT(seg_max), 4 },
	{ "blk_size", AT(blk_size), 4 },
	{ "geometry.cylinders", AT(geometry.cylinders), 2 },
	{ "geometry.heads", AT(geometry.heads), 1 },
	{ "geometry.sectors", AT(geometry.sectors), 1 },
	{ "physical_block_exp", AT(physical_block_exp), 1 },
	{ "alignment_offset", AT(alignment_offset), 1 },
	{ "min_io_size", AT(min_io_size), 2 },
	{ "opt_io_size", AT(opt_io_size), 4 },
	{ "wce", AT(wce), 1 },
	{ "num_queues", AT(num_queues), 2 },
	{ "max_discard_sectors", AT(max_discard_sectors), 4 },
	{ "max_discard_seg", AT(max_discard_seg), 4 },
	{ "discard_sector_alignment", AT(discard_sector_alignment), 4 },
	{ "max_write_zeroes_sectors", AT(max_write_zeroes_sectors), 4 },
	{ "max_write_zeroes_seg", AT(max_write_zeroes_seg), 4 },
	{ "max_secure_erase_sectors", AT(max_secure_erase_sectors), 4 },
	{ "max_secure_erase_seg", AT(max_secure_erase_seg), 4 },
	{ "secure_erase_sector_alignment", AT(secure_erase_sector_alignment), 4 },
	{ "zoned.zone_sectors", AT(zoned.zone_sectors), 4 },
	{ "zoned.max_open_zones", AT(zoned.max_open_zones), 4 },
	{ "zoned.max_active_zones", AT(zoned.max_active_zones), 4 },
	{ "zoned.max_append_sectors", AT(zoned.max_append_sectors), 4 },
	{ "zoned.write_granularity", AT(zoned.write_granularity), 4 },
	{ "zoned.model", AT(zoned.model), 1 },
};

static struct device *parent;
static struct message_device *disk;
static unsigned int ring;
static bool early;
static u8 wce;

/* The driver has its queues, and reads on to make its disk. */
static void liar_break_early(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	early = false;
	vq = list_first_entry(&vdev->vqs, struct virtqueue, list);
	__virtqueue_break(vq);
	vq->callback(vq);
}

static void liar_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		     unsigned int len)
{
	if (early && offset == AT(blk_size))
		liar_break_early(vdev);
	memcpy(buf, to_device(vdev)->config + offset, len);
}

static void liar_set(struct virtio_device *vdev, unsigned int offset,
		     const void *buf, unsigned int len)
{
	memcpy((void *)to_device(vdev)->config + offset, buf, len);
}

static u8 liar_set_bits;
module_param_named(status_bits, liar_set_bits, byte, 0644);
MODULE_PARM_DESC(status_bits, "bits that are set in the device status, whatever was written");

module_param_named(fail_add, mq_fail_add, uint, 0644);
MODULE_PARM_DESC(fail_add, "there is no memory for every Nth element (0: there is)");

module_param_named(lose_notifications, mq_lose_notifications, uint, 0644);
MODULE_PARM_DESC(lose_notifications, "so many notifications do not arrive");

module_param_named(lose_interrupts, mq_lose_calls, uint, 0644);
MODULE_PARM_DESC(lose_interrupts, "so many interrupts do not arrive");

/* Not after a reset: the bus has to see that it was done. */
static u8 liar_get_status(struct virtio_device *vdev)
{
	u8 status = to_device(vdev)->status;

	return status ? status | liar_set_bits : 0;
}

static void liar_set_status(struct virtio_device *vdev, u8 status)
{
	bool start = status & ~to_device(vdev)->status &
		     VIRTIO_CONFIG_S_DRIVER_OK;
	struct virtqueue *vq;

	to_device(vdev)->status = status;
	if (start)
		virtio_device_for_each_vq(vdev, vq)
			mq_start(to_mq(vq));
}

static void liar_reset(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	/* Ends the silence, too. */
	WRITE_ONCE(to_device(vdev)->status, 0);
	virtio_device_for_each_vq(vdev, vq)
		mq_stop(to_mq(vq));
	liar_silent = false;
	liar_set_bits = 0;
	liar_set(vdev, AT(wce), &wce, sizeof(wce));
}

static void liar_synchronize(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(vdev, vq)
		mq_synchronize(to_mq(vq));
}

static u64 liar_features(struct virtio_device *vdev)
{
	return to_device(vdev)->features;
}

static int liar_finalize(struct virtio_device *vdev)
{
	return 0;
}

static void liar_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		mq_destroy(to_mq(vq));
}

static bool liar_is_gone(void)
{
	return READ_ONCE(liar_set_bits) == 255;
}

/*
 * What a silent device has taken it keeps, until it speaks again or is reset. One
 * that is gone writes nowhere.
 */
static void liar_take(struct virtio_device *vdev, struct message *msg)
{
	while (READ_ONCE(liar_silent) && READ_ONCE(to_device(vdev)->status) &&
	       !liar_is_gone())
		msleep(20);
	if (!liar_is_gone())
		liar_execute(vdev, msg);
}

static int liar_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			 struct virtqueue *vqs[],
			 struct virtqueue_info vqs_info[],
			 struct irq_affinity *desc)
{
	struct message_queue *mq;
	unsigned int i;

	for (i = 0; i < nvqs; i++) {
		mq = mq_create(vdev, i, ring, &vqs_info[i], liar_take);
		if (!mq) {
			liar_del_vqs(vdev);
			return -ENOMEM;
		}
		vqs[i] = &mq->vq;
	}
	return 0;
}

static const struct virtio_config_ops liar_ops = {
	.get			= liar_get,
	.set			= liar_set,
	.get_status		= liar_get_status,
	.set_status		= liar_set_status,
	.reset			= liar_reset,
	.find_vqs		= liar_find_vqs,
	.del_vqs		= liar_del_vqs,
	.synchronize_cbs	= liar_synchronize,
	.get_features		= liar_features,
	.finalize_features	= liar_finalize,
};

static void liar_release(struct device *d)
{
	struct message_device *dev = to_device(dev_to_virtio(d));

	vfree(dev->memory);
	kfree(dev->config);
	kfree(dev);
}

/* Every machine that runs this stores the low bytes first. */
static int liar_set_field(struct message_device *dev, const char *name, u64 value)
{
	unsigned int i;

	if (!strcmp(name, "features")) {
		dev->features = BIT_ULL(VIRTIO_F_VERSION_1) | (value & 0xffffff);
		return 0;
	}
	if (!strcmp(name, "ring")) {
		ring = value;
		return 0;
	}
	if (!strcmp(name, "early")) {
		early = value;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(name, fields[i].name))
			continue;
		memcpy((void *)dev->config + fields[i].offset, &value,
		       fields[i].size);
		return 0;
	}
	return -EINVAL;
}

static int liar_parse(struct message_device *dev, char *words)
{
	char *word, *name;
	u64 value;
	int err = 0;

	while (!err && (word = strsep(&words, " "))) {
		if (!*word)
			continue;
		name = strsep(&word, "=");
		err = word ? kstrtou64(word, 0, &value) : -EINVAL;
		if (!err)
			err = liar_set_field(dev, name, value);
	}
	return err;
}

static struct message_device *liar_create(const char *value)
{
	struct message_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	char *words = kstrdup(value, GFP_KERNEL);
	struct virtio_blk_config *config;
	int err = -ENOMEM;

	if (!dev || !words)
		goto free;
	config = kzalloc(sizeof(*config), GFP_KERNEL);
	dev->config = config;
	dev->memory = vzalloc(LIAR_CAPACITY * SECTOR_SIZE);
	if (!config || !dev->memory)
		goto free;

	ring = 64;
	early = false;
	liar_set_field(dev, "features", 0);
	liar_set_field(dev, "capacity", LIAR_CAPACITY);
	err = liar_parse(dev, strim(words));
	if (err)
		goto free;
	kfree(words);
	wce = config->wce;
	dev->vdev.dev.parent = parent;
	dev->vdev.dev.release = liar_release;
	dev->vdev.config = &liar_ops;
	dev->vdev.id.device = VIRTIO_ID_BLOCK;
	dev->vdev.id.vendor = VIRTIO_DEV_ANY_ID;
	return dev;

free:
	if (dev) {
		vfree(dev->memory);
		kfree(dev->config);
	}
	kfree(words);
	kfree(dev);
	return ERR_PTR(err);
}

static int device_set(const char *value, const struct kernel_param *kp)
{
	struct message_device *dev;
	int err;

	if (!parent)
		return -EAGAIN;
	if (disk)
		unregister_virtio_device(&disk->vdev);
	disk = NULL;
	WRITE_ONCE(liar_set_bits, 0);
	if (sysfs_streq(value, ""))
		return 0;

	dev = liar_create(value);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	liar_start();
	err = register_virtio_device(&dev->vdev);
	if (err) {
		put_device(&dev->vdev.dev);
		return err;
	}
	disk = dev;
	return 0;
}

static const struct kernel_param_ops device_ops = { .set = device_set };
module_param_cb(device, &device_ops, NULL, 0200);
MODULE_PARM_DESC(device, "remove the disk, and make another one");

static int lost_set(const char *value, const struct kernel_param *kp)
{
	struct virtqueue *vq;

	if (!disk)
		return -ENODEV;
	virtio_device_for_each_vq(&disk->vdev, vq)
		mq_lose(to_mq(vq));
	if (sysfs_streq(value, "told"))
		virtio_break_device(&disk->vdev);
	return 0;
}

static const struct kernel_param_ops lost_ops = { .set = lost_set };
module_param_cb(lost, &lost_ops, NULL, 0200);
MODULE_PARM_DESC(lost, "pull the disk out; 'told': and mark its queues broken");

static int change_set(const char *value, const struct kernel_param *kp)
{
	char *words;
	int err;

	if (!disk)
		return -ENODEV;
	words = kstrdup(value, GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	err = liar_parse(disk, strim(words));
	kfree(words);
	virtio_config_changed(&disk->vdev);
	return err;
}

static const struct kernel_param_ops change_ops = { .set = change_set };
module_param_cb(change, &change_ops, NULL, 0200);
MODULE_PARM_DESC(change, "change fields of the configuration, and say so");

static int resume_set(const char *value, const struct kernel_param *kp)
{
	int err;

	if (!disk)
		return -ENODEV;
	err = virtio_device_freeze(&disk->vdev) ?: kstrtouint(value, 0, &ring);
	return err ?: virtio_device_restore(&disk->vdev);
}

static const struct kernel_param_ops resume_ops = { .set = resume_set };
module_param_cb(resume, &resume_ops, NULL, 0200);
MODULE_PARM_DESC(resume, "suspend and resume: queues hold so many elements then");

/*
 * What user space has no call for: appending to a zone, and erasing places that
 * are next to each other at once.
 */

static int append_to(struct block_device *bdev, u64 sector)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct bio_vec bvec;
	struct bio bio;
	int err;

	if (!page)
		return -ENOMEM;
	bio_init(&bio, bdev, &bvec, 1, REQ_OP_ZONE_APPEND | REQ_SYNC);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, page, PAGE_SIZE, 0);
	err = submit_bio_wait(&bio);
	pr_info("blk_liar: appended at %llu: %d\n",
		(u64)bio.bi_iter.bi_sector, err);
	bio_uninit(&bio);
	__free_page(page);
	return err;
}

/* Four pages. The plug lets the block layer merge them. */
static int erase_at(struct block_device *bdev, u64 sector)
{
	struct bio *bio = NULL;
	struct blk_plug plug;
	int i, err;

	blk_start_plug(&plug);
	for (i = 0; i < 4; i++) {
		bio = blk_next_bio(bio, bdev, 0, REQ_OP_SECURE_ERASE, GFP_KERNEL);
		bio->bi_iter.bi_sector = sector + i * PAGE_SECTORS;
		bio->bi_iter.bi_size = PAGE_SIZE;
	}
	err = submit_bio_wait(bio);
	blk_finish_plug(&plug);
	bio_put(bio);
	return err;
}

/* The value is "/dev/NAME SECTOR". */
static int do_at(const char *value,
		 int (*what)(struct block_device *bdev, u64 sector))
{
	char path[16];
	struct file *file;
	u64 sector;
	int err;

	if (sscanf(value, "%15s %llu", path, &sector) != 2)
		return -EINVAL;
	file = bdev_file_open_by_path(path, BLK_OPEN_WRITE, NULL, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = what(file_bdev(file), sector);
	fput(file);
	return err;
}

static int append_at_set(const char *value, const struct kernel_param *kp)
{
	return do_at(value, append_to);
}

static const struct kernel_param_ops append_at_ops = { .set = append_at_set };
module_param_cb(append_at, &append_at_ops, NULL, 0200);
MODULE_PARM_DESC(append_at, "'/dev/NAME SECTOR': append a page to the zone that begins there");

static int erase_at_set(const char *value, const struct kernel_param *kp)
{
	return do_at(value, erase_at);
}

static const struct kernel_param_ops erase_at_ops = { .set = erase_at_set };
module_param_cb(erase_at, &erase_at_ops, NULL, 0200);
MODULE_PARM_DESC(erase_at, "'/dev/NAME SECTOR': erase four pages from there, plugged");

static int __init liar_init(void)
{
	parent = root_device_register("blk-liar");
	if (!IS_ERR(parent))
		return 0;
	return PTR_ERR(parent);
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	if (disk)
		unregister_virtio_device(&disk->vdev);
	root_device_unregister(parent);
}
module_exit(liar_exit);

MODULE_DESCRIPTION("A virtio disk that lies, to test the block driver");
MODULE_LICENSE("GPL");
