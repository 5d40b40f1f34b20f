/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_VIRTIO_H
#define _LINUX_VIRTIO_H
/*
 * What a virtio driver sees: virtqueues, devices and drivers.
 *
 * Section numbers refer to the Virtual I/O Device (VIRTIO) specification,
 * version 1.2.
 */
#include <linux/bvec.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct virtio_device;
struct virtio_watch;
struct virtqueue;
struct vring;

/**
 * struct virtqueue_sgs - scatterlists that make a buffer
 * @lists: the lists, each with an end mark
 * @num: how many lists there are
 * @out: readable elements in all, which come first
 * @in: writable elements in all
 */
struct virtqueue_sgs {
	struct scatterlist **lists;
	unsigned int num;
	unsigned int out;
	unsigned int in;
};

/**
 * struct virtqueue_state - what a queue holds, for who looks at one that stands
 * @buffers: those that the driver added and has not taken back
 * @next: where it will put the next buffer, as the implementation counts
 * @kicked: where that was when it last let the device see all
 * @taken: where the next used buffer will be
 * @used: there is a used buffer that it has not taken back
 * @callbacks: it has asked for callbacks
 * @tables: descriptor tables that the queue keeps
 * @pool_taken: how many of the larger ones buffers have
 * @bad_lens: used lengths so far that were more than the buffer could hold
 */
struct virtqueue_state {
	unsigned int buffers;
	u16 next;
	u16 kicked;
	u16 taken;
	bool used;
	bool callbacks;
	unsigned int tables;
	unsigned int pool_taken;
	unsigned int bad_lens;
};

/**
 * struct virtqueue_ops - how a virtqueue is implemented
 * @start_buf: make room for a buffer of at most @out readable and @in writable
 *             elements, all or nothing. 0, -ENOSPC, or -ENOMEM when memory
 *             is short and trying again later may help.
 * @add_sg: append at most @nents elements (not 0) of a scatterlist that may be
 *          chained and may end earlier. The number appended, or a negative
 *          error.
 * @add_page: append @len bytes at @offset from the start of @page; on failure
 *            call virtqueue_add_failed().
 * @add_bvecs: append what @iter covers of an array of bio_vecs in elements of at
 *             most @max bytes. The number appended, -E2BIG when @room is less
 *             than that takes, or another error. NULL if that would be no
 *             faster than @add_page for each.
 * @add_dma: append @len bytes at a DMA address that the driver has mapped; on
 *           failure call virtqueue_add_failed().
 * @add_sgs: a whole buffer in one call: as @start_buf, @add_sg for each list,
 *           and @end_buf or @cancel_buf. Some drivers never kick: the buffer is
 *           the device's when this returns. NULL if that would be no faster,
 *           and all drivers of the device kick.
 * @add_buf: a whole buffer of one element in one call: as @start_buf, @add_dma
 *           and @end_buf, but for errors only -ENOSPC. NULL if that would be no
 *           faster.
 * @end_buf: make the buffer ready for the next @kick_prepare. When this
 *           fails, the queue is as it was before @start_buf.
 * @cancel_buf: undo everything since @start_buf.
 * @publish: let the device see all buffers that ended. NULL if it does not see
 *           them before it is told; virtqueue_publish() then kicks.
 * @kick_prepare: as @publish; true when the device wants to be told.
 * @notify: tell the device that there are buffers; false if that failed. May
 *          run concurrently with everything else.
 * @get_buf: take the next used buffer: its token, the bytes written (never
 *           more than the buffer can hold) and its context; NULL when there
 *           is none, or when the device broke the rules and the queue is
 *           broken now.
 * @disable_cb: ask for no callbacks: a hint. May run concurrently.
 * @enable_cb_prepare: ask for a callback at the next used buffer. Returns a
 *                     state for @poll.
 * @enable_cb_delayed: ask for a callback once most of the outstanding buffers
 *                     are used; false if that many are used already.
 * @poll: true if a buffer was used since @enable_cb_prepare returned @state.
 *        Orders that check after the request for callbacks. May run
 *        concurrently.
 * @detach_unused_buf: take back any buffer which the device, being stopped,
 *                     will not use.
 * @size: number of elements that the queue has room for when empty.
 * @fits: for how many buffers of @num elements there is room. NULL if that is
 *        @num_free of the queue divided by @num.
 * @resize: change @size of a stopped queue; NULL if it can't be changed.
 * @reset: take all buffers back and start afresh; NULL if not supported.
 * @set_dma_premapped: scatterlists given to @add_sg carry DMA addresses from
 *                     now on; NULL if not supported.
 * @set_broken: the queue is @broken now, or usable again. May run concurrently
 *              and in any context, also within your own __virtqueue_break().
 *              NULL if nobody has to know.
 * @inspect: fill @state, which is zeroed. Called under the device's
 *           vqs_list_lock; may run concurrently with all else. NULL if there
 *           is nothing to say.
 *
 * virtqueue_*() does what is common to all implementations before it calls
 * one of these: it refuses a broken queue, keeps the order of the calls, and
 * counts elements, so that there is always room for those that arrive here.
 * Unless stated above, calls for one queue never run concurrently.
 */
struct virtqueue_ops {
	int (*start_buf)(struct virtqueue *vq, unsigned int out,
			 unsigned int in, void *data, void *ctx, gfp_t gfp);
	int (*add_sg)(struct virtqueue *vq, struct scatterlist *sgl,
		      unsigned int nents, enum dma_data_direction dir);
	void (*add_page)(struct virtqueue *vq, struct page *page,
			 unsigned int offset, unsigned int len,
			 enum dma_data_direction dir);
	int (*add_bvecs)(struct virtqueue *vq, const struct bio_vec *bvecs,
			 const struct bvec_iter *iter, unsigned int max,
			 unsigned int room, enum dma_data_direction dir);
	void (*add_dma)(struct virtqueue *vq, dma_addr_t addr,
			unsigned int len, enum dma_data_direction dir);
	int (*add_sgs)(struct virtqueue *vq, const struct virtqueue_sgs *sgs,
		       void *data, void *ctx, gfp_t gfp);
	int (*add_buf)(struct virtqueue *vq, dma_addr_t addr, unsigned int len,
		       enum dma_data_direction dir, void *data);
	int (*end_buf)(struct virtqueue *vq);
	void (*cancel_buf)(struct virtqueue *vq);
	void (*publish)(struct virtqueue *vq);
	bool (*kick_prepare)(struct virtqueue *vq);
	bool (*notify)(struct virtqueue *vq);
	void *(*get_buf)(struct virtqueue *vq, unsigned int *len, void **ctx);
	void (*disable_cb)(struct virtqueue *vq);
	unsigned int (*enable_cb_prepare)(struct virtqueue *vq);
	bool (*enable_cb_delayed)(struct virtqueue *vq);
	bool (*poll)(struct virtqueue *vq, unsigned int state);
	void *(*detach_unused_buf)(struct virtqueue *vq);
	unsigned int (*size)(const struct virtqueue *vq);
	unsigned int (*fits)(const struct virtqueue *vq, unsigned int num);
	int (*resize)(struct virtqueue *vq, u32 num,
		      void (*recycle)(struct virtqueue *vq, void *buf),
		      void (*recycle_done)(struct virtqueue *vq));
	int (*reset)(struct virtqueue *vq,
		     void (*recycle)(struct virtqueue *vq, void *buf),
		     void (*recycle_done)(struct virtqueue *vq));
	int (*set_dma_premapped)(struct virtqueue *vq);
	void (*set_broken)(struct virtqueue *vq, bool broken);
	void (*inspect)(const struct virtqueue *vq, struct virtqueue_state *state);
};

/**
 * struct virtqueue_build - the buffer between start_buf and end_buf
 * @out: readable elements that may still be added
 * @in: writable elements that may still be added
 * @added: elements that were added
 * @err: first error of an adder, 0 if none
 * @open: a buffer was started and has neither ended nor been cancelled
 *
 * Both counts drop to 0 when the buffer fails or ends, and @out does when the
 * first writable element comes: one check in the adders covers all misuse.
 */
struct virtqueue_build {
	u16 out;
	u16 in;
	u16 added;
	s16 err;
	bool open;
};

/**
 * struct virtqueue - a queue of buffers between a driver and a device
 * @ops: how this queue works; constant once it is registered
 * @build: the buffer being built
 * @num_free: elements that can be added now. With indirect descriptors a
 *            buffer takes as little as one of them.
 * @broken: the device broke the rules or is gone: no more I/O.  Use
 *          virtqueue_is_broken().
 * @lost: it is broken, and no reset of the queue will mend it
 * @reset: the queue is in the reset state
 * @misused: a driver's bug was reported
 * @premapped: scatterlists carry DMA addresses
 * @in_use: a call is in progress; maintained by builds with checks only
 * @index: number of the queue in its device, from 0
 * @num_max: the largest size that the device supports
 * @vdev: the device that has this queue
 * @dma_dev: the device to map memory for, NULL if the queue takes physical
 *           addresses
 * @callback: called when buffers have been used, in interrupt context; may be
 *            NULL
 * @priv: for the transport
 * @name: name of the queue, for messages
 * @list: entry in the list of queues of @vdev
 * @why: the reason why it is broken, NULL if it works
 */
struct virtqueue {
	const struct virtqueue_ops *ops;
	struct virtqueue_build build;
	unsigned int num_free;
	bool broken;
	bool lost;
	bool reset;
	bool misused;
	bool premapped;
	bool in_use;
	unsigned int index;
	unsigned int num_max;
	struct virtio_device *vdev;
	struct device *dma_dev;
	void (*callback)(struct virtqueue *vq);
	void *priv;
	const char *name;
	struct list_head list;
	const char *why;
};

/* For transports: virtqueues of any implementation */

void virtqueue_add_failed(struct virtqueue *vq, int err);
void virtqueue_register(struct virtqueue *vq);
void virtqueue_unregister(struct virtqueue *vq);
void virtqueue_lose(struct virtqueue *vq);

/* Adding buffers piece by piece */

int virtqueue_start_buf(struct virtqueue *vq, unsigned int out,
			unsigned int in, void *data, void *ctx, gfp_t gfp);
void virtqueue_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
		      unsigned int nents, enum dma_data_direction dir);
void virtqueue_add_page(struct virtqueue *vq, struct page *page,
			unsigned int offset, unsigned int len,
			enum dma_data_direction dir);
void virtqueue_add_bvecs(struct virtqueue *vq, const struct bio_vec *bvecs,
			 const struct bvec_iter *iter, unsigned int max,
			 enum dma_data_direction dir);
void virtqueue_add_dma(struct virtqueue *vq, dma_addr_t addr,
		       unsigned int len, enum dma_data_direction dir);
int virtqueue_end_buf(struct virtqueue *vq);
void virtqueue_cancel_buf(struct virtqueue *vq);

/**
 * virtqueue_add_ptr - add memory at a kernel address to the buffer
 * @vq: the queue on which a buffer was started
 * @ptr: address in the kernel's linear mapping: not on a stack, not vmalloc()ed
 * @len: length in bytes
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * Otherwise as virtqueue_add_page().
 */
static inline void virtqueue_add_ptr(struct virtqueue *vq, void *ptr,
				     unsigned int len,
				     enum dma_data_direction dir)
{
	virtqueue_add_page(vq, virt_to_page(ptr), offset_in_page(ptr), len,
			   dir);
}

/**
 * virtqueue_add_bvec - add a bio_vec to the buffer
 * @vq: the queue on which a buffer was started
 * @bvec: the memory; may cross pages that are physically contiguous
 * @dir: DMA_TO_DEVICE (readable) or DMA_FROM_DEVICE (writable)
 *
 * Otherwise as virtqueue_add_page().
 */
static inline void virtqueue_add_bvec(struct virtqueue *vq,
				      const struct bio_vec *bvec,
				      enum dma_data_direction dir)
{
	virtqueue_add_page(vq, bvec->bv_page, bvec->bv_offset, bvec->bv_len,
			   dir);
}

/* Adding buffers of one element */

int virtqueue_add_buf_dma(struct virtqueue *vq, dma_addr_t addr,
			  unsigned int len, enum dma_data_direction dir,
			  void *data);
int virtqueue_add_buf_ptr(struct virtqueue *vq, void *ptr, unsigned int len,
			  enum dma_data_direction dir, void *data);

/* Adding buffers in one call */

int virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
			 unsigned int num, void *data, gfp_t gfp);
int virtqueue_add_inbuf(struct virtqueue *vq, struct scatterlist sg[],
			unsigned int num, void *data, gfp_t gfp);
int virtqueue_add_inbuf_ctx(struct virtqueue *vq, struct scatterlist sg[],
			    unsigned int num, void *data, void *ctx, gfp_t gfp);
int virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
		      unsigned int out_sgs, unsigned int in_sgs,
		      void *data, gfp_t gfp);
int virtqueue_add_outbuf_premapped(struct virtqueue *vq, struct scatterlist *sg,
				   unsigned int num, void *data, gfp_t gfp);
int virtqueue_add_inbuf_premapped(struct virtqueue *vq, struct scatterlist *sg,
				  unsigned int num, void *data, void *ctx,
				  gfp_t gfp);

/* Telling the device, and hearing from it */

void virtqueue_publish(struct virtqueue *vq);
bool virtqueue_kick(struct virtqueue *vq);
bool virtqueue_kick_prepare(struct virtqueue *vq);
bool virtqueue_notify(struct virtqueue *vq);

void *virtqueue_get_buf(struct virtqueue *vq, unsigned int *len);
void *virtqueue_get_buf_ctx(struct virtqueue *vq, unsigned int *len,
			    void **ctx);

void virtqueue_disable_cb(struct virtqueue *vq);
bool virtqueue_enable_cb(struct virtqueue *vq);
unsigned int virtqueue_enable_cb_prepare(struct virtqueue *vq);
bool virtqueue_enable_cb_delayed(struct virtqueue *vq);
bool virtqueue_poll(struct virtqueue *vq, unsigned int state);

/* The queue as a whole */

void *virtqueue_detach_unused_buf(struct virtqueue *vq);
unsigned int virtqueue_get_vring_size(const struct virtqueue *vq);
unsigned int virtqueue_fits(const struct virtqueue *vq, unsigned int num);
int virtqueue_resize(struct virtqueue *vq, u32 num,
		     void (*recycle)(struct virtqueue *vq, void *buf),
		     void (*recycle_done)(struct virtqueue *vq));
int virtqueue_reset(struct virtqueue *vq,
		    void (*recycle)(struct virtqueue *vq, void *buf),
		    void (*recycle_done)(struct virtqueue *vq));

bool virtqueue_is_broken(const struct virtqueue *vq);
void __virtqueue_break(struct virtqueue *vq);
void __virtqueue_unbreak(struct virtqueue *vq);
bool virtio_device_is_gone(struct virtio_device *dev);
void virtio_break_device(struct virtio_device *dev);
void __virtio_unbreak_device(struct virtio_device *dev);

/* Memory that the driver maps itself */

int virtqueue_set_dma_premapped(struct virtqueue *vq);
struct device *virtqueue_dma_dev(struct virtqueue *vq);
dma_addr_t virtqueue_dma_map_single_attrs(struct virtqueue *vq, void *ptr,
					  size_t size,
					  enum dma_data_direction dir,
					  unsigned long attrs);
void virtqueue_dma_unmap_single_attrs(struct virtqueue *vq, dma_addr_t addr,
				      size_t size, enum dma_data_direction dir,
				      unsigned long attrs);
int virtqueue_dma_mapping_error(struct virtqueue *vq, dma_addr_t addr);
bool virtqueue_dma_need_sync(struct virtqueue *vq, dma_addr_t addr);
void virtqueue_dma_sync_single_range_for_cpu(struct virtqueue *vq,
					     dma_addr_t addr,
					     unsigned long offset, size_t size,
					     enum dma_data_direction dir);
void virtqueue_dma_sync_single_range_for_device(struct virtqueue *vq,
						dma_addr_t addr,
						unsigned long offset,
						size_t size,
						enum dma_data_direction dir);
size_t virtio_max_dma_size(const struct virtio_device *vdev);

/* Queues that are vrings: where the parts of the ring are (2.6, 2.8) */

const struct vring *virtqueue_get_vring(const struct virtqueue *vq);
dma_addr_t virtqueue_get_desc_addr(const struct virtqueue *vq);
dma_addr_t virtqueue_get_avail_addr(const struct virtqueue *vq);
dma_addr_t virtqueue_get_used_addr(const struct virtqueue *vq);

/**
 * struct virtio_admin_cmd - a command for the administration virtqueue
 * @opcode: what to do
 * @group_type: the kind of group that the target is a member of
 * @group_member_id: which member
 * @data_sg: command-specific data for the device, or NULL
 * @result_sg: room for the command-specific result, or NULL
 * @completion: completed when the device has answered
 * @ret: 0 or a negative error, valid after @completion
 */
struct virtio_admin_cmd {
	__le16 opcode;
	__le16 group_type;
	__le64 group_member_id;
	struct scatterlist *data_sg;
	struct scatterlist *result_sg;
	struct completion completion;
	int ret;
};

/**
 * struct virtio_device - a device on the virtio bus
 * @index: number on the bus, unique
 * @failed: status had VIRTIO_CONFIG_S_FAILED when the device was frozen
 * @config_core_enabled: the bus lets configuration changes through
 * @config_driver_disabled: the driver holds configuration changes back
 * @config_change_pending: a change came while it could not be delivered
 * @config_lock: protects the delivery of configuration changes
 * @vqs_list_lock: protects @vqs
 * @dev: the device in the driver model; its parent does the DMA
 * @id: device type and vendor, to find a driver
 * @config: how the transport reaches the device
 * @vringh_config: the same for rings on which we are the device
 * @vqs: all virtqueues of the device
 * @features: feature bits that driver and device agreed on
 * @priv: for the driver
 * @watch: for the bus: is the device there, and does it need no reset?
 * @debugfs_dir: directory of the device in debugfs
 * @debugfs_filter_features: feature bits never to negotiate
 */
struct virtio_device {
	int index;
	bool failed;
	bool config_core_enabled;
	bool config_driver_disabled;
	bool config_change_pending;
	spinlock_t config_lock;		/* delivery of configuration changes */
	spinlock_t vqs_list_lock;	/* @vqs */
	struct device dev;
	struct virtio_device_id id;
	const struct virtio_config_ops *config;
	const struct vringh_config_ops *vringh_config;
	struct list_head vqs;
	u64 features;
	void *priv;
	struct virtio_watch *watch;
#ifdef CONFIG_VIRTIO_DEBUG
	struct dentry *debugfs_dir;
	u64 debugfs_filter_features;
#endif
};

#define dev_to_virtio(_dev)	container_of_const(_dev, struct virtio_device, dev)

#define virtio_device_for_each_vq(vdev, vq) \
	list_for_each_entry(vq, &(vdev)->vqs, list)

int register_virtio_device(struct virtio_device *dev);
void unregister_virtio_device(struct virtio_device *dev);
bool is_virtio_device(struct device *dev);

void virtio_add_status(struct virtio_device *dev, unsigned int status);
void virtio_reset_device(struct virtio_device *dev);

void virtio_config_changed(struct virtio_device *dev);
bool virtio_device_check(struct virtio_device *dev);
bool virtio_device_request_reset(struct virtio_device *dev);
void virtio_config_driver_disable(struct virtio_device *dev);
void virtio_config_driver_enable(struct virtio_device *dev);

int virtio_device_freeze(struct virtio_device *dev);
int virtio_device_restore(struct virtio_device *dev);
int virtio_device_reset_prepare(struct virtio_device *dev);
int virtio_device_reset_done(struct virtio_device *dev);
void virtio_device_shutdown(struct virtio_device *dev);

/**
 * struct virtio_driver - a driver for virtio devices
 * @driver: the driver in the driver model; fill in the name
 * @id_table: the devices it drives, ended by an empty entry
 * @feature_table: feature bits that it understands
 * @feature_table_size: entries in @feature_table
 * @feature_table_legacy: the same for legacy devices, NULL if no different
 * @feature_table_size_legacy: entries in @feature_table_legacy
 * @validate: check features and configuration, drop features that can't be
 *            had; 0 or a negative error. Optional.
 * @probe: start driving a device; 0 or a negative error
 * @scan: called once @probe was successful and the device is live. Optional.
 * @remove: stop driving; leaves the device reset
 * @config_changed: the configuration changed; may be called in interrupt
 *                  context. Optional.
 * @freeze: quiesce for suspend or hibernation. Optional.
 * @restore: undo @freeze, on a device that was reset. Optional.
 * @reset_prepare: quiesce, as the transport is about to reset the device.
 *                 Optional.
 * @reset_done: undo @reset_prepare, on a device that was reset. Optional.
 * @restart_failed: the device could not be started again after @freeze or
 *                  @reset_prepare: what waits for that has to fail. Optional.
 * @shutdown: the machine goes down: instead of virtio_device_shutdown(), which
 *            it calls when it is done. Optional.
 */
struct virtio_driver {
	struct device_driver driver;
	const struct virtio_device_id *id_table;
	const unsigned int *feature_table;
	unsigned int feature_table_size;
	const unsigned int *feature_table_legacy;
	unsigned int feature_table_size_legacy;
	int (*validate)(struct virtio_device *dev);
	int (*probe)(struct virtio_device *dev);
	void (*scan)(struct virtio_device *dev);
	void (*remove)(struct virtio_device *dev);
	void (*config_changed)(struct virtio_device *dev);
	int (*freeze)(struct virtio_device *dev);
	int (*restore)(struct virtio_device *dev);
	int (*reset_prepare)(struct virtio_device *dev);
	int (*reset_done)(struct virtio_device *dev);
	void (*restart_failed)(struct virtio_device *dev);
	void (*shutdown)(struct virtio_device *dev);
};

#define drv_to_virtio(__drv)	container_of_const(__drv, struct virtio_driver, driver)

/* A macro, as THIS_MODULE has to be the caller's. */
#define register_virtio_driver(drv) \
	__register_virtio_driver(drv, THIS_MODULE)
int __register_virtio_driver(struct virtio_driver *drv, struct module *owner);
void unregister_virtio_driver(struct virtio_driver *drv);

/* For modules whose init and exit do no more than (un)register one driver. */
#define module_virtio_driver(__virtio_driver) \
	module_driver(__virtio_driver, register_virtio_driver, \
			unregister_virtio_driver)

#ifdef CONFIG_VIRTIO_DEBUG
void virtio_debug_device_init(struct virtio_device *dev);
void virtio_debug_device_exit(struct virtio_device *dev);
void virtio_debug_device_filter_features(struct virtio_device *dev);
void virtqueue_debug_init(struct virtio_device *dev);
void virtio_debug_init(void);
void virtio_debug_exit(void);
#else
static inline void virtio_debug_device_init(struct virtio_device *dev) {}
static inline void virtio_debug_device_exit(struct virtio_device *dev) {}
static inline void
virtio_debug_device_filter_features(struct virtio_device *dev) {}
static inline void virtqueue_debug_init(struct virtio_device *dev) {}
static inline void virtio_debug_init(void) {}
static inline void virtio_debug_exit(void) {}
#endif

#endif /* _LINUX_VIRTIO_H */
