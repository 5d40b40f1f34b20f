/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H
/* What load.c in the guest and peer.c outside agree on */

/* Packets to this port are dropped. */
#define DISCARD_PORT	9
/* Each packet to this port is answered with others. */
#define BURST_PORT	10

/**
 * struct burst - how a packet to or from BURST_PORT begins
 * @last: no other answer follows
 * @count: how many answers are wanted
 * @bytes: how long the data of each is
 */
struct burst {
	__u8 last;
	__u8 pad[3];
	__be32 count;
	__be32 bytes;
};

#define MAX_BURST	64
#define MAX_BYTES	65507

#endif
