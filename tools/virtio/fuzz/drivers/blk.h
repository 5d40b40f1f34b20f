/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_BLK_H
#define TOOLS_VIRTIO_FUZZ_BLK_H
/* Between the target (blk.c) and its block layer (block.c). */
#include "block.h"

/* The driver's, made visible by macros of shims.h and block.h */
int target_init(void);
void target_exit(void);
extern unsigned int *target_num_request_queues;
extern unsigned int *target_poll_queues;
extern struct device_attribute *target_attr_serial;
extern struct device_attribute *target_attr_cache_type;

/* NULL if there is none */
struct gendisk *block_disk(void);
/* How often the driver has waited for those that dispatch */
unsigned int block_waits(void);

/* The request with a tag, which must be with the driver */
struct request *block_request(unsigned int tag);

/* Send a request: false if the driver has no room for it now. */
bool block_send(struct request *req, bool last);
void block_send_list(struct rq_list *list);
void block_commit(void);
/* The next one that came back to be sent again, NULL if there is none */
struct request *block_requeued(void);

/* What the block layer does with requests that were sent */
void block_poll(void);
void block_poll_all(void);
void block_time_out(void);
void block_complete_remote(void);
void block_drain(void);
bool block_is_idle(void);

/* The target's: looks at the result of a request. */
void blk_request_ended(struct request *req);

#endif
