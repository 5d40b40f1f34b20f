/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_SCSI_H
#define TOOLS_VIRTIO_FUZZ_SCSI_H
/* What virtio_scsi.c needs of the SCSI mid-layer and of the block layer under it. */
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include "shims.h"
#include <scsi/scsi_status.h>

/* Results of a driver's functions */
#define SUCCESS			0x2002
#define FAILED			0x2003
enum scsi_timeout_action {
	SCSI_EH_DONE,
	SCSI_EH_RESET_TIMER,
	SCSI_EH_NOT_HANDLED,
};

#define SCSI_MLQUEUE_HOST_BUSY	0x1055
#define host_byte(result)	((result) >> 16 & 0xff)

#define SCSI_SENSE_BUFFERSIZE	96
#define SCAN_WILD_CARD		(~0)
#define SCSI_SCAN_INITIAL	0
#define SECTOR_SHIFT		9
#define IO_TLB_SHIFT		11
#define SD_TIMEOUT		30
#define SD_MAX_RETRIES		5
#define BLIST_TRY_VPD_PAGES	1
#define REQ_OP_DRV_IN		34

/* The block layer */

#define PAGE_SECTORS		(PAGE_SIZE / 512)

enum hctx_type { HCTX_TYPE_DEFAULT, HCTX_TYPE_READ, HCTX_TYPE_POLL, HCTX_MAX_TYPES };

struct blk_mq_queue_map {
	unsigned int nr_queues;
	unsigned int queue_offset;
	char kind;
	unsigned int first;
};

struct blk_mq_tag_set {
	struct blk_mq_queue_map map[HCTX_MAX_TYPES];
};

/* @kind of a map: 'p' for one that is spread by number, 'i' by interrupts from @first on */
#define blk_mq_map_queues(map)			((map)->kind = 'p')
#define blk_mq_virtio_map_queues(map, vdev, i)	((map)->kind = 'i', (map)->first = (i))
#define blk_mq_wait_quiesce_done(set)		do { } while (0)
#define blk_mq_unique_tag(sc)			((sc)->tag)
#define blk_mq_unique_tag_to_hwq(tag)		((tag) >> 16)
#define scsi_cmd_to_rq(sc)			(sc)
#define blk_abort_request(sc)			((sc)->expired = true)

/* Each CPU takes interrupts. */
#define cpu_possible_mask		NULL
#define housekeeping_cpumask(type)	NULL
#define cpumask_weight_and(a, b)	nr_cpu_ids
extern bool in_kdump_kernel;
extern bool is_dma_coherent;
#define is_kdump_kernel()		in_kdump_kernel

static inline bool dev_is_dma_coherent(struct device *dev)
{
	return is_dma_coherent;
}

struct irq_affinity {
	unsigned int pre_vectors;
};

/* Memory and references */

#define memalloc_noio_save()		0
#define memalloc_noio_restore(flags)	((void)(flags))
#define memalloc_noreclaim_save()	0
#define memalloc_noreclaim_restore(flags) ((void)(flags))

/* @out: how many elements somebody has; @given: how often one was given */
typedef struct {
	unsigned int reserve;
	unsigned int size;
	unsigned int left;
	unsigned int out;
	unsigned int given;
	void *elem[64];
} mempool_t;

mempool_t *mempool_create_kmalloc_pool(unsigned int reserve, unsigned int size);
void mempool_destroy(mempool_t *pool);
void *mempool_alloc(mempool_t *pool, gfp_t gfp);
void mempool_free(void *elem, mempool_t *pool);

typedef struct {
	int count;
} refcount_t;

#define refcount_set(r, n)		((r)->count = (n))
#define refcount_inc(r)			((r)->count++)
#define refcount_dec_and_test(r)	(!--(r)->count)

/* Protection information of one block */
struct t10_pi_tuple {
	__be16 guard_tag;
	__be16 app_tag;
	__be32 ref_tag;
};

/* Hosts, devices and commands */

struct scsi_device {
	struct Scsi_Host *host;
	struct device sdev_gendev;
	unsigned int id;
	u64 lun;
	unsigned int eh_timeout;
	unsigned int sdev_bflags;
	unsigned int rescans;
	bool present;
};

/**
 * struct scsi_answer - what the device said of a command
 * @given: it said something
 * @changed: and something else later
 */
struct scsi_answer {
	bool given;
	bool changed;
	u8 response;
	u8 status;
	u32 resid;
	u32 sense_len;
	u8 sense[SCSI_SENSE_BUFFERSIZE];
};

/**
 * struct scsi_cmnd - a command, the driver's private data follows
 * @busy: somebody owns it
 * @expired: its time is over
 * @calls: how often the driver said that it is done
 * @answer: what the device said
 */
struct scsi_cmnd {
	struct scsi_device *device;
	unsigned char cmnd[32];
	unsigned short cmd_len;
	enum dma_data_direction sc_data_direction;
	unsigned char *sense_buffer;
	unsigned long state;
	int flags;
	int result;
	u32 tag;
	unsigned int timeout;
	unsigned int len;
	unsigned int resid;
	unsigned int nents;
	unsigned int prot_nents;
	unsigned int prot_op;
	unsigned int interval;
	struct scatterlist sg[4];
	struct scatterlist prot_sg[2];
	unsigned long jiffies_at_alloc;
	bool busy;
	bool expired;
	unsigned int calls;
	struct scsi_answer answer;
};

#define SCMD_LAST		1
#define SCMD_STATE_COMPLETE	0
#define SCSI_PROT_NORMAL	0

#define scsi_cmd_priv(sc)	((void *)((sc) + 1))
#define scsi_bufflen(sc)	((sc)->len)
#define scsi_sglist(sc)		((sc)->sg)
#define scsi_sg_count(sc)	((sc)->nents)
#define scsi_prot_sglist(sc)	((sc)->prot_sg)
#define scsi_prot_sg_count(sc)	((sc)->prot_nents)
#define scsi_get_prot_op(sc)	((sc)->prot_op)
#define scsi_prot_interval(sc)	((sc)->interval)
#define scsi_set_resid(sc, n)	((sc)->resid = (n))

struct scsi_host_template {
	struct module *module;
	const char *name;
	const char *proc_name;
	int this_id;
	unsigned int cmd_size;
	int (*init_cmd_priv)(struct Scsi_Host *shost, struct scsi_cmnd *sc);
	int (*queuecommand)(struct Scsi_Host *shost, struct scsi_cmnd *sc);
	void (*commit_rqs)(struct Scsi_Host *shost, u16 num);
	int (*mq_poll)(struct Scsi_Host *shost, unsigned int num);
	void (*map_queues)(struct Scsi_Host *shost);
	int (*slave_alloc)(struct scsi_device *sdev);
	int (*change_queue_depth)(struct scsi_device *sdev, int depth);
	enum scsi_timeout_action (*eh_timed_out)(struct scsi_cmnd *sc);
	int (*eh_abort_handler)(struct scsi_cmnd *sc);
	int (*eh_device_reset_handler)(struct scsi_cmnd *sc);
	int (*eh_target_reset_handler)(struct scsi_cmnd *sc);
	int (*eh_host_reset_handler)(struct scsi_cmnd *sc);
	unsigned int max_sectors;
	unsigned long dma_boundary;
	bool track_queue_depth;
	bool skip_settle_delay;
};

struct Scsi_Host {
	const struct scsi_host_template *hostt;
	struct device shost_gendev;
	struct workqueue_struct *tmf_work_q;
	int eh_deadline;
	struct blk_mq_tag_set tag_set;
	unsigned int nr_hw_queues;
	unsigned int nr_maps;
	unsigned short sg_tablesize;
	unsigned short sg_prot_tablesize;
	int can_queue;
	short cmd_per_lun;
	unsigned int max_sectors;
	unsigned int max_channel;
	unsigned int max_id;
	u64 max_lun;
	unsigned short max_cmd_len;
	bool prot;
	bool guard;
	unsigned int scans;
};

#define shost_priv(shost)	((void *)((shost) + 1))
#define shost_printk(level, shost, ...)	do { } while (0)
#define sdev_printk(level, sdev, ...)	do { } while (0)
#define scmd_printk(level, sc, ...)	do { } while (0)
#define scsi_host_set_prot(shost, mask)	((shost)->prot = true)
#define scsi_host_set_guard(shost, type) ((shost)->guard = true)
#define scsi_change_queue_depth(sdev, depth) (depth)

struct Scsi_Host *scsi_host_alloc(const struct scsi_host_template *template,
				  int size);
void scsi_host_put(struct Scsi_Host *shost);
int scsi_add_host(struct Scsi_Host *shost, struct device *dev);
void scsi_remove_host(struct Scsi_Host *shost);
void scsi_done(struct scsi_cmnd *sc);
int scsi_execute_cmd(struct scsi_device *sdev, const u8 *cdb, int opf, void *buf,
		     unsigned int len, int timeout, int retries, void *args);
void scsi_host_busy_iter(struct Scsi_Host *shost,
			 bool (*fn)(struct scsi_cmnd *sc, void *data), void *data);

void scsi_scan_host(struct Scsi_Host *shost);
void scsi_scan_target(struct device *parent, unsigned int channel,
		      unsigned int id, u64 lun, int mode);
int scsi_add_device(struct Scsi_Host *shost, unsigned int channel,
		    unsigned int id, u64 lun);
struct scsi_device *scsi_device_lookup(struct Scsi_Host *shost,
				       unsigned int channel, unsigned int id,
				       u64 lun);
void scsi_device_put(struct scsi_device *sdev);
void scsi_remove_device(struct scsi_device *sdev);
void scsi_rescan_device(struct scsi_device *sdev);
struct scsi_device *scsi_next_device(struct scsi_device *sdev);

#define shost_for_each_device(sdev, shost) \
	for ((sdev) = scsi_next_device(NULL); (sdev); \
	     (sdev) = scsi_next_device(sdev))

#endif
