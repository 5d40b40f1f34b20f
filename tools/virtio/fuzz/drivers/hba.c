// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SCSI driver and a device that lies: in its configuration, in responses,
 * residuals and sense data, about task management, and in its events.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_scsi.h>
#include "host.h"
#include "midlayer.h"

static const struct virtio_scsi_config good_config = {
	.num_queues = 2,
	.seg_max = 14,
	.max_sectors = 0xffff,
	.cmd_per_lun = 4,
	.event_info_size = sizeof(struct virtio_scsi_event),
	.sense_size = VIRTIO_SCSI_SENSE_SIZE,
	.cdb_size = VIRTIO_SCSI_CDB_SIZE,
	.max_target = 3,
	.max_lun = 7,
};

/* The device */

static u8 any_byte(bool fair)
{
	return fair ? 0 : device_byte();
}

static void set_answer(struct scsi_cmnd *sc,
		       const struct virtio_scsi_cmd_resp *resp)
{
	struct scsi_answer *answer = &sc->answer;

	answer->given = true;
	answer->response = resp->response;
	answer->status = resp->status;
	answer->resid = resp->resid;
	answer->sense_len = resp->sense_len;
	memcpy(answer->sense, resp->sense, sizeof(answer->sense));
}

static u32 answer_command(unsigned int queue, const struct device_buf *buf,
			  bool fair)
{
	const struct virtio_scsi_cmd_req *req = host_elem(queue, &buf->elem[0]);
	const struct device_elem *elem = &buf->elem[buf->out];
	struct virtio_scsi_cmd_resp *resp = host_elem(queue, elem);
	struct scsi_cmnd *sc = midlayer_find(req->tag);
	u8 how = any_byte(fair), sense;

	check(elem->len == sizeof(*resp), "device: response of %u bytes",
	      elem->len);
	check(buf->elem[0].len == (host.vdev.features & 1 << VIRTIO_SCSI_F_T10_PI ?
	      sizeof(struct virtio_scsi_cmd_req_pi) : sizeof(*req)),
	      "device: header of %u bytes", buf->elem[0].len);
	if ((how & 15) == 15)	/* no response */
		return 0;
	resp->response = how & 1 ? any_byte(fair) % 16 : VIRTIO_SCSI_S_OK;
	resp->status = how & 2 ? any_byte(fair) : 0;
	resp->resid = how & 4 ? (u32)any_byte(fair) << how / 32 * 4 : 0;
	sense = how & 8 ? any_byte(fair) : 0;
	resp->sense_len = how & 16 ? sense : sense % (VIRTIO_SCSI_SENSE_SIZE + 1);
	memset(resp->sense, sense, sizeof(resp->sense));
	set_answer(sc, resp);
	/* An INQUIRY says whether there is somebody. */
	if (buf->in > 1)
		*(u8 *)host_elem(queue, elem + 1) = any_byte(fair);
	host_remember(resp, sizeof(*resp), sc);
	return buf->in_len;
}

static u32 answer_tmf(unsigned int queue, const struct device_buf *buf, bool fair)
{
	u8 how = any_byte(fair);
	u8 *response = host_elem(queue, &buf->elem[1]);

	check(buf->out == 1 && buf->in == 1 && buf->in_len == 1,
	      "device: a task management function of another shape");
	if (how & 1)
		return 0;
	*response = how & 2 ? any_byte(fair) : VIRTIO_SCSI_S_FUNCTION_SUCCEEDED;
	return 1;
}

static u32 give_event(unsigned int queue, const struct device_buf *buf, bool fair)
{
	static const u8 reasons[] = {
		VIRTIO_SCSI_EVT_RESET_HARD, VIRTIO_SCSI_EVT_RESET_RESCAN,
		VIRTIO_SCSI_EVT_RESET_REMOVED, 0x2a, 3,
	};
	struct virtio_scsi_event *event = host_elem(queue, &buf->elem[0]);
	u8 how = any_byte(fair), lun = any_byte(fair);

	check(!buf->out && buf->in_len == sizeof(*event),
	      "device: a buffer of %llu bytes for events",
	      (unsigned long long)buf->in_len);
	memset(event, 0, sizeof(*event));
	event->event = how % 5;
	if (how & 128)
		event->event |= VIRTIO_SCSI_T_EVENTS_MISSED;
	event->reason = reasons[how / 5 % ARRAY_SIZE(reasons)];
	if (event->reason == 0x2a)
		event->reason |= (lun & 15) << 8;
	event->lun[0] = lun == 0xff ? 0 : 1;
	event->lun[1] = lun / 16;
	event->lun[2] = lun & 8 ? any_byte(fair) : 0;
	event->lun[3] = lun % 8;
	if (lun > 0xf8)
		((u8 *)event)[how % sizeof(*event)] = any_byte(fair);
	host_remember(event, sizeof(*event), NULL);
	return how & 64 ? device_byte() : sizeof(*event);
}

u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	if (queue == 0)
		return answer_tmf(queue, buf, fair);
	if (queue == 1)
		return give_event(queue, buf, fair);
	return answer_command(queue, buf, fair);
}

void target_changed(void *owner, u8 *p)
{
	struct scsi_cmnd *sc = owner;

	if (sc)
		sc->answer.changed = true;
}

/* The driver */

static void send_one(void)
{
	struct scsi_cmnd *sc = midlayer_command(NULL);

	if (sc)
		midlayer_send(sc);
}

static void sleep_and_wake(void)
{
	virtio_device_freeze(&host.vdev);
	virtio_device_restore(&host.vdev);
}

void target_step(u8 op)
{
	switch (op % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
		send_one();
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		host_wait();
		break;
	case 10:
		midlayer_poll();
		break;
	case 11:
		midlayer_time_out();
		break;
	case 12:
		midlayer_commit();
		break;
	case 13:
		shim.alloc_fail_at = op >> 6;
		shim.map_fail_at = op >> 4 & 3;
		break;
	case 14:
		if (op >= 0xc0)
			sleep_and_wake();
		break;
	default:
		midlayer_work();
		break;
	}
}

void target_load(void)
{
	u8 how;

	check(!target_init(), "the module can't be loaded");
	host_create(&good_config, sizeof(good_config));
	host.may_shrink = true;
	how = driver_byte();
	*target_virtscsi_poll_queues = how % 3;
	is_dma_coherent = how & 8;
}

void target_unload(void)
{
	target_exit();
}
