// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A SCSI host that is a virtio device (section 5.6 of the Virtual I/O Device
 * specification, version 1.2).
 *
 * A command is one buffer: the request header, the data that goes out, the
 * response, the data that comes in. The mid-layer's lists are added to the
 * queue as they are; both headers live in the command's private data.
 *
 * The device owns that memory until it returns the buffer, and takes as long as
 * it wants: whatever goes wrong behind it is the host's to handle. The driver
 * ends commands only when there is no device that could answer, and recovery
 * that an administrator asks for succeeds only if the buffers are back.
 *
 * Replaces the driver of this name:
 * Copyright IBM Corp. 2010
 * Copyright Red Hat, Inc. 2011
 *
 * Authors:
 *  Stefan Hajnoczi   <stefanha@linux.vnet.ibm.com>
 *  Paolo Bonzini   <pbonzini@redhat.com>
 */
#include <linux/blk-mq-virtio.h>
#include <linux/blk-mq.h>
#include <linux/cpumask.h>
#include <linux/crash_dump.h>
#include <linux/dma-map-ops.h>
#include <linux/interrupt.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/t10-pi.h>
#include <linux/unaligned.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_devinfo.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>
#include "sd.h"

/* Numbers of queues (5.6.2); those from VIRTSCSI_REQ on take requests. */
#define VIRTSCSI_CTRL		0
#define VIRTSCSI_EVENT		1
#define VIRTSCSI_REQ		2
#define VIRTSCSI_EVENTS		8
/* Task management functions for which there is memory when there is no other */
#define VIRTSCSI_TMF_RESERVE	64
/* Each response is at first none that the device may give. */
#define VIRTSCSI_NO_RESPONSE	0xff
/* A LUN is 14 bits in the flat format, marked by the bit above (5.6.6.1). */
#define VIRTSCSI_MAX_LUN	0x3fff
#define VIRTSCSI_LUN_FLAT	0x4000
#define VIRTSCSI_MAX_TARGET	0xff
#define VIRTSCSI_INQUIRY_LEN	36
#define VIRTSCSI_MAX_SECTORS	0xffff
/* A device that takes longer to be started again is not started any more. */
#define VIRTSCSI_MAX_PAUSE	(10 * HZ)
/* An interrupt that takes longer than this is lost. */
#define VIRTSCSI_GRACE		(HZ / 10)
/* What the response of a command needs where DMA is coherent */
#define VIRTSCSI_RESP_ALIGN	__alignof__(u32)
/* Where in the configuration a field is */
#define VIRTSCSI_AT(field)	offsetof(struct virtio_scsi_config, field)

static unsigned int virtscsi_poll_queues;
module_param(virtscsi_poll_queues, uint, 0644);
MODULE_PARM_DESC(virtscsi_poll_queues,
		 "Number of request queues to set aside for polled I/O");

/*
 * A command's private data. Where DMA is not coherent, no cache line that the
 * device writes may hold anything that the CPU writes meanwhile: @resp points
 * into @room such that it has its lines for itself there.
 */
struct virtscsi_cmd {
	struct virtio_scsi_cmd_resp *resp;
	union {
		struct virtio_scsi_cmd_req plain;
		struct virtio_scsi_cmd_req_pi pi;
	} req;
	bool queued;		/* the device owns header and response */
	u32 starved;		/* since when there is no memory for it, or 0 */
	u8 room[] __aligned(VIRTSCSI_RESP_ALIGN);
};

/* A task management function; waiter and device hold a reference each. */
struct virtscsi_tmf {
	refcount_t refs;
	struct completion done;
	struct virtio_scsi_ctrl_tmf_req req;
	struct virtio_scsi_ctrl_tmf_resp resp __aligned(ARCH_DMA_MINALIGN);
};

/*
 * Task management has to work when the disk that memory is swapped to is what needs it.
 * For all hosts: who waits for a function may be the last to know that its host is gone.
 */
static mempool_t *virtscsi_tmf_pool;

/**
 * struct virtscsi_queue - a queue
 * @lock: protects all of this, and all calls for @vq
 * @vq: the virtqueue, NULL while the device is stopped
 * @overdue: when answers were seen that no interrupt has told of, or 0
 */
struct virtscsi_queue {
	spinlock_t lock;	/* see above */
	struct virtqueue *vq;
	unsigned long overdue;
};

/* What the device writes events to: it has a page, hence cache lines, of its own. */
struct virtscsi_events {
	struct virtio_scsi_event event[VIRTSCSI_EVENTS];
};

/**
 * struct virtscsi_event - what is done about an event
 * @vscsi: the device that it is from
 * @work: handles it
 * @copy: what the device said
 * @busy: the buffer is not the device's, as @work is pending or running;
 *	  protected by the lock of the queue
 */
struct virtscsi_event {
	struct virtscsi *vscsi;
	struct work_struct work;
	struct virtio_scsi_event copy;
	bool busy;
};

/**
 * struct virtscsi - a device
 * @vdev: the device on the virtio bus
 * @shost: the same as a SCSI host
 * @req_size: size of a command's header
 * @pi: protection information was negotiated
 * @complained: a bad value from the device was reported
 * @removed: the device is not to be started again; protected by @restart
 * @restart: held while the device is stopped and started
 * @paused: the device is stopped, to be started again
 * @pause_end: by when it should be
 * @check: looks after a device that does not answer
 * @event: what is done about each of @events
 * @events: memory for events
 * @events_dma: address of @events for the device
 * @num_by_type: number of request queues of each type
 * @num_queues: number of queues of all kinds
 * @queue: the queues, by number
 */
struct virtscsi {
	struct virtio_device *vdev;
	struct Scsi_Host *shost;
	unsigned int req_size;
	bool pi;
	int complained;
	bool removed;
	struct mutex restart;	/* see above */
	bool paused;
	unsigned long pause_end;
	struct delayed_work check;
	struct virtscsi_event event[VIRTSCSI_EVENTS];
	struct virtscsi_events *events;
	dma_addr_t events_dma;
	unsigned int num_by_type[HCTX_MAX_TYPES];
	unsigned int num_queues;
	struct virtscsi_queue queue[] __counted_by(num_queues);
};

static struct virtscsi_queue *virtscsi_queue(struct virtqueue *vq)
{
	struct virtscsi *vscsi = vq->vdev->priv;

	return &vscsi->queue[vq->index];
}

/* A device that makes one mistake makes many: report the first. */
static void virtscsi_complain(struct virtscsi *vscsi, const char *what,
			      u32 value)
{
	if (!xchg(&vscsi->complained, 1))
		dev_warn(&vscsi->vdev->dev,
			 "device gave a bad %s: %#x (reported once)\n",
			 what, value);
}

static void virtscsi_set_lun(u8 lun[8], struct scsi_device *sdev)
{
	u16 flat = sdev->lun | VIRTSCSI_LUN_FLAT;

	lun[0] = 1;
	lun[1] = sdev->id;
	lun[2] = flat >> 8;
	lun[3] = flat & 0xff;
}

/* Unlike the command's address, this tells the device nothing. */
static u32 virtscsi_tag(struct scsi_cmnd *sc)
{
	return blk_mq_unique_tag(scsi_cmd_to_rq(sc));
}

/*
 * Completion of commands and task management functions
 */

/* NEXUS_FAILURE is no matter of the host: see virtscsi_result(). */
static const u8 virtscsi_host_byte[] = {
	[VIRTIO_SCSI_S_OK]			= DID_OK,
	[VIRTIO_SCSI_S_OVERRUN]			= DID_ERROR,
	[VIRTIO_SCSI_S_ABORTED]			= DID_ABORT,
	[VIRTIO_SCSI_S_BAD_TARGET]		= DID_BAD_TARGET,
	[VIRTIO_SCSI_S_RESET]			= DID_RESET,
	[VIRTIO_SCSI_S_BUSY]			= DID_BUS_BUSY,
	[VIRTIO_SCSI_S_TRANSPORT_FAILURE]	= DID_TRANSPORT_DISRUPTED,
	[VIRTIO_SCSI_S_TARGET_FAILURE]		= DID_BAD_TARGET,
	[VIRTIO_SCSI_S_NEXUS_FAILURE]		= DID_OK,
	[VIRTIO_SCSI_S_FAILURE]			= DID_ERROR,
};

/* The response is read once: a device may change it under our eyes. */
static int virtscsi_result(struct virtscsi *vscsi, struct scsi_cmnd *sc)
{
	const struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	const struct virtio_scsi_cmd_resp *resp = cmd->resp;
	u32 sense_len = virtio32_to_cpu(vscsi->vdev, READ_ONCE(resp->sense_len));
	u32 resid = virtio32_to_cpu(vscsi->vdev, READ_ONCE(resp->resid));
	u8 response = READ_ONCE(resp->response);
	u8 status = READ_ONCE(resp->status);

	BUILD_BUG_ON(sizeof(resp->sense) > SCSI_SENSE_BUFFERSIZE);

	if (unlikely(response >= ARRAY_SIZE(virtscsi_host_byte))) {
		virtscsi_complain(vscsi, "response", response);
		return DID_ERROR << 16;
	}
	if (unlikely(sense_len > sizeof(resp->sense))) {
		virtscsi_complain(vscsi, "sense length", sense_len);
		sense_len = sizeof(resp->sense);
	}
	if (sense_len)
		memcpy(sc->sense_buffer, resp->sense, sense_len);
	/* vhost counts what the CDB asks for, which may be more than the buffer. */
	scsi_set_resid(sc, min(resid, scsi_bufflen(sc)));
	if (response == VIRTIO_SCSI_S_NEXUS_FAILURE)
		status = SAM_STAT_RESERVATION_CONFLICT;
	return virtscsi_host_byte[response] << 16 | status;
}

/*
 * The queue's lock is held: who takes it next finds the command completed.
 * Or the queue is stopped.
 */
static void virtscsi_complete(struct scsi_cmnd *sc, int result)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

	/* Error handling reads it without that lock. */
	WRITE_ONCE(cmd->queued, false);
	sc->result = result;
	scsi_done(sc);
}

static void virtscsi_put_tmf(struct virtscsi_tmf *tmf)
{
	if (refcount_dec_and_test(&tmf->refs))
		mempool_free(tmf, virtscsi_tmf_pool);
}

static void virtscsi_complete_tmf(struct virtscsi_tmf *tmf)
{
	complete(&tmf->done);
	virtscsi_put_tmf(tmf);
}

static int virtscsi_reap(struct virtqueue *vq)
{
	struct virtscsi *vscsi = vq->vdev->priv;
	unsigned int len;
	int found = 0;
	void *token;

	for (; (token = virtqueue_get_buf(vq, &len)); found++) {
		if (vq->index == VIRTSCSI_CTRL)
			virtscsi_complete_tmf(token);
		else
			virtscsi_complete(token, virtscsi_result(vscsi, token));
	}
	return found;
}

/* The work queue has a thread of its own for when memory is short. */
static void virtscsi_check_soon(struct virtscsi *vscsi, unsigned long delay)
{
	queue_delayed_work(vscsi->shost->tmf_work_q, &vscsi->check, delay);
}

static void virtscsi_done(struct virtqueue *vq)
{
	struct virtscsi_queue *queue = virtscsi_queue(vq);
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	queue->overdue = 0;
	if (queue->vq) {
		do {
			virtqueue_disable_cb(vq);
			virtscsi_reap(vq);
		} while (!virtqueue_enable_cb(vq));
		if (unlikely(virtqueue_is_broken(vq)))
			virtscsi_check_soon(vq->vdev->priv, 0);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static int virtscsi_mq_poll(struct Scsi_Host *shost, unsigned int num)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_REQ + num];
	unsigned long flags;
	int found = 0;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->vq)
		found = virtscsi_reap(queue->vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	return found;
}

/*
 * Submission of commands
 */

/* When the mid-layer borrows a command it leaves the list in place. */
static unsigned int virtscsi_prot_nents(struct scsi_cmnd *sc)
{
	if (scsi_get_prot_op(sc) == SCSI_PROT_NORMAL)
		return 0;
	return scsi_prot_sg_count(sc);
}

/* Returns the place of the CDB, which is not that of the plain header. */
static u8 *virtscsi_fill_prot(struct virtscsi *vscsi, struct scsi_cmnd *sc,
			      unsigned int prot_nents)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	struct virtio_scsi_cmd_req_pi *pi = &cmd->req.pi;
	bool out = sc->sc_data_direction == DMA_TO_DEVICE;
	u32 bytes = 0;

	if (prot_nents)
		bytes = scsi_bufflen(sc) / scsi_prot_interval(sc) *
			sizeof(struct t10_pi_tuple);
	pi->pi_bytesout = cpu_to_virtio32(vscsi->vdev, out ? bytes : 0);
	pi->pi_bytesin = cpu_to_virtio32(vscsi->vdev, out ? 0 : bytes);
	return pi->cdb;
}

/*
 * What is never written is 0 from the start: the end of the LUN, prio and crn.
 * The mid-layer's CDB has zeroes at its end.
 */
static void virtscsi_fill(struct virtscsi *vscsi, struct scsi_cmnd *sc,
			  u32 tag, unsigned int prot_nents)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	struct virtio_scsi_cmd_resp *resp = cmd->resp;
	struct virtio_scsi_cmd_req *req = &cmd->req.plain;
	u8 *cdb = req->cdb;

	BUILD_BUG_ON(sizeof(sc->cmnd) != VIRTIO_SCSI_CDB_SIZE);

	/* Both kinds of header begin with these. */
	virtscsi_set_lun(req->lun, sc->device);
	req->tag = cpu_to_virtio64(vscsi->vdev, tag);
	req->task_attr = VIRTIO_SCSI_S_SIMPLE;
	if (vscsi->pi)
		cdb = virtscsi_fill_prot(vscsi, sc, prot_nents);
	memcpy(cdb, sc->cmnd, VIRTIO_SCSI_CDB_SIZE);

	/* A device that writes no response must not seem to have succeeded. */
	resp->sense_len = 0;
	resp->resid = 0;
	resp->response = VIRTSCSI_NO_RESPONSE;
}

static void virtscsi_add_data(struct virtqueue *vq, struct scsi_cmnd *sc,
			      unsigned int prot_nents)
{
	if (prot_nents)
		virtqueue_add_sg(vq, scsi_prot_sglist(sc), prot_nents,
				 sc->sc_data_direction);
	virtqueue_add_sg(vq, scsi_sglist(sc), scsi_sg_count(sc),
			 sc->sc_data_direction);
}

/* The order of the elements is that of 5.6.6.1. */
static int virtscsi_add(struct virtqueue *vq, struct scsi_cmnd *sc,
			unsigned int req_size, unsigned int prot_nents)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	unsigned int nents = prot_nents + scsi_sg_count(sc);
	bool out = nents && sc->sc_data_direction == DMA_TO_DEVICE;
	bool in = nents && sc->sc_data_direction == DMA_FROM_DEVICE;
	int err;

	err = virtqueue_start_buf(vq, 1 + (out ? nents : 0),
				  1 + (in ? nents : 0), sc, NULL, GFP_ATOMIC);
	if (err)
		return err;

	virtqueue_add_ptr(vq, &cmd->req, req_size, DMA_TO_DEVICE);
	if (out)
		virtscsi_add_data(vq, sc, prot_nents);
	virtqueue_add_ptr(vq, cmd->resp, sizeof(*cmd->resp), DMA_FROM_DEVICE);
	if (in)
		virtscsi_add_data(vq, sc, prot_nents);
	err = virtqueue_end_buf(vq);
	if (likely(!err)) {
		WRITE_ONCE(cmd->queued, true);
		cmd->starved = 0;
	}
	return err;
}

/*
 * While other commands use bounce buffers or memory, this one may get some later.
 * When there are none, and never have been in all the time that it may take, it
 * is too large.
 */
static bool virtscsi_is_hopeless(struct virtqueue *vq, struct scsi_cmnd *sc)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	u32 now = (u32)jiffies ?: 1;

	if (vq->num_free < virtqueue_get_vring_size(vq)) {
		cmd->starved = 0;
		return false;
	}
	/* What is older was there before this command. */
	if (!cmd->starved || (s32)(cmd->starved - (u32)sc->jiffies_at_alloc) < 0)
		cmd->starved = now;
	return now - cmd->starved > scsi_cmd_to_rq(sc)->timeout;
}

/*
 * New commands wait meanwhile. Who starts the device again may fail without a word
 * to us.
 */
static bool virtscsi_is_paused(struct virtscsi *vscsi)
{
	return READ_ONCE(vscsi->paused) &&
	       time_before(jiffies, READ_ONCE(vscsi->pause_end));
}

/* A queue whose device can't be told is broken. */
static void virtscsi_notify(struct virtscsi *vscsi, struct virtqueue *vq)
{
	if (unlikely(!virtqueue_notify(vq)))
		virtscsi_check_soon(vscsi, 0);
}

/*
 * The device is told without the lock, as that takes long: who takes the queue
 * away waits for RCU readers.
 */
static int virtscsi_queuecommand(struct Scsi_Host *shost, struct scsi_cmnd *sc)
{
	struct virtscsi *vscsi = shost_priv(shost);
	u32 tag = virtscsi_tag(sc), num = blk_mq_unique_tag_to_hwq(tag);
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_REQ + num];
	unsigned int prot_nents = virtscsi_prot_nents(sc);
	bool kick = sc->flags & SCMD_LAST;
	struct virtqueue *vq;
	unsigned long flags;
	int err = -EIO;

	virtscsi_fill(vscsi, sc, tag, prot_nents);

	rcu_read_lock();
	spin_lock_irqsave(&queue->lock, flags);
	vq = queue->vq;
	if (vq)
		err = virtscsi_add(vq, sc, vscsi->req_size, prot_nents);
	if (unlikely(err == -ENOMEM) && virtscsi_is_hopeless(vq, sc))
		err = -E2BIG;
	kick = kick && !err && virtqueue_kick_prepare(vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (kick)
		virtscsi_notify(vscsi, vq);
	rcu_read_unlock();

	if (likely(!err))
		return 0;
	if (err == -ENOSPC || err == -ENOMEM ||
	    (!vq && virtscsi_is_paused(vscsi)))
		return SCSI_MLQUEUE_HOST_BUSY;
	if (vq && err == -EIO)
		virtscsi_check_soon(vscsi, 0);
	if (err == -E2BIG)
		scmd_printk(KERN_ERR, sc, "there is never memory for %u bytes in %u segments\n",
			    scsi_bufflen(sc), scsi_sg_count(sc));
	sc->result = (err == -EIO ? DID_NO_CONNECT : DID_ERROR) << 16;
	scsi_done(sc);
	return 0;
}

static void virtscsi_commit_rqs(struct Scsi_Host *shost, u16 num)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_REQ + num];
	struct virtqueue *vq;
	unsigned long flags;
	bool kick;

	rcu_read_lock();
	spin_lock_irqsave(&queue->lock, flags);
	vq = queue->vq;
	kick = vq && virtqueue_kick_prepare(vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (kick)
		virtscsi_notify(vscsi, vq);
	rcu_read_unlock();
}

/* Without this function the mid-layer clears all of it for each command. */
static int virtscsi_init_cmd_priv(struct Scsi_Host *shost, struct scsi_cmnd *sc)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	u8 *room = cmd->room;

	if (!dev_is_dma_coherent(vscsi->vdev->dev.parent))
		room = PTR_ALIGN(room, ARCH_DMA_MINALIGN);
	cmd->resp = (struct virtio_scsi_cmd_resp *)room;
	return 0;
}

/*
 * Commands that take long
 */

/* What a look at a queue finds, for a command that takes long */
enum virtscsi_sight {
	VIRTSCSI_ANSWERED,	/* the command is done, or just being sent */
	VIRTSCSI_OVERDUE,	/* there are answers without an interrupt */
	VIRTSCSI_WAITING,	/* nothing new */
	VIRTSCSI_BROKEN,
};

/*
 * On a queue without interrupts, answers wait until somebody polls. On another
 * one the interrupt may just be on its way: whether it is lost is seen later.
 */
static enum virtscsi_sight virtscsi_look(struct virtscsi_queue *queue,
					 const struct virtscsi_cmd *cmd)
{
	struct virtqueue *vq = queue->vq;

	lockdep_assert_held(&queue->lock);
	if (vq && !vq->callback)
		virtscsi_reap(vq);
	if (!vq || !cmd->queued)
		return VIRTSCSI_ANSWERED;
	if (virtqueue_is_broken(vq))
		return VIRTSCSI_BROKEN;
	if (!vq->callback ||
	    !virtqueue_poll(vq, virtqueue_enable_cb_prepare(vq)))
		return VIRTSCSI_WAITING;
	if (!queue->overdue)
		queue->overdue = jiffies ?: 1;
	return VIRTSCSI_OVERDUE;
}

/* As if there was something new: a kick may have got lost as well. */
static void virtscsi_kick_again(struct virtscsi *vscsi,
				struct virtscsi_queue *queue)
{
	struct virtqueue *vq;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&queue->lock, flags);
	vq = queue->vq;
	if (vq)
		virtqueue_kick_prepare(vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (vq)
		virtscsi_notify(vscsi, vq);
	rcu_read_unlock();
}

/*
 * A host may be slow for long, a guest may be paused: a device that is there
 * gets all the time it wants. An administrator who sets eh_deadline wants the
 * mid-layer to recover instead.
 */
static enum scsi_timeout_action virtscsi_timed_out(struct scsi_cmnd *sc)
{
	u32 tag = virtscsi_tag(sc), num = blk_mq_unique_tag_to_hwq(tag);
	struct Scsi_Host *shost = sc->device->host;
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_REQ + num];
	enum virtscsi_sight sight;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	sight = virtscsi_look(queue, scsi_cmd_priv(sc));
	spin_unlock_irqrestore(&queue->lock, flags);

	if (sight == VIRTSCSI_ANSWERED)
		return SCSI_EH_RESET_TIMER;
	virtscsi_check_soon(vscsi, VIRTSCSI_GRACE);
	if (sight == VIRTSCSI_BROKEN)
		return SCSI_EH_NOT_HANDLED;
	if (sight == VIRTSCSI_OVERDUE)
		return SCSI_EH_RESET_TIMER;
	if (shost->eh_deadline != -1)
		return SCSI_EH_NOT_HANDLED;

	dev_warn_ratelimited(&sc->device->sdev_gendev,
			     "no answer for %lu s to command %#x, tag %#x\n",
			     (jiffies - sc->jiffies_at_alloc) / HZ,
			     sc->cmnd[0], tag);
	virtscsi_kick_again(vscsi, queue);
	return SCSI_EH_RESET_TIMER;
}

/*
 * Error recovery
 */

static int virtscsi_add_tmf(struct virtqueue *vq, struct virtscsi_tmf *tmf)
{
	int err;

	err = virtqueue_start_buf(vq, 1, 1, tmf, NULL, GFP_ATOMIC);
	if (err)
		return err;
	virtqueue_add_ptr(vq, &tmf->req, sizeof(tmf->req), DMA_TO_DEVICE);
	virtqueue_add_ptr(vq, &tmf->resp, sizeof(tmf->resp), DMA_FROM_DEVICE);
	err = virtqueue_end_buf(vq);
	if (!err) {
		refcount_inc(&tmf->refs);
		virtqueue_kick(vq);
	}
	return err;
}

static int virtscsi_send_tmf(struct virtscsi *vscsi, struct virtscsi_tmf *tmf)
{
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_CTRL];
	int err = -EIO;

	spin_lock_irq(&queue->lock);
	if (queue->vq)
		err = virtscsi_add_tmf(queue->vq, tmf);
	spin_unlock_irq(&queue->lock);
	return err;
}

/* A command may be done whose interrupt is late, or is never to come. */
static void virtscsi_poll_all(struct Scsi_Host *shost)
{
	unsigned int i;

	for (i = 0; i < shost->nr_hw_queues; i++)
		virtscsi_mq_poll(shost, i);
}

/* Does not wait for memory: without it, the next step of recovery is tried. */
static struct virtscsi_tmf *virtscsi_alloc_tmf(void)
{
	struct virtscsi_tmf *tmf = mempool_alloc(virtscsi_tmf_pool, GFP_NOWAIT);

	if (!tmf)
		return NULL;
	memset(tmf, 0, sizeof(*tmf));
	refcount_set(&tmf->refs, 1);
	init_completion(&tmf->done);
	tmf->resp.response = VIRTSCSI_NO_RESPONSE;
	return tmf;
}

/* A device that takes longer than the device's eh_timeout is given up on. */
static bool virtscsi_tmf(struct scsi_device *sdev, u32 subtype, u64 tag)
{
	struct virtscsi *vscsi = shost_priv(sdev->host);
	u8 response = VIRTSCSI_NO_RESPONSE;
	struct virtscsi_tmf *tmf;

	tmf = virtscsi_alloc_tmf();
	if (!tmf)
		return false;
	tmf->req.type = cpu_to_virtio32(vscsi->vdev, VIRTIO_SCSI_T_TMF);
	tmf->req.subtype = cpu_to_virtio32(vscsi->vdev, subtype);
	tmf->req.tag = cpu_to_virtio64(vscsi->vdev, tag);
	virtscsi_set_lun(tmf->req.lun, sdev);

	if (!virtscsi_send_tmf(vscsi, tmf) &&
	    wait_for_completion_timeout(&tmf->done, sdev->eh_timeout))
		response = READ_ONCE(tmf->resp.response);
	virtscsi_put_tmf(tmf);
	virtscsi_poll_all(sdev->host);

	return response == VIRTIO_SCSI_S_OK ||
	       response == VIRTIO_SCSI_S_FUNCTION_SUCCEEDED;
}

static int virtscsi_abort(struct scsi_cmnd *sc)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

	virtscsi_poll_all(sc->device->host);
	if (!READ_ONCE(cmd->queued))
		return SUCCESS;

	scmd_printk(KERN_INFO, sc, "abort\n");
	if (!virtscsi_tmf(sc->device, VIRTIO_SCSI_T_TMF_ABORT_TASK,
			  virtscsi_tag(sc)))
		return FAILED;
	return READ_ONCE(cmd->queued) ? FAILED : SUCCESS;
}

struct virtscsi_scope {
	struct scsi_device *sdev;
	bool whole_target;
	bool lost;
};

/* True if a command has timed out that the device still has */
static bool virtscsi_find_lost(struct scsi_cmnd *sc, void *data)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	struct virtscsi_scope *scope = data;

	if (sc->device->id == scope->sdev->id &&
	    (scope->whole_target || sc->device == scope->sdev) &&
	    test_bit(SCMD_STATE_COMPLETE, &sc->state) &&
	    READ_ONCE(cmd->queued))
		scope->lost = true;
	return !scope->lost;
}

static int virtscsi_reset(struct scsi_device *sdev, u32 subtype)
{
	struct virtscsi_scope scope = {
		.sdev = sdev,
		.whole_target = subtype == VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET,
	};

	if (!virtscsi_tmf(sdev, subtype, 0))
		return FAILED;
	scsi_host_busy_iter(sdev->host, virtscsi_find_lost, &scope);
	return scope.lost ? FAILED : SUCCESS;
}

static int virtscsi_device_reset(struct scsi_cmnd *sc)
{
	sdev_printk(KERN_INFO, sc->device, "device reset\n");
	return virtscsi_reset(sc->device,
			      VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET);
}

static int virtscsi_target_reset(struct scsi_cmnd *sc)
{
	sdev_printk(KERN_INFO, sc->device, "target reset\n");
	return virtscsi_reset(sc->device, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET);
}

/*
 * Events
 */

/* Called with the lock of the queue held. */
static void virtscsi_add_event(struct virtscsi *vscsi, struct virtqueue *vq,
			       struct virtscsi_event *event)
{
	unsigned long offset = (event - vscsi->event) * sizeof(event->copy);

	/* With a broken queue there are no more events. */
	if (virtqueue_start_buf(vq, 0, 1, event, NULL, GFP_ATOMIC))
		return;
	virtqueue_add_dma(vq, vscsi->events_dma + offset, sizeof(event->copy),
			  DMA_FROM_DEVICE);
	virtqueue_end_buf(vq);
}

/* Those that are being handled follow when that is done. */
static void virtscsi_add_events(struct virtscsi *vscsi, struct virtqueue *vq)
{
	unsigned int i;

	if (!virtio_has_feature(vscsi->vdev, VIRTIO_SCSI_F_HOTPLUG) &&
	    !virtio_has_feature(vscsi->vdev, VIRTIO_SCSI_F_CHANGE))
		return;
	for (i = 0; i < VIRTSCSI_EVENTS; i++)
		if (!vscsi->event[i].busy)
			virtscsi_add_event(vscsi, vq, &vscsi->event[i]);
}

static void virtscsi_kick_events(struct virtscsi *vscsi)
{
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_EVENT];

	spin_lock_irq(&queue->lock);
	if (queue->vq)
		virtqueue_kick(queue->vq);
	spin_unlock_irq(&queue->lock);
}

/* The buffer stays ours while its event is handled: there are never more. */
static void virtscsi_take_event(struct virtscsi *vscsi, struct virtqueue *vq,
				struct virtscsi_event *event)
{
	unsigned int i = event - vscsi->event;

	virtqueue_dma_sync_single_range_for_cpu(vq, vscsi->events_dma,
						i * sizeof(event->copy),
						sizeof(event->copy),
						DMA_FROM_DEVICE);
	event->copy = vscsi->events->event[i];
	barrier();	/* the copy is all that is looked at from here on */
	event->busy = true;
	queue_work(system_freezable_wq, &event->work);
}

static void virtscsi_event_done(struct virtqueue *vq)
{
	struct virtscsi *vscsi = vq->vdev->priv;
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_EVENT];
	struct virtscsi_event *event;
	unsigned long flags;
	unsigned int len;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->vq) {
		do {
			virtqueue_disable_cb(vq);
			while ((event = virtqueue_get_buf(vq, &len)))
				virtscsi_take_event(vscsi, vq, event);
		} while (!virtqueue_enable_cb(vq));
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static void virtscsi_return_event(struct virtscsi *vscsi,
				  struct virtscsi_event *event)
{
	struct virtscsi_queue *queue = &vscsi->queue[VIRTSCSI_EVENT];
	unsigned long offset = (event - vscsi->event) * sizeof(event->copy);
	struct virtqueue *vq;

	spin_lock_irq(&queue->lock);
	event->busy = false;
	vq = queue->vq;
	if (vq) {
		virtqueue_dma_sync_single_range_for_device(vq,
							   vscsi->events_dma,
							   offset,
							   sizeof(event->copy),
							   DMA_FROM_DEVICE);
		virtscsi_add_event(vscsi, vq, event);
		virtqueue_kick(vq);
	}
	spin_unlock_irq(&queue->lock);
}

/* LUNs below 256 may come in either format; the mid-layer has one of each. */
static unsigned int virtscsi_event_lun(const struct virtio_scsi_event *event)
{
	unsigned int lun = (event->lun[2] << 8 | event->lun[3]) &
			   VIRTSCSI_MAX_LUN;

	return lun < 256 ? lun : lun | VIRTSCSI_LUN_FLAT;
}

static void virtscsi_remove_lun(struct Scsi_Host *shost, unsigned int id,
				unsigned int lun)
{
	struct scsi_device *sdev = scsi_device_lookup(shost, 0, id, lun);

	if (!sdev) {
		shost_printk(KERN_INFO, shost,
			     "removed LUN 0:%u:%u was not known\n", id, lun);
		return;
	}
	scsi_remove_device(sdev);
	scsi_device_put(sdev);
}

static void virtscsi_transport_reset(struct virtscsi *vscsi, unsigned int id,
				     unsigned int lun, u32 reason)
{
	struct Scsi_Host *shost = vscsi->shost;

	switch (reason) {
	case VIRTIO_SCSI_EVT_RESET_RESCAN:
		if (lun)
			scsi_add_device(shost, 0, id, lun);
		else
			scsi_scan_target(&shost->shost_gendev, 0, id,
					 SCAN_WILD_CARD, SCSI_SCAN_INITIAL);
		break;
	case VIRTIO_SCSI_EVT_RESET_REMOVED:
		virtscsi_remove_lun(shost, id, lun);
		break;
	case VIRTIO_SCSI_EVT_RESET_HARD:
		/* The next command reports it as a unit attention. */
		break;
	default:
		virtscsi_complain(vscsi, "event reason", reason);
	}
}

/* The reason is an additional sense code, with its qualifier above. */
static void virtscsi_param_change(struct virtscsi *vscsi, unsigned int id,
				  unsigned int lun, u32 reason)
{
	unsigned int asc = reason & 0xff, ascq = reason >> 8;
	struct scsi_device *sdev;

	/* Parameters, mode parameters, or the capacity changed. */
	if (asc != 0x2a || (ascq != 0 && ascq != 1 && ascq != 9))
		return;
	sdev = scsi_device_lookup(vscsi->shost, 0, id, lun);
	if (!sdev)
		return;
	scsi_rescan_device(sdev);
	scsi_device_put(sdev);
}

/* True if a LUN is gone of which nothing was heard */
static bool virtscsi_lun_is_gone(struct scsi_device *sdev)
{
	u8 inquiry[VIRTSCSI_INQUIRY_LEN] = {};
	u8 cdb[] = { INQUIRY, 0, 0, 0, sizeof(inquiry), 0 };
	int result;

	result = scsi_execute_cmd(sdev, cdb, REQ_OP_DRV_IN, inquiry,
				  sizeof(inquiry), SD_TIMEOUT, SD_MAX_RETRIES,
				  NULL);
	/* A target without LUNs does not answer at all. */
	if (result > 0)
		return host_byte(result) == DID_BAD_TARGET;
	/* The peripheral qualifier tells whether the LUN is attached. */
	return result == 0 && inquiry[0] >> 5;
}

static void virtscsi_events_missed(struct virtscsi *vscsi)
{
	struct scsi_device *sdev;

	shost_for_each_device(sdev, vscsi->shost)
		if (virtscsi_lun_is_gone(sdev))
			scsi_remove_device(sdev);
	scsi_scan_host(vscsi->shost);
}

static void virtscsi_handle_event(struct virtscsi *vscsi,
				  const struct virtio_scsi_event *event)
{
	u32 type = virtio32_to_cpu(vscsi->vdev, event->event);
	u32 reason = virtio32_to_cpu(vscsi->vdev, event->reason);
	unsigned int lun = virtscsi_event_lun(event);
	unsigned int id = event->lun[1];

	if (type & VIRTIO_SCSI_T_EVENTS_MISSED)
		virtscsi_events_missed(vscsi);
	type &= ~VIRTIO_SCSI_T_EVENTS_MISSED;
	if (type == VIRTIO_SCSI_T_NO_EVENT)
		return;

	if (event->lun[0] != 1 || id >= vscsi->shost->max_id ||
	    lun >= vscsi->shost->max_lun)
		virtscsi_complain(vscsi, "event LUN",
				  get_unaligned_be32(event->lun));
	else if (type == VIRTIO_SCSI_T_TRANSPORT_RESET)
		virtscsi_transport_reset(vscsi, id, lun, reason);
	else if (type == VIRTIO_SCSI_T_PARAM_CHANGE)
		virtscsi_param_change(vscsi, id, lun, reason);
	else
		virtscsi_complain(vscsi, "event", type);
}

/*
 * Events are handled in parallel: one may wait for a scan that gets no answer,
 * while the others tell of disks that work.
 */
static void virtscsi_event_work(struct work_struct *work)
{
	struct virtscsi_event *event = container_of(work, struct virtscsi_event,
						    work);
	struct virtscsi *vscsi = event->vscsi;

	virtscsi_handle_event(vscsi, &event->copy);
	virtscsi_return_event(vscsi, event);
}

/*
 * Starting and stopping the device
 */

/*
 * @vqs is NULL when the device stops. An event that is being handled returns its
 * buffer by itself, once it finds the queue.
 */
static void virtscsi_set_vqs(struct virtscsi *vscsi, struct virtqueue **vqs)
{
	struct virtscsi_queue *queue = vscsi->queue;
	unsigned int i;

	for (i = 0; i < vscsi->num_queues; i++, queue++) {
		spin_lock_irq(&queue->lock);
		queue->vq = vqs ? vqs[i] : NULL;
		if (vqs && i == VIRTSCSI_EVENT)
			virtscsi_add_events(vscsi, vqs[i]);
		spin_unlock_irq(&queue->lock);
	}
}

static int virtscsi_find_vqs(struct virtscsi *vscsi, struct virtqueue **vqs)
{
	unsigned int num = vscsi->num_queues;
	unsigned int first_polled = num - vscsi->num_by_type[HCTX_TYPE_POLL];
	struct virtqueue_info *info __free(kfree) =
		kcalloc(num, sizeof(*info), GFP_KERNEL);
	struct irq_affinity affinity = { .pre_vectors = VIRTSCSI_REQ };
	unsigned int i;

	if (!info)
		return -ENOMEM;
	for (i = 0; i < num; i++) {
		info[i].name = i < first_polled ? "request" : "request_poll";
		info[i].callback = i < first_polled ? virtscsi_done : NULL;
	}
	info[VIRTSCSI_CTRL].name = "control";
	info[VIRTSCSI_EVENT].name = "event";
	info[VIRTSCSI_EVENT].callback = virtscsi_event_done;
	return virtio_find_vqs(vscsi->vdev, num, vqs, info, &affinity);
}

static int virtscsi_map_events(struct virtscsi *vscsi, struct virtqueue *vq)
{
	vscsi->events_dma =
		virtqueue_dma_map_single_attrs(vq, vscsi->events,
					       sizeof(*vscsi->events),
					       DMA_FROM_DEVICE, 0);
	return virtqueue_dma_mapping_error(vq, vscsi->events_dma);
}

static int virtscsi_start(struct virtscsi *vscsi)
{
	struct virtqueue **vqs __free(kfree) =
		kcalloc(vscsi->num_queues, sizeof(*vqs), GFP_KERNEL);
	struct virtio_device *vdev = vscsi->vdev;
	int err;

	if (!vqs)
		return -ENOMEM;
	err = virtscsi_find_vqs(vscsi, vqs);
	if (err)
		return err;
	err = virtscsi_map_events(vscsi, vqs[VIRTSCSI_EVENT]);
	if (err) {
		virtio_reset_device(vdev);
		vdev->config->del_vqs(vdev);
		return err;
	}

	virtio_cwrite32(vdev, VIRTSCSI_AT(cdb_size), VIRTIO_SCSI_CDB_SIZE);
	virtio_cwrite32(vdev, VIRTSCSI_AT(sense_size), VIRTIO_SCSI_SENSE_SIZE);
	virtscsi_set_vqs(vscsi, vqs);
	return 0;
}

/* The device is reset: nothing of what it had is its any more. */
static void virtscsi_take_back(struct virtscsi *vscsi, struct virtqueue *vq,
			       int result)
{
	void *token;

	while ((token = virtqueue_detach_unused_buf(vq))) {
		if (vq->index >= VIRTSCSI_REQ)
			virtscsi_complete(token, result);
		else if (vq->index == VIRTSCSI_CTRL)
			virtscsi_complete_tmf(token);
	}
	if (vq->index == VIRTSCSI_EVENT)
		virtqueue_dma_unmap_single_attrs(vq, vscsi->events_dma,
						 sizeof(*vscsi->events),
						 DMA_FROM_DEVICE, 0);
}

/* Commands that the device has end with @result, new ones with no connection. */
static void virtscsi_stop(struct virtscsi *vscsi, int result)
{
	struct virtio_device *vdev = vscsi->vdev;
	struct virtqueue *vq;

	virtscsi_set_vqs(vscsi, NULL);
	/* Nobody is about to notify the device either. */
	synchronize_rcu();
	virtio_reset_device(vdev);
	virtio_device_for_each_vq(vdev, vq) {
		/* The transport may have one of its own (2.13). */
		if (vq->index < vscsi->num_queues)
			virtscsi_take_back(vscsi, vq, result);
	}
	if (!list_empty(&vdev->vqs))
		vdev->config->del_vqs(vdev);
}

static int virtscsi_freeze(struct virtio_device *vdev)
{
	struct virtscsi *vscsi = vdev->priv;

	disable_delayed_work_sync(&vscsi->check);
	WRITE_ONCE(vscsi->pause_end, jiffies + VIRTSCSI_MAX_PAUSE);
	WRITE_ONCE(vscsi->paused, true);
	virtscsi_stop(vscsi, DID_RESET << 16);
	return 0;
}

/* For each pause once, however it ends: it has turned @check off. */
static void virtscsi_end_pause(struct virtscsi *vscsi)
{
	WRITE_ONCE(vscsi->paused, false);
	enable_delayed_work(&vscsi->check);
}

/* All request queues have room for this many elements. */
static unsigned int virtscsi_queue_size(struct virtscsi *vscsi)
{
	unsigned int size = UINT_MAX, i;

	for (i = VIRTSCSI_REQ; i < vscsi->num_queues; i++)
		size = min(size, virtqueue_get_vring_size(vscsi->queue[i].vq));
	return size;
}

/* How many elements a command of the mid-layer has at most */
static unsigned int virtscsi_longest(struct virtscsi *vscsi)
{
	struct Scsi_Host *shost = vscsi->shost;

	return 2 + shost->sg_tablesize +
	       (vscsi->pi ? shost->sg_prot_tablesize : 0);
}

static int virtscsi_start_again(struct virtscsi *vscsi)
{
	int err;

	/* Who was given up stays so: nothing would recover its commands. */
	if (vscsi->removed || virtio_device_is_gone(vscsi->vdev))
		return -ENODEV;
	err = virtscsi_start(vscsi);
	if (err)
		return err;
	if (virtscsi_queue_size(vscsi) < virtscsi_longest(vscsi)) {
		dev_err(&vscsi->vdev->dev, "queues are smaller than they were\n");
		virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
		return -ENOSPC;
	}
	virtio_device_ready(vscsi->vdev);
	virtscsi_kick_events(vscsi);
	return 0;
}

/*
 * Rings and interrupts need memory, of which there may be none before this disk
 * works again: the kernel's reserve is for that.
 */
static int virtscsi_restore(struct virtio_device *vdev)
{
	unsigned int noio = memalloc_noio_save();
	unsigned int reserve = memalloc_noreclaim_save();
	struct virtscsi *vscsi = vdev->priv;
	int err;

	err = virtscsi_start_again(vscsi);
	memalloc_noreclaim_restore(reserve);
	memalloc_noio_restore(noio);
	if (!err)
		virtscsi_end_pause(vscsi);
	return err;
}

static void virtscsi_restart_failed(struct virtio_device *vdev)
{
	virtscsi_end_pause(vdev->priv);
}

/* The last resort, and the only one that needs no help from the device. */
static int virtscsi_host_reset(struct scsi_cmnd *sc)
{
	struct Scsi_Host *shost = sc->device->host;
	struct virtscsi *vscsi = shost_priv(shost);
	int err = -ENODEV;

	shost_printk(KERN_WARNING, shost, "host reset\n");
	/* From here on the mid-layer holds new commands back. */
	blk_mq_wait_quiesce_done(&shost->tag_set);

	mutex_lock(&vscsi->restart);
	if (!vscsi->removed)
		err = virtio_device_freeze(vscsi->vdev) ?:
		      virtio_device_restore(vscsi->vdev);
	mutex_unlock(&vscsi->restart);
	return err ? FAILED : SUCCESS;
}

/*
 * A device that does not answer
 */

/* False if there is an answer that an interrupt still has time to tell of */
static bool virtscsi_take_overdue(struct virtscsi *vscsi,
				  struct virtscsi_queue *queue)
{
	bool early, lost = false;

	spin_lock_irq(&queue->lock);
	early = queue->overdue &&
		time_before(jiffies, queue->overdue + VIRTSCSI_GRACE);
	if (queue->overdue && !early) {
		queue->overdue = 0;
		lost = queue->vq && virtscsi_reap(queue->vq);
	}
	spin_unlock_irq(&queue->lock);

	if (lost)
		dev_warn_ratelimited(&vscsi->vdev->dev,
				     "request queue %td: the device was done, and did not say so\n",
				     queue - vscsi->queue - VIRTSCSI_REQ);
	return !early;
}

/* Called with @restart held, as are the next ones. */
static void virtscsi_stop_for_good(struct virtscsi *vscsi)
{
	vscsi->removed = true;
	WRITE_ONCE(vscsi->paused, false);
	virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
}

static bool virtscsi_is_broken(struct virtscsi *vscsi)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(vscsi->vdev, vq)
		if (virtqueue_is_broken(vq))
			return true;
	return false;
}

/* Have the mid-layer recover, without waiting for the command's timeout. */
static bool virtscsi_expire(struct scsi_cmnd *sc, void *data)
{
	blk_abort_request(scsi_cmd_to_rq(sc));
	return true;
}

/* True if the device has lost its state, or says that it can't go on */
static bool virtscsi_is_lost(struct virtscsi *vscsi)
{
	u8 status = vscsi->vdev->config->get_status(vscsi->vdev);

	return status & VIRTIO_CONFIG_S_NEEDS_RESET ||
	       !(status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/*
 * A device that is gone gives nothing back. One that is lost, or broke the
 * rules, may be good again after a reset: that is the mid-layer's last step.
 */
static void virtscsi_check_device(struct virtscsi *vscsi)
{
	if (virtio_device_is_gone(vscsi->vdev)) {
		virtscsi_stop_for_good(vscsi);
		return;
	}
	if (!virtscsi_is_broken(vscsi)) {
		if (!virtscsi_is_lost(vscsi))
			return;
		dev_err(&vscsi->vdev->dev, "the device needs a reset\n");
	}
	/* One bad queue is a bad device: commands on the others end as well. */
	virtio_break_device(vscsi->vdev);
	scsi_host_busy_iter(vscsi->shost, virtscsi_expire, NULL);
}

/* While somebody else stops and starts the device, there is nothing to do. */
static void virtscsi_check(struct work_struct *work)
{
	struct virtscsi *vscsi = container_of(to_delayed_work(work),
					      struct virtscsi, check);
	bool again = false;
	unsigned int i;

	for (i = VIRTSCSI_REQ; i < vscsi->num_queues; i++)
		again |= !virtscsi_take_overdue(vscsi, &vscsi->queue[i]);
	if (again)
		virtscsi_check_soon(vscsi, VIRTSCSI_GRACE);

	if (!mutex_trylock(&vscsi->restart))
		return;
	if (vscsi->queue[VIRTSCSI_CTRL].vq)
		virtscsi_check_device(vscsi);
	mutex_unlock(&vscsi->restart);
}

/*
 * The host
 */

/*
 * A device that is backed by real hardware describes the limits of that in its
 * VPD pages, which by default are not read for an SPC-2 device.
 */
static int virtscsi_slave_alloc(struct scsi_device *sdev)
{
	sdev->sdev_bflags = BLIST_TRY_VPD_PAGES;
	return 0;
}

static int virtscsi_change_queue_depth(struct scsi_device *sdev, int depth)
{
	return scsi_change_queue_depth(sdev,
				       min(depth, (int)sdev->host->cmd_per_lun));
}

static void virtscsi_map_queues(struct Scsi_Host *shost)
{
	struct virtscsi *vscsi = shost_priv(shost);
	unsigned int i, first = 0;

	for (i = 0; i < shost->nr_maps; i++) {
		struct blk_mq_queue_map *map = &shost->tag_set.map[i];

		map->nr_queues = vscsi->num_by_type[i];
		map->queue_offset = first;
		first += map->nr_queues;
		/* Only interrupts have an affinity to follow. */
		if (i == HCTX_TYPE_POLL)
			blk_mq_map_queues(map);
		else if (map->nr_queues)
			blk_mq_virtio_map_queues(map, vscsi->vdev,
						 VIRTSCSI_REQ);
	}
}

static const struct scsi_host_template virtscsi_host_template = {
	.module			= THIS_MODULE,
	.name			= "Virtio SCSI HBA",
	.proc_name		= "virtio_scsi",
	.this_id		= -1,
	.cmd_size		= sizeof(struct virtscsi_cmd) +
				  sizeof(struct virtio_scsi_cmd_resp),
	.init_cmd_priv		= virtscsi_init_cmd_priv,
	.queuecommand		= virtscsi_queuecommand,
	.commit_rqs		= virtscsi_commit_rqs,
	.mq_poll		= virtscsi_mq_poll,
	.map_queues		= virtscsi_map_queues,
	.slave_alloc		= virtscsi_slave_alloc,
	.change_queue_depth	= virtscsi_change_queue_depth,
	.eh_timed_out		= virtscsi_timed_out,
	.eh_abort_handler	= virtscsi_abort,
	.eh_device_reset_handler = virtscsi_device_reset,
	.eh_target_reset_handler = virtscsi_target_reset,
	.eh_host_reset_handler	= virtscsi_host_reset,
	.max_sectors		= VIRTSCSI_MAX_SECTORS,
	.dma_boundary		= UINT_MAX,
	.track_queue_depth	= 1,
	.skip_settle_delay	= 1,	/* there is no bus that rings */
};

/* The same for hosts whose DMA is not coherent */
static struct scsi_host_template virtscsi_padded_template __ro_after_init;

static void __init virtscsi_init_padded_template(void)
{
	virtscsi_padded_template = virtscsi_host_template;
	virtscsi_padded_template.cmd_size =
		sizeof(struct virtscsi_cmd) +
		ARCH_DMA_MINALIGN - VIRTSCSI_RESP_ALIGN +
		ALIGN(sizeof(struct virtio_scsi_cmd_resp), ARCH_DMA_MINALIGN);
}

/*
 * How many bounce buffers, each for a segment or a part of it, a command may use:
 * half of them, as others hold some for good. UINT_MAX if it needs none.
 */
static unsigned int virtscsi_max_bounces(struct virtio_device *vdev)
{
#ifdef CONFIG_SWIOTLB
	const struct io_tlb_mem *mem = vdev->dev.parent->dma_io_tlb_mem;

	if (mem && virtio_max_dma_size(vdev) != SIZE_MAX)
		return mem->nslabs / 2;
#endif
	return UINT_MAX;
}

/* The block layer takes no disk that a page is too much for. */
static u32 virtscsi_max_sectors(struct virtio_device *vdev)
{
	u32 sectors = virtio_cread32(vdev, VIRTSCSI_AT(max_sectors));
	u64 bounced = (u64)virtscsi_max_bounces(vdev) << IO_TLB_SHIFT >> SECTOR_SHIFT;

	sectors = min_t(u64, sectors ?: VIRTSCSI_MAX_SECTORS, bounced);
	if (sectors >= PAGE_SECTORS)
		return sectors;
	dev_warn(&vdev->dev,
		 "max_sectors %u is less than a page, using %u\n",
		 sectors, (u32)PAGE_SECTORS);
	return PAGE_SECTORS;
}

/*
 * A buffer is never longer than the queue (2.7.5.3.1): header and response
 * take two elements.
 */
static int virtscsi_set_limits(struct virtscsi *vscsi)
{
	struct virtio_device *vdev = vscsi->vdev;
	struct Scsi_Host *shost = vscsi->shost;
	u32 depth = virtio_cread32(vdev, VIRTSCSI_AT(cmd_per_lun));
	u32 size = virtscsi_queue_size(vscsi);
	u32 segs = size - 2;

	vscsi->pi = IS_ENABLED(CONFIG_BLK_DEV_INTEGRITY) &&
		    virtio_has_feature(vdev, VIRTIO_SCSI_F_T10_PI);
	vscsi->req_size = sizeof(struct virtio_scsi_cmd_req);
	if (vscsi->pi) {
		vscsi->req_size = sizeof(struct virtio_scsi_cmd_req_pi);
		segs /= 2;
	}
	if (size < 3 || !segs) {
		dev_err(&vdev->dev, "queue size %u is too small\n", size);
		return -EINVAL;
	}

	segs = min3(segs, virtio_cread32(vdev, VIRTSCSI_AT(seg_max)) ?: 1,
		    virtscsi_max_bounces(vdev) - 2);
	shost->sg_tablesize = segs;
	shost->sg_prot_tablesize = segs;
	shost->can_queue = size;
	shost->cmd_per_lun = min3(depth ?: 1, size, (u32)SHRT_MAX);
	shost->max_sectors = virtscsi_max_sectors(vdev);
	shost->max_id = min(virtio_cread16(vdev, VIRTSCSI_AT(max_target)),
			    VIRTSCSI_MAX_TARGET) + 1;
	shost->max_lun = min(virtio_cread32(vdev, VIRTSCSI_AT(max_lun)),
			     VIRTSCSI_MAX_LUN) + VIRTSCSI_LUN_FLAT + 1;
	shost->max_channel = 0;
	shost->max_cmd_len = VIRTIO_SCSI_CDB_SIZE;
	return 0;
}

/*
 * A queue all of whose CPUs are isolated from interrupts would disturb one of them.
 * The kernel that saves a crashed one has one CPU at work, and little memory.
 */
static unsigned int virtscsi_max_queues(void)
{
	if (is_kdump_kernel())
		return 1;
	return cpumask_weight_and(cpu_possible_mask,
				  housekeeping_cpumask(HK_TYPE_MANAGED_IRQ));
}

static const struct scsi_host_template *
virtscsi_template(struct virtio_device *vdev)
{
	return dev_is_dma_coherent(vdev->dev.parent) ?
	       &virtscsi_host_template : &virtscsi_padded_template;
}

static struct virtscsi *virtscsi_alloc(struct virtio_device *vdev)
{
	unsigned int num_req, num_polled, i;
	struct virtscsi_events *events;
	struct Scsi_Host *shost;
	struct virtscsi *vscsi;

	events = (void *)devm_get_free_pages(&vdev->dev,
					     GFP_KERNEL | __GFP_ZERO, 0);
	if (!events)
		return NULL;
	num_req = clamp(virtio_cread32(vdev, VIRTSCSI_AT(num_queues)),
			1, virtscsi_max_queues());
	shost = scsi_host_alloc(virtscsi_template(vdev),
				struct_size(vscsi, queue,
					    VIRTSCSI_REQ + num_req));
	if (!shost)
		return NULL;

	/* At least one queue must be there for all that is not polled. */
	num_polled = min(virtscsi_poll_queues, num_req - 1);
	shost->nr_hw_queues = num_req;
	shost->nr_maps = num_polled ? HCTX_TYPE_POLL + 1 : 1;

	vscsi = shost_priv(shost);
	vscsi->vdev = vdev;
	vscsi->shost = shost;
	vscsi->events = events;
	vscsi->num_queues = VIRTSCSI_REQ + num_req;
	vscsi->num_by_type[HCTX_TYPE_DEFAULT] = num_req - num_polled;
	vscsi->num_by_type[HCTX_TYPE_POLL] = num_polled;
	mutex_init(&vscsi->restart);
	INIT_DELAYED_WORK(&vscsi->check, virtscsi_check);
	for (i = 0; i < VIRTSCSI_EVENTS; i++) {
		vscsi->event[i].vscsi = vscsi;
		INIT_WORK(&vscsi->event[i].work, virtscsi_event_work);
	}
	for (i = 0; i < vscsi->num_queues; i++)
		spin_lock_init(&vscsi->queue[i].lock);
	return vscsi;
}

/* Commands come as soon as the host is there. */
static int virtscsi_add_host(struct virtscsi *vscsi)
{
	int err;

	err = virtscsi_set_limits(vscsi);
	if (err)
		return err;
	if (vscsi->pi) {
		scsi_host_set_prot(vscsi->shost, SHOST_DIF_TYPE1_PROTECTION |
						 SHOST_DIF_TYPE2_PROTECTION |
						 SHOST_DIF_TYPE3_PROTECTION |
						 SHOST_DIX_TYPE1_PROTECTION |
						 SHOST_DIX_TYPE2_PROTECTION |
						 SHOST_DIX_TYPE3_PROTECTION);
		scsi_host_set_guard(vscsi->shost, SHOST_DIX_GUARD_CRC);
	}
	virtio_device_ready(vscsi->vdev);
	return scsi_add_host(vscsi->shost, &vscsi->vdev->dev);
}

static int virtscsi_probe(struct virtio_device *vdev)
{
	struct virtscsi *vscsi;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "the device has no configuration\n");
		return -EINVAL;
	}
	vscsi = virtscsi_alloc(vdev);
	if (!vscsi)
		return -ENOMEM;
	vdev->priv = vscsi;

	err = virtscsi_start(vscsi);
	if (err)
		goto put;
	err = virtscsi_add_host(vscsi);
	if (err)
		goto stop;
	dev_info(&vdev->dev, "%u/0/%u default/read/poll queues\n",
		 vscsi->num_by_type[HCTX_TYPE_DEFAULT],
		 vscsi->num_by_type[HCTX_TYPE_POLL]);
	return 0;

stop:
	virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
put:
	scsi_host_put(vscsi->shost);
	return err;
}

static void virtscsi_scan(struct virtio_device *vdev)
{
	struct virtscsi *vscsi = vdev->priv;

	virtscsi_kick_events(vscsi);
	scsi_scan_host(vscsi->shost);
}

/*
 * Caches are written back, for as long as the device takes, unless it is gone
 * already; when it goes meanwhile, a command that takes long finds out.
 */
static void virtscsi_remove(struct virtio_device *vdev)
{
	struct virtscsi *vscsi = vdev->priv;
	unsigned int i;

	mutex_lock(&vscsi->restart);
	if (virtscsi_is_broken(vscsi) || virtio_device_is_gone(vscsi->vdev))
		virtscsi_stop_for_good(vscsi);
	mutex_unlock(&vscsi->restart);

	scsi_remove_host(vscsi->shost);

	mutex_lock(&vscsi->restart);
	virtscsi_stop_for_good(vscsi);
	mutex_unlock(&vscsi->restart);
	/* Nothing queues these any more. */
	cancel_delayed_work_sync(&vscsi->check);
	for (i = 0; i < VIRTSCSI_EVENTS; i++)
		cancel_work_sync(&vscsi->event[i].work);
	scsi_host_put(vscsi->shost);
}

static const struct virtio_device_id virtscsi_ids[] = {
	{ VIRTIO_ID_SCSI, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, virtscsi_ids);

static const unsigned int virtscsi_features[] = {
	VIRTIO_SCSI_F_HOTPLUG,
	VIRTIO_SCSI_F_CHANGE,
#ifdef CONFIG_BLK_DEV_INTEGRITY
	VIRTIO_SCSI_F_T10_PI,
#endif
};

static struct virtio_driver virtscsi_driver = {
	.driver.name		= KBUILD_MODNAME,
	.id_table		= virtscsi_ids,
	.feature_table		= virtscsi_features,
	.feature_table_size	= ARRAY_SIZE(virtscsi_features),
	.probe			= virtscsi_probe,
	.scan			= virtscsi_scan,
	.remove			= virtscsi_remove,
	.freeze			= virtscsi_freeze,
	.restore		= virtscsi_restore,
	.reset_prepare		= virtscsi_freeze,
	.reset_done		= virtscsi_restore,
	.restart_failed		= virtscsi_restart_failed,
};

static int __init virtscsi_init(void)
{
	int err;

	virtscsi_init_padded_template();
	virtscsi_tmf_pool =
		mempool_create_kmalloc_pool(VIRTSCSI_TMF_RESERVE,
					    sizeof(struct virtscsi_tmf));
	if (!virtscsi_tmf_pool)
		return -ENOMEM;
	err = register_virtio_driver(&virtscsi_driver);
	if (err)
		mempool_destroy(virtscsi_tmf_pool);
	return err;
}
module_init(virtscsi_init);

static void __exit virtscsi_exit(void)
{
	unregister_virtio_driver(&virtscsi_driver);
	mempool_destroy(virtscsi_tmf_pool);
}
module_exit(virtscsi_exit);

MODULE_DESCRIPTION("SCSI hosts that are virtio devices");
MODULE_LICENSE("GPL");
