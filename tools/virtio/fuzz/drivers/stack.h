/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_STACK_H
#define TOOLS_VIRTIO_FUZZ_STACK_H
/* What the target does with the network stack. */
#include "net.h"

struct net_device *stack_dev(void);
void stack_up(bool up);
/* A packet with @linear bytes, and @frags fragments of 100 bytes */
void stack_send(unsigned int room, unsigned int linear, unsigned int frags,
		bool more);
/* Polls what is scheduled, once. */
void stack_poll(void);
/* Delayed work is due. */
void stack_time(void);

/**
 * struct stack_seen - what has come up
 * @packets: how many
 * @len: bytes of the last one
 * @ip_summed: what is known of its checksum
 * @hash: its hash
 * @aligned: its header of IP is at a multiple of 4
 * @offloads: headers that were looked at for checksums and segments
 * @linearized: packets that were to be in one piece
 */
extern struct stack_seen {
	unsigned int packets;
	unsigned int len;
	u8 ip_summed;
	u32 hash;
	bool aligned;
	unsigned int offloads;
	unsigned int linearized;
} stack_seen;

/* Each piece of a packet lies just behind the one before it. */
extern bool stack_adjoins;

void *stack_buffer(size_t size);
void stack_buffer_free(const void *p);
void stack_check_end(void);

#endif
