// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SCSI mid-layer. It ends the program when the driver breaks its rules: limits
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

bool in_kdump_kernel;
bool is_dma_coherent;
static struct Scsi_Host *host_of_all;
static struct scsi_cmnd *commands[MAX_COMMANDS];
static unsigned int num_commands;
static unsigned int num_done;
static struct scsi_device devices[MAX_DEVICES];
static u8 memory[4 * 4096] __aligned(4096);

struct Scsi_Host *midlayer_host(void)
{
	return host_of_all;
}

/* Memory that is there when there is none */

static mempool_t *the_pool;

mempool_t *mempool_create_kmalloc_pool(unsigned int reserve, unsigned int size)
{
	mempool_t *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	pool->reserve = reserve;
	pool->size = size;
	check(reserve <= ARRAY_SIZE(pool->elem), "a reserve of %u", reserve);
	while (pool->left < reserve) {
		pool->elem[pool->left] = kmalloc(size, GFP_KERNEL);
		if (!pool->elem[pool->left]) {
			mempool_destroy(pool);
			return NULL;
		}
		pool->left++;
	}
	the_pool = pool;
	return pool;
}

void mempool_destroy(mempool_t *pool)
{
	if (!pool)
		return;
	check(!pool->out, "%u elements are not back", pool->out);
	while (pool->left)
		kfree(pool->elem[--pool->left]);
	kfree(pool);
	the_pool = NULL;
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	void *elem = kmalloc(pool->size, gfp);

	if (!elem && pool->left)
		elem = pool->elem[--pool->left];
	/* What is there before it is used must not matter. */
	if (elem)
		memset(elem, 0xa5, pool->size);
	pool->out += !!elem;
	pool->given += !!elem;
	return elem;
}

void mempool_free(void *elem, mempool_t *pool)
{
	pool->out--;
	if (pool->left < pool->reserve)
		pool->elem[pool->left++] = elem;
	else
		kfree(elem);
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
	shost->eh_deadline = -1;
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

/* The driver's data are behind the command: 8 bytes into a cache line. */
#define COMMAND_OFFSET \
	(ALIGN(sizeof(struct scsi_cmnd), ARCH_DMA_MINALIGN) + 8 - sizeof(struct scsi_cmnd))

static struct scsi_cmnd *new_command(unsigned int i)
{
	struct Scsi_Host *shost = host_of_all;
	size_t size = ALIGN(sizeof(struct scsi_cmnd) + shost->hostt->cmd_size, 8);
	struct scsi_cmnd *sc;
	void *p = NULL;

	check(!posix_memalign(&p, ARCH_DMA_MINALIGN, size + COMMAND_OFFSET), "no memory");
	sc = memset(p + COMMAND_OFFSET, 0, size);
	/* Of just the size that the driver may write */
	sc->sense_buffer = malloc(SCSI_SENSE_BUFFERSIZE);
	sc->tag = i % shost->nr_hw_queues << 16 | i;
	sc->timeout = 30 * HZ;
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
		free((void *)commands[num_commands] - COMMAND_OFFSET);
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
	sc->prot_op = 1;
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
	sc->jiffies_at_alloc = jiffies;
	sc->expired = false;
	sc->calls = 0;
	sc->state = 0;
	sc->resid = 0;
	sc->len = 0;
	sc->nents = 0;
	sc->prot_nents = 0;
	sc->prot_op = SCSI_PROT_NORMAL;
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
	sc->interval = sc->len;
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
	check(sc->resid == min(answer->resid, sc->len), "residual %u instead of %u",
	      sc->resid, answer->resid);
	check(!memcmp(sc->sense_buffer, answer->sense,
		      min(answer->sense_len, SCSI_SENSE_BUFFERSIZE)),
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
	/* What the device wrote may be the result, though it never gave it. */
	if (answer->changed)
		check(host_byte(sc->result) <= DID_TRANSPORT_DISRUPTED,
		      "result %#x", sc->result);
	else if (!answer->given || !host.status)
		check_unanswered(sc);
	else if (want_host_byte(answer->response) < 0)
		check_false(sc);
	else
		check_true(sc);
}

void scsi_done(struct scsi_cmnd *sc)
{
	check(sc->busy, "a command is done that nobody sent");
	check(!sc->calls++, "a command is done twice");
	num_done++;
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

/* Recovery is what makes memory free: it has none but its reserve. */
static bool try_without_memory(int (*handler)(struct scsi_cmnd *sc),
			       struct scsi_cmnd *sc)
{
	struct virtqueue *ctrl = host.queues[0].vq;
	bool can = the_pool->out < the_pool->reserve && host.num_queues &&
		   !virtqueue_is_broken(ctrl) && ctrl->num_free >= 2 &&
		   !shim.map_fail_at;
	unsigned int sent = the_pool->given;
	bool success;

	shim.alloc_fail_all = true;
	success = try_handler(handler, sc);
	shim.alloc_fail_all = false;
	check(!can || the_pool->given != sent || sc->calls,
	      "no memory for task management");
	return success;
}

static void recover(struct scsi_cmnd *sc)
{
	const struct scsi_host_template *hostt = host_of_all->hostt;
	unsigned int i;

	if (!sc->busy || sc->calls)
		return;
	sc->state |= 1UL << SCMD_STATE_COMPLETE;
	if (!try_without_memory(hostt->eh_abort_handler, sc) &&
	    !try_without_memory(hostt->eh_device_reset_handler, sc) &&
	    !try_without_memory(hostt->eh_target_reset_handler, sc)) {
		/* It may fail, and has to take all commands back even so. */
		hostt->eh_host_reset_handler(sc);
		for (i = 0; i < num_commands; i++)
			check(!commands[i]->busy || commands[i]->calls == 1,
			      "a command is left over after a reset");
	}
	sc->busy = false;
}

static bool is_broken(void)
{
	struct virtqueue *vq;

	virtio_device_for_each_vq(&host.vdev, vq)
		if (virtqueue_is_broken(vq))
			return true;
	return false;
}

/*
 * A device that is there gets its time, and is told once more of what it has, unless
 * answers were found.
 */
static void time_out(struct scsi_cmnd *sc)
{
	unsigned int notified = host.notified, done = num_done;
	enum scsi_timeout_action action;

	if (!sc->busy || sc->calls)
		return;
	sc->expired = false;
	action = host_of_all->hostt->eh_timed_out(sc);
	check(action == SCSI_EH_RESET_TIMER || action == SCSI_EH_NOT_HANDLED,
	      "a timeout returns %d", action);
	if (action == SCSI_EH_NOT_HANDLED) {
		check(host_of_all->eh_deadline != -1 || is_broken(),
		      "a command of a device that is there does not wait");
		recover(sc);
		return;
	}
	midlayer_work();
	if (num_done != done || !host.num_queues)
		return;
	check(host.notified != notified, "a lost kick stays lost");
	check(host_of_all->eh_deadline == -1, "nobody recovers");
}

/* Also the work that the driver leaves for later, and the commands that it ends */
void midlayer_work(void)
{
	unsigned int i;

	check(work_run(), "work has no end");
	for (i = 0; i < num_commands; i++)
		if (commands[i]->expired)
			time_out(commands[i]);
}

void midlayer_time_out(void)
{
	u8 which = driver_byte();

	host_of_all->eh_deadline = which & 128 ? 1000 : -1;
	if (num_commands)
		time_out(commands[which % num_commands]);
}

static bool all_done(void)
{
	unsigned int i;

	for (i = 0; i < num_commands; i++)
		if (commands[i]->busy && !commands[i]->calls)
			return false;
	return true;
}

static void time_out_all(void)
{
	unsigned int i;

	for (i = 0; i < num_commands; i++)
		time_out(commands[i]);
	midlayer_work();
}

/* One that answers does so now; one that does not is pulled out. */
void midlayer_drain(void)
{
	midlayer_commit();
	host_finish();
	time_out_all();
	if (!all_done()) {
		host.gone = true;
		time_out_all();
	}
	check(all_done(), "a command of a device that is gone never ends");
	midlayer_work();
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
	sc->prot_op = SCSI_PROT_NORMAL;
	sc->nents = 1;
	sc->len = len;
	sg_init_one(sc->sg, buf, len);
	if (!midlayer_send(sc))
		return -EIO;
	for (n = 0; n < 4 && !sc->calls; n++)
		host_wait();
	host_finish();
	time_out(sc);
	if (sc->busy && !sc->calls) {
		host.gone = true;
		time_out(sc);
	}
	check(!sc->busy || sc->calls, "a command of the mid-layer's never ends");
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
	shost->scans++;
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
	sdev->rescans++;
}
