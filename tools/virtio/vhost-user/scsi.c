// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio SCSI host (section 5.6) with one target, each of whose units is the disk.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <linux/virtio_scsi.h>
#include "storage.h"
#include "test.h"

/* SPC-4, SBC-3 */
enum {
	TEST_UNIT_READY		= 0x00,
	REQUEST_SENSE		= 0x03,
	INQUIRY			= 0x12,
	MODE_SENSE_6		= 0x1a,
	READ_CAPACITY_10	= 0x25,
	READ_10			= 0x28,
	WRITE_10		= 0x2a,
	SYNCHRONIZE_CACHE_10	= 0x35,
	READ_16			= 0x88,
	WRITE_16		= 0x8a,
	SYNCHRONIZE_CACHE_16	= 0x91,
	SERVICE_ACTION_IN_16	= 0x9e,
	REPORT_LUNS		= 0xa0,
};

#define READ_CAPACITY_16	0x10

#define CHECK_CONDITION		2
#define ILLEGAL_REQUEST		5

/* Additional sense codes */
#define UNKNOWN_COMMAND		0x20
#define BEYOND_THE_END		0x21
#define INVALID_FIELD		0x24
#define NO_SUCH_UNIT		0x25

#define FIXED_SENSE		0x70
#define SENSE_BYTES		18

#define MAX_UNITS		16

static unsigned int units;

enum queues { CONTROL, EVENTS, REQUESTS };

/**
 * struct command - a request under way
 * @dq: its queue
 * @buf: its buffer
 * @head: what the driver says of it
 * @tail: what the device says
 * @in: room for data to the driver
 * @out: data from the driver
 * @moved: how much of one of these
 */
struct command {
	const struct device_queue *dq;
	const struct device_buf *buf;
	struct virtio_scsi_cmd_req head;
	struct virtio_scsi_cmd_resp tail;
	u64 in;
	u64 out;
	u64 moved;
};

/* SCSI's integers are big-endian, and anywhere. */
static u64 get_be(const u8 *from, unsigned int bytes)
{
	u64 value = 0;

	while (bytes--)
		value = value << 8 | *from++;
	return value;
}

static void put_be(u64 value, u8 *to, unsigned int bytes)
{
	while (bytes--) {
		to[bytes] = value;
		value >>= 8;
	}
}

static void fill_sense(u8 *sense, u8 key, u8 code)
{
	memset(sense, 0, SENSE_BYTES);
	sense[0] = FIXED_SENSE;
	sense[2] = key;
	sense[7] = SENSE_BYTES - 8;
	sense[12] = code;
}

static void refuse(struct command *command, u8 code)
{
	fill_sense(command->tail.sense, ILLEGAL_REQUEST, code);
	command->tail.sense_len = htole32(SENSE_BYTES);
	command->tail.status = CHECK_CONDITION;
}

/* Data for the driver, if it has room for it and wants as much */
static void reply(struct command *command, const u8 *data, u64 len, u64 wanted)
{
	if (len > wanted)
		len = wanted;
	if (len > command->in)
		len = command->in;
	buf_write(command->dq, command->buf, sizeof(command->tail), data, len);
	command->moved = len;
}

static void inquiry(struct command *command, const u8 *cdb, bool unit)
{
	static const u8 pages[] = { 0, 0, 0, 2, 0x00, 0x80 };
	static const u8 serial[] = "\0\x80\0\x0avhost-user";
	u8 data[36] = { 0, 0, 6, 2, sizeof(data) - 5, 0, 0, 2 };
	u64 wanted = get_be(&cdb[3], 2);

	if (!(cdb[1] & 1)) {
		/* Where there is no unit, this is how one is told. */
		if (!unit)
			data[0] = 0x7f;
		memcpy(&data[8], "VIRTIO  VHOST-USER      1   ", 28);
		reply(command, data, sizeof(data), wanted);
	} else if (unit && cdb[2] == 0x00) {
		reply(command, pages, sizeof(pages), wanted);
	} else if (unit && cdb[2] == 0x80) {
		reply(command, serial, sizeof(serial) - 1, wanted);
	} else {
		refuse(command, INVALID_FIELD);
	}
}

static void request_sense(struct command *command, const u8 *cdb)
{
	u8 data[SENSE_BYTES];

	fill_sense(data, 0, 0);
	reply(command, data, sizeof(data), cdb[4]);
}

/* No pages: there is no cache. */
static void mode_sense(struct command *command, const u8 *cdb)
{
	static const u8 header[] = { 3, 0, 0, 0 };

	reply(command, header, sizeof(header), cdb[4]);
}

static void report_luns(struct command *command, const u8 *cdb)
{
	u8 list[8 * (1 + MAX_UNITS)] = { 0 };
	unsigned int i;

	put_be(8 * units, list, 4);
	for (i = 0; i < units; i++)
		put_be(i, &list[8 * (1 + i)], 2);
	reply(command, list, 8 * (1 + units), get_be(&cdb[6], 4));
}

static void read_capacity_10(struct command *command)
{
	u64 last = disk_size() / SECTOR - 1;
	u8 data[8];

	put_be(last < UINT32_MAX ? last : UINT32_MAX, data, 4);
	put_be(SECTOR, data + 4, 4);
	reply(command, data, sizeof(data), sizeof(data));
}

static void read_capacity_16(struct command *command, const u8 *cdb)
{
	u8 data[32] = { 0 };

	put_be(disk_size() / SECTOR - 1, data, 8);
	put_be(SECTOR, data + 8, 4);
	reply(command, data, sizeof(data), get_be(&cdb[10], 4));
}

static void move_blocks(struct command *command, bool write, u64 lba, u64 blocks)
{
	u64 len = blocks * SECTOR;
	bool there;

	if (len > (write ? command->out : command->in))
		return refuse(command, INVALID_FIELD);
	there = write ? disk_write(command->dq, command->buf, sizeof(command->head), lba, len) :
			disk_read(command->dq, command->buf, sizeof(command->tail), lba, len);
	if (there)
		command->moved = len;
	else
		refuse(command, BEYOND_THE_END);
}

static void ask_unit(struct command *command, const u8 *cdb)
{
	switch (cdb[0]) {
	case TEST_UNIT_READY:
	case SYNCHRONIZE_CACHE_10:
	case SYNCHRONIZE_CACHE_16:
		return;
	case MODE_SENSE_6:
		return mode_sense(command, cdb);
	case READ_CAPACITY_10:
		return read_capacity_10(command);
	case READ_10:
		return move_blocks(command, false, get_be(&cdb[2], 4), get_be(&cdb[7], 2));
	case READ_16:
		return move_blocks(command, false, get_be(&cdb[2], 8), get_be(&cdb[10], 4));
	case WRITE_10:
		return move_blocks(command, true, get_be(&cdb[2], 4), get_be(&cdb[7], 2));
	case WRITE_16:
		return move_blocks(command, true, get_be(&cdb[2], 8), get_be(&cdb[10], 4));
	case SERVICE_ACTION_IN_16:
		if ((cdb[1] & 0x1f) == READ_CAPACITY_16)
			return read_capacity_16(command, cdb);
	}
	refuse(command, UNKNOWN_COMMAND);
}

/* These are for any unit, also one that is not there. */
static void ask_target(struct command *command)
{
	const u8 *cdb = command->head.cdb;
	const u8 *lun = command->head.lun;
	bool unit = (get_be(&lun[2], 2) & 0x3fff) < units;

	switch (cdb[0]) {
	case INQUIRY:
		return inquiry(command, cdb, unit);
	case REQUEST_SENSE:
		return request_sense(command, cdb);
	case REPORT_LUNS:
		return report_luns(command, cdb);
	}
	if (unit)
		ask_unit(command, cdb);
	else
		refuse(command, NO_SUCH_UNIT);
}

static u32 serve_command(const struct device_queue *dq, const struct device_buf *buf)
{
	struct command command = { .dq = dq, .buf = buf };

	check(buf->in_len >= sizeof(command.tail), "device: no room for the response");
	buf_read(dq, buf, 0, &command.head, sizeof(command.head));
	command.in = buf->in_len - sizeof(command.tail);
	command.out = buf_out_len(buf) - sizeof(command.head);
	if (command.head.lun[0] == 1 && !command.head.lun[1])
		ask_target(&command);
	else
		command.tail.response = VIRTIO_SCSI_S_BAD_TARGET;
	command.tail.resid = htole32(command.in + command.out - command.moved);
	buf_write(dq, buf, 0, &command.tail, sizeof(command.tail));
	return sizeof(command.tail) + (command.in ? command.moved : 0);
}

/* Nothing is under way while this is answered, and there are no events. */
static u32 serve_control(const struct device_queue *dq, const struct device_buf *buf)
{
	static const u8 done[sizeof(struct virtio_scsi_ctrl_an_resp)];

	check(buf->in_len <= sizeof(done), "device: a response of %llu bytes",
	      (unsigned long long)buf->in_len);
	buf_write(dq, buf, 0, done, buf->in_len);
	return buf->in_len;
}

static u32 scsi_serve(const struct device_queue *dq, unsigned int queue,
		      const struct device_buf *buf)
{
	return queue == CONTROL ? serve_control(dq, buf) : serve_command(dq, buf);
}

const struct storage *scsi_storage(unsigned int count)
{
	static struct virtio_scsi_config config;
	static const struct storage storage = {
		.config = &config,
		.config_size = sizeof(config),
		.idle_queue = EVENTS,
		.serve = scsi_serve,
	};

	check(count <= MAX_UNITS, "device: %u units", count);
	units = count;
	config.num_queues = htole32(REQUEST_QUEUES);
	config.seg_max = htole32(SEG_MAX);
	config.max_sectors = htole32(UINT16_MAX);
	config.cmd_per_lun = htole32(64);
	config.event_info_size = htole32(sizeof(struct virtio_scsi_event));
	config.sense_size = htole32(VIRTIO_SCSI_SENSE_DEFAULT_SIZE);
	config.cdb_size = htole32(VIRTIO_SCSI_CDB_DEFAULT_SIZE);
	return &storage;
}
