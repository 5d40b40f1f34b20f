/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_MIDLAYER_H
#define TOOLS_VIRTIO_FUZZ_MIDLAYER_H
/* Between the target (hba.c) and its mid-layer (midlayer.c). */
#include "scsi.h"

/* The driver's, made visible by macros of shims.h */
int target_init(void);
void target_exit(void);
extern unsigned int *target_virtscsi_poll_queues;

/* NULL if there is none */
struct Scsi_Host *midlayer_host(void);

/* A new command for some device, NULL if that can't be */
struct scsi_cmnd *midlayer_command(struct scsi_device *sdev);
/* Send it: false if the driver has no room for it now. */
bool midlayer_send(struct scsi_cmnd *sc);
/* The command with a tag, which must be with the driver */
struct scsi_cmnd *midlayer_find(u64 tag);

/* What the mid-layer does by and by */
void midlayer_commit(void);
void midlayer_poll(void);
void midlayer_time_out(void);
void midlayer_work(void);
void midlayer_drain(void);

#endif
