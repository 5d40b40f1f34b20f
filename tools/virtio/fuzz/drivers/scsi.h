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
#define SCSI_MLQUEUE_HOST_BUSY	0x1055
#define host_byte(result)	((result) >> 16 & 0xff)

#define SCSI_SENSE_BUFFERSIZE	96
#define SCAN_WILD_CARD		(~0)
#define SCSI_SCAN_INITIAL	0
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
};

struct blk_mq_tag_set {
	struct blk_mq_queue_map map[HCTX_MAX_TYPES];
};

#define blk_mq_map_queues(map)			do { } while (0)
#define blk_mq_virtio_map_queues(map, vdev, i)	do { } while (0)
#define blk_mq_wait_quiesce_done(set)		do { } while (0)
#define blk_mq_unique_tag(sc)			((sc)->tag)
#define blk_mq_unique_tag_to_hwq(tag)		((tag) >> 16)
#define scsi_cmd_to_rq(sc)			(sc)

struct irq_affinity {
	unsigned int pre_vectors;
};

/* Memory and references */

#define memalloc_noio_save()		0
#define memalloc_noio_restore(flags)	((void)(flags))

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
	unsigned int id;
	u64 lun;
	unsigned int eh_timeout;
	unsigned int sdev_bflags;
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
	unsigned int len;
	unsigned int resid;
	unsigned int nents;
	unsigned int prot_nents;
	struct scatterlist sg[4];
	struct scatterlist prot_sg[2];
	bool busy;
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
#define scsi_get_prot_op(sc)	((sc)->prot_nents)
/* One block */
#define scsi_prot_interval(sc)	((sc)->len)
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
};

#define shost_priv(shost)	((void *)((shost) + 1))
#define shost_printk(level, shost, ...)	do { } while (0)
#define sdev_printk(level, sdev, ...)	do { } while (0)
#define scmd_printk(level, sc, ...)	do { } while (0)
#define scsi_host_set_prot(shost, mask)	((shost)->prot = true)
#define scsi_host_set_guard(shost, type) do { } while (0)
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
