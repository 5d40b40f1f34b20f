/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H
/* What load.c in the guest and peer.c outside agree on */

/* Packets to this port are dropped. */
#define DISCARD_PORT	9
/* Each packet to this port is answered with that many of the same size. */
#define BURST_PORT	10
#define BURST		64

#endif
