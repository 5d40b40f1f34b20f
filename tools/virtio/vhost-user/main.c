// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-user-storage DPDK-OPTION... -- SOCKET blk|scsi MIB [poll|wait COUNTS]: a disk of
 * the guest that connects. It offers all features of rings that the tests are about; the
 * front end, or a proxy before it, takes what it wants. With the file COUNTS it is one to
 * measure drivers with, which keeps no data: see queues_measure(). A SCSI host has 16 then.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "storage.h"
#include "test.h"
#include "vhost.h"

#define RING_FEATURES	(FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_RING_PACKED) | \
			 FEATURE(VIRTIO_F_IN_ORDER) | FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 FEATURE(VIRTIO_RING_F_EVENT_IDX))

int main(int argc, char **argv)
{
	const struct storage *storage;
	int taken = vhost_init(argc, argv);

	argc -= taken;
	argv += taken;
	check(argc == 4 || argc == 6,
	      "usage: vhost-user-storage DPDK-OPTION... -- SOCKET blk|scsi MIB [poll|wait COUNTS]");
	disk_make(strtoull(argv[3], NULL, 10) << 20, argc == 4);
	storage = strcmp(argv[2], "scsi") ? blk_storage() : scsi_storage(argc == 4 ? 1 : 16);
	queues_prepare(storage);
	if (argc == 6)
		queues_measure(!strcmp(argv[4], "poll"), argv[5]);
	vhost_listen(argv[1], RING_FEATURES | storage->features, storage->config,
		     storage->config_size);
	queues_serve();
	return 0;
}
