/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_STORAGE_H
#define TOOLS_VIRTIO_STORAGE_H
/*
 * Devices that keep sectors in the memory of this program.
 */
#include "device.h"

#define SECTOR		512
#define REQUEST_QUEUES	2
#define SEG_MAX		126
#define FEATURE(n)	(1ULL << (n))

/**
 * struct storage - a kind of device
 * @features: what it offers, besides features of rings
 * @config: its configuration
 * @config_size: bytes of it
 * @idle_queue: this queue's buffers are not served by themselves; -1: there is none
 * @serve: do what a buffer asks for; how many bytes of it were written
 */
struct storage {
	u64 features;
	const void *config;
	size_t config_size;
	int idle_queue;
	u32 (*serve)(const struct device_queue *dq, unsigned int queue,
		     const struct device_buf *buf);
};

/* @file in memory, of @size bytes; made if it is not there. @how: O_TRUNC, or 0 to keep it. */
void *map_file(const char *file, u64 size, int how);

/*
 * The disk of all devices, and how many bytes it has. One that keeps nothing moves no data,
 * so that it takes no longer than the rings do. One in a file is there for the next process.
 */
void disk_make(u64 size, bool keep);
void disk_in_file(const char *file, u64 size);
u64 disk_size(void);

/*
 * @len bytes of the disk from @sector on, to or from a buffer's part, which starts with
 * @at bytes of something else. False if the disk has no such bytes.
 */
bool disk_read(const struct device_queue *dq, const struct device_buf *buf, u64 at, u64 sector,
	       u64 len);
bool disk_write(const struct device_queue *dq, const struct device_buf *buf, u64 at, u64 sector,
		u64 len);

/* Bytes that the device may read */
u64 buf_out_len(const struct device_buf *buf);

/* From the readable part, or to the writable one, from byte @at on. All have to be there. */
void buf_read(const struct device_queue *dq, const struct device_buf *buf, u64 at, void *data,
	      u64 len);
void buf_write(const struct device_queue *dq, const struct device_buf *buf, u64 at,
	       const void *data, u64 len);

/* For a queue that waits until another one has something for it */
struct device_queue *queue_ring(unsigned int n);

/* The driver's interrupt, if it wants one for what was used since the last call */
void queue_interrupt(unsigned int n);

const struct storage *blk_storage(void);
const struct storage *scsi_storage(unsigned int count);

/* Before the front end comes; then serve its queues, for ever. */
void queues_prepare(const struct storage *storage);
void queues_serve(void);

/* Before that: no buffer is taken before the one before it was used. */
void queues_one_by_one(void);

/*
 * Before that, for those who measure: buffers are used in the order in which they came.
 * Kicks, interrupts and the ns that all took are counted in @file.
 * With @poll the device wants no kicks, and looks all the time.
 */
void queues_measure(bool poll, const char *file);

#endif
