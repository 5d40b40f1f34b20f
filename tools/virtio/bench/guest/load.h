/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H
/* What the loads share: see load.c */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stddef.h>

#define DEVICE		"eth0"
#define PEER		"10.0.0.2"
#define PEER_MAC	"52:54:00:00:00:02"
#define PACKET_BYTES	64

#define INSN(c, d, s, o, i) \
	{ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }

/* load.c */
void die(const char *what);
/*
 * Has @operate do @count operations, after a tenth of them that isn't counted, and
 * returns the ns that each takes.
 */
double measure(void (*operate)(void *what, unsigned int count), void *what,
	       unsigned int count);
int bpf(int command, union bpf_attr *attr);
int load_program(const struct bpf_insn *insns, size_t bytes);
/* Programs are detached at the end of the process. */
void attach_program(const char *device, int program);
/* A program that does @action to each packet */
void attach_action(const char *device, unsigned int action);
struct sockaddr_in address_of(const char *address, unsigned int port);
int open_socket(const char *address, unsigned int port);
/* Have the peer send @count packets of @bytes to the socket @fd. */
void request_burst(int fd, unsigned int bytes, unsigned int count);

/* latency.c: nothing is noted unless it was prepared for @count requests. */
unsigned long long ticks_now(void);
void latency_prepare(unsigned int count);
void latency_restart(void);
void latency_note(unsigned long long started);
void latency_print(void);

/* packets.c */
double run_flood(const char *action, unsigned int count);
double run_answers(const char *address, unsigned int count);

/* stream.c */
double run_stream(const char *address, unsigned int count);
/* Reads what streams bring, one after the other; it does not return. */
void drain_streams(void);

/* rebind.c */
double run_rebind(const char *driver, const char *device, unsigned int count);

/* xsk.c */
double run_xsk(const char *direction, unsigned int bytes, unsigned int count);

/* device.c */
double run_command(unsigned int count);
double run_refill(unsigned int count);
double run_tso(const char *device, unsigned int count);
/* These count no instructions. */
double posted_bytes(const char *device, int xdp);
double packets_in_flight(const char *device);

#endif
