// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two devices: a disk in memory (section 5.2), which reads and writes, flushes
 * and has a name; and one that sends back what it got.
 */
#include <linux/blk_types.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/virtio_blk.h>
#include "message_queue.h"

static const char disk_serial[VIRTIO_BLK_ID_BYTES] = "no-ring";

static bool disk_has(const struct message_device *dev, u64 sector, u32 len)
{
	u64 sectors = dev->memory_len / SECTOR_SIZE;

	return sector < sectors && len % SECTOR_SIZE == 0 &&
	       len / SECTOR_SIZE <= sectors - sector;
}

static u8 disk_request(struct message_device *dev, struct message *msg,
		       u32 in_len)
{
	struct virtio_blk_outhdr header;
	u32 out_len = msg->out_len - sizeof(header);
	u64 sector;

	message_read(msg, 0, &header, sizeof(header));
	sector = le64_to_cpu((__force __le64)header.sector);

	switch (le32_to_cpu((__force __le32)header.type)) {
	case VIRTIO_BLK_T_IN:
		if (!disk_has(dev, sector, in_len))
			return VIRTIO_BLK_S_IOERR;
		message_write(msg, 0, dev->memory + sector * SECTOR_SIZE,
			      in_len);
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_OUT:
		if (!disk_has(dev, sector, out_len))
			return VIRTIO_BLK_S_IOERR;
		message_read(msg, sizeof(header),
			     dev->memory + sector * SECTOR_SIZE, out_len);
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		message_write(msg, 0, disk_serial,
			      min_t(u32, in_len, sizeof(disk_serial)));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* The status is the last byte; how elements are cut is the driver's choice. */
void disk_execute(struct virtio_device *vdev, struct message *msg)
{
	u32 in_len = msg->in_len;
	u8 status = VIRTIO_BLK_S_IOERR;

	if (!in_len)
		return;
	if (msg->out_len >= sizeof(struct virtio_blk_outhdr))
		status = disk_request(to_device(vdev), msg, in_len - 1);
	message_write(msg, in_len - 1, &status, sizeof(status));
	msg->used_len = in_len;
}

/* Writes as much as there is room for, and claims to have written all. */
void echo_execute(struct virtio_device *vdev, struct message *msg)
{
	u32 len = min(msg->out_len, msg->in_len);
	u8 byte;
	u32 i;

	for (i = 0; i < len; i++) {
		message_read(msg, i, &byte, 1);
		message_write(msg, i, &byte, 1);
	}
	msg->used_len = msg->out_len;
}
