// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queue: all commands are written down, and answered as the test says.
 */
#include <linux/hex.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/virtio_net.h>
#include "script.h"

/* Words CLASS/COMMAND */
static char refuse[128];
module_param_string(refuse, refuse, sizeof(refuse), 0644);
MODULE_PARM_DESC(refuse, "answer these with an error");

static char hold[128];
module_param_string(hold, hold, sizeof(hold), 0644);
MODULE_PARM_DESC(hold, "do not answer these");

static bool silent;
module_param(silent, bool, 0644);
MODULE_PARM_DESC(silent, "use the buffer without a status");

/* Statistics */
static unsigned long long stats_cap;
module_param(stats_cap, ullong, 0644);
MODULE_PARM_DESC(stats_cap, "types of statistics that there are");

static char stats[1024];
module_param_string(stats, stats, sizeof(stats), 0644);
MODULE_PARM_DESC(stats, "the answer to who asks for some, hexadecimal");

static int written = -1;
module_param(written, int, 0644);
MODULE_PARM_DESC(written, "claim that answers have this length; negative: do not lie");

static char commands[PAGE_SIZE - 1];
static size_t commands_len;

struct command {
	struct virtio_net_ctrl_hdr hdr;
	u8 data[2048];
	u32 len;
	char name[8];
};

/* What there is no room for is missing, and so the test fails. */
static void write_down(const struct command *cmd)
{
	size_t room = sizeof(commands) - commands_len;
	char *to = commands + commands_len;

	if (room < sizeof(cmd->name) + 2 * cmd->len + 2)
		return;
	to += sprintf(to, "%s ", cmd->name);
	to = bin2hex(to, cmd->data, cmd->len);
	*to++ = '\n';
	*to = 0;
	commands_len = to - commands;
}

/* The reply, after the status; returns its length */
static u32 reply(struct buffer *buf, const struct command *cmd)
{
	struct virtio_net_stats_capabilities cap = {
		.supported_stats_types[0] = cpu_to_le64(stats_cap),
	};
	u8 data[sizeof(stats) / 2];
	u32 len = strlen(stats) / 2;

	if (cmd->hdr.class != VIRTIO_NET_CTRL_STATS)
		return 0;
	if (cmd->hdr.cmd == VIRTIO_NET_CTRL_STATS_QUERY)
		return buffer_write(buf, 1, &cap, sizeof(cap));
	return hex2bin(data, stats, len) ? 0 : buffer_write(buf, 1, data, len);
}

static void answer(struct script_queue *queue, struct buffer *buf,
		   const struct command *cmd)
{
	u8 status = strstr(refuse, cmd->name) ? VIRTIO_NET_ERR : VIRTIO_NET_OK;

	buf->used_len = 1 + reply(buf, cmd);
	if (!silent)
		buffer_write(buf, 0, &status, sizeof(status));
	if (written >= 0)
		buf->used_len = written;
	queue_move(queue, buf, &queue->used);
}

static void read_command(const struct buffer *buf, struct command *cmd)
{
	buffer_read(buf, 0, &cmd->hdr, sizeof(cmd->hdr));
	cmd->len = buffer_read(buf, sizeof(cmd->hdr), cmd->data,
			       sizeof(cmd->data));
	snprintf(cmd->name, sizeof(cmd->name), "%u/%u", cmd->hdr.class,
		 cmd->hdr.cmd);
}

/* Only the work of the device calls this. */
void control_execute(struct script_queue *queue, struct buffer *buf)
{
	static struct command cmd;

	read_command(buf, &cmd);
	write_down(&cmd);
	if (cmd.hdr.class == VIRTIO_NET_CTRL_ANNOUNCE)
		script_announced();
	if (strstr(hold, cmd.name))
		queue_move(queue, buf, &queue->held);
	else
		answer(queue, buf, &cmd);
}

void control_answer_late(struct script_queue *queue)
{
	static struct command cmd;
	struct buffer *buf;

	while ((buf = queue_held(queue))) {
		read_command(buf, &cmd);
		answer(queue, buf, &cmd);
	}
}

static int commands_set(const char *value, const struct kernel_param *kp)
{
	commands_len = 0;
	commands[0] = 0;
	return 0;
}

static int commands_get(char *to, const struct kernel_param *kp)
{
	return scnprintf(to, PAGE_SIZE, "%s", commands);
}

static const struct kernel_param_ops commands_ops = {
	.set = commands_set,
	.get = commands_get,
};
module_param_cb(commands, &commands_ops, NULL, 0644);
MODULE_PARM_DESC(commands, "CLASS/COMMAND DATA of all that came; written to: forget them");
