/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SCSI_SCRIPT_H
#define _SCSI_SCRIPT_H
/* A SCSI device that does what a test tells it to, right or wrong. */
#include "queue.h"

void target_execute(struct script_queue *queue, struct buffer *buf);
void target_release(void);
void target_answer_late(void);
int target_init(void);
void target_exit(void);

#define SCRIPT_CTRL	0
#define SCRIPT_EVENT	1
#define SCRIPT_REQUEST	2
#define SCRIPT_QUEUES	3
extern struct virtio_device script_vdev;
extern uint script_pi;	/* type of protection, or 0 */

#endif /* _SCSI_SCRIPT_H */
