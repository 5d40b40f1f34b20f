/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _NET_SCRIPT_H
#define _NET_SCRIPT_H
/* A network device that does what a test tells it to, right or wrong. */
#include "queue.h"

#define SCRIPT_PAIRS	4
#define SCRIPT_QUEUES	(2 * SCRIPT_PAIRS + 1)
/* The send queue of the first pair */
#define SCRIPT_REQUEST	1

extern struct virtio_device script_vdev;
void script_announced(void);

/* What is sent, and received */
void nic_sent(struct script_queue *queue, struct buffer *buf);
/* What was held goes back, unless it is to be held on. */
void nic_release(struct script_queue *queue);

/* Commands */
void control_execute(struct script_queue *queue, struct buffer *buf);
void control_answer_late(struct script_queue *queue);

/* What the driver does to the network's side of the kernel */
int watch_start(void);
void watch_stop(void);
void watch_queues(void);

#endif /* _NET_SCRIPT_H */
