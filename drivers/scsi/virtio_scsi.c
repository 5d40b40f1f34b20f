// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SCSI host that is a virtio device (section 5.6 of the Virtual I/O Device
 * specification, version 1.2).
 *
 * A command is one buffer: the request header, the data that goes out, the
 * response, the data that comes in.  The mid-layer's lists are added to the
 * queue as they are; both headers live in the command's private data.
 *
 * The device owns that memory until it returns the buffer.  So a command that
 * timed out is given back to the mid-layer only when its buffer is back, and
 * when nothing else helps the device is reset, which is what always helps.
 */
#include <linux/blk-mq-virtio.h>
#include <linux/blk-mq.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
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

/* Queues before the request queues: control and event */
#define VIRTSCSI_QUEUES_BEFORE	2
#define VIRTSCSI_EVENTS		8
/* Each response is at first none that the device may give. */
#define VIRTSCSI_NO_RESPONSE	0xff
/* A LUN is 14 bits in the flat format, marked by the bit above (5.6.6.1). */
#define VIRTSCSI_MAX_LUN	0x3fff
#define VIRTSCSI_LUN_FLAT	0x4000
#define VIRTSCSI_MAX_TARGET	0xff
#define VIRTSCSI_INQUIRY_LEN	36

static unsigned int virtscsi_poll_queues;
module_param(virtscsi_poll_queues, uint, 0644);
MODULE_PARM_DESC(virtscsi_poll_queues,
		 "Number of request queues to set aside for polled I/O");

/*
 * A command's private data.  No cache line that the device writes may hold
 * anything that the CPU writes meanwhile: @resp points into @room such that
 * it has its lines for itself, on machines where that matters.
 */
struct virtscsi_cmd {
	struct virtio_scsi_cmd_resp *resp;
	bool queued;		/* the device owns req and resp */
	union {
		struct virtio_scsi_cmd_req plain;
		struct virtio_scsi_cmd_req_pi pi;
	} req;
	u8 room[ALIGN(sizeof(struct virtio_scsi_cmd_resp), ARCH_DMA_MINALIGN) +
		ARCH_DMA_MINALIGN - 1];
};

/* A task management function; waiter and device hold a reference each. */
struct virtscsi_tmf {
	refcount_t refs;
	struct completion done;
	struct virtio_scsi_ctrl_tmf_req req;
	struct virtio_scsi_ctrl_tmf_resp resp __aligned(ARCH_DMA_MINALIGN);
};

struct virtscsi_queue {
	spinlock_t lock;	/* protects @vq, and all calls for it */
	struct virtqueue *vq;	/* NULL while the device is stopped */
};

/**
 * struct virtscsi - a device
 * @vdev: the device on the virtio bus
 * @shost: the same as a SCSI host
 * @pi: protection information was negotiated
 * @complained: a bad value from the device was reported
 * @removed: the device is not to be started again; protected by @restart
 * @restart: held while the device is stopped and started
 * @event_work: handles events in order, one at a time
 * @events: what the device writes events to; nothing else is in that memory
 * @events_dma: address of @events for the device
 * @ctrl: control queue
 * @event: event queue
 * @num_by_type: number of request queues of each type
 * @num_queues: number of request queues
 * @req: request queues
 */
struct virtscsi {
	struct virtio_device *vdev;
	struct Scsi_Host *shost;
	bool pi;
	bool complained;
	bool removed;
	struct mutex restart;	/* see above */
	struct work_struct event_work;
	struct virtio_scsi_event *events;
	dma_addr_t events_dma;
	struct virtscsi_queue ctrl;
	struct virtscsi_queue event;
	unsigned int num_by_type[HCTX_MAX_TYPES];
	unsigned int num_queues;
	struct virtscsi_queue req[] __counted_by(num_queues);
};

static struct virtscsi *virtscsi_of(struct virtqueue *vq)
{
	return vq->vdev->priv;
}

/* A device that makes one mistake makes many: report the first. */
static void virtscsi_complain(struct virtscsi *vscsi, const char *what,
			      u32 value)
{
	if (!xchg(&vscsi->complained, true))
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
static u64 virtscsi_tag(struct scsi_cmnd *sc)
{
	return blk_mq_unique_tag(scsi_cmd_to_rq(sc));
}

static struct virtscsi_queue *virtscsi_req_queue(struct virtscsi *vscsi,
						 struct scsi_cmnd *sc)
{
	u32 tag = blk_mq_unique_tag(scsi_cmd_to_rq(sc));

	return &vscsi->req[blk_mq_unique_tag_to_hwq(tag)];
}

/*
 * Completion of commands
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
static int virtscsi_result(struct virtscsi *vscsi, struct scsi_cmnd *sc,
			   const struct virtio_scsi_cmd_resp *resp)
{
	u32 sense_len = virtio32_to_cpu(vscsi->vdev, READ_ONCE(resp->sense_len));
	u32 resid = virtio32_to_cpu(vscsi->vdev, READ_ONCE(resp->resid));
	u8 response = READ_ONCE(resp->response);
	u8 status = READ_ONCE(resp->status);

	BUILD_BUG_ON(sizeof(resp->sense) > SCSI_SENSE_BUFFERSIZE);

	if (unlikely(response >= ARRAY_SIZE(virtscsi_host_byte))) {
		virtscsi_complain(vscsi, "response", response);
	} else if (unlikely(sense_len > sizeof(resp->sense))) {
		virtscsi_complain(vscsi, "sense length", sense_len);
	} else if (unlikely(resid > scsi_bufflen(sc))) {
		virtscsi_complain(vscsi, "residual", resid);
	} else {
		if (response == VIRTIO_SCSI_S_NEXUS_FAILURE)
			status = SAM_STAT_RESERVATION_CONFLICT;
		memcpy(sc->sense_buffer, resp->sense, sense_len);
		scsi_set_resid(sc, resid);
		return virtscsi_host_byte[response] << 16 | status;
	}
	return DID_ERROR << 16;
}

/* The queue's lock is held: who takes it next finds the command completed. */
static void virtscsi_complete(struct scsi_cmnd *sc, int result)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

	cmd->queued = false;
	sc->result = result;
	scsi_done(sc);
}

static int virtscsi_reap(struct virtscsi *vscsi, struct virtqueue *vq)
{
	struct scsi_cmnd *sc;
	unsigned int len;
	int found = 0;

	while ((sc = virtqueue_get_buf(vq, &len))) {
		struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

		virtscsi_complete(sc, virtscsi_result(vscsi, sc, cmd->resp));
		found++;
	}
	return found;
}

static void virtscsi_req_done(struct virtqueue *vq)
{
	struct virtscsi *vscsi = virtscsi_of(vq);
	struct virtscsi_queue *queue =
		&vscsi->req[vq->index - VIRTSCSI_QUEUES_BEFORE];
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->vq) {
		do {
			virtqueue_disable_cb(vq);
			virtscsi_reap(vscsi, vq);
		} while (!virtqueue_enable_cb(vq));
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static int virtscsi_mq_poll(struct Scsi_Host *shost, unsigned int num)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = &vscsi->req[num];
	unsigned long flags;
	int found = 0;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->vq)
		found = virtscsi_reap(vscsi, queue->vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	return found;
}

/*
 * Submission of commands
 */

static u32 virtscsi_prot_bytes(struct scsi_cmnd *sc, unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;
	u32 bytes = 0;

	for_each_sg(scsi_prot_sglist(sc), sg, nents, i)
		bytes += sg->length;
	return bytes;
}

/* Returns the size of the header. */
static unsigned int virtscsi_fill_req(struct virtscsi *vscsi,
				      struct scsi_cmnd *sc,
				      unsigned int prot_nents)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	struct virtio_scsi_cmd_req *req = &cmd->req.plain;
	struct virtio_scsi_cmd_req_pi *pi = &cmd->req.pi;
	unsigned int size = sizeof(*req);
	u8 *cdb = req->cdb;

	/* Both kinds of header begin with these. */
	virtscsi_set_lun(req->lun, sc->device);
	req->tag = cpu_to_virtio64(vscsi->vdev, virtscsi_tag(sc));
	req->task_attr = VIRTIO_SCSI_S_SIMPLE;
	req->prio = 0;
	req->crn = 0;

	if (vscsi->pi) {
		bool out = sc->sc_data_direction == DMA_TO_DEVICE;
		u32 bytes = virtscsi_prot_bytes(sc, prot_nents);

		pi->pi_bytesout = cpu_to_virtio32(vscsi->vdev, out ? bytes : 0);
		pi->pi_bytesin = cpu_to_virtio32(vscsi->vdev, out ? 0 : bytes);
		size = sizeof(*pi);
		cdb = pi->cdb;
	}

	memset(cdb, 0, VIRTIO_SCSI_CDB_SIZE);
	memcpy(cdb, sc->cmnd, sc->cmd_len);
	return size;
}

/* A device that writes no response must not seem to have succeeded. */
static void virtscsi_clear_resp(struct virtio_scsi_cmd_resp *resp)
{
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
	return virtqueue_end_buf(vq);
}

/* The command is not in the queue: try again, or give up? */
static int virtscsi_not_queued(struct scsi_cmnd *sc, int err)
{
	if (err == -ENOSPC || err == -ENOMEM)
		return SCSI_MLQUEUE_HOST_BUSY;

	sc->result = (err == -EIO ? DID_NO_CONNECT : DID_ERROR) << 16;
	scsi_done(sc);
	return 0;
}

/*
 * The device is told without the lock, as that takes long; who takes the
 * queue away waits for RCU readers.
 */
static int virtscsi_queuecommand(struct Scsi_Host *shost, struct scsi_cmnd *sc)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = virtscsi_req_queue(vscsi, sc);
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	unsigned int prot_nents = 0, req_size;
	struct virtqueue *vq;
	bool notify = false;
	unsigned long flags;
	int err = -EIO;

	/* When the mid-layer borrows a command it leaves the list in place. */
	if (scsi_get_prot_op(sc) != SCSI_PROT_NORMAL)
		prot_nents = scsi_prot_sg_count(sc);
	req_size = virtscsi_fill_req(vscsi, sc, prot_nents);
	virtscsi_clear_resp(cmd->resp);

	rcu_read_lock();
	spin_lock_irqsave(&queue->lock, flags);
	vq = queue->vq;
	if (vq)
		err = virtscsi_add(vq, sc, req_size, prot_nents);
	if (!err) {
		cmd->queued = true;
		if (sc->flags & SCMD_LAST)
			notify = virtqueue_kick_prepare(vq);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	if (notify)
		virtqueue_notify(vq);
	rcu_read_unlock();

	return err ? virtscsi_not_queued(sc, err) : 0;
}

static void virtscsi_commit_rqs(struct Scsi_Host *shost, u16 num)
{
	struct virtscsi *vscsi = shost_priv(shost);
	struct virtscsi_queue *queue = &vscsi->req[num];
	bool notify = false;
	struct virtqueue *vq;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(&queue->lock, flags);
	vq = queue->vq;
	if (vq)
		notify = virtqueue_kick_prepare(vq);
	spin_unlock_irqrestore(&queue->lock, flags);
	if (notify)
		virtqueue_notify(vq);
	rcu_read_unlock();
}

static int virtscsi_init_cmd_priv(struct Scsi_Host *shost, struct scsi_cmnd *sc)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

	cmd->resp = PTR_ALIGN((void *)cmd->room, ARCH_DMA_MINALIGN);
	return 0;
}

/*
 * Error recovery
 */

static void virtscsi_put_tmf(struct virtscsi_tmf *tmf)
{
	if (refcount_dec_and_test(&tmf->refs))
		kfree(tmf);
}

static void virtscsi_ctrl_done(struct virtqueue *vq)
{
	struct virtscsi_queue *queue = &virtscsi_of(vq)->ctrl;
	struct virtscsi_tmf *tmf;
	unsigned long flags;
	unsigned int len;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->vq) {
		do {
			virtqueue_disable_cb(vq);
			while ((tmf = virtqueue_get_buf(vq, &len))) {
				complete(&tmf->done);
				virtscsi_put_tmf(tmf);
			}
		} while (!virtqueue_enable_cb(vq));
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

static int virtscsi_add_tmf(struct virtqueue *vq, struct virtscsi_tmf *tmf)
{
	int err;

	err = virtqueue_start_buf(vq, 1, 1, tmf, NULL, GFP_ATOMIC);
	if (err)
		return err;
	virtqueue_add_ptr(vq, &tmf->req, sizeof(tmf->req), DMA_TO_DEVICE);
	virtqueue_add_ptr(vq, &tmf->resp, sizeof(tmf->resp), DMA_FROM_DEVICE);
	return virtqueue_end_buf(vq);
}

static int virtscsi_send_tmf(struct virtscsi *vscsi, struct virtscsi_tmf *tmf)
{
	struct virtscsi_queue *queue = &vscsi->ctrl;
	int err = -EIO;

	spin_lock_irq(&queue->lock);
	if (queue->vq)
		err = virtscsi_add_tmf(queue->vq, tmf);
	if (!err) {
		refcount_inc(&tmf->refs);
		virtqueue_kick(queue->vq);
	}
	spin_unlock_irq(&queue->lock);
	return err;
}

/* Returns the device's response, or VIRTSCSI_NO_RESPONSE. */
static u8 virtscsi_wait_tmf(struct virtscsi *vscsi, struct virtscsi_tmf *tmf,
			    unsigned long timeout)
{
	if (virtscsi_send_tmf(vscsi, tmf))
		return VIRTSCSI_NO_RESPONSE;
	if (!wait_for_completion_timeout(&tmf->done, timeout))
		return VIRTSCSI_NO_RESPONSE;
	return READ_ONCE(tmf->resp.response);
}

/* All commands that a task management function ended are in the queues. */
static void virtscsi_poll_all(struct virtscsi *vscsi)
{
	unsigned int i;

	for (i = 0; i < vscsi->num_queues; i++)
		virtscsi_mq_poll(vscsi->shost, i);
}

/* A device that takes longer than the device's eh_timeout is given up on. */
static bool virtscsi_tmf(struct scsi_cmnd *sc, u32 subtype, u64 tag)
{
	struct scsi_device *sdev = sc->device;
	struct virtscsi *vscsi = shost_priv(sdev->host);
	struct virtscsi_tmf *tmf;
	u8 response;

	tmf = kzalloc(sizeof(*tmf), GFP_NOIO);
	if (!tmf)
		return false;
	refcount_set(&tmf->refs, 1);
	init_completion(&tmf->done);
	tmf->req.type = cpu_to_virtio32(vscsi->vdev, VIRTIO_SCSI_T_TMF);
	tmf->req.subtype = cpu_to_virtio32(vscsi->vdev, subtype);
	tmf->req.tag = cpu_to_virtio64(vscsi->vdev, tag);
	virtscsi_set_lun(tmf->req.lun, sdev);
	tmf->resp.response = VIRTSCSI_NO_RESPONSE;

	response = virtscsi_wait_tmf(vscsi, tmf, sdev->eh_timeout);
	virtscsi_put_tmf(tmf);
	virtscsi_poll_all(vscsi);

	return response == VIRTIO_SCSI_S_OK ||
	       response == VIRTIO_SCSI_S_FUNCTION_SUCCEEDED;
}

static int virtscsi_abort(struct scsi_cmnd *sc)
{
	struct virtscsi *vscsi = shost_priv(sc->device->host);
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);

	/* Did just the interrupt get lost? */
	virtscsi_poll_all(vscsi);
	if (!READ_ONCE(cmd->queued))
		return SUCCESS;

	scmd_printk(KERN_INFO, sc, "abort\n");
	if (!virtscsi_tmf(sc, VIRTIO_SCSI_T_TMF_ABORT_TASK, virtscsi_tag(sc)))
		return FAILED;
	return READ_ONCE(cmd->queued) ? FAILED : SUCCESS;
}

struct virtscsi_scope {
	unsigned int id;
	u64 lun;
	bool whole_target;
	bool lost;
};

/* Did a command time out that the device still has? */
static bool virtscsi_find_lost(struct scsi_cmnd *sc, void *data)
{
	struct virtscsi_cmd *cmd = scsi_cmd_priv(sc);
	struct virtscsi_scope *scope = data;

	if (sc->device->id == scope->id &&
	    (scope->whole_target || sc->device->lun == scope->lun) &&
	    test_bit(SCMD_STATE_COMPLETE, &sc->state) &&
	    READ_ONCE(cmd->queued))
		scope->lost = true;
	return !scope->lost;
}

static int virtscsi_reset(struct scsi_cmnd *sc, u32 subtype, bool whole_target)
{
	struct scsi_device *sdev = sc->device;
	struct virtscsi_scope scope = {
		.id = sdev->id, .lun = sdev->lun, .whole_target = whole_target,
	};

	if (!virtscsi_tmf(sc, subtype, 0))
		return FAILED;
	scsi_host_busy_iter(sdev->host, virtscsi_find_lost, &scope);
	return scope.lost ? FAILED : SUCCESS;
}

static int virtscsi_device_reset(struct scsi_cmnd *sc)
{
	sdev_printk(KERN_INFO, sc->device, "device reset\n");
	return virtscsi_reset(sc, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, false);
}

static int virtscsi_target_reset(struct scsi_cmnd *sc)
{
	sdev_printk(KERN_INFO, sc->device, "target reset\n");
	return virtscsi_reset(sc, VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, true);
}

/*
 * Events
 */

static void virtscsi_add_event(struct virtscsi *vscsi, struct virtqueue *vq,
			       struct virtio_scsi_event *event)
{
	dma_addr_t addr = vscsi->events_dma +
			  ((void *)event - (void *)vscsi->events);

	/* With a broken queue there are no more events. */
	if (virtqueue_start_buf(vq, 0, 1, event, NULL, GFP_ATOMIC))
		return;
	virtqueue_add_dma(vq, addr, sizeof(*event), DMA_FROM_DEVICE);
	virtqueue_end_buf(vq);
}

static void virtscsi_arm_events(struct virtscsi *vscsi)
{
	struct virtqueue *vq = vscsi->event.vq;
	unsigned int i;

	if (!virtio_has_feature(vscsi->vdev, VIRTIO_SCSI_F_HOTPLUG) &&
	    !virtio_has_feature(vscsi->vdev, VIRTIO_SCSI_F_CHANGE))
		return;

	spin_lock_irq(&vscsi->event.lock);
	for (i = 0; i < VIRTSCSI_EVENTS; i++)
		virtscsi_add_event(vscsi, vq, &vscsi->events[i]);
	virtqueue_kick(vq);
	spin_unlock_irq(&vscsi->event.lock);
}

static void virtscsi_event_done(struct virtqueue *vq)
{
	struct virtscsi *vscsi = virtscsi_of(vq);
	unsigned long flags;

	spin_lock_irqsave(&vscsi->event.lock, flags);
	if (vscsi->event.vq) {
		virtqueue_disable_cb(vq);
		queue_work(system_freezable_wq, &vscsi->event_work);
	}
	spin_unlock_irqrestore(&vscsi->event.lock, flags);
}

/* Copy an event, and give its memory back to the device at once. */
static void virtscsi_take_event(struct virtscsi *vscsi, struct virtqueue *vq,
				struct virtio_scsi_event *from,
				struct virtio_scsi_event *to)
{
	unsigned long offset = (void *)from - (void *)vscsi->events;

	virtqueue_dma_sync_single_range_for_cpu(vq, vscsi->events_dma, offset,
						sizeof(*from), DMA_FROM_DEVICE);
	*to = *from;
	barrier();	/* @to is all that is looked at from here on */
	virtqueue_dma_sync_single_range_for_device(vq, vscsi->events_dma,
						   offset, sizeof(*from),
						   DMA_FROM_DEVICE);
	virtscsi_add_event(vscsi, vq, from);
	virtqueue_kick(vq);
}

/* False if there was none: then there will be a callback for the next one. */
static bool virtscsi_next_event(struct virtscsi *vscsi,
				struct virtio_scsi_event *event)
{
	struct virtio_scsi_event *used = NULL;
	struct virtqueue *vq;
	unsigned int len;

	spin_lock_irq(&vscsi->event.lock);
	vq = vscsi->event.vq;
	if (vq) {
		do {
			used = virtqueue_get_buf(vq, &len);
		} while (!used && !virtqueue_enable_cb(vq));
	}
	if (used)
		virtscsi_take_event(vscsi, vq, used, event);
	spin_unlock_irq(&vscsi->event.lock);
	return used;
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

/* Is a LUN gone of which we have heard nothing? */
static bool virtscsi_is_gone(struct scsi_device *sdev, u8 *inquiry)
{
	static const u8 cdb[] = {
		INQUIRY, 0, 0, 0, VIRTSCSI_INQUIRY_LEN, 0
	};
	int result;

	memset(inquiry, 0, VIRTSCSI_INQUIRY_LEN);
	result = scsi_execute_cmd(sdev, cdb, REQ_OP_DRV_IN, inquiry,
				  VIRTSCSI_INQUIRY_LEN, SD_TIMEOUT,
				  SD_MAX_RETRIES, NULL);
	/* A target without LUNs does not answer at all. */
	if (result > 0)
		return host_byte(result) == DID_BAD_TARGET;
	/* The peripheral qualifier tells whether the LUN is attached. */
	return result == 0 && inquiry[0] >> 5;
}

static void virtscsi_events_missed(struct virtscsi *vscsi)
{
	struct scsi_device *sdev;
	u8 *inquiry;

	inquiry = kmalloc(VIRTSCSI_INQUIRY_LEN, GFP_KERNEL);
	if (!inquiry)
		return;
	shost_for_each_device(sdev, vscsi->shost)
		if (virtscsi_is_gone(sdev, inquiry))
			scsi_remove_device(sdev);
	kfree(inquiry);
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

/* One event at a time: a device that never stops can't keep us in here. */
static void virtscsi_event_work(struct work_struct *work)
{
	struct virtscsi *vscsi = container_of(work, struct virtscsi,
					      event_work);
	struct virtio_scsi_event event;

	if (!virtscsi_next_event(vscsi, &event))
		return;
	virtscsi_handle_event(vscsi, &event);
	queue_work(system_freezable_wq, work);
}

/*
 * Starting and stopping the device
 */

static void virtscsi_set_vq(struct virtscsi_queue *queue, struct virtqueue *vq)
{
	spin_lock_irq(&queue->lock);
	queue->vq = vq;
	spin_unlock_irq(&queue->lock);
}

static void virtscsi_set_vqs(struct virtscsi *vscsi, struct virtqueue **vqs)
{
	unsigned int i;

	virtscsi_set_vq(&vscsi->ctrl, vqs[0]);
	virtscsi_set_vq(&vscsi->event, vqs[1]);
	for (i = 0; i < vscsi->num_queues; i++)
		virtscsi_set_vq(&vscsi->req[i],
				vqs[VIRTSCSI_QUEUES_BEFORE + i]);
}

static void virtscsi_unset_vqs(struct virtscsi *vscsi)
{
	unsigned int i;

	virtscsi_set_vq(&vscsi->ctrl, NULL);
	virtscsi_set_vq(&vscsi->event, NULL);
	for (i = 0; i < vscsi->num_queues; i++)
		virtscsi_set_vq(&vscsi->req[i], NULL);
	/* Nobody is about to notify the device either. */
	synchronize_rcu();
}

static int virtscsi_find_vqs(struct virtscsi *vscsi, struct virtqueue **vqs,
			     struct virtqueue_info *info)
{
	struct irq_affinity affinity = {
		.pre_vectors = VIRTSCSI_QUEUES_BEFORE,
	};
	unsigned int num = VIRTSCSI_QUEUES_BEFORE + vscsi->num_queues;
	unsigned int first_polled = num - vscsi->num_by_type[HCTX_TYPE_POLL];
	unsigned int i;

	info[0].name = "control";
	info[0].callback = virtscsi_ctrl_done;
	info[1].name = "event";
	info[1].callback = virtscsi_event_done;
	for (i = VIRTSCSI_QUEUES_BEFORE; i < num; i++) {
		info[i].name = i < first_polled ? "request" : "request_poll";
		info[i].callback = i < first_polled ? virtscsi_req_done : NULL;
	}
	return virtio_find_vqs(vscsi->vdev, num, vqs, info, &affinity);
}

static size_t virtscsi_events_size(struct virtscsi *vscsi)
{
	return array_size(VIRTSCSI_EVENTS, sizeof(*vscsi->events));
}

static int virtscsi_map_events(struct virtscsi *vscsi, struct virtqueue *vq)
{
	vscsi->events_dma =
		virtqueue_dma_map_single_attrs(vq, vscsi->events,
					       virtscsi_events_size(vscsi),
					       DMA_FROM_DEVICE, 0);
	return virtqueue_dma_mapping_error(vq, vscsi->events_dma);
}

static void virtscsi_del_vqs(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static int virtscsi_start_vqs(struct virtscsi *vscsi, struct virtqueue **vqs,
			      struct virtqueue_info *info)
{
	u32 cdb_size = VIRTIO_SCSI_CDB_SIZE;
	u32 sense_size = VIRTIO_SCSI_SENSE_SIZE;
	int err;

	err = virtscsi_find_vqs(vscsi, vqs, info);
	if (err)
		return err;
	err = virtscsi_map_events(vscsi, vqs[1]);
	if (err) {
		virtscsi_del_vqs(vscsi->vdev);
		return err;
	}

	virtio_cwrite(vscsi->vdev, struct virtio_scsi_config, cdb_size,
		      &cdb_size);
	virtio_cwrite(vscsi->vdev, struct virtio_scsi_config, sense_size,
		      &sense_size);
	virtscsi_set_vqs(vscsi, vqs);
	return 0;
}

static int virtscsi_start(struct virtscsi *vscsi)
{
	unsigned int num = VIRTSCSI_QUEUES_BEFORE + vscsi->num_queues;
	struct virtqueue **vqs = kcalloc(num, sizeof(*vqs), GFP_KERNEL);
	struct virtqueue_info *info = kcalloc(num, sizeof(*info), GFP_KERNEL);
	int err = -ENOMEM;

	if (vqs && info)
		err = virtscsi_start_vqs(vscsi, vqs, info);
	kfree(info);
	kfree(vqs);
	return err;
}

/* The device is reset: nothing of what it had is its any more. */
static void virtscsi_take_back(struct virtscsi *vscsi, struct virtqueue *vq,
			       int result)
{
	void *token;

	while ((token = virtqueue_detach_unused_buf(vq))) {
		if (vq->index >= VIRTSCSI_QUEUES_BEFORE) {
			virtscsi_complete(token, result);
		} else if (vq->index == 0) {
			struct virtscsi_tmf *tmf = token;

			complete(&tmf->done);
			virtscsi_put_tmf(tmf);
		}
	}
	if (vq->index == 1)
		virtqueue_dma_unmap_single_attrs(vq, vscsi->events_dma,
						 virtscsi_events_size(vscsi),
						 DMA_FROM_DEVICE, 0);
}

/* Commands that the device has end with @result, new ones with no connection. */
static void virtscsi_stop(struct virtscsi *vscsi, int result)
{
	struct virtqueue *vq;

	if (!vscsi->ctrl.vq)
		return;
	virtscsi_unset_vqs(vscsi);
	virtio_reset_device(vscsi->vdev);
	virtio_device_for_each_vq(vscsi->vdev, vq)
		virtscsi_take_back(vscsi, vq, result);
	vscsi->vdev->config->del_vqs(vscsi->vdev);
}

static void virtscsi_ready(struct virtscsi *vscsi)
{
	virtio_device_ready(vscsi->vdev);
	virtscsi_arm_events(vscsi);
}

static int virtscsi_freeze(struct virtio_device *vdev)
{
	virtscsi_stop(vdev->priv, DID_RESET << 16);
	return 0;
}

/* All request queues have room for this many elements. */
static unsigned int virtscsi_queue_size(struct virtscsi *vscsi)
{
	unsigned int size = UINT_MAX, i;

	for (i = 0; i < vscsi->num_queues; i++)
		size = min(size, virtqueue_get_vring_size(vscsi->req[i].vq));
	return size;
}

static int virtscsi_restore(struct virtio_device *vdev)
{
	struct virtscsi *vscsi = vdev->priv;
	int err;

	err = virtscsi_start(vscsi);
	if (err)
		return err;
	if (virtscsi_queue_size(vscsi) < vscsi->shost->can_queue) {
		dev_err(&vdev->dev, "queues are smaller than they were\n");
		virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
		return -ENOSPC;
	}
	virtscsi_ready(vscsi);
	return 0;
}

/* As the bus does when it binds a driver (3.1.1), with the same features. */
static int virtscsi_negotiate(struct virtio_device *vdev)
{
	int err;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	virtio_add_status(vdev, VIRTIO_CONFIG_S_DRIVER);
	err = vdev->config->finalize_features(vdev);
	if (err || !virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return err;

	virtio_add_status(vdev, VIRTIO_CONFIG_S_FEATURES_OK);
	if (vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_FEATURES_OK)
		return 0;
	return -ENODEV;
}

static int virtscsi_restart(struct virtscsi *vscsi)
{
	int err;

	if (vscsi->removed || !vscsi->ctrl.vq)
		return -ENODEV;

	virtscsi_stop(vscsi, DID_RESET << 16);
	err = virtscsi_negotiate(vscsi->vdev);
	if (!err)
		err = virtscsi_restore(vscsi->vdev);
	if (err)
		virtio_add_status(vscsi->vdev, VIRTIO_CONFIG_S_FAILED);
	return err;
}

/* The last resort, and the only one that needs no help from the device. */
static int virtscsi_host_reset(struct scsi_cmnd *sc)
{
	struct Scsi_Host *shost = sc->device->host;
	struct virtscsi *vscsi = shost_priv(shost);
	unsigned int noio;
	int err;

	shost_printk(KERN_WARNING, shost, "host reset\n");
	/* From here on the mid-layer holds new commands back. */
	blk_mq_wait_quiesce_done(&shost->tag_set);

	noio = memalloc_noio_save();
	mutex_lock(&vscsi->restart);
	err = virtscsi_restart(vscsi);
	mutex_unlock(&vscsi->restart);
	memalloc_noio_restore(noio);
	return err ? FAILED : SUCCESS;
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
						 VIRTSCSI_QUEUES_BEFORE);
	}
}

static const struct scsi_host_template virtscsi_host_template = {
	.module			= THIS_MODULE,
	.name			= "Virtio SCSI HBA",
	.proc_name		= "virtio_scsi",
	.this_id		= -1,
	.cmd_size		= sizeof(struct virtscsi_cmd),
	.init_cmd_priv		= virtscsi_init_cmd_priv,
	.queuecommand		= virtscsi_queuecommand,
	.commit_rqs		= virtscsi_commit_rqs,
	.mq_poll		= virtscsi_mq_poll,
	.map_queues		= virtscsi_map_queues,
	.slave_alloc		= virtscsi_slave_alloc,
	.change_queue_depth	= virtscsi_change_queue_depth,
	.eh_abort_handler	= virtscsi_abort,
	.eh_device_reset_handler = virtscsi_device_reset,
	.eh_target_reset_handler = virtscsi_target_reset,
	.eh_host_reset_handler	= virtscsi_host_reset,
	.max_sectors		= 0xffff,
	.dma_boundary		= UINT_MAX,
	.track_queue_depth	= 1,
};

#define VIRTSCSI_AT(field)	offsetof(struct virtio_scsi_config, field)

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

	if (vscsi->pi)
		segs /= 2;
	if (size < 3 || !segs) {
		dev_err(&vdev->dev, "queue size %u is too small\n", size);
		return -EINVAL;
	}

	segs = min(segs, virtio_cread32(vdev, VIRTSCSI_AT(seg_max)) ?: 1);
	shost->sg_tablesize = segs;
	shost->sg_prot_tablesize = segs;
	shost->can_queue = size;
	shost->cmd_per_lun = min3(depth ?: 1, size, (u32)SHRT_MAX);
	shost->max_sectors =
		virtio_cread32(vdev, VIRTSCSI_AT(max_sectors)) ?: 0xffff;
	shost->max_id = min(virtio_cread16(vdev, VIRTSCSI_AT(max_target)),
			    VIRTSCSI_MAX_TARGET) + 1;
	shost->max_lun = min(virtio_cread32(vdev, VIRTSCSI_AT(max_lun)),
			     VIRTSCSI_MAX_LUN) + VIRTSCSI_LUN_FLAT + 1;
	shost->max_channel = 0;
	shost->max_cmd_len = VIRTIO_SCSI_CDB_SIZE;
	return 0;
}

static void virtscsi_set_prot(struct Scsi_Host *shost)
{
	scsi_host_set_prot(shost, SHOST_DIF_TYPE1_PROTECTION |
				  SHOST_DIF_TYPE2_PROTECTION |
				  SHOST_DIF_TYPE3_PROTECTION |
				  SHOST_DIX_TYPE1_PROTECTION |
				  SHOST_DIX_TYPE2_PROTECTION |
				  SHOST_DIX_TYPE3_PROTECTION);
	scsi_host_set_guard(shost, SHOST_DIX_GUARD_CRC);
}

static struct virtscsi *virtscsi_alloc(struct virtio_device *vdev)
{
	unsigned int num_queues, num_polled, i;
	struct Scsi_Host *shost;
	struct virtscsi *vscsi;

	num_queues = clamp(virtio_cread32(vdev, VIRTSCSI_AT(num_queues)),
			   1, nr_cpu_ids);
	shost = scsi_host_alloc(&virtscsi_host_template,
				struct_size(vscsi, req, num_queues));
	if (!shost)
		return NULL;

	/* At least one queue must be there for all that is not polled. */
	num_polled = min(virtscsi_poll_queues, num_queues - 1);
	shost->nr_hw_queues = num_queues;
	shost->nr_maps = num_polled ? HCTX_TYPE_POLL + 1 : 1;

	vscsi = shost_priv(shost);
	vscsi->vdev = vdev;
	vscsi->shost = shost;
	vscsi->num_queues = num_queues;
	vscsi->num_by_type[HCTX_TYPE_DEFAULT] = num_queues - num_polled;
	vscsi->num_by_type[HCTX_TYPE_POLL] = num_polled;
	mutex_init(&vscsi->restart);
	INIT_WORK(&vscsi->event_work, virtscsi_event_work);
	spin_lock_init(&vscsi->ctrl.lock);
	spin_lock_init(&vscsi->event.lock);
	for (i = 0; i < num_queues; i++)
		spin_lock_init(&vscsi->req[i].lock);

	vscsi->events = kzalloc(virtscsi_events_size(vscsi), GFP_KERNEL);
	if (!vscsi->events) {
		scsi_host_put(shost);
		return NULL;
	}
	return vscsi;
}

static void virtscsi_free(struct virtscsi *vscsi)
{
	kfree(vscsi->events);
	scsi_host_put(vscsi->shost);
}

static int virtscsi_add_host(struct virtscsi *vscsi)
{
	int err;

	vscsi->pi = IS_ENABLED(CONFIG_BLK_DEV_INTEGRITY) &&
		    virtio_has_feature(vscsi->vdev, VIRTIO_SCSI_F_T10_PI);
	err = virtscsi_set_limits(vscsi);
	if (err)
		return err;
	if (vscsi->pi)
		virtscsi_set_prot(vscsi->shost);
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
		goto free;
	err = virtscsi_add_host(vscsi);
	if (err)
		goto stop;
	dev_info(&vdev->dev, "%u/0/%u default/read/poll queues\n",
		 vscsi->num_by_type[HCTX_TYPE_DEFAULT],
		 vscsi->num_by_type[HCTX_TYPE_POLL]);

	virtscsi_ready(vscsi);
	scsi_scan_host(vscsi->shost);
	return 0;

stop:
	virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
free:
	virtscsi_free(vscsi);
	return err;
}

static bool virtscsi_is_broken(struct virtio_device *vdev)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(vdev, vq)
		if (virtqueue_is_broken(vq))
			return true;
	return false;
}

/* With @only_broken a device that may still answer goes on. */
static void virtscsi_stop_for_good(struct virtscsi *vscsi, bool only_broken)
{
	mutex_lock(&vscsi->restart);
	if (!only_broken || virtscsi_is_broken(vscsi->vdev)) {
		vscsi->removed = true;
		virtscsi_stop(vscsi, DID_NO_CONNECT << 16);
	}
	mutex_unlock(&vscsi->restart);
}

/* Caches are written back, unless the device is gone already. */
static void virtscsi_remove(struct virtio_device *vdev)
{
	struct virtscsi *vscsi = vdev->priv;

	virtscsi_stop_for_good(vscsi, true);
	scsi_remove_host(vscsi->shost);
	virtscsi_stop_for_good(vscsi, false);
	/* Nothing queues it any more. */
	cancel_work_sync(&vscsi->event_work);
	virtscsi_free(vscsi);
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
	.remove			= virtscsi_remove,
	.freeze			= virtscsi_freeze,
	.restore		= virtscsi_restore,
};
module_virtio_driver(virtscsi_driver);

MODULE_DESCRIPTION("SCSI hosts that are virtio devices");
MODULE_LICENSE("GPL");
