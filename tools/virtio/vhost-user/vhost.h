/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_VHOST_H
#define TOOLS_VIRTIO_VHOST_H
/*
 * Between DPDK's librte_vhost, which speaks with the front end and has the guest's
 * memory, and the queues. DPDK's headers and the kernel's define the same names: what is
 * here needs neither.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct vhost_ring - a queue that the front end has set up
 * @desc: address of the descriptor area in the guest's memory
 * @driver: address of the driver area
 * @device: address of the device area
 * @num: size of the queue
 * @base: where it starts, as in the front end's message
 * @features: what was negotiated
 * @kick: the driver's notifications
 * @call: the device's interrupts
 */
struct vhost_ring {
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	unsigned int num;
	uint16_t base;
	uint64_t features;
	int kick;
	int call;
};

/* Start DPDK; returns how many arguments were its own. */
int vhost_init(int argc, char **argv);

/* Take front ends on the socket @path, by a thread of DPDK's. */
void vhost_listen(const char *path, uint64_t features, const void *config, size_t config_size);

/* Where @len bytes of the guest's memory are, NULL if they are not there in one piece */
void *vhost_memory(uint64_t addr, uint64_t len);

/* DPDK's thread calls these: see queues.c. */
void queue_start(unsigned int n, const struct vhost_ring *ring);
void queue_stop(unsigned int n);
void queues_run(bool run);

/* Where a queue that stands still will go on, as in @base; false if it was never started */
bool queue_place(unsigned int n, uint16_t *place);

/* The front end has left: say what was done, and end. */
void queues_end(void);

#endif
