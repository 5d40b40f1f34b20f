/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_HOST_H
#define TOOLS_VIRTIO_FUZZ_HOST_H
/*
 * A transport and the device behind it. The rings are right unless the device
 * breaks a queue on purpose: fuzz.c is for rings. What the device says through
 * them, and in its configuration, is up to the input.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "device.h"
#include "../fuzz.h"

#define HOST_MAX_QUEUES	8
#define HOST_MAX_HELD	64

/**
 * struct host_queue - a queue, seen by the device
 * @vq: the driver's side
 * @dq: the ring
 * @held: buffers that the device has
 * @count: how many these are
 * @notified: how often the driver told the device of buffers
 * @spoilt: the device broke a rule of the ring, and looks no more
 */
struct host_queue {
	struct virtqueue *vq;
	struct device_queue dq;
	struct device_buf held[HOST_MAX_HELD];
	unsigned int count;
	unsigned int notified;
	bool spoilt;
};

/**
 * struct host - a device
 * @vdev: the device on the virtio bus
 * @parent: the device that does the DMA
 * @config: the configuration
 * @written: what the driver wrote there
 * @config_size: its size
 * @flux: the configuration changes while it is read
 * @stuck_generation: so often more, it changes for good
 * @bound: the bus hands changes of the configuration on: not while the driver is
 *         bound, unbound, suspended or resumed
 * @may_shrink: queues may be smaller than they were before the device was reset
 * @gone: the device was pulled out
 * @needs_reset: the device wants to be reset, and is happy then
 * @checked: the driver had the bus look, which will have the device reset
 * @on_wait: what the device does when the driver sleeps, if not up to the input
 * @status: the device status
 * @queue_size: size of all queues
 * @queues: the queues
 * @num_queues: how many there are
 * @notified: how often the driver told the device of buffers
 * @resets: how often it was reset
 */
struct host {
	struct virtio_device vdev;
	struct device parent;
	u8 config[256];
	u8 written[256];
	unsigned int config_size;
	bool flux;
	unsigned int stuck_generation;
	bool bound;
	bool may_shrink;
	bool gone;
	bool needs_reset;
	bool checked;
	void (*on_wait)(void);
	u8 status;
	unsigned int queue_size;
	struct host_queue queues[HOST_MAX_QUEUES];
	unsigned int num_queues;
	unsigned int notified;
	unsigned int resets;
};

extern struct host host;

/* The driver's, registered by it or by the module's macro */
extern struct virtio_driver *target_driver;

/*
 * A device with some of the driver's features and a configuration of @size bytes,
 * which is @config, except for what the input changes.
 */
void host_create(const void *config, unsigned int size);
/* Changes some of the configuration. */
void host_spoil_config(void);

/* The device does the next thing: interrupts too, so no lock may be held. */
void host_act(void);
/* The device takes the next buffer, gives its Nth one back, interrupts. */
bool host_take(unsigned int queue);
void host_give(unsigned int queue, unsigned int n);
void host_interrupt(unsigned int queue);
/* It takes all that there is, and gives it back in the order in which it came. */
void host_use_all(unsigned int queue);
/* For @on_wait: the driver waits in vain. */
void host_do_nothing(void);
/* The driver sleeps: the device acts. */
void host_wait(void);
/* The device answers all there is, and interrupts. */
void host_finish(void);
/*
 * Where the device wrote, which it may change again within the next calls, and what
 * target_changed() is to be told then.
 */
void host_remember(void *start, size_t size, void *owner);
void host_forget(void);

/* Has the device broken a rule of a ring? */
bool host_is_spoilt(void);

/* The target's: registers the driver, and creates the device. */
void target_load(void);
/* The target's: does what the input says with the driver. */
void target_step(u8 op);
void target_unload(void);

/*
 * The target's: writes the answer to a buffer, returns the bytes written. With
 * @fair the input is not asked.
 */
u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair);
/* The target's: learns that the device changed a byte once more. */
void target_changed(void *owner, u8 *p);

/* Memory for the device to read or write at an element */
void *host_elem(unsigned int queue, const struct device_elem *elem);

#endif
