/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_TRANSPORT_H
#define TOOLS_VIRTIO_TRANSPORT_H
/*
 * Between what brings the driver's queues and memory, and the queues. DPDK's headers and
 * the kernel's define the same names: what is here needs neither.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A device has no more. */
#define MAX_QUEUES	8

/**
 * struct transport_ring - a queue that the driver has set up
 * @desc: address of the descriptor area in the driver's memory
 * @driver: address of the driver area
 * @device: address of the device area
 * @num: size of the queue
 * @base: where it starts: an index, or offset and wrap counter; all before that is used
 * @features: what was negotiated
 * @kick: the driver's notifications
 * @call: for the transport: whom to interrupt
 */
struct transport_ring {
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	unsigned int num;
	uint16_t base;
	uint64_t features;
	int kick;
	int call;
};

/* Where @len bytes of the driver's memory are, NULL if they are not there in one piece */
void *transport_memory(uint64_t addr, uint64_t len);

/* Interrupt the driver of a queue, whose @call this is; false if there is none. */
bool transport_interrupt(int call);

/* The transport's thread calls these: see queues.c. */
void queue_start(unsigned int n, const struct transport_ring *ring);
void queue_stop(unsigned int n);
void queues_run(bool run);

/* Stops it too; it will start as a new one */
void queue_reset(unsigned int n);

/* Where a queue that stands still will go on, as in @base; false if it was never started */
bool queue_place(unsigned int n, uint16_t *place);

/* The front end has left: say what was done, and end. */
void queues_end(void);

#endif
