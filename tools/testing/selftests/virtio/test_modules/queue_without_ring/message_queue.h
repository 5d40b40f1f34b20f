/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MESSAGE_QUEUE_H
#define _MESSAGE_QUEUE_H
/*
 * A virtqueue without a ring: a buffer is a message, and messages move from
 * list to list.
 */
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

struct message_segment {
	struct page *page;
	unsigned int offset;
	unsigned int len;
};

/**
 * struct message - a buffer
 * @list: entry in one of the lists of its queue
 * @data: the driver's token
 * @ctx: the driver's context
 * @out: segments that the device reads; they come first
 * @in: segments that the device writes
 * @out_len: bytes in the first
 * @in_len: bytes in the second
 * @used_len: bytes that the device wrote
 * @segments: room for all that the driver announced
 */
struct message {
	struct list_head list;
	void *data;
	void *ctx;
	unsigned int out;
	unsigned int in;
	u32 out_len;
	u32 in_len;
	u32 used_len;
	struct message_segment segments[];
};

/**
 * struct message_queue - the queue
 * @vq: what the driver sees
 * @size: segments that fit
 * @building: between start_buf and end_buf
 * @ended: complete, not yet visible to the device
 * @lock: protects all below; taken with interrupts off, as drivers may call
 *        from any context
 * @offered: the device's
 * @used: executed, not yet taken by the driver
 * @offered_count: messages ever offered, wraps
 * @used_count: messages ever used, wraps
 * @taken_count: messages ever taken, wraps
 * @callback_after: callbacks are wanted when @used_count has passed this
 * @callbacks: callbacks are wanted at all
 * @running: the device may take messages
 * @gone: there is no device any more, or nobody wants to hear of it
 * @breaks: how often the core said that the queue is broken
 * @idle: the device found nothing and wants to be told
 * @execute: the device: executes a message and sets its used_len; may sleep
 * @work: executes messages
 * @interrupt: calls the driver in interrupt context
 */
struct message_queue {
	struct virtqueue vq;
	unsigned int size;
	struct message *building;
	struct list_head ended;

	spinlock_t lock;	/* see above */
	struct list_head offered;
	struct list_head used;
	unsigned int offered_count;
	unsigned int used_count;
	unsigned int taken_count;
	unsigned int callback_after;
	bool callbacks;
	bool running;
	bool gone;
	atomic_t breaks;
	bool idle;

	void (*execute)(struct virtio_device *vdev, struct message *msg);
	struct work_struct work;
	struct irq_work interrupt;
};

static inline struct message_queue *to_mq(const struct virtqueue *vq)
{
	return container_of(vq, struct message_queue, vq);
}

/* For the transport */
struct message_queue *mq_create(struct virtio_device *vdev, unsigned int index,
				unsigned int size,
				const struct virtqueue_info *info,
				void (*execute)(struct virtio_device *vdev,
						struct message *msg));
void mq_destroy(struct message_queue *mq);
void mq_start(struct message_queue *mq);
void mq_stop(struct message_queue *mq);
void mq_lose(struct message_queue *mq);
void mq_synchronize(struct message_queue *mq);

/* For the device */
void message_read(const struct message *msg, u32 from, void *buf, u32 len);
void message_write(struct message *msg, u32 to, const void *buf, u32 len);

/* Faults to inject, see message_queue.c */
extern unsigned int mq_fail_start;
extern unsigned int mq_fail_add;
extern bool mq_reverse;
extern unsigned int mq_lose_notifications;
extern unsigned int mq_lose_calls;

/* The devices, and the driver that tests the contract */
void disk_execute(struct virtio_device *vdev, struct message *msg);
void echo_execute(struct virtio_device *vdev, struct message *msg);
extern struct virtio_driver contract_driver;

struct message_device {
	struct virtio_device vdev;
	u8 status;
	u64 features;
	unsigned int max_queues;
	unsigned int queue_size;
	const void *config;
	size_t config_len;
	void (*execute)(struct virtio_device *vdev, struct message *msg);
	void *memory;
	u64 memory_len;
};

static inline struct message_device *to_device(struct virtio_device *vdev)
{
	return container_of(vdev, struct message_device, vdev);
}

/* Not an ID of any virtio device */
#define VIRTIO_ID_ECHO	0xff01

#endif /* _MESSAGE_QUEUE_H */
