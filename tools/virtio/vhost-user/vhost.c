// SPDX-License-Identifier: GPL-2.0-only
/*
 * librte_vhost: sockets, messages, and the guest's memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <rte_eal.h>
#include <rte_vhost.h>
#include "transport.h"
#include "vhost.h"

#define GET_CONFIG	24
#define SET_CONFIG	25
#define MAX_CONFIG	256

/* A message of the protocol about the configuration, in the order of its fields */
struct config_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint32_t offset;
	uint32_t len;
	uint32_t config_flags;
	uint8_t bytes[MAX_CONFIG];
} __rte_packed;

static struct {
	uint8_t bytes[MAX_CONFIG];
	size_t size;
} config;

static struct rte_vhost_memory *memory;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "error: librte_vhost: %s\n", what);
	exit(1);
}

void *transport_memory(uint64_t addr, uint64_t len)
{
	uint64_t there = len;
	uint64_t place = rte_vhost_va_from_guest_pa(memory, addr, &there);

	return there == len ? (void *)(uintptr_t)place : NULL;
}

bool transport_interrupt(int call)
{
	return !eventfd_write(call, 1);
}

static struct rte_vhost_memory *memory_of(int vid)
{
	struct rte_vhost_memory *table;

	must(!rte_vhost_get_mem_table(vid, &table), "no table of the guest's memory");
	return table;
}

/* The other way round: DPDK says where rings are in this program. */
static uint64_t guest_address(const struct rte_vhost_memory *table, const void *place)
{
	uint64_t at = (uintptr_t)place;
	uint32_t i;

	for (i = 0; i < table->nregions; i++) {
		const struct rte_vhost_mem_region *region = &table->regions[i];

		if (at >= region->host_user_addr && at - region->host_user_addr < region->size)
			return region->guest_phys_addr + (at - region->host_user_addr);
	}
	must(false, "a ring that is not in the guest's memory");
	return 0;
}

/* For the front end, which may ask, and for the next start */
static void tell_place(int vid, uint16_t n)
{
	uint16_t place;

	if (queue_place(n, &place))
		must(!rte_vhost_set_vring_base(vid, n, place, place), "no place to stop at");
}

static int queue_changed(int vid, uint16_t n, int enable)
{
	struct rte_vhost_memory *table;
	struct rte_vhost_vring vring;
	struct transport_ring ring;
	uint16_t used;

	if (!enable) {
		queue_stop(n);
		tell_place(vid, n);
		return 0;
	}
	must(!rte_vhost_get_vhost_vring(vid, n, &vring), "no ring");
	must(!rte_vhost_get_vring_base(vid, n, &ring.base, &used), "no place to start at");
	must(!rte_vhost_get_negotiated_features(vid, &ring.features), "no features");
	table = memory_of(vid);
	ring.desc = guest_address(table, vring.desc);
	ring.driver = guest_address(table, vring.avail);
	ring.device = guest_address(table, vring.used);
	free(table);
	ring.num = vring.size;
	ring.kick = vring.kickfd;
	ring.call = vring.callfd;
	queue_start(n, &ring);
	return 0;
}

static int device_is_ready(int vid)
{
	memory = memory_of(vid);
	queues_run(true);
	return 0;
}

/* Also while the front end changes what is memory: queues go on afterwards. */
static void device_is_not_ready(int vid)
{
	uint16_t n;

	queues_run(false);
	for (n = 0; n < rte_vhost_get_vring_num(vid); n++)
		tell_place(vid, n);
	free(memory);
	memory = NULL;
}

/*
 * DPDK leaves these messages to devices that aren't network devices. What a SCSI driver
 * writes are the sizes that it was told.
 */
static enum rte_vhost_msg_result answer_config(int vid, void *data)
{
	struct config_message *message = data;

	(void)vid;
	if (message->request == SET_CONFIG)
		return RTE_VHOST_MSG_RESULT_OK;
	if (message->request != GET_CONFIG)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (message->offset > config.size || message->len > config.size - message->offset)
		return RTE_VHOST_MSG_RESULT_ERR;
	memcpy(message->bytes, config.bytes + message->offset, message->len);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static const struct rte_vhost_user_extern_ops message_ops = {
	.pre_msg_handle = answer_config,
};

static int connected(int vid)
{
	return rte_vhost_extern_callback_register(vid, &message_ops, NULL);
}

static void disconnected(int vid)
{
	(void)vid;
	queues_end();
}

static const struct rte_vhost_device_ops device_ops = {
	.new_connection = connected,
	.destroy_connection = disconnected,
	.new_device = device_is_ready,
	.destroy_device = device_is_not_ready,
	.vring_state_changed = queue_changed,
};

int vhost_init(int argc, char **argv)
{
	int taken = rte_eal_init(argc, argv);

	must(taken >= 0, "DPDK does not start");
	return taken;
}

void vhost_listen(const char *path, uint64_t features, const void *bytes, size_t size)
{
	uint64_t protocol;

	must(size <= MAX_CONFIG, "a configuration that is too large");
	memcpy(config.bytes, bytes, size);
	config.size = size;
	must(!rte_vhost_driver_register(path, 0), "no socket");
	features |= 1ULL << VHOST_USER_F_PROTOCOL_FEATURES;
	must(!rte_vhost_driver_set_features(path, features), "no features");
	must(!rte_vhost_driver_get_protocol_features(path, &protocol), "no protocol");
	protocol |= 1ULL << VHOST_USER_PROTOCOL_F_CONFIG;
	/* QEMU 7.2 never says that the driver of a SCSI host is ready, and DPDK would wait. */
	protocol &= ~(1ULL << VHOST_USER_PROTOCOL_F_STATUS);
	must(!rte_vhost_driver_set_protocol_features(path, protocol), "no configuration");
	must(!rte_vhost_driver_callback_register(path, &device_ops), "no callbacks");
	must(!rte_vhost_driver_start(path), "nobody listens");
}
