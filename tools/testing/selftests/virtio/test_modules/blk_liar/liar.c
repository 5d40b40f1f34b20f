// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk in memory that does all that section 5.2 has, with zones if it is asked
 * to, and lies where the parameters of the module say so.
 */
#include <linux/blk_types.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>
#include "liar.h"

int liar_status = -1;
module_param_named(status, liar_status, int, 0644);
MODULE_PARM_DESC(status, "status byte of reads and writes (-1: the true one)");

bool liar_silent;
module_param_named(silent, liar_silent, bool, 0644);
MODULE_PARM_DESC(silent, "answer nothing");

bool liar_speechless;
module_param_named(speechless, liar_speechless, bool, 0644);
MODULE_PARM_DESC(speechless, "say that it is done, and leave the status alone");

int liar_append;
module_param_named(append, liar_append, int, 0644);
MODULE_PARM_DESC(append, "sectors by which the place of appended data is wrong");

char *liar_zone = "";
module_param_named(zone, liar_zone, charp, 0644);
MODULE_PARM_DESC(zone, "what is wrong in reports of zones: many, start, type, state, wp, cap");

/* Not a lie: what the test wants to know */
static uint liar_ioprio;
module_param_named(ioprio, liar_ioprio, uint, 0444);
MODULE_PARM_DESC(ioprio, "priority of the last read");

static uint liar_flags;
module_param_named(flags, liar_flags, uint, 0444);
MODULE_PARM_DESC(flags, "flags of the last range that was cleared");

static uint liar_segments;
module_param_named(segments, liar_segments, uint, 0644);
MODULE_PARM_DESC(segments, "most elements of data that a request had");

static u64 liar_wp[LIAR_ZONES];
static u8 liar_state[LIAR_ZONES];

static u64 liar_zone_start(unsigned int zone)
{
	return (u64)zone * LIAR_ZONE;
}

static void liar_set_zone(unsigned int zone, u64 wp, u8 state)
{
	liar_wp[zone] = wp;
	liar_state[zone] = state;
}

static void liar_reset_zones(void)
{
	unsigned int zone;

	liar_set_zone(0, 0, VIRTIO_BLK_ZS_NOT_WP);
	for (zone = 1; zone < LIAR_ZONES; zone++)
		liar_set_zone(zone, liar_zone_start(zone), VIRTIO_BLK_ZS_EMPTY);
}

void liar_start(void)
{
	liar_reset_zones();
	liar_status = -1;
	liar_silent = false;
	liar_speechless = false;
	liar_append = 0;
}

static bool liar_has(u64 sector, u64 len)
{
	return len % SECTOR_SIZE == 0 && sector < LIAR_CAPACITY &&
	       len / SECTOR_SIZE <= LIAR_CAPACITY - sector;
}

static bool liar_is(const char *lie)
{
	return sysfs_streq(liar_zone, lie);
}

static void liar_describe(struct virtio_device *vdev, unsigned int zone,
			  struct virtio_blk_zone_descriptor *desc)
{
	u64 start = liar_zone_start(zone);

	*desc = (struct virtio_blk_zone_descriptor) {
		.z_cap = cpu_to_virtio64(vdev, LIAR_ZONE + liar_is("cap")),
		.z_start = cpu_to_virtio64(vdev, start + 8 * liar_is("start")),
		.z_wp = cpu_to_virtio64(vdev, liar_is("wp") ? ~0ULL :
					liar_wp[zone]),
		.z_type = zone ? VIRTIO_BLK_ZT_SWR : VIRTIO_BLK_ZT_CONV,
		.z_state = liar_is("state") ? 9 : liar_state[zone],
	};
	if (liar_is("type"))
		desc->z_type = 0;
}

static u8 liar_report(struct virtio_device *vdev, struct message *msg,
		      u64 sector, u32 len)
{
	struct virtio_blk_zone_report head = {};
	struct virtio_blk_zone_descriptor desc;
	unsigned int zone = sector / LIAR_ZONE;
	u32 at = sizeof(head);
	u64 num = 0;

	for (; zone < LIAR_ZONES && at + sizeof(desc) <= len; zone++) {
		liar_describe(vdev, zone, &desc);
		message_write(msg, at, &desc, sizeof(desc));
		at += sizeof(desc);
		num++;
	}
	head.nr_zones = cpu_to_virtio64(vdev, liar_is("many") ? ~0ULL : num);
	message_write(msg, 0, &head, sizeof(head));
	return VIRTIO_BLK_S_OK;
}

/* The data of a write to a zone has to follow what is there. */
static u8 liar_advance(u64 sector, u32 len)
{
	unsigned int zone = sector / LIAR_ZONE;

	if (!zone)
		return VIRTIO_BLK_S_OK;
	if (sector != liar_wp[zone] ||
	    sector + len / SECTOR_SIZE > liar_zone_start(zone + 1))
		return VIRTIO_BLK_S_ZONE_UNALIGNED_WP;
	liar_wp[zone] += len / SECTOR_SIZE;
	liar_state[zone] = liar_wp[zone] == liar_zone_start(zone + 1) ?
			   VIRTIO_BLK_ZS_FULL : VIRTIO_BLK_ZS_IOPEN;
	return VIRTIO_BLK_S_OK;
}

static u8 liar_write(struct message_device *dev, struct message *msg,
		     u64 sector, u32 len)
{
	u8 status = VIRTIO_BLK_S_OK;

	if (!liar_has(sector, len))
		return VIRTIO_BLK_S_IOERR;
	if (virtio_has_feature(&dev->vdev, VIRTIO_BLK_F_ZONED))
		status = liar_advance(sector, len);
	if (!status)
		message_read(msg, sizeof(struct virtio_blk_outhdr),
			     dev->memory + sector * SECTOR_SIZE, len);
	return status;
}

/* The place is in front of the status. */
static u8 liar_append_data(struct message_device *dev, struct message *msg,
			   u64 sector, u32 len)
{
	unsigned int zone = sector / LIAR_ZONE;
	__virtio64 place;

	if (!zone || zone >= LIAR_ZONES || sector != liar_zone_start(zone) ||
	    msg->in_len != sizeof(place) + 1)
		return VIRTIO_BLK_S_ZONE_INVALID_CMD;
	place = cpu_to_virtio64(&dev->vdev, liar_wp[zone] + liar_append);
	message_write(msg, 0, &place, sizeof(place));
	return liar_write(dev, msg, liar_wp[zone], len);
}

static u8 liar_manage(u32 type, u64 sector)
{
	unsigned int zone = sector / LIAR_ZONE;

	if (type == VIRTIO_BLK_T_ZONE_RESET_ALL) {
		liar_reset_zones();
		return VIRTIO_BLK_S_OK;
	}
	if (!zone || zone >= LIAR_ZONES || sector != liar_zone_start(zone))
		return VIRTIO_BLK_S_ZONE_INVALID_CMD;
	switch (type) {
	case VIRTIO_BLK_T_ZONE_OPEN:
		liar_state[zone] = VIRTIO_BLK_ZS_EOPEN;
		break;
	case VIRTIO_BLK_T_ZONE_CLOSE:
		liar_state[zone] = VIRTIO_BLK_ZS_CLOSED;
		break;
	case VIRTIO_BLK_T_ZONE_FINISH:
		liar_set_zone(zone, liar_zone_start(zone + 1),
			      VIRTIO_BLK_ZS_FULL);
		break;
	case VIRTIO_BLK_T_ZONE_RESET:
		liar_set_zone(zone, sector, VIRTIO_BLK_ZS_EMPTY);
		break;
	}
	return VIRTIO_BLK_S_OK;
}

/* Was the driver told that it may send this much? */
static bool liar_allows(const struct virtio_blk_config *config, u32 type,
			u32 ranges, u32 sectors)
{
	u32 max_ranges = config->max_discard_seg;
	u32 max_sectors = config->max_discard_sectors;

	if (type == VIRTIO_BLK_T_SECURE_ERASE) {
		max_ranges = config->max_secure_erase_seg;
		max_sectors = config->max_secure_erase_sectors;
	} else if (type == VIRTIO_BLK_T_WRITE_ZEROES) {
		max_ranges = config->max_write_zeroes_seg;
		max_sectors = config->max_write_zeroes_sectors;
	}
	return (!max_ranges || ranges <= max_ranges) &&
	       (!max_sectors || sectors <= max_sectors);
}

/* Discard, write zeroes, secure erase: the data has the ranges. */
static u8 liar_clear(struct message_device *dev, struct message *msg, u32 type,
		     u32 len)
{
	struct virtio_blk_discard_write_zeroes range;
	u32 at, bytes;
	u64 sector;

	if (!len || len % sizeof(range))
		return VIRTIO_BLK_S_UNSUPP;
	for (at = 0; at < len; at += sizeof(range)) {
		message_read(msg, sizeof(struct virtio_blk_outhdr) + at, &range,
			     sizeof(range));
		sector = le64_to_cpu(range.sector);
		bytes = le32_to_cpu(range.num_sectors) * SECTOR_SIZE;
		/* Only zeroes may be asked to be unmapped (5.2.6.2). */
		if (range.flags && type != VIRTIO_BLK_T_WRITE_ZEROES)
			return VIRTIO_BLK_S_UNSUPP;
		if (!liar_has(sector, bytes) ||
		    !liar_allows(dev->config, type, len / sizeof(range),
				 bytes / SECTOR_SIZE))
			return VIRTIO_BLK_S_IOERR;
		memset(dev->memory + sector * SECTOR_SIZE, 0, bytes);
		liar_flags = le32_to_cpu(range.flags);
	}
	return VIRTIO_BLK_S_OK;
}

static u8 liar_read(struct message_device *dev, struct message *msg,
		    u64 sector, u32 len)
{
	if (!liar_has(sector, len))
		return VIRTIO_BLK_S_IOERR;
	message_write(msg, 0, dev->memory + sector * SECTOR_SIZE, len);
	return VIRTIO_BLK_S_OK;
}

static u8 liar_request(struct message_device *dev, struct message *msg)
{
	struct virtio_device *vdev = &dev->vdev;
	u32 out_len = msg->out_len - sizeof(struct virtio_blk_outhdr);
	u32 in_len = msg->in_len - 1, type;
	struct virtio_blk_outhdr header;
	u64 sector;

	message_read(msg, 0, &header, sizeof(header));
	type = virtio32_to_cpu(vdev, header.type);
	sector = virtio64_to_cpu(vdev, header.sector);
	switch (type) {
	case VIRTIO_BLK_T_IN:
		liar_ioprio = virtio32_to_cpu(vdev, header.ioprio);
		return liar_status < 0 ? liar_read(dev, msg, sector, in_len) :
					 liar_status;
	case VIRTIO_BLK_T_OUT:
		return liar_status < 0 ? liar_write(dev, msg, sector, out_len) :
					 liar_status;
	case VIRTIO_BLK_T_FLUSH:
		return sector ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		/* Full length: no end mark */
		message_write(msg, 0, "liar-liar-liar-liar-", in_len);
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
	case VIRTIO_BLK_T_SECURE_ERASE:
		return liar_clear(dev, msg, type, out_len);
	case VIRTIO_BLK_T_ZONE_REPORT:
		return liar_report(vdev, msg, sector, in_len);
	case VIRTIO_BLK_T_ZONE_APPEND:
		return liar_append_data(dev, msg, sector, out_len);
	case VIRTIO_BLK_T_ZONE_OPEN:
	case VIRTIO_BLK_T_ZONE_CLOSE:
	case VIRTIO_BLK_T_ZONE_FINISH:
	case VIRTIO_BLK_T_ZONE_RESET:
	case VIRTIO_BLK_T_ZONE_RESET_ALL:
		return liar_manage(type, sector);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* Is the data in no more and no larger elements than the driver was told? */
static bool liar_fits(struct virtio_device *vdev, const struct message *msg)
{
	const struct virtio_blk_config *config = to_device(vdev)->config;
	unsigned int num = msg->out + msg->in - 2, i;

	liar_segments = max(liar_segments, num);
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_SEG_MAX) && config->seg_max &&
	    num > config->seg_max)
		return false;
	if (!virtio_has_feature(vdev, VIRTIO_BLK_F_SIZE_MAX) ||
	    !config->size_max)
		return true;
	for (i = 1; i <= num; i++)
		if (msg->segments[i].len > config->size_max)
			return false;
	return true;
}

void liar_execute(struct virtio_device *vdev, struct message *msg)
{
	u8 status = VIRTIO_BLK_S_IOERR;

	if (!msg->in_len || liar_speechless)
		return;
	if (msg->out_len >= sizeof(struct virtio_blk_outhdr) &&
	    liar_fits(vdev, msg))
		status = liar_request(to_device(vdev), msg);
	message_write(msg, msg->in_len - 1, &status, sizeof(status));
	msg->used_len = msg->in_len;
}
