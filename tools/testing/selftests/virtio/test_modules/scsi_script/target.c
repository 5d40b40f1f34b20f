// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI side: a disk in memory, optionally with protection information, and
 * the ways in which it misbehaves when reading and writing.
 */
#include <linux/module.h>
#include <linux/unaligned.h>
#include <linux/virtio_scsi.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_proto.h>
#include "script.h"

#define BLOCK		512
#define BLOCKS		16384
#define PI_BYTES	8

/* READ and WRITE only, all others are answered as they should be */
static int response = -1;
module_param(response, int, 0644);
MODULE_PARM_DESC(response, "answer with this response code");

static uint sense_len;
module_param(sense_len, uint, 0644);
MODULE_PARM_DESC(sense_len, "claim this length of the sense data");

static uint resid;
module_param(resid, uint, 0644);
MODULE_PARM_DESC(resid, "claim this residual");

static bool silent;
module_param(silent, bool, 0644);
MODULE_PARM_DESC(silent, "use the buffer without a response");

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "do not answer");

static bool hold_inquiry;
module_param(hold_inquiry, bool, 0644);
MODULE_PARM_DESC(hold_inquiry, "do not answer when asked who is there");

static uint blocks = BLOCKS;
module_param(blocks, uint, 0644);
MODULE_PARM_DESC(blocks, "size of the disk that is reported");

static bool gone;
module_param(gone, bool, 0644);
MODULE_PARM_DESC(gone, "no disk is attached any more");

static int once;
module_param(once, int, 0644);
MODULE_PARM_DESC(once, "misbehave this many times; 0 is for ever");

/* Task management */
static int tmf_response;
module_param(tmf_response, int, 0644);
MODULE_PARM_DESC(tmf_response, "answer with this; negative: do not answer");

static bool keep;
module_param(keep, bool, 0644);
MODULE_PARM_DESC(keep, "claim success without giving commands back");

static char tmfs[256];
module_param_string(tmfs, tmfs, sizeof(tmfs), 0644);
MODULE_PARM_DESC(tmfs, "subtypes of the functions that came");

static uint executed;
module_param(executed, uint, 0644);
MODULE_PARM_DESC(executed, "how many READs and WRITEs there were");

/* What the last READ or WRITE looked like */
static char layout[256];
module_param_string(layout, layout, sizeof(layout), 0444);
MODULE_PARM_DESC(layout, "lengths of the pieces, and header fields");

static void *disk;
static void *disk_pi;

struct command {
	struct buffer *buf;
	const u8 *cdb;
	struct virtio_scsi_cmd_resp resp;
	u32 head;	/* bytes before the protection information, out */
	u32 pi_out;
	u32 pi_in;
};

static void describe(const struct command *cmd,
		     const struct virtio_scsi_cmd_req *req)
{
	const struct buffer *buf = cmd->buf;
	unsigned int i, pos;

	pos = scnprintf(layout, sizeof(layout), "lun %08x pi %u %u out",
			get_unaligned_be32(req->lun), cmd->pi_out, cmd->pi_in);
	for (i = 0; i < buf->out + buf->in; i++)
		pos += scnprintf(layout + pos, sizeof(layout) - pos, "%s %u",
				 i == buf->out ? " in" : "",
				 buf->pieces[i].len);
}

static void check_condition(struct command *cmd, u8 asc)
{
	cmd->resp.status = SAM_STAT_CHECK_CONDITION;
	cmd->resp.sense_len = cpu_to_virtio32(&script_vdev, 18);
	cmd->resp.sense[0] = 0x70;
	cmd->resp.sense[2] = ILLEGAL_REQUEST;
	cmd->resp.sense[7] = 10;
	cmd->resp.sense[12] = asc;
}

/* Data in comes after the response and its protection information. */
static void data_in(struct command *cmd, const void *data, u32 len)
{
	buffer_write(cmd->buf, sizeof(cmd->resp) + cmd->pi_in, data, len);
}

static void read_write(struct command *cmd, u64 lba, u32 num, bool write)
{
	struct buffer *buf = cmd->buf;
	u32 bytes = num * BLOCK;

	if (lba > BLOCKS || num > BLOCKS - lba) {
		check_condition(cmd, 0x21);
	} else if (write) {
		buffer_read(buf, cmd->head, disk_pi + lba * PI_BYTES,
			    cmd->pi_out);
		buffer_read(buf, cmd->head + cmd->pi_out, disk + lba * BLOCK,
			    bytes);
	} else {
		buffer_write(buf, sizeof(cmd->resp), disk_pi + lba * PI_BYTES,
			     cmd->pi_in);
		data_in(cmd, disk + lba * BLOCK, bytes);
	}
}

static void inquiry(struct command *cmd)
{
	u8 data[36] = { gone ? 0x7f : 0, 0, 6, 2, 31, !!script_pi };

	memcpy(data + 8, "virtio  scripted disk   1   ", 28);
	if (cmd->cdb[1] & 1)
		check_condition(cmd, 0x24);
	else
		data_in(cmd, data, min_t(u32, sizeof(data),
					 get_unaligned_be16(cmd->cdb + 3)));
}

static void read_capacity(struct command *cmd, bool sixteen)
{
	u8 data[32] = {};

	if (gone) {
		check_condition(cmd, 0x25);
	} else if (sixteen) {
		put_unaligned_be64(blocks - 1, data);
		put_unaligned_be32(BLOCK, data + 8);
		data[12] = script_pi ? (script_pi - 1) << 1 | 1 : 0;
		data_in(cmd, data, sizeof(data));
	} else {
		put_unaligned_be32(blocks - 1, data);
		put_unaligned_be32(BLOCK, data + 4);
		data_in(cmd, data, 8);
	}
}

static bool is_transfer(u8 op)
{
	return op == READ_10 || op == WRITE_10 || op == READ_16 ||
	       op == WRITE_16 || op == VARIABLE_LENGTH_CMD;
}

/* A scan asks for no page of vital product data. */
static bool is_scan(const u8 *cdb)
{
	return cdb[0] == INQUIRY && !(cdb[1] & 1);
}

static void execute(struct command *cmd)
{
	static const u8 luns[16] = { 0, 0, 0, 8 };
	const u8 *cdb = cmd->cdb;

	switch (cdb[0]) {
	case TEST_UNIT_READY:
	case SYNCHRONIZE_CACHE:
		break;
	case INQUIRY:
		inquiry(cmd);
		break;
	case REPORT_LUNS:
		data_in(cmd, luns, sizeof(luns));
		break;
	case READ_CAPACITY:
		read_capacity(cmd, false);
		break;
	case SERVICE_ACTION_IN_16:
		read_capacity(cmd, true);
		break;
	case READ_10:
	case WRITE_10:
		read_write(cmd, get_unaligned_be32(cdb + 2),
			   get_unaligned_be16(cdb + 7), cdb[0] == WRITE_10);
		break;
	case READ_16:
	case WRITE_16:
		read_write(cmd, get_unaligned_be64(cdb + 2),
			   get_unaligned_be32(cdb + 10), cdb[0] == WRITE_16);
		break;
	case VARIABLE_LENGTH_CMD:
		/* The one with 32 bytes, which protection of type 2 takes */
		read_write(cmd, get_unaligned_be64(cdb + 12),
			   get_unaligned_be32(cdb + 28),
			   get_unaligned_be16(cdb + 8) == WRITE_32);
		break;
	default:
		check_condition(cmd, 0x20);
	}
}

static void stop_misbehaving(void)
{
	if (once && !--once) {
		response = -1;
		sense_len = 0;
		resid = 0;
		silent = false;
		hold = false;
	}
}

static void misbehave(struct command *cmd)
{
	if (response >= 0)
		cmd->resp.response = response;
	if (sense_len)
		cmd->resp.sense_len = cpu_to_virtio32(&script_vdev, sense_len);
	if (resid)
		cmd->resp.resid = cpu_to_virtio32(&script_vdev, resid);
}

static void execute_request(struct script_queue *queue, struct buffer *buf)
{
	struct virtio_scsi_cmd_req_pi req = {};
	struct command cmd = { .buf = buf, .head = sizeof(req) };
	bool transfer, no_answer, no_response;

	if (script_pi) {
		buffer_read(buf, 0, &req, sizeof(req));
		cmd.cdb = req.cdb;
		cmd.pi_out = virtio32_to_cpu(&script_vdev, req.pi_bytesout);
		cmd.pi_in = virtio32_to_cpu(&script_vdev, req.pi_bytesin);
	} else {
		cmd.head = sizeof(struct virtio_scsi_cmd_req);
		buffer_read(buf, 0, &req, cmd.head);
		cmd.cdb = ((struct virtio_scsi_cmd_req *)&req)->cdb;
	}
	transfer = is_transfer(cmd.cdb[0]);
	no_answer = (transfer && hold) || (hold_inquiry && is_scan(cmd.cdb));
	no_response = transfer && silent;

	/* There is one target. */
	if (req.lun[1])
		cmd.resp.response = VIRTIO_SCSI_S_BAD_TARGET;
	else
		execute(&cmd);
	if (transfer) {
		executed++;
		describe(&cmd, (void *)&req);
		misbehave(&cmd);
		stop_misbehaving();
	}
	if (!no_response && !no_answer)
		buffer_write(buf, 0, &cmd.resp, sizeof(cmd.resp));
	queue_move(queue, buf, no_answer ? &queue->held : &queue->used);
}

/* Whatever is held comes back, as all of it is of one LUN. */
static void give_back(u32 subtype)
{
	struct script_queue *queue = script_queue(SCRIPT_REQUEST);
	struct virtio_scsi_cmd_resp resp = {
		.response = subtype == VIRTIO_SCSI_T_TMF_ABORT_TASK ?
			    VIRTIO_SCSI_S_ABORTED : VIRTIO_SCSI_S_RESET,
	};
	struct buffer *buf;

	while ((buf = queue_held(queue))) {
		buffer_write(buf, 0, &resp, sizeof(resp));
		queue_move(queue, buf, &queue->used);
	}
}

static void execute_ctrl(struct script_queue *queue, struct buffer *buf)
{
	struct virtio_scsi_ctrl_tmf_resp resp = { tmf_response };
	struct virtio_scsi_ctrl_tmf_req req = {};
	size_t len = strlen(tmfs);
	u32 subtype;

	buffer_read(buf, 0, &req, sizeof(req));
	subtype = virtio32_to_cpu(&script_vdev, req.subtype);
	scnprintf(tmfs + len, sizeof(tmfs) - len, "%u ", subtype);
	if (tmf_response < 0) {
		queue_move(queue, buf, &queue->held);
		return;
	}
	if (!keep)
		give_back(subtype);
	buffer_write(buf, 0, &resp, sizeof(resp));
	queue_move(queue, buf, &queue->used);
}

void target_release(void)
{
	struct script_queue *queue = script_queue(SCRIPT_REQUEST);
	struct virtio_scsi_cmd_resp resp = {};
	struct buffer *buf;

	hold = false;
	hold_inquiry = false;
	while (queue && (buf = queue_held(queue))) {
		buffer_write(buf, 0, &resp, sizeof(resp));
		queue_move(queue, buf, &queue->used);
	}
}

void target_answer_late(void)
{
	struct script_queue *queue = script_queue(SCRIPT_CTRL);
	struct virtio_scsi_ctrl_tmf_resp resp = {};
	struct buffer *buf;

	while (queue && (buf = queue_held(queue))) {
		buffer_write(buf, 0, &resp, sizeof(resp));
		queue_move(queue, buf, &queue->used);
	}
}

void target_execute(struct script_queue *queue, struct buffer *buf)
{
	if (queue->vq.index == SCRIPT_CTRL)
		execute_ctrl(queue, buf);
	else
		execute_request(queue, buf);
}

int target_init(void)
{
	disk = vzalloc(BLOCKS * BLOCK);
	disk_pi = vmalloc(BLOCKS * PI_BYTES);
	if (!disk || !disk_pi) {
		target_exit();
		return -ENOMEM;
	}
	/* All ones: a block that was never written is not checked. */
	memset(disk_pi, 0xff, BLOCKS * PI_BYTES);
	return 0;
}

void target_exit(void)
{
	vfree(disk_pi);
	vfree(disk);
}
