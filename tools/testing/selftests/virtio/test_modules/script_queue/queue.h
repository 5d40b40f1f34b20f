/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SCRIPT_QUEUE_H
#define _SCRIPT_QUEUE_H
/*
 * Queues of devices that do what a test tells them to. These are no rings: a
 * buffer is a list of pieces of memory, so that a test sees exactly what the driver
 * added.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

struct piece {
	void *addr;
	u32 len;
	bool mapped;	/* by the driver */
};

/**
 * struct buffer - what the driver added
 * @list: entry in a list of its queue
 * @token: the driver's
 * @ctx: the driver's
 * @out: pieces that the device reads; they come first
 * @in: pieces that the device writes
 * @max: room in @pieces
 * @used_len: what the driver is told that the device wrote
 * @pieces: all of them
 */
struct buffer {
	struct list_head list;
	void *token;
	void *ctx;
	unsigned int out;
	unsigned int in;
	unsigned int max;
	unsigned int used_len;
	struct piece pieces[];
};

/**
 * struct script_queue - a queue
 * @vq: what the driver sees
 * @size: pieces that it has room for
 * @building: between start_buf and end_buf
 * @lock: protects the lists
 * @ended: not yet kicked
 * @offered: the device has not looked at them
 * @held: the device keeps them
 * @used: the driver may take them
 */
struct script_queue {
	struct virtqueue vq;
	unsigned int size;
	struct buffer *building;
	spinlock_t lock;	/* see above */
	struct list_head ended;
	struct list_head offered;
	struct list_head held;
	struct list_head used;
};

static inline struct script_queue *to_queue(const struct virtqueue *vq)
{
	return container_of(vq, struct script_queue, vq);
}

struct script_queue *queue_create(struct virtio_device *vdev,
				  unsigned int index,
				  const struct virtqueue_info *info);
void queue_destroy(struct script_queue *queue);
struct buffer *queue_next(struct script_queue *queue);
struct buffer *queue_held(struct script_queue *queue);
void queue_move(struct script_queue *queue, struct buffer *buf,
		struct list_head *list);

int queue_describe(struct script_queue *queue, char *to, size_t size);

u32 buffer_read(const struct buffer *buf, u32 from, void *to, u32 len);
u32 buffer_write(struct buffer *buf, u32 to, const void *from, u32 len);

/* Work of the device; queues are kicked. Each device has its own. */
extern struct work_struct device_work;

/* Its queue of requests, which the parameters are about */
extern const unsigned int script_request;

/* How many queues it has at most, and how many any has */
extern const unsigned int script_max_queues;
#define SCRIPT_MAX_QUEUES	9

/* Queues that the driver has now */
extern unsigned int script_num_queues;
/* Held while queues go, and by tests that use one */
extern struct mutex script_lock;
extern u8 script_status;

struct script_queue *script_queue(unsigned int index);

/* For struct virtio_config_ops */
void script_set(struct virtio_device *vdev, unsigned int offset,
		const void *buf, unsigned int len);
void script_set_status(struct virtio_device *vdev, u8 status);
void script_synchronize_cbs(struct virtio_device *vdev);
int script_finalize_features(struct virtio_device *vdev);
const char *script_bus_name(struct virtio_device *vdev);
void script_del_vqs(struct virtio_device *vdev);
int script_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
		    struct virtqueue *vqs[], struct virtqueue_info vqs_info[],
		    struct irq_affinity *desc);
void script_release(struct device *dev);

#endif /* _SCRIPT_QUEUE_H */
