// SPDX-License-Identifier: GPL-2.0-only
/*
 * vduse-device NAME blk|net BIT,... [OPTION=VALUE...]: is a device with these features of
 * rings, until it is killed; a network device brings back what is sent. If there is one of
 * that name which another process has left, this one goes on with it.
 * vduse-device NAME destroy: the end of the device.
 *
 *  disk=FILE     the disk, of 24 MiB, for the process that goes on
 *  journal=FILE  what that has to know; buffers are served one by one
 *  then=MISDEED  what happens to the next buffer after each SIGUSR1:
 *                late      it is served 3 s later
 *                die       the process does
 *                id        another one is used, which is not there; no more is served
 *                id-die    the same, and the process dies
 *                scribble  the ring is filled at random until the device was reset
 *  refuse=STATUS a status with any of these bits is refused
 *  ignore=STATUS such a status gets no answer
 *
 * What the driver does against the specification ends it, with a line that has "error:".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include "test.h"
#include "vduse.h"

#define USAGE		"usage: vduse-device NAME blk|net BIT,... [disk=FILE] [journal=FILE] " \
			"[then=MISDEED] [refuse=STATUS] [ignore=STATUS]"
#define DISK_SIZE	(24 << 20)

/* Those without which VDUSE has no device */
#define NEEDED		(FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM))

enum { DISK, JOURNAL, THEN, REFUSE, IGNORE, OPTIONS };

static const char *const names[OPTIONS] = { "disk", "journal", "then", "refuse", "ignore" };
static const char *values[OPTIONS];

static bool take_option(const char *option)
{
	unsigned int i;
	size_t len;

	for (i = 0; i < OPTIONS; i++) {
		len = strlen(names[i]);
		if (strncmp(option, names[i], len) || option[len] != '=')
			continue;
		values[i] = option + len + 1;
		return true;
	}
	return false;
}

static u8 bits_of(unsigned int option)
{
	return values[option] ? strtoul(values[option], NULL, 0) : 0;
}

static u64 features_of(const char *bits)
{
	u64 features = 0;
	char *end;

	for (; *bits; bits = *end ? end + 1 : end)
		features |= FEATURE(strtoul(bits, &end, 10));
	return features;
}

static void make_disk(void)
{
	if (values[DISK])
		disk_in_file(values[DISK], DISK_SIZE);
	else
		disk_make(DISK_SIZE, true);
}

int main(int argc, char **argv)
{
	static struct vduse_device device;
	bool net;
	int i;

	if (argc == 3 && !strcmp(argv[2], "destroy")) {
		vduse_destroy(argv[1]);
		return 0;
	}
	check(argc >= 4, USAGE);
	for (i = 4; i < argc; i++)
		check(take_option(argv[i]), "no option is %s; " USAGE, argv[i]);
	make_disk();
	behaviour = (struct behaviour){
		.misdeed = values[THEN], .refused = bits_of(REFUSE), .ignored = bits_of(IGNORE),
	};
	if (values[JOURNAL])
		journal_open(values[JOURNAL]);
	net = !strcmp(argv[2], "net");
	device.name = argv[1];
	device.type = net ? VIRTIO_ID_NET : VIRTIO_ID_BLOCK;
	device.queues = net ? 2 : REQUEST_QUEUES;
	device.size = net ? 256 : 128;
	device.storage = net ? net_storage() : blk_storage();
	device.features = features_of(argv[3]) | NEEDED | device.storage->features;
	queues_prepare(behave_as(device.storage));
	/* Frames stay in order; and who goes on finds no more than one buffer under way. */
	if (net || values[JOURNAL])
		queues_one_by_one();
	vduse_open(&device);
	vduse_listen();
	queues_serve();
	return 0;
}
