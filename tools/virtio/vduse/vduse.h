/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_VDUSE_H
#define TOOLS_VIRTIO_VDUSE_H
/*
 * A virtio device that is this program, by the kernel's VDUSE.
 */
#include "storage.h"
#include "transport.h"

/**
 * struct vduse_device - what there is to be
 * @name: of the device
 * @type: of the device, as in the specification
 * @queues: how many it has
 * @size: of each of them
 * @features: what it offers
 * @storage: what it does
 */
struct vduse_device {
	const char *name;
	u32 type;
	unsigned int queues;
	u16 size;
	u64 features;
	const struct storage *storage;
};

/* Be this device: a new one, or one that another process has left. */
void vduse_open(const struct vduse_device *device);

/* From then on, answer what the driver's side asks for, by a thread of its own. */
void vduse_listen(void);

/* The end of a device that no driver has and no process */
void vduse_destroy(const char *name);

/*
 * How it behaves. After a SIGUSR1 the next buffer is served as @misdeed says: see main.c.
 * A status with one of the bits @refused is refused, one of @ignored gets no answer.
 */
struct behaviour {
	const char *misdeed;
	u8 refused;
	u8 ignored;
};

extern struct behaviour behaviour;

/* Serve as @storage does, but for all that */
const struct storage *behave_as(const struct storage *storage);

/* It has lied, and serves nothing any more: who waits for it waits for ever. */
bool behave_has_lied(void);

/* Keep in @file what the process needs that goes on after this one. */
void journal_open(const char *file);
void journal_clear(void);

/* Where a queue goes on that another process served; false if none did */
bool journal_place(unsigned int n, const struct transport_ring *ring, u16 *place);

const struct storage *net_storage(void);

#endif
