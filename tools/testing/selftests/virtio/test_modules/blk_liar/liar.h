/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LIAR_H
#define _LIAR_H
#include <linux/virtio_blk.h>
#include "message_queue.h"

/* What the device says that is not true; written while it runs. */
extern int liar_status;
extern bool liar_silent;
extern bool liar_speechless;
extern int liar_append;
extern char *liar_zone;

/* Zones of 1 MiB; the first one is conventional */
#define LIAR_ZONE	2048
#define LIAR_ZONES	8
#define LIAR_CAPACITY	(LIAR_ZONE * LIAR_ZONES)

void liar_start(void);
void liar_execute(struct virtio_device *vdev, struct message *msg);

#endif /* _LIAR_H */
