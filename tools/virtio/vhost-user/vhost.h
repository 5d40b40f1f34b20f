/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_VHOST_H
#define TOOLS_VIRTIO_VHOST_H
/*
 * DPDK's librte_vhost, which speaks with the front end and has the guest's memory.
 */
#include <stddef.h>
#include <stdint.h>

/* Start DPDK; returns how many arguments were its own. */
int vhost_init(int argc, char **argv);

/* Take front ends on the socket @path, by a thread of DPDK's. */
void vhost_listen(const char *path, uint64_t features, const void *config, size_t config_size);

#endif
