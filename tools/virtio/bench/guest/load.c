// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest does while its instructions are counted.
 *
 * load read DEVICE,... BYTES DEPTH COUNT	random direct reads, in turn
 * load sequential DEVICE,... BYTES DEPTH COUNT	the same, from the start of the disk on
 * load burst DEVICE,... BYTES DEPTH COUNT	random by DEPTH, each time from idle
 * load send ADDRESS COUNT		UDP packets of 64 bytes
 * load receive ADDRESS BYTES COUNT	the same of any length, as peer.c sends them
 * load xdp ACTION BYTES COUNT		the same, but a program does ACTION to them
 * load pktgen BURST BYTES COUNT	packets from the kernel's generator
 * load flood pass|drop|tx COUNT	packets that come all the time, and what becomes of them
 * load answers ADDRESS COUNT		UDP packets of 64 bytes, which are sent back, in turn
 * load xsk send|receive BYTES COUNT	by an AF_XDP socket
 * load xsk busy-send|busy-receive BYTES COUNT
 *					by one that never sleeps, and packets come all the time
 * load stream ADDRESS COUNT		writes of 64 KiB to "load drain", by TCP
 * load tso DEVICE COUNT		TCP segments of 64 KiB
 * load command COUNT			commands to the device
 * load refill COUNT			receive buffers, posted and taken back
 * load rebind DRIVER DEVICE COUNT	the driver lets go of the device and takes it again
 *
 * A tenth of it runs first and isn't counted. Prints ns for each operation; COUNT is
 * a multiple of 640 then. After "percentiles" reads and answers print as well how
 * long it took from a request to its answer: p50, p99 and p99.9.
 *
 * load posted DEVICE plain|xdp		bytes of memory for each receive buffer
 * load flight DEVICE			packets on their way when a ring is full
 * load drain				reads streams until it is killed
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "load.h"
#include "peer.h"

#define PAGE 4096
#define MAX_DEPTH 256
#define MAX_DISKS 16

/* The marks that the plugin looks for */
static inline void mark_start(void)
{
	asm volatile("nopl 0x56495230(%rax)");
}

static inline void mark_stop(void)
{
	asm volatile("nopl 0x56495231(%rax)");
}

void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

double measure(void (*operate)(void *what, unsigned int count), void *what,
	       unsigned int count)
{
	double start;

	operate(what, count / 10);
	start = now_ns();
	mark_start();
	operate(what, count);
	mark_stop();
	return (now_ns() - start) / count;
}

struct disks {
	int fd[MAX_DISKS];
	unsigned int count;
	unsigned int next;
	size_t bytes;
	unsigned long long blocks;
	unsigned int depth;
	aio_context_t context;
	struct iocb iocb[MAX_DEPTH];
	char *memory;
	unsigned int random;
	int sequential;
	unsigned long long started[MAX_DEPTH];
};

static off_t next_offset(struct disks *disks)
{
	if (disks->sequential)
		return disks->random++ % disks->blocks * disks->bytes;
	disks->random = disks->random * 1664525 + 1013904223;
	return (disks->random >> 8) % disks->blocks * disks->bytes;
}

static int next_disk(struct disks *disks)
{
	return disks->fd[disks->next++ % disks->count];
}

static void open_disk(struct disks *disks, const char *name)
{
	unsigned long long size;
	int fd = open(name, O_RDONLY | O_DIRECT);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		die(name);
	disks->blocks = size / disks->bytes;
	disks->fd[disks->count++] = fd;
}

/*
 * The same page again and again: no page is behind its neighbour in physical
 * memory, so each is a segment of its own, on each run.
 */
static char *scattered_memory(size_t bytes)
{
	int fd = open("/dev/shm/bench", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *memory = mmap(NULL, bytes, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (fd < 0 || ftruncate(fd, PAGE) || memory == MAP_FAILED)
		die("memory");
	for (i = 0; i < bytes; i += PAGE)
		if (mmap(memory + i, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		    MAP_FAILED)
			die("mmap");
	close(fd);
	return memory;
}

static void open_disks(struct disks *disks, char *names, size_t bytes,
		       unsigned int depth)
{
	char *name;

	disks->bytes = bytes;
	disks->depth = depth;
	for (name = strtok(names, ","); name && disks->count < MAX_DISKS;
	     name = strtok(NULL, ","))
		open_disk(disks, name);
	disks->memory = scattered_memory(bytes * depth);
	if (syscall(SYS_io_setup, depth, &disks->context))
		die("io_setup");
}

static void read_one_by_one(struct disks *disks, unsigned int count)
{
	while (count--) {
		disks->started[0] = ticks_now();
		if (pread(next_disk(disks), disks->memory, disks->bytes,
			  next_offset(disks)) != (ssize_t)disks->bytes)
			die("pread");
		latency_note(disks->started[0]);
	}
}

static void submit(struct disks *disks, struct iocb **iocbs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		iocbs[i]->aio_offset = next_offset(disks);
		disks->started[iocbs[i] - disks->iocb] = ticks_now();
	}
	if (syscall(SYS_io_submit, disks->context, n, iocbs) != n)
		die("io_submit");
}

/* Sets @iocbs to what has ended, and may be submitted again. */
static void take_events(const struct disks *disks, const struct io_event *events,
			struct iocb **iocbs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (events[i].res != (long)disks->bytes)
			die("read");
		iocbs[i] = (struct iocb *)events[i].data;
		latency_note(disks->started[iocbs[i] - disks->iocb]);
	}
}

static void prepare(struct disks *disks, struct iocb **iocbs)
{
	unsigned int i;

	for (i = 0; i < disks->depth; i++) {
		disks->iocb[i] = (struct iocb) {
			.aio_fildes = next_disk(disks),
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_buf = (unsigned long)disks->memory + i * disks->bytes,
			.aio_nbytes = disks->bytes,
			.aio_data = (unsigned long)&disks->iocb[i],
		};
		iocbs[i] = &disks->iocb[i];
	}
}

static void read_many(struct disks *disks, unsigned int count)
{
	struct iocb *iocbs[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	unsigned int done = 0, started = disks->depth;
	int n;

	prepare(disks, iocbs);
	submit(disks, iocbs, disks->depth);
	while (done < count) {
		n = syscall(SYS_io_getevents, disks->context, 1, disks->depth,
			    events, NULL);
		if (n < 1)
			die("io_getevents");
		done += n;
		take_events(disks, events, iocbs, n);
		if (started + n > count)
			n = started < count ? count - started : 0;
		if (n)
			submit(disks, iocbs, n);
		started += n;
	}
}

/* Each burst begins with idle disks. */
static void read_bursts(void *what, unsigned int count)
{
	struct iocb *iocbs[MAX_DEPTH];
	struct io_event events[MAX_DEPTH];
	struct disks *disks = what;
	unsigned int n;

	latency_restart();
	prepare(disks, iocbs);
	for (; count; count -= n) {
		n = count < disks->depth ? count : disks->depth;
		submit(disks, iocbs, n);
		if (syscall(SYS_io_getevents, disks->context, n, n, events,
			    NULL) != n)
			die("io_getevents");
		take_events(disks, events, iocbs, n);
	}
}

static void read_disks(void *what, unsigned int count)
{
	struct disks *disks = what;

	latency_restart();
	if (disks->depth == 1)
		read_one_by_one(disks, count);
	else
		read_many(disks, count);
}

struct sockaddr_in address_of(const char *address, unsigned int port)
{
	return (struct sockaddr_in) {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = inet_addr(address),
	};
}

int open_socket(const char *address, unsigned int port)
{
	struct sockaddr_in to = address_of(address, port);
	struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 64 << 20;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		die(address);
	return fd;
}

static void send_packets(void *what, unsigned int count)
{
	char packet[PACKET_BYTES] = "";
	int *fd = what;

	while (count--)
		if (send(*fd, packet, sizeof(packet), 0) < 0)
			die("send");
}

static double run_send(const char *address, unsigned int count)
{
	int fd = open_socket(address, DISCARD_PORT);

	return measure(send_packets, &fd, count);
}

void request_burst(int fd, unsigned int bytes, unsigned int count)
{
	struct burst request = {
		.count = htonl(count),
		.bytes = htonl(bytes),
	};

	if (send(fd, &request, sizeof(request), 0) < 0)
		die("send");
}

struct receiver {
	int fd;
	unsigned int bytes;
	unsigned int burst;
	unsigned int arrive;	/* of each burst, the last ones */
};

/* A lost packet would make the counts wrong: better none. */
static void receive_packets(void *what, unsigned int count)
{
	const struct receiver *receiver = what;
	static char packet[MAX_BYTES];
	unsigned int i;

	for (; count; count -= receiver->burst) {
		request_burst(receiver->fd, receiver->bytes, receiver->burst);
		for (i = 0; i < receiver->arrive; i++)
			if (recv(receiver->fd, packet, receiver->bytes, 0) !=
			    receiver->bytes)
				die("recv");
	}
}

static double run_receive(const char *address, unsigned int bytes,
			  unsigned int count, int all_arrive)
{
	/* About as many bytes in each burst, so that the ring holds them */
	unsigned int burst = bytes <= 2048 ? MAX_BURST : 4;
	struct receiver receiver = {
		.fd = open_socket(address, BURST_PORT),
		.bytes = bytes,
		.burst = burst,
		.arrive = all_arrive ? burst : 1,
	};

	return measure(receive_packets, &receiver, count);
}

int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int load_program(const struct bpf_insn *insns, size_t bytes)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (unsigned long)insns,
		.insn_cnt = bytes / sizeof(*insns),
		.license = (unsigned long)"GPL",
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		die("bpf");
	return fd;
}

void attach_program(const char *device, int program)
{
	union bpf_attr attr = {
		.link_create = {
			.prog_fd = program,
			.target_ifindex = if_nametoindex(device),
			.attach_type = BPF_XDP,
			.flags = XDP_FLAGS_DRV_MODE,
		},
	};

	if (bpf(BPF_LINK_CREATE, &attr) < 0)
		die("attach");
}

void attach_action(const char *device, unsigned int action)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, action),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	attach_program(device, load_program(insns, sizeof(insns)));
}

/* Do @action, which may be to redirect to @ifindex, to all but the last of a burst. */
static int load_action(unsigned int action, unsigned int ifindex)
{
	const int last = 14 + 20 + 8;
	struct bpf_insn redirect[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, last + 1),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 6, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_B, 5, 2, last, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, ifindex),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	/* Any other action needs no call. */
	if (action != XDP_REDIRECT)
		redirect[9] = (struct bpf_insn)
			INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, action);
	return load_program(redirect, sizeof(redirect));
}

static double run_xdp(const char *action, unsigned int bytes, unsigned int count)
{
	static const char *const names[] = {
		"aborted", "drop", "pass", "tx", "redirect"
	};
	unsigned int i;

	for (i = XDP_DROP; i < XDP_REDIRECT; i++)
		if (!strcmp(action, names[i]))
			break;
	attach_program(DEVICE, load_action(i, if_nametoindex(DEVICE)));
	return run_receive(PEER, bytes, count, i == XDP_PASS);
}

static void tell_pktgen(const char *file, const char *command)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/net/pktgen/%s", file);
	fd = open(name, O_WRONLY);
	if (fd < 0 || write(fd, command, strlen(command)) < 0)
		die(name);
	close(fd);
}

static void generate(void *what, unsigned int count)
{
	char command[32];

	snprintf(command, sizeof(command), "count %u\n", count);
	tell_pktgen(DEVICE, command);
	tell_pktgen("pgctrl", "start\n");
}

/* It looks for its own end every 0.1 s; the time that it tells is without that. */
static double generated_ns(unsigned int count)
{
	FILE *file = fopen("/proc/net/pktgen/" DEVICE, "r");
	unsigned long long us = 0;
	char line[256];

	if (!file)
		die("/proc/net/pktgen/" DEVICE);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "Result: OK: %llu", &us);
	fclose(file);
	if (!us) {
		fprintf(stderr, "error: pktgen says nothing of its packets\n");
		exit(1);
	}
	return us * 1000.0 / count;
}

static double run_pktgen(const char *burst, const char *bytes, unsigned int count)
{
	char command[32];

	tell_pktgen("kpktgend_0", "rem_device_all\n");
	tell_pktgen("kpktgend_0", "add_device " DEVICE "\n");
	tell_pktgen(DEVICE, "dst " PEER "\n");
	tell_pktgen(DEVICE, "dst_mac " PEER_MAC "\n");
	tell_pktgen(DEVICE, "delay 0\n");
	snprintf(command, sizeof(command), "pkt_size %s\n", bytes);
	tell_pktgen(DEVICE, command);
	snprintf(command, sizeof(command), "burst %s\n", burst);
	tell_pktgen(DEVICE, command);
	measure(generate, NULL, count);
	return generated_ns(count);
}

static double run_disks(char **argv, int sequential,
			void (*operate)(void *what, unsigned int count))
{
	struct disks disks = { .sequential = sequential };

	open_disks(&disks, argv[0], atoi(argv[1]), atoi(argv[2]));
	return measure(operate, &disks, atoi(argv[3]));
}

/* A negative result: no such load */
static double run(int argc, char **argv)
{
	unsigned int count = atoi(argv[argc - 1]);
	const char *load = argv[1];

	if (argc == 6 && !strcmp(load, "read"))
		return run_disks(argv + 2, 0, read_disks);
	if (argc == 6 && !strcmp(load, "sequential"))
		return run_disks(argv + 2, 1, read_disks);
	if (argc == 6 && !strcmp(load, "burst"))
		return run_disks(argv + 2, 0, read_bursts);
	if (argc == 4 && !strcmp(load, "send"))
		return run_send(argv[2], count);
	if (argc == 5 && !strcmp(load, "receive"))
		return run_receive(argv[2], atoi(argv[3]), count, 1);
	if (argc == 5 && !strcmp(load, "xdp"))
		return run_xdp(argv[2], atoi(argv[3]), count);
	if (argc == 5 && !strcmp(load, "pktgen"))
		return run_pktgen(argv[2], argv[3], count);
	if (argc == 4 && !strcmp(load, "flood"))
		return run_flood(argv[2], count);
	if (argc == 4 && !strcmp(load, "answers"))
		return run_answers(argv[2], count);
	if (argc == 5 && !strcmp(load, "xsk"))
		return run_xsk(argv[2], atoi(argv[3]), count);
	if (argc == 4 && !strcmp(load, "stream"))
		return run_stream(argv[2], count);
	if (argc == 2 && !strcmp(load, "drain"))
		drain_streams();
	if (argc == 4 && !strcmp(load, "tso"))
		return run_tso(argv[2], count);
	if (argc == 3 && !strcmp(load, "command"))
		return run_command(count);
	if (argc == 3 && !strcmp(load, "refill"))
		return run_refill(count);
	if (argc == 5 && !strcmp(load, "rebind"))
		return run_rebind(argv[2], argv[3], count);
	if (argc == 4 && !strcmp(load, "posted"))
		return posted_bytes(argv[2], !strcmp(argv[3], "xdp"));
	if (argc == 3 && !strcmp(load, "flight"))
		return packets_in_flight(argv[2]);
	return -1;
}

int main(int argc, char **argv)
{
	int percentiles = argc > 2 && !strcmp(argv[1], "percentiles");
	double result;

	if (percentiles) {
		argc--;
		argv++;
		latency_prepare(atoi(argv[argc - 1]));
	}
	result = argc > 1 ? run(argc, argv) : -1;
	if (result < 0) {
		fprintf(stderr, "usage: see the head of load.c\n");
		return 2;
	}
	printf("%.0f", result);
	if (percentiles)
		latency_print();
	printf("\n");
	return 0;
}
