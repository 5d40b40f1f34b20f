// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the SCSI driver has to do, rule by rule, with a device that does as the test
 * says. The fuzzer finds out what must never happen; this is about what must.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_scsi.h>
#include "rules.h"
#include "midlayer.h"

#define CTRL	0
#define EVENT	1
#define REQ	2
#define HOTPLUG	1
#define CHANGE	2
#define PI	4

/**
 * struct rule - a test
 * @name: what has to be
 * @run: looks whether it is
 * @ring: the first byte of host_create(): 1 packed, 8 with the DMA API
 * @size: index of the queue size there
 * @features: of the driver's table, see above
 * @config: the configuration
 * @poll_queues: the module parameter
 */
struct rule {
	const char *name;
	void (*run)(void);
	u8 ring;
	u8 size;
	u8 features;
	struct virtio_scsi_config config;
	unsigned int poll_queues;
};

static const struct rule *rule;

/* The device: what it was sent last, and what it is to say. */
static struct {
	unsigned int out, in;
	u32 len[8];
	struct virtio_scsi_cmd_req req;
	struct virtio_scsi_cmd_req_pi pi;
	const void *resp;
	struct virtio_scsi_ctrl_tmf_req tmf;
	unsigned int num_tmfs;
} sent;

static struct {
	bool silent;
	struct virtio_scsi_cmd_resp resp;
	u8 data;
	u8 tmf;
	struct virtio_scsi_event event;
} say;

static u32 answer_command(const struct device_buf *buf)
{
	const void *req = host_elem(REQ, &buf->elem[0]);
	struct virtio_scsi_cmd_resp *resp = host_elem(REQ, &buf->elem[buf->out]);
	struct scsi_cmnd *sc;
	unsigned int i;

	memcpy(&sent.req, req, min(buf->elem[0].len, sizeof(sent.req)));
	if (rule->features & PI)
		memcpy(&sent.pi, req, min(buf->elem[0].len, sizeof(sent.pi)));
	sent.resp = resp;
	sent.out = buf->out;
	sent.in = buf->in;
	for (i = 0; i < buf->out + buf->in && i < ARRAY_SIZE(sent.len); i++)
		sent.len[i] = buf->elem[i].len;
	if (say.silent)
		return 0;
	sc = midlayer_find(sent.req.tag);
	if (buf->in > 1)
		*(u8 *)host_elem(REQ, &buf->elem[buf->out + 1]) = say.data;
	*resp = say.resp;
	sc->answer.given = true;
	sc->answer.response = resp->response;
	sc->answer.status = resp->status;
	sc->answer.resid = resp->resid;
	sc->answer.sense_len = resp->sense_len;
	memcpy(sc->answer.sense, resp->sense, sizeof(resp->sense));
	return buf->in_len;
}

u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	if (queue == CTRL) {
		memcpy(&sent.tmf, host_elem(CTRL, &buf->elem[0]), sizeof(sent.tmf));
		sent.num_tmfs++;
		*(u8 *)host_elem(CTRL, &buf->elem[1]) = say.tmf;
		return 1;
	}
	if (queue == EVENT) {
		memcpy(host_elem(EVENT, &buf->elem[0]), &say.event, sizeof(say.event));
		memset(&say.event, 0, sizeof(say.event));
		return sizeof(say.event);
	}
	return answer_command(buf);
}

void target_changed(void *owner, u8 *p)
{
}

/* What tests do */

static const struct scsi_host_template *hostt(void)
{
	return midlayer_host()->hostt;
}

static struct scsi_device *disk(unsigned int id, u64 lun)
{
	struct Scsi_Host *shost = midlayer_host();

	check(!scsi_add_device(shost, 0, id, lun), "no room for another LUN");
	return scsi_device_lookup(shost, 0, id, lun);
}

/* Eight bytes from the device, and sent at once, if the test changes nothing */
static struct scsi_cmnd *command(struct scsi_device *sdev)
{
	struct scsi_cmnd *sc = midlayer_command(sdev);
	unsigned int i;

	check(sc, "all are in use");
	for (i = 0; i < sizeof(sc->cmnd); i++)
		sc->cmnd[i] = 0x80 + i;
	return sc;
}

static struct scsi_cmnd *send(struct scsi_device *sdev)
{
	struct scsi_cmnd *sc = command(sdev);

	check(midlayer_send(sc), "a command is refused");
	return sc;
}

static void answer_one(unsigned int queue)
{
	check(host_take(queue), "nothing in queue %u", queue);
	host_give(queue, 0);
	host_interrupt(queue);
	check(device_wants_irq(&host.queues[queue].dq), "interrupts stay off");
}

/* Commands end with the first interrupt after the answer. */
static struct scsi_cmnd *send_and_answer(struct scsi_device *sdev)
{
	struct scsi_cmnd *sc = send(sdev);

	answer_one(REQ);
	check(sc->calls == 1, "an answered command is not done");
	return sc;
}

static void want_layout(struct scsi_cmnd *sc, unsigned int out, unsigned int in,
			u32 a, u32 b, u32 c, u32 d)
{
	const u32 want[] = { a, b, c, d };

	check(midlayer_send(sc), "a command is refused");
	answer_one(REQ);
	check(sent.out == out && sent.in == in, "%u and %u elements", sent.out, sent.in);
	check(!memcmp(sent.len, want, (out + in) * 4), "lengths %u %u %u %u",
	      sent.len[0], sent.len[1], sent.len[2], sent.len[3]);
}

/* Commands */

static void rule_header(void)
{
	struct scsi_device *sdev = disk(2, 5), *far = disk(3, 300);
	static const u8 lun[8] = { 1, 2, 0x40, 5 }, far_lun[8] = { 1, 3, 0x41, 0x2c };
	struct scsi_cmnd *sc = send_and_answer(sdev);

	check(!memcmp(sent.req.lun, lun, 8), "another LUN");
	check(sent.req.tag == sc->tag, "tag %#llx", (unsigned long long)sent.req.tag);
	check(sent.req.task_attr == VIRTIO_SCSI_S_SIMPLE && !sent.req.prio &&
	      !sent.req.crn, "another way to be queued");
	check(!memcmp(sent.req.cdb, sc->cmnd, 32), "another CDB");
	send_and_answer(far);
	check(!memcmp(sent.req.lun, far_lun, 8), "another LUN above 255");
}

static void rule_layout(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc;

	want_layout(command(sdev), 1, 2, 51, 108, 8, 0);
	sc = command(sdev);
	sc->sc_data_direction = DMA_TO_DEVICE;
	want_layout(sc, 2, 1, 51, 8, 108, 0);
	sc = command(sdev);
	sc->sc_data_direction = DMA_NONE;
	sc->nents = 0;
	sc->len = 0;
	want_layout(sc, 1, 1, 51, 108, 0, 0);
}

/* Two blocks of four bytes: that is 16 bytes of protection information. */
static struct scsi_cmnd *protected_command(enum dma_data_direction dir)
{
	struct scsi_cmnd *sc = command(disk(0, 0));
	static u8 memory[16] __aligned(64);

	sc->sc_data_direction = dir;
	sc->interval = 4;
	sc->prot_op = 1;
	sc->prot_nents = 1;
	sg_init_table(sc->prot_sg, 1);
	sg_set_buf(sc->prot_sg, memory, 16);
	return sc;
}

static void rule_protection(void)
{
	struct scsi_cmnd *sc;

	check(midlayer_host()->prot && midlayer_host()->guard,
	      "protection was negotiated, and the mid-layer does not know");
	want_layout(protected_command(DMA_TO_DEVICE), 3, 1, 59, 16, 8, 108);
	check(sent.pi.pi_bytesout == 16 && !sent.pi.pi_bytesin, "bytes of a write");
	check(sent.pi.cdb[0] == 0x80 && sent.pi.cdb[31] == 0x9f, "another CDB");
	want_layout(protected_command(DMA_FROM_DEVICE), 1, 3, 59, 108, 16, 8);
	check(!sent.pi.pi_bytesout && sent.pi.pi_bytesin == 16, "bytes of a read");
	sc = protected_command(DMA_FROM_DEVICE);
	sc->prot_op = SCSI_PROT_NORMAL;
	want_layout(sc, 1, 2, 59, 108, 8, 0);
	check(!sent.pi.pi_bytesout && !sent.pi.pi_bytesin, "bytes of a borrowed command");
}

/* The mid-layer compares the result with the answer. */
static void rule_responses(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc;
	unsigned int code;

	for (code = 0; code < 10; code++) {
		memset(&say.resp, 0, sizeof(say.resp));
		say.resp.response = code;
		say.resp.status = SAM_STAT_CHECK_CONDITION;
		say.resp.resid = code;
		say.resp.sense_len = 5 + code;
		memset(say.resp.sense, code + 1, sizeof(say.resp.sense));
		sc = send_and_answer(sdev);
		check(sc->resid == min(code, 8U), "residual %u", sc->resid);
		check(sc->sense_buffer[4 + code] == code + 1, "no sense data");
	}
}

static void rule_bad_answers(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc;

	say.resp.response = 10;
	sc = send_and_answer(sdev);
	check(sc->result == DID_ERROR << 16, "result %#x", sc->result);
	check(shim.dev_warns == 1, "not reported");
	say.resp.response = 0;
	say.resp.sense_len = 1000;
	memset(say.resp.sense, 7, sizeof(say.resp.sense));
	sc = send_and_answer(sdev);
	check(sc->result == 0 && sc->sense_buffer[95] == 7, "sense data is not cut");
	check(shim.dev_warns == 1, "reported twice");
	say.resp.sense_len = 0;
	say.resp.resid = ~0;
	sc = send_and_answer(sdev);
	check(sc->result == 0 && sc->resid == 8, "a residual is not cut");
	say.silent = true;
	sc = send_and_answer(sdev);
	check(sc->result == DID_ERROR << 16, "no answer is result %#x", sc->result);
}

static void rule_long_residual_is_no_lie(void)
{
	say.resp.resid = 100;
	send_and_answer(disk(0, 0));
	check(!shim.dev_warns, "a residual of the CDB's is reported");
}

static void rule_batches(void)
{
	struct scsi_device *sdev = disk(0, 0);
	unsigned int before = host.queues[REQ].notified, i;
	struct scsi_cmnd *sc;

	for (i = 0; i < 3; i++) {
		sc = command(sdev);
		sc->flags = i == 2 ? SCMD_LAST : 0;
		check(midlayer_send(sc), "refused");
		check(host.queues[REQ].notified == before + (i == 2),
		      "%u kicks after command %u", host.queues[REQ].notified - before, i);
	}
	sc = command(sdev);
	sc->flags = 0;
	check(midlayer_send(sc), "refused");
	hostt()->commit_rqs(midlayer_host(), 0);
	check(host.queues[REQ].notified == before + 2, "the rest of a batch is not kicked");
}

static void rule_full_queue(void)
{
	struct scsi_device *sdev = disk(0, 0);
	unsigned int n = 0;

	while (midlayer_send(command(sdev)))
		check(n++ < 16, "a queue of 4 takes everything");
	while (n--)
		answer_one(REQ);
	send_and_answer(sdev);
}

static void rule_no_memory(void)
{
	struct scsi_device *sdev = disk(0, 0);

	shim.map_fail_at = 2;
	check(!midlayer_send(command(sdev)), "no mapping, and no second try");
	shim.map_fail_at = 0;
	send_and_answer(sdev);
}

/* Never, with nothing else in flight; with something, there is hope. */
static void rule_never_memory(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = command(sdev), *other;
	unsigned int n;

	for (n = 0; n < 20 && !sc->calls; n++) {
		shim.map_fail_at = 1;
		if (!midlayer_send(sc))
			sc->busy = true;
		jiffies += 5 * HZ;
	}
	shim.map_fail_at = 0;
	check(sc->calls && host_byte(sc->result) == DID_ERROR, "it is tried for ever");
	check(n > 6, "given up after %u s", 5 * n);

	other = send(sdev);
	sc = command(sdev);
	for (n = 0; n < 20; n++) {
		shim.map_fail_at = 1;
		check(!midlayer_send(sc), "given up while others are in flight");
		sc->busy = true;
		jiffies += 5 * HZ;
	}
	shim.map_fail_at = 0;
	answer_one(REQ);
	check(other->calls && midlayer_send(sc), "refused in the end");
	answer_one(REQ);
}

/* What a tag's last command has waited for is none of the next one's business. */
static void rule_memory_of_before(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = command(sdev);

	shim.map_fail_at = 1;
	check(!midlayer_send(sc), "not refused");
	jiffies += 100 * HZ;
	shim.map_fail_at = 1;
	sc = command(sdev);
	check(!midlayer_send(sc), "given up at once");
	shim.map_fail_at = 0;
}

static void rule_broken_queue(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *held = send(sdev), *sc;

	virtio_break_device(&host.vdev);
	sc = send(sdev);
	check(sc->calls && sc->result == DID_NO_CONNECT << 16, "result %#x", sc->result);
	midlayer_work();
	check(!held->busy && !virtqueue_is_broken(host.queues[REQ].vq),
	      "nobody recovers a broken device");
	send_and_answer(sdev);
}

static void rule_polling(void)
{
	struct scsi_cmnd *sc = send(disk(0, 0));

	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	check(hostt()->mq_poll(midlayer_host(), 0) == 1 && sc->calls, "nothing found");
	check(!hostt()->mq_poll(midlayer_host(), 0), "found twice");
}

/* Commands that take long */

static enum scsi_timeout_action time_out(struct scsi_cmnd *sc)
{
	return hostt()->eh_timed_out(sc);
}

static void rule_time_is_theirs(void)
{
	struct scsi_cmnd *sc = send(disk(0, 0));
	unsigned int before, n;

	for (n = 0; n < 5; n++) {
		before = host.queues[REQ].notified;
		check(time_out(sc) == SCSI_EH_RESET_TIMER, "a command does not wait");
		check(host.queues[REQ].notified == before + 1, "no other kick");
		midlayer_work();
		check(!sc->calls && sc->busy, "a command that waits is ended");
	}
	check(shim.dev_warns == 5, "%u lines for 5 timeouts", shim.dev_warns);
	check(!sent.num_tmfs, "recovery that nobody asked for");
	answer_one(REQ);
	check(sc->calls == 1, "the late answer is not taken");
}

static void rule_lost_interrupt(void)
{
	struct scsi_cmnd *sc = send(disk(0, 0));

	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	check(time_out(sc) == SCSI_EH_RESET_TIMER, "an answered command is recovered");
	midlayer_work();
	check(sc->calls == 1, "the answer is not found");
	check(shim.dev_warns == 1, "%u lines for a lost interrupt", shim.dev_warns);
}

static void rule_late_interrupt(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);

	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	time_out(sc);
	host_interrupt(REQ);
	check(sc->calls == 1, "the interrupt finds nothing");

	/* Another one is on its way when somebody looks. */
	sc = send(sdev);
	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	midlayer_work();
	check(!sc->calls && !shim.dev_warns, "an interrupt that came is reported as lost");
	host_interrupt(REQ);
}

/* Somebody looks for another reason. */
static void rule_interrupt_has_time(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *waits = send(sdev), *sc = send(sdev);

	check(host_take(REQ) && host_take(REQ), "nothing there");
	time_out(waits);
	shim.dev_warns = 0;
	host_give(REQ, 1);
	time_out(sc);
	work_step();
	check(!sc->calls && !shim.dev_warns, "an interrupt is lost before its time");
	midlayer_work();
	check(sc->calls == 1 && shim.dev_warns == 1, "a lost interrupt is not found");
	host_give(REQ, 0);
	host_interrupt(REQ);
}

/* The last queue is polled. */
static void rule_nobody_polls(void)
{
	struct scsi_cmnd *sc = command(disk(0, 0));

	sc->tag |= 1 << 16;
	check(midlayer_send(sc), "refused");
	check(host_take(REQ + 1), "nothing in the polled queue");
	host_give(REQ + 1, 0);
	check(time_out(sc) == SCSI_EH_RESET_TIMER && sc->calls == 1,
	      "answers in a polled queue are not looked for");
	check(!shim.dev_warns, "a queue that nobody polled is reported");
}

static void rule_deadline(void)
{
	struct scsi_cmnd *sc = send(disk(0, 0));

	midlayer_host()->eh_deadline = 10;
	check(time_out(sc) == SCSI_EH_NOT_HANDLED, "eh_deadline is ignored");
}

static void rule_needs_reset(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);

	host.needs_reset = true;
	time_out(sc);
	midlayer_work();
	check(!sc->busy && sc->calls == 1, "a command of a device that needs a reset waits");
	send_and_answer(sdev);
}

static void rule_gone(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);

	host.gone = true;
	time_out(sc);
	midlayer_work();
	check(sc->calls == 1 && sc->result == DID_NO_CONNECT << 16, "result %#x", sc->result);
	check(!sent.num_tmfs, "a device that is gone is asked to recover");
	sc = send(sdev);
	check(sc->calls == 1 && sc->result == DID_NO_CONNECT << 16, "result %#x", sc->result);
}

static void rule_gone_for_good(void)
{
	struct scsi_cmnd *sc = send(disk(0, 0));

	host.gone = true;
	time_out(sc);
	midlayer_work();
	host.gone = false;
	check(hostt()->eh_host_reset_handler(sc) == FAILED, "a device that is gone is reset");
	check(!(host.status & VIRTIO_CONFIG_S_DRIVER_OK), "and works");
}

/* Recovery */

static void give_tmf_only(void)
{
	if (host_take(CTRL)) {
		host_give(CTRL, 0);
		host_interrupt(CTRL);
	}
}

/* Interrupts of commands come late. */
static void give_all(void)
{
	unsigned int n;

	while (host_take(REQ))
		;
	for (n = host.queues[REQ].count; n; n--)
		host_give(REQ, 0);
	give_tmf_only();
}

static int recover_by(int (*handler)(struct scsi_cmnd *sc), struct scsi_cmnd *sc)
{
	if (!sc->calls)
		sc->state |= 1UL << SCMD_STATE_COMPLETE;
	return handler(sc);
}

static void want_tmf(u32 subtype, u64 tag)
{
	static const u8 lun[8] = { 1, 1, 0x40, 4 };

	check(sent.num_tmfs == 1, "%u functions", sent.num_tmfs);
	check(sent.tmf.type == VIRTIO_SCSI_T_TMF && sent.tmf.subtype == subtype &&
	      sent.tmf.tag == tag && !memcmp(sent.tmf.lun, lun, 8),
	      "another function: %u, tag %#llx", sent.tmf.subtype,
	      (unsigned long long)sent.tmf.tag);
}

static void rule_abort(void)
{
	struct scsi_cmnd *sc;

	/* The first one has a tag of 0. */
	send(disk(1, 3));
	sc = send(disk(1, 4));
	host.on_wait = give_all;
	check(recover_by(hostt()->eh_abort_handler, sc) == SUCCESS, "no abort");
	want_tmf(VIRTIO_SCSI_T_TMF_ABORT_TASK, sc->tag);
	check(sc->calls == 1, "the command is not back");
}

static void rule_abort_of_an_answered_one(void)
{
	struct scsi_cmnd *sc = send(disk(1, 4));

	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	check(recover_by(hostt()->eh_abort_handler, sc) == SUCCESS && !sent.num_tmfs,
	      "an answered command is aborted");
}

static void rule_abort_that_keeps(void)
{
	struct scsi_cmnd *sc = send(disk(1, 4));

	host.on_wait = give_tmf_only;
	check(recover_by(hostt()->eh_abort_handler, sc) == FAILED,
	      "success without the command");
	say.tmf = VIRTIO_SCSI_S_FUNCTION_REJECTED;
	host.on_wait = give_all;
	check(hostt()->eh_device_reset_handler(sc) == FAILED, "a refusal is a success");
}

/* The answer comes when nobody waits any more. */
static void rule_late_function(void)
{
	struct scsi_cmnd *sc = send(disk(1, 4));

	host.on_wait = host_do_nothing;
	check(recover_by(hostt()->eh_abort_handler, sc) == FAILED, "no answer, and success");
	answer_one(CTRL);
	answer_one(REQ);
	check(sc->calls == 1, "not answered");
	sc->busy = false;
}

static void rule_device_reset(void)
{
	struct scsi_device *sdev = disk(1, 4);
	struct scsi_cmnd *sc = send(sdev), *other = send(disk(1, 5));

	/* What another LUN has lost is not this one's to give back. */
	other->state |= 1UL << SCMD_STATE_COMPLETE;
	check(host_take(REQ), "nothing there");
	host_give(REQ, 0);
	host.on_wait = give_tmf_only;
	check(recover_by(hostt()->eh_device_reset_handler, sc) == SUCCESS, "no reset");
	want_tmf(VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0);
	check(hostt()->eh_target_reset_handler(sc) == FAILED,
	      "a target is reset, and has a command still");
	other->device = disk(2, 5);
	check(hostt()->eh_target_reset_handler(sc) == SUCCESS,
	      "what another target has lost fails a reset");
	answer_one(REQ);
	other->busy = false;
}

static void rule_target_reset(void)
{
	struct scsi_cmnd *sc = send(disk(1, 4));

	host.on_wait = give_all;
	check(recover_by(hostt()->eh_target_reset_handler, sc) == SUCCESS, "no reset");
	want_tmf(VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET, 0);
}

/* @from on: as many buffers as there are for events */
static void want_event_buffers(unsigned int num)
{
	unsigned int n = host.queues[EVENT].count;

	while (host_take(EVENT))
		n++;
	check(n == num, "%u buffers for events", n);
}

static void rule_host_reset(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev), *other = send(disk(0, 1));

	want_event_buffers(8);
	check(recover_by(hostt()->eh_host_reset_handler, sc) == SUCCESS, "no reset");
	check(sc->calls == 1 && sc->result == DID_RESET << 16, "result %#x", sc->result);
	check(other->calls == 1 && other->result == DID_RESET << 16, "another is left");
	sc->busy = false;
	check(host.status & VIRTIO_CONFIG_S_DRIVER_OK, "not started again");
	want_event_buffers(8);
	check(host.queues[EVENT].notified, "the device is not told of event buffers");
	send_and_answer(sdev);
}

/* It is the bus that resets, with I/O going on. */
static void rule_reset_by_the_bus(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);

	check(!target_driver->reset_prepare(&host.vdev), "no preparation");
	check(sc->calls == 1 && sc->result == DID_RESET << 16, "result %#x", sc->result);
	check(!midlayer_send(command(sdev)), "a command does not wait for the reset");
	host.status = VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
	check(!target_driver->reset_done(&host.vdev), "no new start");
	want_event_buffers(8);
	send_and_answer(sdev);
}

static void rule_smaller_queues(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);

	host.queue_size = 16;
	check(recover_by(hostt()->eh_host_reset_handler, sc) == SUCCESS,
	      "queues are refused that hold all commands");
	sc->busy = false;
	host.queue_size = 8;
	sc = send(sdev);
	check(recover_by(hostt()->eh_host_reset_handler, sc) == FAILED,
	      "queues are taken that don't hold all commands");
	sc->busy = false;
	sc = send(sdev);
	check(sc->result == DID_NO_CONNECT << 16, "result %#x", sc->result);
}

static void rule_pause(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc;

	virtio_device_freeze(&host.vdev);
	check(!midlayer_send(command(sdev)), "a command does not wait for the restart");
	jiffies += 20 * HZ;
	sc = send(sdev);
	check(sc->result == DID_NO_CONNECT << 16, "a command waits for ever");
	check(!virtio_device_restore(&host.vdev), "no restart");
	send_and_answer(sdev);
}

/* The bus may give up before it asks the driver; what comes after it may succeed. */
static void rule_restart_that_fails(void)
{
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc;

	virtio_device_freeze(&host.vdev);
	target_driver->restart_failed(&host.vdev);
	sc = send(sdev);
	check(sc->result == DID_NO_CONNECT << 16, "a command waits for ever");
	virtio_device_freeze(&host.vdev);
	check(!virtio_device_restore(&host.vdev), "no restart");
	send_and_answer(sdev);
	rule_lost_interrupt();
}

static bool notify_nobody(struct virtqueue *vq)
{
	return true;
}

/* What is in a queue of the transport's own is no command. */
static void rule_queue_of_the_transport(void)
{
	struct virtqueue *last = host.queues[REQ].vq, *vq;
	struct scsi_device *sdev = disk(0, 0);
	struct scsi_cmnd *sc = send(sdev);
	struct scatterlist sg;
	u8 command = 0;

	vq = vring_create_virtqueue(last->index + 1, 16, 64, &host.vdev, true, false,
				    false, notify_nobody, NULL, "admin");
	check(vq, "no queue");
	sg_init_one(&sg, &command, 1);
	check(!virtqueue_add_outbuf(vq, &sg, 1, &command, GFP_KERNEL), "no room");
	host.queues[host.num_queues++].vq = vq;
	virtio_device_freeze(&host.vdev);
	check(sc->calls == 1, "a command is left");
	check(!virtio_device_restore(&host.vdev), "no restart");
	send_and_answer(sdev);
}

/* Event buffers whose events are being handled are not the device's. */
static void rule_host_reset_with_events(void)
{
	answer_one(EVENT);
	hostt()->eh_host_reset_handler(send(disk(0, 0)));
	want_event_buffers(7);
	midlayer_work();
	want_event_buffers(8);
}

/* Events */

static void event(u32 type, u32 lun, u32 reason)
{
	say.event = (struct virtio_scsi_event) { .event = type, .reason = reason };
	say.event.lun[0] = lun >> 24;
	say.event.lun[1] = lun >> 16;
	say.event.lun[2] = lun >> 8;
	say.event.lun[3] = lun;
	answer_one(EVENT);
	midlayer_work();
}

static struct scsi_device *find(unsigned int id, u64 lun)
{
	return scsi_device_lookup(midlayer_host(), 0, id, lun);
}

static void rule_luns_come_and_go(void)
{
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x01024003, VIRTIO_SCSI_EVT_RESET_RESCAN);
	check(find(2, 3), "a LUN did not come");
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x0102412c, VIRTIO_SCSI_EVT_RESET_RESCAN);
	check(find(2, 0x412c), "a LUN above 255 did not come");
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x01030000, VIRTIO_SCSI_EVT_RESET_RESCAN);
	check(find(3, 0), "a target was not scanned");
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x01024003, VIRTIO_SCSI_EVT_RESET_REMOVED);
	check(!find(2, 3), "a LUN did not go");
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x0102412c, VIRTIO_SCSI_EVT_RESET_REMOVED);
	check(!find(2, 0x412c), "a LUN above 255 did not go");
	event(VIRTIO_SCSI_T_TRANSPORT_RESET, 0x01024003, VIRTIO_SCSI_EVT_RESET_HARD);
	check(!shim.dev_warns, "a reset that somebody made is reported");
	want_event_buffers(8);
}

static void rule_parameters_change(void)
{
	struct scsi_device *sdev = disk(1, 2);

	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010002, 0x002a);
	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010002, 0x012a);
	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010002, 0x092a);
	check(sdev->rescans == 3, "%u rescans of 3", sdev->rescans);
	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010002, 0x032a);
	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010002, 0x0029);
	event(VIRTIO_SCSI_T_PARAM_CHANGE, 0x01010003, 0x092a);
	check(sdev->rescans == 3, "a rescan for nothing");
}

static void want_complaint(const char *what, u32 type, u32 lun, u32 reason)
{
	event(type, lun, reason);
	check(shim.dev_warns == 1, "%s is not reported once", what);
	event(type, lun, reason);
	check(shim.dev_warns == 1, "%s is reported again", what);
	want_event_buffers(8);
}

static void rule_event_of_no_lun(void)
{
	want_complaint("a LUN of no known format", VIRTIO_SCSI_T_TRANSPORT_RESET,
		       0x02000000, VIRTIO_SCSI_EVT_RESET_RESCAN);
}

static void rule_event_of_no_target(void)
{
	want_complaint("a target out of range", VIRTIO_SCSI_T_TRANSPORT_RESET,
		       0x01044000, VIRTIO_SCSI_EVT_RESET_RESCAN);
}

static void rule_event_of_no_reason(void)
{
	want_complaint("a reason", VIRTIO_SCSI_T_TRANSPORT_RESET, 0x01014000, 77);
}

static void rule_event_of_no_kind(void)
{
	want_complaint("an event", 77, 0x01014000, 0);
}

/* LUN 1:0 went, LUN 0:0 came. */
static void answer_inquiry(void)
{
	host_use_all(REQ);
	host_interrupt(REQ);
}

static void rule_events_missed(void)
{
	disk(1, 1);
	host.on_wait = answer_inquiry;
	say.data = 0x7f;
	event(VIRTIO_SCSI_T_EVENTS_MISSED, 0, 0);
	check(!find(1, 1), "a LUN that is gone stays");
	check(midlayer_host()->scans == 2 && find(0, 0), "no scan for missed events");
	say.data = 0;
	disk(1, 1);
	event(VIRTIO_SCSI_T_EVENTS_MISSED, 0, 0);
	check(find(1, 1) && find(0, 0), "a LUN that is there goes");
	say.resp.response = VIRTIO_SCSI_S_BAD_TARGET;
	event(VIRTIO_SCSI_T_EVENTS_MISSED, 0, 0);
	check(!find(1, 1), "a LUN of a target that is gone stays");
}

/* All are handled, whichever comes first. */
static void rule_parallel_events(void)
{
	struct scsi_device *sdev = disk(1, 2);
	unsigned int n;

	for (n = 0; n < 8; n++) {
		say.event = (struct virtio_scsi_event) {
			.event = VIRTIO_SCSI_T_PARAM_CHANGE, .reason = 0x92a,
			.lun = { 1, 1, 0, 2 },
		};
		answer_one(EVENT);
	}
	check(!host_take(EVENT), "a buffer is given back before its event is handled");
	midlayer_work();
	check(sdev->rescans == 8, "%u events of 8 were handled", sdev->rescans);
	want_event_buffers(8);
}

static void rule_no_events(void)
{
	want_event_buffers(0);
}

/* The configuration */

static void rule_limits(void)
{
	const struct Scsi_Host *shost = midlayer_host();

	check(shost->nr_hw_queues == 2 && shost->nr_maps == 1, "queues");
	check(shost->sg_tablesize == 14 && shost->cmd_per_lun == 4, "%u segments",
	      shost->sg_tablesize);
	check(shost->can_queue == 64, "%d commands", shost->can_queue);
	check(shost->max_sectors == 100, "%u sectors", shost->max_sectors);
	check(shost->max_id == 4 && shost->max_lun == 0x4008 && !shost->max_channel,
	      "%u targets, %llu LUNs", shost->max_id, (unsigned long long)shost->max_lun);
	check(shost->tag_set.map[0].kind == 'i' && shost->tag_set.map[0].first == REQ &&
	      shost->tag_set.map[0].nr_queues == 2, "queues are not where interrupts are");
	check(host.queues[REQ].vq->callback && host.queues[CTRL].vq->callback &&
	      host.queues[EVENT].vq->callback, "a queue has no interrupt");
	check(hostt()->dma_boundary == 0xffffffff && hostt()->this_id == -1 &&
	      hostt()->track_queue_depth && hostt()->skip_settle_delay, "the template");
}

static void rule_no_limits(void)
{
	const struct Scsi_Host *shost = midlayer_host();

	check(shost->nr_hw_queues == 1, "%u queues", shost->nr_hw_queues);
	check(shost->sg_tablesize == 1, "%u segments", shost->sg_tablesize);
	check(shost->cmd_per_lun == 1, "%d commands", shost->cmd_per_lun);
	check(shost->max_sectors == 0xffff, "%u sectors", shost->max_sectors);
	check(shost->max_id == 1 && shost->max_lun == 0x4001, "targets, LUNs");
	check(!shim.dev_warns && !shim.errs, "reported");
}

static void rule_wild_limits(void)
{
	const struct Scsi_Host *shost = midlayer_host();

	check(shost->nr_hw_queues == nr_cpu_ids, "%u queues", shost->nr_hw_queues);
	check(shost->sg_tablesize == 62, "%u segments", shost->sg_tablesize);
	check(shost->cmd_per_lun == 64, "%d commands", shost->cmd_per_lun);
	check(shost->max_id == 256 && shost->max_lun == 0x8000, "targets, LUNs");
}

static void rule_one_queue_for_a_dump(void)
{
	check(midlayer_host()->nr_hw_queues == 1, "%u queues", midlayer_host()->nr_hw_queues);
}

static void rule_half_for_protection(void)
{
	const struct Scsi_Host *shost = midlayer_host();

	check(shost->sg_tablesize == 31 && shost->sg_prot_tablesize == 31,
	      "%u and %u segments", shost->sg_tablesize, shost->sg_prot_tablesize);
}

static void rule_small_commands(void)
{
	check(midlayer_host()->max_sectors == PAGE_SECTORS && shim.dev_warns == 1,
	      "less than a page");
}

static void rule_sizes_are_told(void)
{
	const struct virtio_scsi_config *config = (const void *)host.written;

	check(config->cdb_size == VIRTIO_SCSI_CDB_SIZE &&
	      config->sense_size == VIRTIO_SCSI_SENSE_SIZE,
	      "CDBs of %u bytes, sense data of %u", config->cdb_size, config->sense_size);
}

static void rule_polled_queues(void)
{
	const struct Scsi_Host *shost = midlayer_host();
	const struct blk_mq_queue_map *map = shost->tag_set.map;

	check(shost->nr_hw_queues == 2 && shost->nr_maps == 3, "queues");
	check(map[0].nr_queues == 1 && !map[0].queue_offset && map[0].kind == 'i',
	      "queues with interrupts");
	check(!map[1].nr_queues, "queues for reads");
	check(map[2].nr_queues == 1 && map[2].queue_offset == 1 && map[2].kind == 'p',
	      "polled queues");
	check(host.queues[REQ].vq->callback && !host.queues[REQ + 1].vq->callback,
	      "interrupts");
}

static void rule_devices(void)
{
	struct scsi_device *sdev = disk(0, 0);

	check(sdev->sdev_bflags & BLIST_TRY_VPD_PAGES, "VPD pages are not read");
	check(hostt()->change_queue_depth(sdev, 1000) == 4 &&
	      hostt()->change_queue_depth(sdev, 3) == 3, "the queue depth");
}

/* A header of 59 bytes, a response of 108, and what the driver notes */
static void rule_small_payload(void)
{
	check(hostt()->cmd_size <= 192, "%u bytes with each command", hostt()->cmd_size);
}

/* Without coherent DMA, nothing else is in the lines that the device writes. */
static void rule_lines_of_its_own(void)
{
	const u8 *cmd = scsi_cmd_priv(send(disk(1, 4)));
	const u8 *end = cmd + hostt()->cmd_size, *resp;

	answer_one(REQ);
	resp = sent.resp;
	check(!((uintptr_t)resp % ARCH_DMA_MINALIGN), "a response begins within a line");
	check(resp > cmd && resp + 2 * ARCH_DMA_MINALIGN <= end, "there is no room for it");
}

static void rule_features(void)
{
	static const unsigned int want[] = {
		VIRTIO_SCSI_F_HOTPLUG, VIRTIO_SCSI_F_CHANGE, VIRTIO_SCSI_F_T10_PI,
	};
	unsigned int i;

	check(target_driver->feature_table_size == ARRAY_SIZE(want), "features");
	for (i = 0; i < ARRAY_SIZE(want); i++)
		check(target_driver->feature_table[i] == want[i], "feature %u", want[i]);
}

#define CONFIG(...) { .num_queues = 1, .seg_max = 14, .max_sectors = 100, .cmd_per_lun = 4, \
		      .max_target = 3, .max_lun = 7, __VA_ARGS__ }
#define RULE(name, ...) { #name, rule_##name, .features = HOTPLUG | CHANGE, .size = 1, \
			  .config = CONFIG(), __VA_ARGS__ }

#pragma GCC diagnostic ignored "-Winitializer-overrides"
static const struct rule rules[] = {
	RULE(header),
	RULE(header, .ring = 1),
	RULE(layout),
	RULE(protection, .features = PI),
	RULE(responses),
	RULE(bad_answers),
	RULE(long_residual_is_no_lie),
	RULE(batches),
	RULE(full_queue, .size = 2),
	RULE(no_memory, .ring = 8),
	RULE(never_memory, .ring = 8),
	RULE(memory_of_before, .ring = 8),
	RULE(broken_queue),
	RULE(polling),
	RULE(time_is_theirs),
	RULE(lost_interrupt),
	RULE(late_interrupt),
	RULE(interrupt_has_time),
	RULE(nobody_polls, .poll_queues = 1, .config = CONFIG(.num_queues = 2)),
	RULE(deadline),
	RULE(needs_reset),
	RULE(gone),
	RULE(gone_for_good),
	RULE(abort),
	RULE(abort_of_an_answered_one),
	RULE(abort_that_keeps),
	RULE(late_function),
	RULE(device_reset),
	RULE(target_reset),
	RULE(host_reset),
	RULE(pause),
	RULE(restart_that_fails),
	RULE(queue_of_the_transport),
	RULE(reset_by_the_bus),
	RULE(smaller_queues),
	RULE(host_reset_with_events),
	RULE(luns_come_and_go, .config = CONFIG(.max_lun = 1000)),
	RULE(parameters_change),
	RULE(event_of_no_lun),
	RULE(event_of_no_target),
	RULE(event_of_no_reason),
	RULE(event_of_no_kind),
	RULE(events_missed),
	RULE(parallel_events),
	RULE(no_events, .features = 0),
	RULE(limits, .config = CONFIG(.num_queues = 2)),
	RULE(no_limits, .config = { }),
	RULE(wild_limits, .config = CONFIG(.num_queues = ~0, .seg_max = ~0, .cmd_per_lun = ~0,
					   .max_target = 0xffff, .max_lun = ~0)),
	RULE(one_queue_for_a_dump, .config = CONFIG(.num_queues = 2)),
	RULE(half_for_protection, .features = PI, .config = CONFIG(.seg_max = 100)),
	RULE(small_commands, .config = CONFIG(.max_sectors = 7)),
	RULE(sizes_are_told),
	RULE(polled_queues, .poll_queues = 1, .config = CONFIG(.num_queues = 2)),
	RULE(polled_queues, .poll_queues = 5, .config = CONFIG(.num_queues = 2)),
	RULE(devices),
	RULE(small_payload),
	RULE(lines_of_its_own),
	RULE(features),
};

/* One input: what the device is, what is above the driver, and one step. */
void target_load(void)
{
	check(!target_init(), "the module can't be loaded");
	in_kdump_kernel = rule->run == rule_one_queue_for_a_dump;
	is_dma_coherent = rule->run != rule_lines_of_its_own;
	host_create(&rule->config, sizeof(rule->config));
	*target_virtscsi_poll_queues = rule->poll_queues;
	memset(&sent, 0, sizeof(sent));
	memset(&say, 0, sizeof(say));
}

void target_unload(void)
{
	target_exit();
}

void target_rule(void)
{
	shim.dev_warns = rule->run == rule_small_commands ? shim.dev_warns : 0;
	rule->run();
	host.on_wait = NULL;
	memset(&say, 0, sizeof(say));
}

int main(void)
{
	unsigned int failed = 0;

	for (rule = rules; rule < rules + ARRAY_SIZE(rules); rule++) {
		if (rule_holds(rule->ring, rule->size, rule->features))
			continue;
		printf("not so: %s\n", rule->name);
		failed++;
	}
	return rules_end(ARRAY_SIZE(rules), failed);
}
