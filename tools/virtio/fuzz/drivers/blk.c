// SPDX-License-Identifier: GPL-2.0-only
/*
 * The block driver and a device that lies: in its configuration, in the status of
 * requests, in its serial number and in its reports of zones.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include "blk.h"
#include "host.h"

static u8 memory[8 * 4096] __aligned(4096);

static const struct virtio_blk_config good_config = {
	.capacity = 1 << 14,
	.size_max = 1 << 16,
	.seg_max = 14,
	.geometry = { .cylinders = 16, .heads = 64, .sectors = 32 },
	.blk_size = 512,
	.physical_block_exp = 3,
	.min_io_size = 8,
	.opt_io_size = 64,
	.wce = 1,
	.num_queues = 2,
	.max_discard_sectors = 1 << 13,
	.max_discard_seg = 4,
	.discard_sector_alignment = 8,
	.max_write_zeroes_sectors = 1 << 13,
	.max_write_zeroes_seg = 1,
	.max_secure_erase_sectors = 1 << 13,
	.max_secure_erase_seg = 2,
	.secure_erase_sector_alignment = 8,
	.zoned = {
		.zone_sectors = 1 << 6,
		.max_open_zones = 4,
		.max_active_zones = 8,
		.max_append_sectors = 64,
		.write_granularity = 512,
		.model = VIRTIO_BLK_Z_HM,
	},
};

/* Kinds of machines */
static bool kdump;
static bool coherent;

bool is_kdump_kernel(void)
{
	return kdump;
}

bool dev_is_dma_coherent(struct device *dev)
{
	return coherent;
}

static unsigned int zone_sectors(void)
{
	return block_disk()->queue->limits.chunk_sectors;
}

/* The device */

static u8 any_byte(bool fair)
{
	return fair ? 0 : device_byte();
}

/* Zones as they should be, but for some bytes */
static void report_zones(struct virtio_blk_zone_report *report, size_t size,
			 u64 sector, bool fair)
{
	size_t room = (size - sizeof(*report)) / sizeof(report->zones[0]), i;
	struct virtio_blk_zone_descriptor *zone;
	u64 step = zone_sectors();
	u8 spoil = any_byte(fair) % 8;

	report->nr_zones = 1 + any_byte(fair) % 4;
	if (report->nr_zones == 4)
		report->nr_zones = ~0ULL;
	for (i = 0; i < room; i++, sector += step) {
		zone = &report->zones[i];
		zone->z_start = sector;
		zone->z_cap = step;
		zone->z_wp = sector;
		zone->z_type = VIRTIO_BLK_ZT_SWR;
		zone->z_state = fair ? VIRTIO_BLK_ZS_EMPTY : device_byte() % 16;
	}
	while (spoil--)
		((u8 *)report)[(device_byte() | device_byte() << 8) % size] =
			device_byte();
}

static void write_data(unsigned int queue, const struct device_buf *buf,
		       const struct virtio_blk_outhdr *hdr, bool fair)
{
	const struct device_elem *elem = &buf->elem[1];
	u8 *data;
	u32 i;

	if (buf->in < 2)
		return;
	data = host_elem(queue, elem);
	if (hdr->type == VIRTIO_BLK_T_ZONE_REPORT)
		report_zones((void *)data, elem->len, hdr->sector, fair);
	else
		for (i = 0; i < elem->len && i < 20; i++)
			data[i] = any_byte(fair);
	host_remember(data, elem->len, NULL);
}

/* Discards can have a range for each bio, all else has one. */
static void check_ranges(struct request *req,
			 const struct virtio_blk_discard_write_zeroes *ranges,
			 u32 len)
{
	bool many = req_op(req) == REQ_OP_DISCARD &&
		    req->q->limits.max_discard_segments > 1;
	unsigned int num = len / sizeof(*ranges), i;
	struct bio *bio = req->bio;

	check(len == num * sizeof(*ranges) &&
	      num == (many ? blk_rq_count_bios(req) : 1),
	      "device: ranges of %u bytes", len);
	for (i = 0; i < num; i++, bio = bio->bi_next)
		check(ranges[i].sector == (many ? bio->bi_iter.bi_sector :
						  req->__sector) &&
		      ranges[i].num_sectors == (many ? bio_sectors(bio) :
						       blk_rq_sectors(req)),
		      "device: range %u is %u sectors at %llu", i,
		      ranges[i].num_sectors,
		      (unsigned long long)ranges[i].sector);
}

u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	const struct device_elem *last = &buf->elem[buf->out + buf->in - 1];
	const struct virtio_blk_outhdr *hdr;
	u8 how = any_byte(fair), status;
	struct request *req;
	u8 *in;

	check(buf->out && buf->elem[0].len == sizeof(*hdr), "device: no header");
	check(buf->in, "device: no status");
	hdr = host_elem(queue, &buf->elem[0]);
	req = block_request(hdr->ioprio);
	req->answered = true;
	if (req->rq_flags & RQF_SPECIAL_PAYLOAD)
		check_ranges(req, host_elem(queue, &buf->elem[1]),
			     buf->elem[1].len);
	in = host_elem(queue, last);
	check(last->len == (hdr->type == VIRTIO_BLK_T_ZONE_APPEND ? 9 : 1),
	      "device: status of %u bytes", last->len);
	/* The status comes after a sector, which is there for appends only. */
	check(coherent || !fuzz.access || shim.bounce ||
	      ((unsigned long)in + last->len - 9) % ARCH_DMA_MINALIGN == 0,
	      "device: writes into a cache line of the driver's");

	write_data(queue, buf, hdr, fair);
	if (last->len == 9) {
		u64 sector = hdr->sector + any_byte(fair);

		if (how & 16)
			sector ^= 1ULL << how / 32 * 9;
		memcpy(in, &sector, sizeof(sector));
	}
	if ((how & 7) == 7)	/* no status */
		return buf->in_len - 1;
	status = how & 4 ? device_byte() : how & 3;
	in[last->len - 1] = status;
	req->says[status] = true;
	if (how & 8 && buf->in < 2)
		host_remember(in, last->len, req);
	return buf->in_len;
}

void target_changed(void *owner, u8 *p)
{
	struct request *req = owner;

	if (req)
		req->says[*p] = true;
}

/* The driver */

void blk_request_ended(struct request *req)
{
	u64 start;

	if (req_op(req) != REQ_OP_ZONE_APPEND || req->result)
		return;
	start = round_down(req->__sector, (u64)zone_sectors());
	check(start == req->bios[0].bi_iter.bi_sector,
	      "appended beyond the zone");
}

static bool can(enum req_op op)
{
	const struct queue_limits *lim = &block_disk()->queue->limits;

	switch (op) {
	case REQ_OP_FLUSH:
		return lim->features & BLK_FEAT_WRITE_CACHE;
	case REQ_OP_DISCARD:
		return lim->max_discard_sectors;
	case REQ_OP_SECURE_ERASE:
		return lim->max_secure_erase_sectors;
	case REQ_OP_WRITE_ZEROES:
		return lim->max_write_zeroes_sectors;
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		return true;
	default:
		return lim->features & BLK_FEAT_ZONED;
	}
}

static void add_vecs(struct request *req, u8 shape)
{
	const struct queue_limits *lim = &req->q->limits;
	unsigned int num = 1 + shape % REQUEST_MAX_VECS, len, i;

	for (i = 0; i < num; i++) {
		len = lim->logical_block_size * (1 + (shape / 8 + i) % 4);
		req->vecs[i] = (struct bio_vec) {
			virt_to_page(memory), len, i * 512
		};
		req->nr_vecs++;
		if (blk_rq_nr_phys_segments(req) > lim->max_segments) {
			req->nr_vecs--;
			break;
		}
		req->__data_len += len;
	}
	if (!req->nr_vecs) {
		req->vecs[0].bv_len = lim->logical_block_size;
		req->__data_len = lim->logical_block_size;
		req->nr_vecs = 1;
	}
	req->bios[0].bi_io_vec = req->vecs;
	req->bios[0].bi_iter.bi_size = req->__data_len;
	req->bio = req->bios;
}

static void add_bios(struct request *req, u8 shape)
{
	unsigned int num = min(1U + shape % REQUEST_MAX_VECS,
			       (unsigned int)req->q->limits.max_discard_segments);
	unsigned int i;

	if (req_op(req) == REQ_OP_WRITE_ZEROES)
		num = 1;
	for (i = 0; i < num; i++) {
		req->bios[i].bi_iter.bi_sector = i * 64;
		req->bios[i].bi_iter.bi_size = 4096;
		if (i)
			req->bios[i - 1].bi_next = &req->bios[i];
	}
	req->bio = req->bios;
	req->__data_len = num * 4096;
}

/* NULL if it can't be */
static struct request *new_request(void)
{
	static const u8 ops[] = {
		REQ_OP_READ, REQ_OP_WRITE, REQ_OP_READ, REQ_OP_WRITE,
		REQ_OP_FLUSH, REQ_OP_DISCARD, REQ_OP_SECURE_ERASE,
		REQ_OP_WRITE_ZEROES, REQ_OP_ZONE_APPEND, REQ_OP_ZONE_APPEND,
		REQ_OP_ZONE_OPEN, REQ_OP_ZONE_CLOSE, REQ_OP_ZONE_FINISH,
		REQ_OP_ZONE_RESET, REQ_OP_ZONE_RESET_ALL, REQ_OP_READ,
	};
	enum req_op op = ops[driver_byte() % ARRAY_SIZE(ops)];
	u8 shape = driver_byte();
	struct request *req;

	if (!can(op))
		return NULL;
	req = blk_mq_alloc_request(block_disk()->queue,
				   op | (shape & 128 ? REQ_NOUNMAP : 0), 0);
	if (IS_ERR(req))
		return NULL;
	req->__sector = (shape % 4) * (zone_sectors() ?: 64);
	req->bios[0].bi_iter.bi_sector = req->__sector;
	if (op == REQ_OP_READ || op == REQ_OP_WRITE || op == REQ_OP_ZONE_APPEND)
		add_vecs(req, shape);
	else if (op == REQ_OP_DISCARD || op == REQ_OP_SECURE_ERASE ||
		 op == REQ_OP_WRITE_ZEROES)
		add_bios(req, shape);
	return req;
}

/* What there is no room for fits when all else is done, or has an error. */
static void send(struct request *req, bool last)
{
	if (block_send(req, last))
		return;
	shim.alloc_fail_at = 0;
	shim.map_fail_at = 0;
	block_drain();
	check(block_send(req, true), "a request never fits");
}

static void send_one(void)
{
	struct request *req = new_request();

	if (req)
		send(req, driver_byte() & 1);
}

static void send_many(void)
{
	struct rq_list list = {};
	unsigned int num = 1 + driver_byte() % 8;
	struct request *req;

	while (num-- && (req = new_request()))
		rq_list_add_tail(&list, req);
	if (rq_list_empty(&list))
		return;
	block_send_list(&list);
	while ((req = rq_list_pop(&list)))
		send(req, true);
}

/* In memory of just the size that the driver may write */
static void read_serial(void)
{
	char *buf = malloc(VIRTIO_BLK_ID_BYTES + 1);
	int ret;

	ret = target_attr_serial->show(&block_disk()->dev, NULL, buf);
	check(ret <= VIRTIO_BLK_ID_BYTES, "a serial number of %d bytes", ret);
	check(ret < 0 || !ret || !memchr(buf, 0, ret), "a serial number with an end");
	host_forget();
	free(buf);
}

static void cache_type(u8 how)
{
	struct device *dev = &block_disk()->dev;
	char buf[32];

	if (how & 16 && virtio_has_feature(&host.vdev, VIRTIO_BLK_F_CONFIG_WCE)) {
		target_attr_cache_type->store(dev, NULL, how & 32 ? "write back" :
					  "write through", 1);
		target_attr_cache_type->show(dev, NULL, buf);
		check(host.flux || !strcmp(buf, "write back\n") ==
		      !!(block_disk()->queue->limits.features &
			 BLK_FEAT_WRITE_CACHE), "the cache is %s", buf);
		return;
	}
	target_attr_cache_type->show(dev, NULL, buf);
}

static void read_geometry(void)
{
	struct block_device bdev = { .bd_disk = block_disk() };
	struct hd_geometry geo;

	block_disk()->fops->getgeo(&bdev, &geo);
}

struct zones {
	unsigned int seen;
	sector_t next;
};

static int see_zone(struct blk_zone *zone, unsigned int idx, void *data)
{
	sector_t capacity = get_capacity(block_disk());
	struct zones *zones = data;

	check(idx == zones->seen++, "zone %u", idx);
	check(zone->start == zones->next && zone->start < capacity,
	      "zone at %llu", zone->start);
	check(zone->len && zone->start + zone->len <= capacity &&
	      zone->len <= zone_sectors(), "a zone of %llu", zone->len);
	check(zone->capacity <= zone->len, "zone of %llu holds %llu", zone->len,
	      zone->capacity);
	if (zone->cond != BLK_ZONE_COND_NOT_WP && zone->wp != U64_MAX)
		check(zone->wp >= zone->start &&
		      zone->wp <= zone->start + zone->len,
		      "write pointer of %llu", zone->wp);
	check(zone->type >= BLK_ZONE_TYPE_CONVENTIONAL &&
	      zone->type <= BLK_ZONE_TYPE_SEQWRITE_PREF, "zone of type %u",
	      zone->type);
	check(zone->cond <= BLK_ZONE_COND_CLOSED ||
	      (zone->cond >= BLK_ZONE_COND_READONLY &&
	       zone->cond <= BLK_ZONE_COND_OFFLINE), "zone in state %u",
	      zone->cond);
	zones->next += zone->len;
	return zones->seen == 200 ? -EINTR : 0;
}

static void read_zones(sector_t sector, unsigned int num)
{
	struct zones zones = { .next = sector };
	int ret;

	ret = block_disk()->fops->report_zones(block_disk(), sector, num,
					       see_zone, &zones);
	check(zones.seen <= num, "%u zones instead of %u", zones.seen, num);
	check(ret < 0 || ret == zones.seen, "%u zones, and %d are said",
	      zones.seen, ret);
}

int blk_revalidate_disk_zones(struct gendisk *disk)
{
	read_zones(0, UINT_MAX);
	return driver_byte() == 0xff ? -EIO : 0;
}

/* What is in a cache has to be flushed. After a reset there is one. */
static void check_cache(void)
{
	check(host.written[offsetof(struct virtio_blk_config, wce)] <= 1 ||
	      !virtio_has_feature(&host.vdev, VIRTIO_BLK_F_CONFIG_WCE),
	      "the device is not told the mode of its cache again");
	check(host.flux || !host.config[offsetof(struct virtio_blk_config, wce)] ||
	      !virtio_has_feature(&host.vdev, VIRTIO_BLK_F_CONFIG_WCE) ||
	      block_disk()->queue->limits.features & BLK_FEAT_WRITE_CACHE,
	      "a cache that nobody knows of");
}

/* As the bus does, which may fail before it asks the driver */
static void start_again(int (*start)(struct virtio_device *vdev))
{
	host.status = VIRTIO_CONFIG_S_DRIVER;
	host.config[offsetof(struct virtio_blk_config, wce)] = 1;
	host.written[offsetof(struct virtio_blk_config, wce)] = 0xff;
	if (device_byte() == 0xff || start(&host.vdev))
		target_driver->restart_failed(&host.vdev);
	else
		check_cache();
	check(!block_disk()->queue->quiesced, "not awake after a restart");
	host.bound = true;
}

static void sleep_and_wake(void)
{
	host.bound = false;
	target_driver->freeze(&host.vdev);
	check(block_is_idle(), "suspended with requests under way");
	start_again(target_driver->restore);
}

/* What the device had is asked for again, and has an end. */
static void reset_under_load(void)
{
	struct request *req;

	host.checked = false;
	host.bound = false;
	block_complete_remote();
	if (!target_driver->reset_prepare(&host.vdev)) {
		check(block_is_idle(), "reset with requests under way");
		start_again(target_driver->reset_done);
		while ((req = block_requeued()))
			send(req, true);
	}
	host.bound = true;
}

/* Whoever finds that a queue is broken has to see to it. */
static void check_broken(void)
{
	unsigned int i;

	if (!(host.status & VIRTIO_CONFIG_S_DRIVER_OK) || work_waits())
		return;
	for (i = 0; i < host.num_queues; i++)
		check(!virtqueue_is_broken(host.queues[i].vq),
		      "queue %u is broken, and nobody minds", i);
}

void target_step(u8 op)
{
	switch (op % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		send_one();
		break;
	case 4:
		send_many();
		break;
	case 5:
	case 6:
	case 7:
		host_wait();
		break;
	case 8:
		block_poll();
		break;
	case 9:
		block_time_out();
		break;
	case 10:
		read_serial();
		break;
	case 11:
		cache_type(op);
		break;
	case 12:
		read_geometry();
		break;
	case 13:
		if (zone_sectors())
			read_zones((u64)zone_sectors() * (op >> 6),
				   1 + driver_byte());
		break;
	case 14:
		shim.alloc_fail_at = op >> 6;
		shim.map_fail_at = op >> 4 & 3;
		block_commit();
		break;
	default:
		if (op == 0xff)
			reset_under_load();
		else if (op >= 0xc0)
			sleep_and_wake();
		block_complete_remote();
		check(work_run(), "work has no end");
		break;
	}
	if (host.checked)
		reset_under_load();
	check_broken();
}

void target_load(void)
{
	u8 how;

	check(!target_init(), "the module can't be loaded");
	host_create(&good_config, sizeof(good_config));
	host.may_shrink = true;
	*target_num_request_queues = driver_byte() % 4;
	how = driver_byte();
	*target_poll_queues = how % 3;
	kdump = how >= 0xf0;
	coherent = how & 8;
}

void target_unload(void)
{
	target_exit();
}
