// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SCSI mid-layer.  It ends the program when the driver breaks its rules: limits
 * that cannot be, a command that is done twice, or never, or with a result, a
 * residual or sense data that the device did not give.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_scsi.h>
#include "host.h"
#include "midlayer.h"

#define MAX_COMMANDS	32
#define MAX_DEVICES	6
#define MAX_ADDED	1000
/* Where no sense data was written */
#define UNTOUCHED	0xee

static struct Scsi_Host *host_of_all;
static struct scsi_cmnd *commands[MAX_COMMANDS];
static unsigned int num_commands;
static struct scsi_device devices[MAX_DEVICES];
static u8 memory[4 * 4096] __aligned(4096);

struct Scsi_Host *midlayer_host(void)
{
	return host_of_all;
}

/* Hosts */

struct Scsi_Host *scsi_host_alloc(const struct scsi_host_template *template,
				  int size)
{
	struct Scsi_Host *shost = kzalloc(sizeof(*shost) + size, GFP_KERNEL);

	if (!shost)
		return NULL;
	shost->hostt = template;
	shost->max_sectors = template->max_sectors;
	memset(devices, 0, sizeof(devices));
	return shost;
}

static void check_limits(const struct Scsi_Host *shost)
{
	unsigned int elems = shost->sg_tablesize * (shost->prot ? 2 : 1);

	check(elems && elems + 2 <= host.queue_size,
	      "%u elements in a queue of %u", elems, host.queue_size);
	check(shost->sg_prot_tablesize >= shost->sg_tablesize,
	      "less elements of protection information than of data");
	check(shost->can_queue > 0 && shost->can_queue <= host.queue_size,
	      "%d commands in a queue of %u", shost->can_queue, host.queue_size);
	check(shost->cmd_per_lun > 0 && shost->cmd_per_lun <= shost->can_queue,
	      "%d commands for each LUN", shost->cmd_per_lun);
	check(shost->nr_hw_queues && shost->nr_hw_queues <= nr_cpu_ids,
	      "%u hardware queues", shost->nr_hw_queues);
	/* The block layer warns of less than a page. */
	check(shost->max_sectors >= PAGE_SECTORS, "commands of %u sectors",
	      shost->max_sectors);
	check(shost->max_id && shost->max_id <= 256, "%u targets",
	      shost->max_id);
	check(shost->max_lun && shost->max_lun <= 0x8000, "%llu LUNs",
	      (unsigned long long)shost->max_lun);
	check(shost->max_cmd_len == VIRTIO_SCSI_CDB_SIZE, "CDBs of %u bytes",
	      shost->max_cmd_len);
}

static struct scsi_cmnd *new_command(unsigned int i)
{
	struct Scsi_Host *shost = host_of_all;
	struct scsi_cmnd *sc;

	sc = calloc(1, ALIGN(sizeof(*sc) + shost->hostt->cmd_size, 8));
	/* Of just the size that the driver may write */
	sc->sense_buffer = malloc(SCSI_SENSE_BUFFERSIZE);
	sc->tag = i % shost->nr_hw_queues << 16 | i;
	check(!shost->hostt->init_cmd_priv(shost, sc), "no private data");
	return sc;
}

int scsi_add_host(struct Scsi_Host *shost, struct device *dev)
{
	check_limits(shost);
	if (driver_byte() == 0xff)
		return -ENOMEM;
	host_of_all = shost;
	shost->hostt->map_queues(shost);
	while (num_commands < MAX_COMMANDS &&
	       num_commands < shost->can_queue * shost->nr_hw_queues) {
		commands[num_commands] = new_command(num_commands);
		num_commands++;
	}
	return 0;
}

void scsi_remove_host(struct Scsi_Host *shost)
{
	midlayer_drain();
	memset(devices, 0, sizeof(devices));
}

void scsi_host_put(struct Scsi_Host *shost)
{
	host_forget();
	while (num_commands) {
		num_commands--;
		free(commands[num_commands]->sense_buffer);
		free(commands[num_commands]);
	}
	host_of_all = NULL;
	kfree(shost);
}

/* Commands */

static void add_data(struct scsi_cmnd *sc, u8 shape)
{
	unsigned int max = host_of_all->sg_tablesize, i;

	sc->nents = min3(1U + shape % 4, max, 4U);
	sg_init_table(sc->sg, sc->nents);
	for (i = 0; i < sc->nents; i++) {
		sg_set_buf(&sc->sg[i], memory + i * 600, 8 << shape / 4 % 7);
		sc->len += sc->sg[i].length;
	}
	if (!host_of_all->prot || !(shape & 128))
		return;
	sc->prot_nents = 1;
	sg_init_table(sc->prot_sg, 1);
	sg_set_buf(sc->prot_sg, memory + 3 * 4096, 8);
}

struct scsi_cmnd *midlayer_command(struct scsi_device *sdev)
{
	u8 shape = driver_byte(), way = driver_byte();
	struct scsi_cmnd *sc;
	unsigned int i;

	for (i = 0; i < num_commands; i++)
		if (!commands[i]->busy)
			break;
	if (!sdev)
		sdev = &devices[way / 4 % MAX_DEVICES];
	if (i == num_commands || !sdev->present)
		return NULL;
	sc = commands[i];
	sc->busy = true;
	sc->device = sdev;
	sc->calls = 0;
	sc->state = 0;
	sc->resid = 0;
	sc->len = 0;
	sc->nents = 0;
	sc->prot_nents = 0;
	sc->result = 0;
	memset(&sc->answer, 0, sizeof(sc->answer));
	memset(sc->sense_buffer, UNTOUCHED, SCSI_SENSE_BUFFERSIZE);
	sc->cmd_len = 1 + shape % sizeof(sc->cmnd);
	sc->flags = way & 128 ? 0 : SCMD_LAST;
	sc->sc_data_direction = way & 1 ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	if (way & 2)
		sc->sc_data_direction = DMA_NONE;
	else
		add_data(sc, shape);
	return sc;
}

struct scsi_cmnd *midlayer_find(u64 tag)
{
	unsigned int i = tag & 0xffff;

	check(i < num_commands && commands[i]->tag == tag &&
	      commands[i]->busy && !commands[i]->calls,
	      "device: a command that nobody sent");
	return commands[i];
}

static int want_host_byte(u8 response)
{
	static const u8 want[] = {
		DID_OK, DID_ERROR, DID_ABORT, DID_BAD_TARGET, DID_RESET,
		DID_BUS_BUSY, DID_TRANSPORT_DISRUPTED, DID_BAD_TARGET, DID_OK,
		DID_ERROR,
	};

	return response < ARRAY_SIZE(want) ? want[response] : -1;
}

static unsigned int sense_written(const struct scsi_cmnd *sc)
{
	unsigned int n = SCSI_SENSE_BUFFERSIZE;

	while (n && sc->sense_buffer[n - 1] == UNTOUCHED)
		n--;
	return n;
}

/* The device said it once, and it may be: so it has to be the result. */
static void check_true(const struct scsi_cmnd *sc)
{
	const struct scsi_answer *answer = &sc->answer;
	u8 status = answer->status;

	if (answer->response == VIRTIO_SCSI_S_NEXUS_FAILURE)
		status = SAM_STAT_RESERVATION_CONFLICT;
	check(sc->result == (want_host_byte(answer->response) << 16 | status),
	      "result %#x of response %u, status %u", sc->result,
	      answer->response, answer->status);
	check(sc->resid == answer->resid, "residual %u instead of %u", sc->resid,
	      answer->resid);
	check(!memcmp(sc->sense_buffer, answer->sense, answer->sense_len),
	      "other sense data than the device's");
	check(sense_written(sc) <= answer->sense_len,
	      "more sense data than the device has given");
}

/* It can't be: nothing of it may be the result. */
static void check_false(const struct scsi_cmnd *sc)
{
	check(sc->result == DID_ERROR << 16, "result %#x of a lie", sc->result);
	check(!sc->resid && !sense_written(sc), "a part of a lie is the result");
}

/* Without the device, or before it was sent */
static void check_unanswered(const struct scsi_cmnd *sc)
{
	check(host_byte(sc->result) != DID_OK && !(sc->result & 0xff),
	      "result %#x, which the device did not say", sc->result);
	check(!sc->resid && !sense_written(sc), "data out of nowhere");
}

static void check_result(const struct scsi_cmnd *sc)
{
	const struct scsi_answer *answer = &sc->answer;

	check(sc->resid <= sc->len, "residual %u of %u", sc->resid, sc->len);
	if (!answer->given || !host.status)
		check_unanswered(sc);
	else if (answer->changed)
		check(host_byte(sc->result) <= DID_TRANSPORT_DISRUPTED,
		      "result %#x", sc->result);
	else if (want_host_byte(answer->response) < 0 ||
		 answer->sense_len > SCSI_SENSE_BUFFERSIZE ||
		 answer->resid > sc->len)
		check_false(sc);
	else
		check_true(sc);
}

void scsi_done(struct scsi_cmnd *sc)
{
	check(sc->busy, "a command is done that nobody sent");
	check(!sc->calls++, "a command is done twice");
	check_result(sc);
	/* Whoever waits for one that timed out frees it. */
	if (!test_bit(SCMD_STATE_COMPLETE, &sc->state))
		sc->busy = false;
}

bool midlayer_send(struct scsi_cmnd *sc)
{
	int ret = host_of_all->hostt->queuecommand(host_of_all, sc);

	if (!ret)
		return true;
	check(ret == SCSI_MLQUEUE_HOST_BUSY, "a command is refused with %d", ret);
	check(!sc->calls, "a command is refused and done");
	sc->busy = false;
	return false;
}

void midlayer_commit(void)
{
	unsigned int i;

	for (i = 0; i < host_of_all->nr_hw_queues; i++)
		host_of_all->hostt->commit_rqs(host_of_all, i);
}

void midlayer_poll(void)
{
	host_of_all->hostt->mq_poll(host_of_all,
				    driver_byte() % host_of_all->nr_hw_queues);
}

void scsi_host_busy_iter(struct Scsi_Host *shost,
			 bool (*fn)(struct scsi_cmnd *sc, void *data), void *data)
{
	unsigned int i;

	for (i = 0; i < num_commands; i++)
		if (commands[i]->busy && !fn(commands[i], data))
			break;
}

/* Error recovery: success means that the memory is ours again. */

static bool try_handler(int (*handler)(struct scsi_cmnd *sc),
			struct scsi_cmnd *sc)
{
	int ret = handler(sc);

	check(ret == SUCCESS || ret == FAILED, "recovery returns %d", ret);
	check(ret != SUCCESS || sc->calls == 1,
	      "recovery succeeded, and the device still has the command");
	return ret == SUCCESS;
}

static void recover(struct scsi_cmnd *sc)
{
	const struct scsi_host_template *hostt = host_of_all->hostt;
	unsigned int i;

	if (!sc->busy || sc->calls)
		return;
	sc->state |= 1UL << SCMD_STATE_COMPLETE;
	if (!try_handler(hostt->eh_abort_handler, sc) &&
	    !try_handler(hostt->eh_device_reset_handler, sc) &&
	    !try_handler(hostt->eh_target_reset_handler, sc)) {
		/* It may fail, and has to take all commands back even so. */
		hostt->eh_host_reset_handler(sc);
		for (i = 0; i < num_commands; i++)
			check(!commands[i]->busy || commands[i]->calls == 1,
			      "a command is left over after a reset");
	}
	sc->busy = false;
}

void midlayer_time_out(void)
{
	u8 which = driver_byte();

	if (num_commands)
		recover(commands[which % num_commands]);
}

void midlayer_drain(void)
{
	unsigned int i;

	midlayer_commit();
	host_finish();
	for (i = 0; i < num_commands; i++)
		recover(commands[i]);
	check(work_run(), "work has no end");
}

int scsi_execute_cmd(struct scsi_device *sdev, const u8 *cdb, int opf, void *buf,
		     unsigned int len, int timeout, int retries, void *args)
{
	struct scsi_cmnd *sc = midlayer_command(sdev);
	unsigned int n;

	if (!sc)
		return -EWOULDBLOCK;
	memcpy(sc->cmnd, cdb, 6);
	sc->cmd_len = 6;
	sc->flags = SCMD_LAST;
	sc->sc_data_direction = DMA_FROM_DEVICE;
	sc->prot_nents = 0;
	sc->nents = 1;
	sc->len = len;
	sg_init_one(sc->sg, buf, len);
	if (!midlayer_send(sc))
		return -EIO;
	for (n = 0; n < 4 && !sc->calls; n++)
		host_wait();
	recover(sc);
	host_forget();
	return sc->result;
}

/* Devices */

struct scsi_device *scsi_next_device(struct scsi_device *sdev)
{
	for (sdev = sdev ? sdev + 1 : devices; sdev < devices + MAX_DEVICES; sdev++)
		if (sdev->present)
			return sdev;
	return NULL;
}

struct scsi_device *scsi_device_lookup(struct Scsi_Host *shost,
				       unsigned int channel, unsigned int id,
				       u64 lun)
{
	struct scsi_device *sdev;

	check(!channel, "channel %u", channel);
	check(id < shost->max_id && lun < shost->max_lun, "LUN %u:%llu", id,
	      (unsigned long long)lun);
	shost_for_each_device(sdev, shost)
		if (sdev->id == id && sdev->lun == lun)
			return sdev;
	return NULL;
}

int scsi_add_device(struct Scsi_Host *shost, unsigned int channel,
		    unsigned int id, u64 lun)
{
	struct scsi_device *sdev = devices;

	if (scsi_device_lookup(shost, channel, id, lun))
		return 0;
	while (sdev < devices + MAX_DEVICES && sdev->present)
		sdev++;
	if (sdev == devices + MAX_DEVICES)
		return -ENOMEM;
	sdev->host = shost;
	sdev->id = id;
	sdev->lun = lun;
	sdev->eh_timeout = 10 * HZ;
	sdev->present = true;
	shost->hostt->slave_alloc(sdev);
	check(shost->hostt->change_queue_depth(sdev, driver_byte()) <=
	      shost->can_queue, "a queue is too deep");
	return 0;
}

void scsi_scan_target(struct device *parent, unsigned int channel,
		      unsigned int id, u64 lun, int mode)
{
	scsi_add_device(host_of_all, channel, id, 0);
}

void scsi_scan_host(struct Scsi_Host *shost)
{
	scsi_add_device(shost, 0, 0, 0);
}

void scsi_device_put(struct scsi_device *sdev)
{
}

void scsi_remove_device(struct scsi_device *sdev)
{
	sdev->present = false;
}

void scsi_rescan_device(struct scsi_device *sdev)
{
	check(sdev->present, "a rescan of no device");
}
