// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio disk: section 5.2.
 */
#include <endian.h>
#include <string.h>
#include <linux/virtio_blk.h>
#include "storage.h"
#include "test.h"

static u8 serve(const struct device_queue *dq, const struct device_buf *buf, u64 in)
{
	static const char serial[VIRTIO_BLK_ID_BYTES] = "vhost-user";
	struct virtio_blk_outhdr head;
	u64 sector;

	buf_read(dq, buf, 0, &head, sizeof(head));
	sector = le64toh(head.sector);
	switch (le32toh(head.type)) {
	case VIRTIO_BLK_T_IN:
		return disk_read(dq, buf, 0, sector, in) ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
	case VIRTIO_BLK_T_OUT:
		return disk_write(dq, buf, sizeof(head), sector, buf_out_len(buf) - sizeof(head)) ?
		       VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		buf_write(dq, buf, 0, serial, in < sizeof(serial) ? in : sizeof(serial));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static u32 blk_serve(const struct device_queue *dq, unsigned int queue,
		     const struct device_buf *buf)
{
	u8 status;

	check(buf->in_len, "device: no room for the status");
	status = serve(dq, buf, buf->in_len - 1);
	buf_write(dq, buf, buf->in_len - 1, &status, 1);
	return buf->in_len;
}

const struct storage *blk_storage(void)
{
	static struct virtio_blk_config config;
	static const struct storage storage = {
		.features = FEATURE(VIRTIO_BLK_F_SEG_MAX) | FEATURE(VIRTIO_BLK_F_FLUSH) |
			    FEATURE(VIRTIO_BLK_F_MQ),
		.config = &config,
		.config_size = sizeof(config),
		.idle_queue = -1,
		.serve = blk_serve,
	};

	config.capacity = htole64(disk_size() / SECTOR);
	config.seg_max = htole32(SEG_MAX);
	config.num_queues = htole16(REQUEST_QUEUES);
	return &storage;
}
