// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets of a device that sends all the time, or sends back what it gets.
 */
#include <stdio.h>
#include <string.h>
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

/*
 * What comes is for nobody, so that the stack has little to do with it. The device's
 * counter is looked at now and then: *@what is how many there were in the end.
 */
static void count_packets(void *what, unsigned int count)
{
	unsigned long long start = packets_so_far(), *counted = what;

	do {
		usleep(1000);
		*counted = packets_so_far() - start;
	} while (*counted < count);
}

double run_flood(const char *action, unsigned int count)
{
	unsigned long long counted;
	double each;

	if (!strcmp(action, "drop"))
		attach_action(DEVICE, XDP_DROP);
	else if (!strcmp(action, "tx"))
		attach_action(DEVICE, XDP_TX);
	each = measure(count_packets, &counted, count);
	return each * count / counted;
}
