// SPDX-License-Identifier: GPL-2.0-only
/*
 * A complete small driver: random bytes of an entropy device (5.4) in
 * /sys/kernel/debug/virtio_sample. Documentation/virtio/write-a-driver.rst walks
 * through it.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#define SAMPLE_BYTES	64

struct sample {
	struct virtqueue *vq;
	struct mutex lock;		/* one request at a time */
	struct completion answered;
	struct dentry *file;
	u8 *bytes;			/* the device writes here */
};

/* In interrupt context. Nobody else uses the queue while a request waits. */
static void sample_callback(struct virtqueue *vq)
{
	struct sample *sample = vq->vdev->priv;

	complete(&sample->answered);
}

static int sample_request(struct sample *sample)
{
	struct virtqueue *vq = sample->vq;
	int err;

	/* No element for the device to read, one for it to write. */
	err = virtqueue_start_buf(vq, 0, 1, sample->bytes, NULL, GFP_KERNEL);
	if (err)
		return err;
	virtqueue_add_ptr(vq, sample->bytes, SAMPLE_BYTES, DMA_FROM_DEVICE);
	err = virtqueue_end_buf(vq);
	if (err)
		return err;

	/* Now the device sees the buffer, and hears of it if it wants to. */
	return virtqueue_kick(vq) ? 0 : -EIO;
}

/* The number of bytes that came, or a negative error */
static ssize_t sample_get(struct sample *sample)
{
	unsigned int len;
	int err;

	reinit_completion(&sample->answered);
	err = sample_request(sample);
	if (err)
		return err;
	while (!virtqueue_get_buf(sample->vq, &len)) {
		if (virtqueue_is_broken(sample->vq))
			return -EIO;
		wait_for_completion(&sample->answered);
	}
	/* Never more than was offered: the core has seen to that. */
	return len;
}

static ssize_t sample_read(struct file *file, char __user *to, size_t count,
			   loff_t *pos)
{
	struct sample *sample = file->private_data;
	ssize_t len;

	mutex_lock(&sample->lock);
	len = sample_get(sample);
	if (len > 0) {
		len = min_t(size_t, len, count);
		if (copy_to_user(to, sample->bytes, len))
			len = -EFAULT;
	}
	mutex_unlock(&sample->lock);
	return len;
}

static const struct file_operations sample_file = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= sample_read,
};

static int sample_probe(struct virtio_device *vdev)
{
	struct sample *sample;

	sample = devm_kzalloc(&vdev->dev, sizeof(*sample), GFP_KERNEL);
	if (!sample)
		return -ENOMEM;
	/* Memory of its own: a device may write to it, so share no cache line. */
	sample->bytes = devm_kzalloc(&vdev->dev, SAMPLE_BYTES, GFP_KERNEL);
	if (!sample->bytes)
		return -ENOMEM;
	mutex_init(&sample->lock);
	init_completion(&sample->answered);
	vdev->priv = sample;

	sample->vq = virtio_find_single_vq(vdev, sample_callback, "requests");
	if (IS_ERR(sample->vq))
		return PTR_ERR(sample->vq);

	/* From here on the device may use the queue. */
	virtio_device_ready(vdev);
	sample->file = debugfs_create_file("virtio_sample", 0400, NULL, sample,
					   &sample_file);
	return 0;
}

static void sample_remove(struct virtio_device *vdev)
{
	struct sample *sample = vdev->priv;

	/* Whoever waits for an answer gets an error; then no reader is left. */
	virtio_break_device(vdev);
	complete(&sample->answered);
	debugfs_remove(sample->file);

	/* After the reset the device is done with all memory. */
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static const struct virtio_device_id sample_ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ 0 }
};
MODULE_DEVICE_TABLE(virtio, sample_ids);

static struct virtio_driver sample_driver = {
	.driver.name	= "virtio_sample",
	.id_table	= sample_ids,
	.probe		= sample_probe,
	.remove		= sample_remove,
};
module_virtio_driver(sample_driver);

MODULE_DESCRIPTION("Sample driver of the virtio documentation");
MODULE_LICENSE("GPL");
