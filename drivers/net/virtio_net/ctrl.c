// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control queue (5.1.6.5): one command at a time.
 *
 * Callers hold RTNL and want to know the outcome, so they wait: they look for the
 * answer for a short while, as most devices have it at once, and sleep between
 * looks from then on. An interrupt would take a vector from the data queues.
 *
 * A device that has not answered after VIRTNET_CTRL_TIMEOUT may still do so, for
 * instance if its host was stopped in a debugger. Until then nobody can tell what it
 * did, the memory of the command can't be freed, and another command's answer could not
 * be told from this one's. So there are no further commands until the answer has come;
 * then everything that the driver wants is applied again.
 */
#include "virtio_net.h"

#define VIRTNET_CTRL_TIMEOUT	(60 * HZ)
/* Between looks for a late answer */
#define VIRTNET_CTRL_LATE	HZ
#define VIRTNET_CTRL_SPIN_US	20
#define VIRTNET_CTRL_SLEEP_US	10000

/**
 * struct virtnet_cmd - a command and its answer
 * @status: where the device writes VIRTIO_NET_OK or _ERR, followed by its reply, in
 *          cache lines of their own
 * @reply_len: the most bytes that the reply may have
 * @len: bytes of @data
 * @hdr: which command
 * @data: of the command
 *
 * Memory of its own, as a late device may still read and write it when the
 * caller has long returned.
 */
struct virtnet_cmd {
	u8 *status;
	size_t reply_len;
	size_t len;
	struct virtio_net_ctrl_hdr hdr;
	u8 data[];
};

static struct virtnet_cmd *virtnet_cmd_alloc(u8 class, u8 command,
					     const void *data, size_t len,
					     size_t reply_len)
{
	size_t align = dma_get_cache_alignment();
	struct virtnet_cmd *cmd;
	size_t head;

	head = ALIGN(struct_size(cmd, data, len), align);
	cmd = kzalloc(head + ALIGN(1 + reply_len, align), GFP_KERNEL);
	if (!cmd)
		return NULL;

	cmd->status = (u8 *)cmd + head;
	cmd->status[0] = VIRTIO_NET_ERR;
	cmd->reply_len = reply_len;
	cmd->len = len;
	cmd->hdr.class = class;
	cmd->hdr.cmd = command;
	memcpy(cmd->data, data, len);
	return cmd;
}

static int virtnet_ctrl_send(struct virtqueue *vq, struct virtnet_cmd *cmd)
{
	int err;

	err = virtqueue_start_buf(vq, 2, 2, cmd, NULL, GFP_KERNEL);
	if (err)
		return err;

	/* Old devices rely on elements of just these sizes. */
	virtqueue_add_ptr(vq, &cmd->hdr, sizeof(cmd->hdr), DMA_TO_DEVICE);
	if (cmd->len)
		virtqueue_add_ptr(vq, cmd->data, cmd->len, DMA_TO_DEVICE);
	virtqueue_add_ptr(vq, cmd->status, 1, DMA_FROM_DEVICE);
	if (cmd->reply_len)
		virtqueue_add_ptr(vq, cmd->status + 1, cmd->reply_len,
				  DMA_FROM_DEVICE);
	err = virtqueue_end_buf(vq);
	if (err)
		return err;

	/* If the kick fails, the queue is broken, which ends the wait. */
	virtqueue_kick(vq);
	return 0;
}

/* @written: bytes of the answer, its status among them */
static int virtnet_ctrl_wait(struct virtqueue *vq, unsigned int *written)
{
	unsigned long deadline = jiffies + VIRTNET_CTRL_TIMEOUT;
	unsigned int us = 0;

	while (!virtqueue_get_buf(vq, written)) {
		if (virtqueue_is_broken(vq))
			return -EIO;
		if (time_after(jiffies, deadline))
			return -ETIMEDOUT;
		if (us < VIRTNET_CTRL_SPIN_US) {
			udelay(1);
			us++;
		} else {
			usleep_range(us, 2 * us);
			us = min(2 * us, VIRTNET_CTRL_SLEEP_US);
		}
	}
	return 0;
}

/* The number of bytes of the reply, or an error */
static int virtnet_cmd_result(const struct virtnet_cmd *cmd,
			      unsigned int written, void *reply)
{
	size_t len;

	if (cmd->status[0] != VIRTIO_NET_OK)
		return -EINVAL;
	len = written ? written - 1 : 0;
	if (len)
		memcpy(reply, cmd->status + 1, len);
	return len;
}

static void virtnet_ctrl_keep(struct virtnet *vn, struct virtnet_cmd *cmd,
			      int err)
{
	vn->ctrl.late = cmd;
	if (err == -EIO) {
		virtnet_lost(vn, "the control queue is broken");
		return;
	}
	dev_err(&vn->vdev->dev,
		"no answer to control command %u/%u in %u s: no further ones until it comes\n",
		cmd->hdr.class, cmd->hdr.cmd, VIRTNET_CTRL_TIMEOUT / HZ);
	schedule_delayed_work(&vn->ctrl.late_work, VIRTNET_CTRL_LATE);
}

static int virtnet_ctrl_run(struct virtnet *vn, struct virtnet_cmd *cmd,
			    void *reply)
{
	struct virtnet_ctrl *ctrl = &vn->ctrl;
	unsigned int written;
	int err;

	if (virtqueue_is_broken(ctrl->vq))
		err = -EIO;
	else if (ctrl->late)
		err = -EBUSY;
	else
		err = virtnet_ctrl_send(ctrl->vq, cmd);
	if (err)
		goto free;

	err = virtnet_ctrl_wait(ctrl->vq, &written);
	if (err) {
		virtnet_ctrl_keep(vn, cmd, err);
		return err;
	}
	err = virtnet_cmd_result(cmd, written, reply);
free:
	kfree(cmd);
	return err;
}

int virtnet_ctrl_query(struct virtnet *vn, u8 class, u8 command,
		       const void *data, size_t len, void *reply,
		       size_t reply_len)
{
	struct virtnet_ctrl *ctrl = &vn->ctrl;
	struct virtnet_cmd *cmd;
	int ret;

	if (!ctrl->vq)
		return -EOPNOTSUPP;
	cmd = virtnet_cmd_alloc(class, command, data, len, reply_len);
	if (!cmd)
		return -ENOMEM;

	mutex_lock(&ctrl->lock);
	ret = virtnet_ctrl_run(vn, cmd, reply);
	mutex_unlock(&ctrl->lock);
	return ret;
}

int virtnet_ctrl_command(struct virtnet *vn, u8 class, u8 command,
			 const void *data, size_t len)
{
	int ret;

	ret = virtnet_ctrl_query(vn, class, command, data, len, NULL, 0);
	return min(ret, 0);
}

static void virtnet_ctrl_late_work(struct work_struct *work)
{
	struct virtnet_ctrl *ctrl = container_of(to_delayed_work(work),
						 struct virtnet_ctrl,
						 late_work);
	struct virtnet *vn = container_of(ctrl, struct virtnet, ctrl);
	unsigned int written;

	mutex_lock(&ctrl->lock);
	if (virtqueue_get_buf(ctrl->vq, &written)) {
		dev_info(&vn->vdev->dev,
			 "control command %u/%u was answered late\n",
			 ctrl->late->hdr.class, ctrl->late->hdr.cmd);
		kfree(ctrl->late);
		ctrl->late = NULL;
		WRITE_ONCE(vn->apply_all, true);
		schedule_work(&vn->rx_mode_work);
	} else if (!virtqueue_is_broken(ctrl->vq)) {
		schedule_delayed_work(&ctrl->late_work, VIRTNET_CTRL_LATE);
	}
	mutex_unlock(&ctrl->lock);
}

void virtnet_ctrl_init(struct virtnet *vn)
{
	mutex_init(&vn->ctrl.lock);
	INIT_DELAYED_WORK(&vn->ctrl.late_work, virtnet_ctrl_late_work);
}

void virtnet_ctrl_stop(struct virtnet *vn)
{
	struct virtnet_ctrl *ctrl = &vn->ctrl;

	cancel_delayed_work_sync(&ctrl->late_work);
	if (!ctrl->vq)
		return;
	if (ctrl->late)
		virtqueue_detach_unused_buf(ctrl->vq);
	kfree(ctrl->late);
	ctrl->late = NULL;
	ctrl->vq = NULL;
}
