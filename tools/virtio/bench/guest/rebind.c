// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to have a device: the driver lets go of it and takes it again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "load.h"

struct binding {
	const char *driver;
	const char *device;
};

static void tell_driver(const struct binding *binding, const char *what)
{
	char name[128];
	int fd;

	snprintf(name, sizeof(name), "/sys/bus/virtio/drivers/%s/%s", binding->driver, what);
	fd = open(name, O_WRONLY);
	if (fd < 0 || write(fd, binding->device, strlen(binding->device)) < 0)
		die(name);
	close(fd);
}

static void rebind(void *what, unsigned int count)
{
	while (count--) {
		tell_driver(what, "unbind");
		tell_driver(what, "bind");
	}
}

double run_rebind(const char *driver, const char *device, unsigned int count)
{
	struct binding binding = { .driver = driver, .device = device };

	return measure(rebind, &binding, count);
}
