// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's queues in debugfs: the file "queues", next to the files about its
 * features.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string_choices.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

static void show_rings(struct seq_file *s, const struct virtio_device *vdev)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} features[] = {
		{ VIRTIO_F_RING_PACKED, "packed" },
		{ VIRTIO_F_IN_ORDER, "in_order" },
		{ VIRTIO_RING_F_INDIRECT_DESC, "indirect" },
		{ VIRTIO_RING_F_EVENT_IDX, "event_idx" },
		{ VIRTIO_F_ACCESS_PLATFORM, "dma" },
	};
	unsigned int i;

	seq_puts(s, "rings:");
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (__virtio_test_bit(vdev, features[i].bit))
			seq_printf(s, " %s", features[i].name);
	seq_putc(s, '\n');
}

static const char *state_of(const struct virtqueue *vq)
{
	if (READ_ONCE(vq->lost))
		return "lost";
	return virtqueue_is_broken(vq) ? "broken" : "works";
}

static void show_state(struct seq_file *s, const struct virtqueue *vq)
{
	struct virtqueue_state state = {};

	if (!vq->ops->inspect)
		return;
	vq->ops->inspect(vq, &state);
	seq_printf(s, "  buffers %u next %04x kicked %04x taken %04x%s callbacks %s\n",
		   state.buffers, state.next, state.kicked, state.taken,
		   state.used ? " used" : "", str_on_off(state.callbacks));
	if (state.tables)
		seq_printf(s, "  tables %u of pools in use %u\n", state.tables,
			   state.pool_taken);
	if (state.bad_lens)
		seq_printf(s, "  used lengths cut %u\n", state.bad_lens);
}

static void show_queue(struct seq_file *s, const struct virtqueue *vq)
{
	unsigned int size = virtqueue_get_vring_size(vq);
	/* The driver goes on meanwhile: it was so a moment ago. */
	unsigned int free = data_race(vq->num_free);
	const char *why = READ_ONCE(vq->why);

	seq_printf(s, "%u %s: size %u used %u %s\n", vq->index, vq->name, size,
		   size - min(size, free), state_of(vq));
	if (why)
		seq_printf(s, "  broken: %s\n", why);
	show_state(s, vq);
}

static int virtqueue_debug_show(struct seq_file *s, void *data)
{
	struct virtio_device *vdev = s->private;
	struct virtqueue *vq;

	/* No queue goes away while the lock is held. */
	spin_lock(&vdev->vqs_list_lock);
	if (!list_empty(&vdev->vqs))
		show_rings(s, vdev);
	list_for_each_entry(vq, &vdev->vqs, list)
		show_queue(s, vq);
	spin_unlock(&vdev->vqs_list_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(virtqueue_debug);

/**
 * virtqueue_debug_init - show the queues of a device in debugfs
 * @vdev: the device, whose directory is there
 *
 * The file goes with the directory.
 */
void virtqueue_debug_init(struct virtio_device *vdev)
{
	debugfs_create_file("queues", 0400, vdev->debugfs_dir, vdev,
			    &virtqueue_debug_fops);
}
EXPORT_SYMBOL_GPL(virtqueue_debug_init);
