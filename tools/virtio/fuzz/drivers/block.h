/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_BLOCK_H
#define TOOLS_VIRTIO_FUZZ_BLOCK_H
/*
 * What virtio_blk.c needs of the block layer. What the base's own headers say of
 * limits, operations and status is taken from them: see the Makefile.
 */
#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <uapi/linux/blkzoned.h>
#include "shims.h"

#define SECTOR_SHIFT		9
#define SECTOR_SIZE		(1 << SECTOR_SHIFT)
#define PAGE_SECTORS		(PAGE_SIZE / SECTOR_SIZE)
#define DISK_NAME_LEN		32
#define BIO_MAX_VECS		256U

#include "block-base.h"

#define REQUEST_MAX_VECS	8

struct block_device;
struct virtio_device;

struct hd_geometry {
	unsigned char heads;
	unsigned char sectors;
	unsigned short cylinders;
	unsigned long start;
};

struct request_queue {
	struct queue_limits limits;
	void *queuedata;
	struct gendisk *disk;
	int quiesced;
};

struct bio {
	struct bio *bi_next;
	struct bio_vec *bi_io_vec;
	struct bvec_iter bi_iter;
};

struct blk_mq_hw_ctx {
	struct request_queue *queue;
	void *driver_data;
	bool stopped;
};

enum mq_rq_state { MQ_RQ_IDLE, MQ_RQ_IN_FLIGHT, MQ_RQ_COMPLETE };

/**
 * struct request - a request, its payload follows
 * @busy: somebody owns it, from its allocation on
 * @ended: the driver ended it, with @result
 * @says: all status bytes that the device has written for it
 * @answered: the device is done with it
 * @resets: how often the device was reset when the driver got it
 */
struct request {
	struct request_queue *q;
	struct blk_mq_hw_ctx *mq_hctx;
	blk_opf_t cmd_flags;
	unsigned int rq_flags;
	int tag;
	unsigned int timeout;
	unsigned short ioprio;
	u64 start_time_ns;
	sector_t __sector;
	unsigned int __data_len;
	struct bio *bio;
	struct bio_vec special_vec;
	struct request *rq_next;
	enum mq_rq_state state;
	unsigned int nr_vecs;
	struct bio_vec vecs[REQUEST_MAX_VECS];
	struct bio bios[REQUEST_MAX_VECS];
	bool busy;
	bool ended;
	blk_status_t result;
	bool says[256];
	bool answered;
	unsigned int resets;
};

#define RQF_SPECIAL_PAYLOAD	1
#define REQ_NOUNMAP		(1U << 24)
#define req_op(req)		((enum req_op)((req)->cmd_flags & 0xff))
#define op_is_write(op)		((op) & 1)
#define req_get_ioprio(req)	((req)->ioprio)
#define blk_mq_rq_to_pdu(req)	((void *)((req) + 1))
#define blk_mq_rq_from_pdu(pdu)	((struct request *)(pdu) - 1)
#define blk_rq_pos(req)		((req)->__sector)
#define blk_rq_bytes(req)		((req)->__data_len)
#define blk_rq_sectors(req)	((req)->__data_len >> SECTOR_SHIFT)
#define bio_sectors(bio)	((bio)->bi_iter.bi_size >> SECTOR_SHIFT)
#define blk_mq_rq_state(req)	((req)->state)
#define blk_mq_request_completed(req) ((req)->state == MQ_RQ_COMPLETE)
#define blk_should_fake_timeout(q) false
#define __rq_for_each_bio(b, req) for ((b) = (req)->bio; b; (b) = (b)->bi_next)

unsigned int blk_rq_nr_phys_segments(struct request *req);
unsigned int blk_rq_count_bios(struct request *req);

#define queue_max_discard_segments(q)	((q)->limits.max_discard_segments)
#define queue_max_segment_size(q)	((q)->limits.max_segment_size)
#define queue_max_segments(q)		((q)->limits.max_segments)
#define queue_max_hw_sectors(q)		((q)->limits.max_hw_sectors)
#define queue_logical_block_size(q)	((q)->limits.logical_block_size)

/* Lists of requests */

struct rq_list {
	struct request *head;
	struct request *tail;
};

#define rq_list_empty(list)	(!(list)->head)
#define rq_list_peek(list)	((list)->head)

struct request *rq_list_pop(struct rq_list *list);
void rq_list_add_tail(struct rq_list *list, struct request *req);

struct io_comp_batch {
	struct rq_list req_list;
	void (*complete)(struct io_comp_batch *iob);
};

#define DEFINE_IO_COMP_BATCH(iob) struct io_comp_batch iob = {}

/* Queues and their driver */

enum hctx_type { HCTX_TYPE_DEFAULT, HCTX_TYPE_READ, HCTX_TYPE_POLL, HCTX_MAX_TYPES };
enum blk_eh_timer_return { BLK_EH_DONE, BLK_EH_RESET_TIMER };

struct blk_mq_queue_data {
	struct request *rq;
	bool last;
};

struct blk_mq_queue_map {
	unsigned int nr_queues;
	unsigned int queue_offset;
};

struct blk_mq_tag_set {
	const struct blk_mq_ops *ops;
	unsigned int queue_depth;
	int numa_node;
	unsigned int flags;
	unsigned int cmd_size;
	void *driver_data;
	unsigned int nr_hw_queues;
	unsigned int nr_maps;
	struct blk_mq_queue_map map[HCTX_MAX_TYPES];
	unsigned int waits;
};

struct blk_mq_ops {
	blk_status_t (*queue_rq)(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd);
	void (*queue_rqs)(struct rq_list *list);
	void (*commit_rqs)(struct blk_mq_hw_ctx *hctx);
	void (*complete)(struct request *req);
	int (*poll)(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob);
	enum blk_eh_timer_return (*timeout)(struct request *req);
	int (*init_hctx)(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index);
	void (*map_queues)(struct blk_mq_tag_set *set);
};

#define BLK_MQ_F_SHOULD_MERGE	1
#define blk_mq_quiesce_queue(q)			((void)(q)->quiesced++)
#define blk_mq_quiesce_queue_nowait(q)		((void)(q)->quiesced++)
#define blk_mq_wait_quiesce_done(set)		((void)(set)->waits++)
#define blk_sync_queue(q)			((void)(q))
#define blk_mq_unquiesce_queue(q)		((void)(q)->quiesced--)
#define blk_mq_unfreeze_queue(q)		do { } while (0)
#define blk_mq_stop_hw_queue(hctx)		((void)((hctx)->stopped = true))
#define blk_mq_start_stopped_hw_queue(hctx, async) \
	((void)((hctx)->stopped = false))

void blk_mq_map_queues(struct blk_mq_queue_map *map);
void blk_mq_virtio_map_queues(struct blk_mq_queue_map *map,
			      struct virtio_device *vdev, int first);
int blk_mq_alloc_tag_set(struct blk_mq_tag_set *set);
void blk_mq_free_tag_set(struct blk_mq_tag_set *set);
void blk_mq_tagset_busy_iter(struct blk_mq_tag_set *set,
			     bool (*fn)(struct request *req, void *data),
			     void *data);
void blk_mq_start_stopped_hw_queues(struct request_queue *q, bool async);
void blk_mq_freeze_queue(struct request_queue *q);
void blk_mq_requeue_request(struct request *req, bool kick);
void blk_mq_kick_requeue_list(struct request_queue *q);
void blk_mq_start_request(struct request *req);
void blk_mq_complete_request(struct request *req);
bool blk_mq_complete_request_remote(struct request *req);
void blk_mq_end_request(struct request *req, blk_status_t status);
void blk_mq_end_request_batch(struct io_comp_batch *iob);
bool blk_mq_add_to_batch(struct request *req, struct io_comp_batch *iob,
			 bool error, void (*complete)(struct io_comp_batch *));
struct request *blk_mq_alloc_request(struct request_queue *q, blk_opf_t opf,
				     unsigned int flags);
void blk_mq_free_request(struct request *req);
int blk_rq_map_kern(struct request_queue *q, struct request *req, void *buf,
		    unsigned int len, gfp_t gfp);
blk_status_t blk_execute_rq(struct request *req, bool at_head);
int blk_status_to_errno(blk_status_t status);

/* Disks */

struct device_attribute {
	umode_t mode;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr,
			char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t count);
	struct attribute {
		umode_t mode;
	} attr;
};

struct kobject {
	int unused;
};

struct attribute_group {
	struct attribute **attrs;
	umode_t (*is_visible)(struct kobject *kobj, struct attribute *attr,
			      int n);
};

/* The target calls them. */
#define DEVICE_ATTR_RO(name) struct device_attribute \
	dev_attr_##name = { .show = name##_show }; \
	struct device_attribute *target_attr_##name = &dev_attr_##name
#define DEVICE_ATTR_RW(name) struct device_attribute \
	dev_attr_##name = { .show = name##_show, .store = name##_store }; \
	struct device_attribute *target_attr_##name = &dev_attr_##name
#define sysfs_emit(buf, ...)	((int)sprintf(buf, __VA_ARGS__))
#define sysfs_match_string(names, name) \
	(!strcmp(name, (names)[0]) ? 0 : !strcmp(name, (names)[1]) ? 1 : -EINVAL)
#define kobj_to_dev(kobj)	((struct device *)(kobj))

struct block_device_operations {
	struct module *owner;
	int (*getgeo)(struct block_device *bdev, struct hd_geometry *geo);
	int (*report_zones)(struct gendisk *disk, sector_t sector,
			    unsigned int nr_zones, report_zones_cb cb,
			    void *data);
	void (*free_disk)(struct gendisk *disk);
};

struct gendisk {
	struct device dev;
	char disk_name[DISK_NAME_LEN];
	int major;
	int first_minor;
	int minors;
	const struct block_device_operations *fops;
	void *private_data;
	struct request_queue *queue;
	sector_t capacity;
	bool added;
	bool read_only;
	bool dead;
};

struct block_device {
	struct gendisk *bd_disk;
};

#define dev_to_disk(d)			container_of(d, struct gendisk, dev)
#define get_capacity(disk)		((disk)->capacity)
#define set_capacity_and_notify(disk, c) ((disk)->capacity = (c))
#define set_disk_ro(disk, ro)		((disk)->read_only = (ro))
#define blk_mark_disk_dead(disk)	((disk)->dead = true)
#define register_blkdev(major, name)	254
#define unregister_blkdev(major, name)	do { } while (0)

struct gendisk *blk_mq_alloc_disk(struct blk_mq_tag_set *set,
				  struct queue_limits *lim, void *data);
int device_add_disk(struct device *parent, struct gendisk *disk,
		    const struct attribute_group **groups);
void del_gendisk(struct gendisk *disk);
void put_disk(struct gendisk *disk);
int blk_revalidate_disk_zones(struct gendisk *disk);
struct queue_limits queue_limits_start_update(struct request_queue *q);
int queue_limits_commit_update_frozen(struct request_queue *q,
				      struct queue_limits *lim);

/* And of others */

struct ida {
	int next;
};

#define DEFINE_IDA(name)		struct ida name = {}
#define ida_alloc_max(ida, max, gfp)	((ida)->next++)
#define ida_free(ida, id)		((void)(ida)->next--)

/* CPUs, and those that take the interrupts of queues */
#define CPUS_FOR_QUEUES		2
#define HK_TYPE_MANAGED_IRQ	0
#define cpu_possible_mask	NULL
#define housekeeping_cpumask(type) NULL
#define cpumask_weight_and(a, b) ((unsigned int)CPUS_FOR_QUEUES)

bool is_kdump_kernel(void);

/* Of bounce buffers, and caches that a device does not see */
#define IO_TLB_SHIFT		11

bool dev_is_dma_coherent(struct device *dev);

struct irq_affinity {
	unsigned int pre_vectors;
};

enum string_size_units { STRING_UNITS_10, STRING_UNITS_2 };

#define string_get_size(size, blk_size, units, buf, len) \
	((void)snprintf(buf, len, "%llu", (unsigned long long)(size)))

#undef kvfree
#define kvmalloc(size, gfp)		kmalloc(size, gfp)
#define kvfree(p)			block_kvfree(p)

void block_kvfree(const void *p);

#endif
