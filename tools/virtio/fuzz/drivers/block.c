// SPDX-License-Identifier: GPL-2.0-only
/*
 * A block layer for one disk. It ends the program when the driver breaks its
 * rules: limits that cannot be, a request that is ended twice or with a result
 * that the device did not give.
 */
#include <uapi/linux/virtio_blk.h>
#include "block.h"
#include "blk.h"
#include "host.h"

/* blk_validate_limits() of the base, and what it calls */
#include "block-limits.c"

#define MAX_HCTXS	HOST_MAX_QUEUES
#define MAX_REQUESTS	64

static struct blk_mq_tag_set *tags;
static struct blk_mq_hw_ctx hctxs[MAX_HCTXS];
static struct request *requests[MAX_REQUESTS];
static unsigned int num_requests;
static struct rq_list requeued;
static bool requeued_wait;
static struct request_queue queue;
static struct gendisk *disk;

struct gendisk *block_disk(void)
{
	return disk;
}

/* Requests */

struct request *rq_list_pop(struct rq_list *list)
{
	struct request *req = list->head;

	if (req)
		list->head = req->rq_next;
	return req;
}

void rq_list_add_tail(struct rq_list *list, struct request *req)
{
	if (list->head)
		list->tail->rq_next = req;
	else
		list->head = req;
	list->tail = req;
	req->rq_next = NULL;
}

unsigned int blk_rq_nr_phys_segments(struct request *req)
{
	unsigned int max = req->q->limits.max_segment_size, n = 0, i;

	if (req->rq_flags & RQF_SPECIAL_PAYLOAD)
		return 1;
	for (i = 0; i < req->nr_vecs; i++)
		n += (req->vecs[i].bv_len - 1) / max + 1;
	return n;
}

unsigned int blk_rq_count_bios(struct request *req)
{
	unsigned int n = 0;
	struct bio *bio;

	__rq_for_each_bio(bio, req)
		n++;
	return n;
}

/* Polled queues have no interrupts that tell where requests come from. */
void blk_mq_map_queues(struct blk_mq_queue_map *map)
{
	check(map == &tags->map[HCTX_TYPE_POLL], "a queue far from its interrupt");
}

void blk_mq_virtio_map_queues(struct blk_mq_queue_map *map,
			      struct virtio_device *vdev, int first)
{
	check(map != &tags->map[HCTX_TYPE_POLL], "a polled queue with an interrupt");
}

/* Without indirect descriptors a request takes two, or more. */
static unsigned int max_depth(void)
{
	if (virtio_has_feature(&host.vdev, VIRTIO_RING_F_INDIRECT_DESC))
		return host.queue_size;
	return host.queue_size / 2;
}

/*
 * 16 bytes that the device reads and 9 that it writes; these have cache lines of
 * their own where that is needed, and nowhere else.
 */
static void check_payload(unsigned int size)
{
	bool coherent = !fuzz.access || dev_is_dma_coherent(host.vdev.dev.parent);

	check(coherent ? size <= 32 : size >= 16 + 2 * ARCH_DMA_MINALIGN - 8,
	      "%u bytes with each request", size);
}

int blk_mq_alloc_tag_set(struct blk_mq_tag_set *set)
{
	unsigned int i;

	check(set->nr_hw_queues && set->nr_hw_queues <= CPUS_FOR_QUEUES,
	      "%u hardware queues", set->nr_hw_queues);
	check(set->nr_hw_queues == 1 || !is_kdump_kernel(),
	      "%u queues to save a crashed kernel", set->nr_hw_queues);
	check_payload(set->cmd_size);
	/* An error of the block layer's, when there is no room for a request */
	if (!set->queue_depth)
		return -EINVAL;
	check(set->queue_depth <= max_depth(), "%u requests for a queue of %u",
	      set->queue_depth, host.queue_size);
	tags = set;
	set->ops->map_queues(set);
	num_requests = min(set->queue_depth * set->nr_hw_queues, MAX_REQUESTS);
	for (i = 0; i < num_requests; i++)
		requests[i] = calloc(1, ALIGN(sizeof(struct request) +
					      set->cmd_size, 8));
	return 0;
}

void blk_mq_free_tag_set(struct blk_mq_tag_set *set)
{
	unsigned int i;

	for (i = 0; i < num_requests; i++) {
		check(!requests[i]->busy || requests[i]->ended,
		      "request %u was never ended", i);
		free(requests[i]);
	}
	num_requests = 0;
	host_forget();
}

void blk_mq_tagset_busy_iter(struct blk_mq_tag_set *set,
			     bool (*fn)(struct request *req, void *data),
			     void *data)
{
	unsigned int i;

	for (i = 0; i < num_requests; i++)
		if (requests[i]->state != MQ_RQ_IDLE && !fn(requests[i], data))
			break;
}

struct request *blk_mq_alloc_request(struct request_queue *q, blk_opf_t opf,
				     unsigned int flags)
{
	struct request *req;
	unsigned int i;

	for (i = 0; i < num_requests; i++)
		if (!requests[i]->busy)
			break;
	if (i == num_requests)
		return ERR_PTR(-EWOULDBLOCK);
	req = requests[i];
	memset(req, 0, sizeof(*req));
	req->q = q;
	req->mq_hctx = &hctxs[i % tags->nr_hw_queues];
	req->cmd_flags = opf;
	req->tag = i;
	req->ioprio = i;
	req->busy = true;
	return req;
}

void blk_mq_free_request(struct request *req)
{
	check(req->busy, "a free request is freed");
	check(req->state == MQ_RQ_IDLE, "a request is freed that the driver has");
	req->busy = false;
}

struct request *block_request(unsigned int tag)
{
	check(tag < num_requests && requests[tag]->busy,
	      "device: a request that nobody sent");
	return requests[tag];
}

void blk_mq_start_request(struct request *req)
{
	check(req->busy && req->state == MQ_RQ_IDLE, "a request starts twice");
	req->state = MQ_RQ_IN_FLIGHT;
	req->timeout = 30 * HZ;
	req->answered = false;
	req->resets = host.resets;
	memset(req->says, 0, sizeof(req->says));
}

/* It has started, and the driver can't send it now. */
static void take_back(struct request *req)
{
	check(req->busy && !req->ended, "a request that ended comes back");
	check(!(req->rq_flags & RQF_SPECIAL_PAYLOAD), "ranges are left over");
	req->state = MQ_RQ_IDLE;
}

/* Without @kick they wait until the driver says so, which it does after a reset. */
void blk_mq_requeue_request(struct request *req, bool kick)
{
	check(req->state == MQ_RQ_IN_FLIGHT && (kick || queue.quiesced),
	      "a request is left lying");
	check(kick || req->resets != host.resets,
	      "a request goes back that the device has");
	take_back(req);
	rq_list_add_tail(&requeued, req);
	requeued_wait = !kick;
}

void blk_mq_kick_requeue_list(struct request_queue *q)
{
	requeued_wait = false;
}

struct request *block_requeued(void)
{
	check(!requeued_wait, "requests wait for good");
	return rq_list_pop(&requeued);
}

void blk_mq_end_request(struct request *req, blk_status_t status)
{
	check(req->busy && !req->ended, "a request is ended twice");
	check(req->state != MQ_RQ_IDLE, "a request is ended that never started");
	check(!(req->rq_flags & RQF_SPECIAL_PAYLOAD), "ranges are left over");
	check(req->answered || req->resets != host.resets,
	      "a request is ended that the device has");
	check(status || req->says[VIRTIO_BLK_S_OK],
	      "success, which the device did not say");
	check(status != BLK_STS_NOTSUPP || req->says[VIRTIO_BLK_S_UNSUPP],
	      "unsupported, which the device did not say");
	req->ended = true;
	req->result = status;
	req->state = MQ_RQ_IDLE;
	blk_request_ended(req);
}

/* Either here or, by and by, where it came from */
bool blk_mq_complete_request_remote(struct request *req)
{
	check(req->state == MQ_RQ_IN_FLIGHT, "completion of no request");
	req->state = MQ_RQ_COMPLETE;
	return driver_byte() & 1;
}

void blk_mq_complete_request(struct request *req)
{
	if (!blk_mq_complete_request_remote(req))
		tags->ops->complete(req);
}

void block_complete_remote(void)
{
	unsigned int i;

	for (i = 0; i < num_requests; i++)
		if (requests[i]->state == MQ_RQ_COMPLETE)
			tags->ops->complete(requests[i]);
}

bool blk_mq_add_to_batch(struct request *req, struct io_comp_batch *iob,
			 bool error, void (*complete)(struct io_comp_batch *))
{
	if (!iob || req_op(req) == REQ_OP_DRV_IN)
		return false;
	iob->complete = complete;
	rq_list_add_tail(&iob->req_list, req);
	return true;
}

void blk_mq_end_request_batch(struct io_comp_batch *iob)
{
	struct request *req;

	while ((req = rq_list_pop(&iob->req_list)))
		blk_mq_end_request(req, BLK_STS_OK);
}

/* Sending */

bool block_send(struct request *req, bool last)
{
	struct blk_mq_queue_data bd = { .rq = req, .last = last };
	bool short_of_memory = shim.alloc_fail_at || shim.map_fail_at;
	blk_status_t status;

	status = tags->ops->queue_rq(req->mq_hctx, &bd);
	if (!status)
		return true;
	take_back(req);
	if (status == BLK_STS_RESOURCE) {
		check(short_of_memory || req->mq_hctx->stopped,
		      "a full queue is asked again and again");
		return false;
	}
	req->ended = true;
	req->result = status;
	return true;
}

static unsigned int count_queues(const struct rq_list *list)
{
	bool seen[HOST_MAX_QUEUES] = {};
	unsigned int num = 0;
	struct request *req;

	for (req = list->head; req; req = req->rq_next) {
		num += !seen[req->mq_hctx - hctxs];
		seen[req->mq_hctx - hctxs] = true;
	}
	return num;
}

/* For each queue one lock, and at most one kick unless there is no room. */
void block_send_list(struct rq_list *list)
{
	unsigned int queues = count_queues(list);
	unsigned int locks = irqsaves, kicks = host.notified;
	struct request *req;

	tags->ops->queue_rqs(list);
	while ((req = rq_list_pop(&requeued)))
		rq_list_add_tail(list, req);
	check(irqsaves - locks == queues, "%u locks for %u queues",
	      irqsaves - locks, queues);
	if (rq_list_empty(list))
		check(host.notified - kicks <= queues, "%u kicks for %u queues",
		      host.notified - kicks, queues);
}

void block_commit(void)
{
	unsigned int i;

	for (i = 0; i < tags->nr_hw_queues; i++)
		tags->ops->commit_rqs(&hctxs[i]);
}

void block_poll(void)
{
	DEFINE_IO_COMP_BATCH(iob);

	tags->ops->poll(&hctxs[driver_byte() % tags->nr_hw_queues], &iob);
	if (iob.req_list.head)
		iob.complete(&iob);
}

static void time_out(struct request *req)
{
	if (req->state != MQ_RQ_IN_FLIGHT)
		return;
	if (tags->ops->timeout(req) == BLK_EH_DONE)
		check(req->state != MQ_RQ_IN_FLIGHT,
		      "a request is done, and still there");
}

void block_time_out(void)
{
	unsigned int i;

	for (i = 0; i < num_requests; i++)
		time_out(requests[i]);
}

bool block_is_idle(void)
{
	unsigned int i;

	for (i = 0; i < num_requests; i++)
		if (requests[i]->state != MQ_RQ_IDLE)
			return false;
	return true;
}

static bool all_ended(void)
{
	block_complete_remote();
	return block_is_idle();
}

/* Nobody else ends what is in these queues. */
static void poll_polled(void)
{
	unsigned int i;

	for (i = 0; i < host.num_queues; i++)
		if (!host.queues[i].vq->callback)
			tags->ops->poll(&hctxs[i], NULL);
}

/* With nothing under way nobody would start what is stopped. */
static void check_running(void)
{
	unsigned int i;

	if (!block_is_idle())
		return;
	check(!queue.quiesced, "the queues are at rest for good");
	for (i = 0; i < tags->nr_hw_queues; i++)
		check(!hctxs[i].stopped, "queue %u is stopped for good", i);
}

/* Waits until all requests have ended: none may be forgotten. */
void block_drain(void)
{
	if (all_ended())
		return;
	block_commit();
	host_finish();
	poll_polled();
	check(work_run(), "work has no end");
	check_running();
	if (all_ended())
		return;
	/* The device has broken a rule, and will not answer. */
	check(host_is_spoilt(), "the device was not shown a request");
	virtio_break_device(&host.vdev);
	block_poll_all();
	check(work_run(), "work has no end");
	check_running();
	check(all_ended(), "a request is lost");
}

void block_poll_all(void)
{
	unsigned int i;

	for (i = 0; i < tags->nr_hw_queues; i++)
		tags->ops->poll(&hctxs[i], NULL);
}

unsigned int block_waits(void)
{
	return tags->waits;
}

void blk_mq_freeze_queue(struct request_queue *q)
{
	block_drain();
}

void blk_mq_start_stopped_hw_queues(struct request_queue *q, bool async)
{
	unsigned int i;

	for (i = 0; i < tags->nr_hw_queues; i++)
		hctxs[i].stopped = false;
}

int blk_rq_map_kern(struct request_queue *q, struct request *req, void *buf,
		    unsigned int len, gfp_t gfp)
{
	req->vecs[0] = (struct bio_vec) {
		virt_to_page(buf), len, offset_in_page(buf)
	};
	req->nr_vecs = 1;
	req->bios[0].bi_io_vec = req->vecs;
	req->bios[0].bi_iter.bi_size = len;
	req->bio = req->bios;
	req->__data_len = len;
	check(blk_rq_nr_phys_segments(req) <= q->limits.max_segments &&
	      (len - 1) >> SECTOR_SHIFT < q->limits.max_hw_sectors,
	      "a command of %u bytes", len);
	return 0;
}

blk_status_t blk_execute_rq(struct request *req, bool at_head)
{
	unsigned int n;

	for (n = 0; n < 4 && !block_send(req, true); n++)
		block_drain();
	for (n = 0; n < 8 && !req->ended; n++) {
		host_wait();
		block_complete_remote();
	}
	if (!req->ended)
		time_out(req);
	if (!req->ended)
		block_drain();
	check(req->ended, "a command has no end");
	return req->result;
}

int blk_status_to_errno(blk_status_t status)
{
	if (status == BLK_STS_NOTSUPP)
		return -EOPNOTSUPP;
	return status ? -EIO : 0;
}

/* Disks */

/*
 * Nothing that a device says may make the block layer refuse or warn: the driver
 * has to know what can't be.
 */
static void check_limits(struct queue_limits *lim)
{
	unsigned int block = lim->logical_block_size >> SECTOR_SHIFT;

	check(!blk_set_default_limits(lim), "the block layer refuses the limits");
	check(lim->max_segments && lim->max_segments + 2 <= host.queue_size,
	      "%u segments in a queue of %u", lim->max_segments,
	      host.queue_size);
	check(block && lim->max_sectors >= block, "no I/O of one block");
	check(lim->max_segment_size >= PAGE_SIZE, "segments of less than a page");
	check(is_power_of_2(lim->physical_block_size), "physical block of %u",
	      lim->physical_block_size);
	check(lim->max_hw_discard_sectors % block == 0 &&
	      lim->max_write_zeroes_sectors % block == 0 &&
	      lim->max_secure_erase_sectors % block == 0,
	      "ranges of a part of a block");
	check(lim->max_discard_segments <= 256, "%u ranges",
	      lim->max_discard_segments);
	check(!lim->max_discard_sectors || lim->discard_granularity,
	      "discard without a granularity");
	if (lim->features & BLK_FEAT_ZONED)
		check(is_power_of_2(lim->chunk_sectors) &&
		      lim->max_zone_append_sectors &&
		      lim->max_zone_append_sectors <= lim->chunk_sectors,
		      "append %u in zones of %u",
		      lim->max_zone_append_sectors, lim->chunk_sectors);
}

struct gendisk *blk_mq_alloc_disk(struct blk_mq_tag_set *set,
				  struct queue_limits *lim, void *data)
{
	unsigned int i;

	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return ERR_PTR(-ENOMEM);
	check_limits(lim);
	queue.limits = *lim;
	queue.queuedata = data;
	queue.disk = disk;
	queue.quiesced = 0;
	disk->queue = &queue;
	for (i = 0; i < set->nr_hw_queues; i++) {
		hctxs[i].queue = &queue;
		hctxs[i].stopped = false;
		check(!set->ops->init_hctx(&hctxs[i], set->driver_data, i),
		      "no hardware queue");
	}
	return disk;
}

int device_add_disk(struct device *parent, struct gendisk *disk,
		    const struct attribute_group **groups)
{
	if (driver_byte() == 0xff)
		return -ENOMEM;
	check(disk->read_only == virtio_has_feature(&host.vdev, VIRTIO_BLK_F_RO),
	      "the device and the disk disagree on what is written");
	disk->added = true;
	return 0;
}

void del_gendisk(struct gendisk *disk)
{
	check(disk->dead || host.status & VIRTIO_CONFIG_S_DRIVER_OK,
	      "what is dirty is to be written to no device");
	block_drain();
}

/* Somebody has it open still. */
static void use_removed_disk(struct gendisk *disk)
{
	struct block_device bdev = { .bd_disk = disk };
	struct hd_geometry geo;

	check(disk->fops->getgeo(&bdev, &geo) == -ENXIO,
	      "a disk without a device has a geometry");
	check(disk->fops->report_zones(disk, 0, 1, NULL, NULL) <= 0,
	      "a disk without a device has zones");
}

void put_disk(struct gendisk *d)
{
	if (d->added) {
		use_removed_disk(d);
		d->fops->free_disk(d);
	}
	kfree(d);
	disk = NULL;
}

struct queue_limits queue_limits_start_update(struct request_queue *q)
{
	return q->limits;
}

int queue_limits_commit_update_frozen(struct request_queue *q,
				      struct queue_limits *lim)
{
	check(!blk_validate_limits(lim), "limits can't be changed");
	q->limits = *lim;
	return 0;
}

/* And of others */

void block_kvfree(const void *p)
{
	host_forget();
	kfree(p);
}
