// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets of a device that sends all the time, or sends back what it gets.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"
#include "peer.h"

static void await_answers(void *what, unsigned int count)
{
	char packet[PACKET_BYTES] = "";
	unsigned long long started;
	int *fd = what;

	latency_restart();
	while (count--) {
		started = ticks_now();
		if (send(*fd, packet, sizeof(packet), 0) < 0 ||
		    recv(*fd, packet, sizeof(packet), 0) != sizeof(packet))
			die("no answer");
		latency_note(started);
	}
}

double run_answers(const char *address, unsigned int count)
{
	int fd = open_socket(address, DISCARD_PORT);

	return measure(await_answers, &fd, count);
}

static unsigned long long packets_so_far(void)
{
	FILE *file = fopen("/sys/class/net/" DEVICE "/statistics/rx_packets", "r");
	unsigned long long packets;

	if (!file || fscanf(file, "%llu", &packets) != 1)
		die("rx_packets");
	fclose(file);
	return packets;
}

/* What comes is for nobody, so that the stack has little to do with it. */
static void count_packets(void *what, unsigned int count)
{
	unsigned long long end = packets_so_far() + count;

	while (packets_so_far() < end)
		usleep(1000);
}

double run_flood(unsigned int count)
{
	return measure(count_packets, NULL, count);
}

double run_drop(unsigned int count)
{
	static const struct bpf_insn drop[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	attach_program(DEVICE, load_program(drop, sizeof(drop)));
	return measure(count_packets, NULL, count);
}
