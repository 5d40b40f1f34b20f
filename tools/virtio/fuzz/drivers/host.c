// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport, the device, and the kernel's work queues.
 */
#include <linux/virtio.h>
#include <uapi/linux/virtio_ids.h>
#include "shims.h"
#include "host.h"

struct host host;
struct fuzz fuzz;
struct virtio_driver *target_driver;
unsigned int nr_cpu_ids = 3;
unsigned int irqsaves;
unsigned long jiffies = 1000;

/* Work */

struct workqueue_struct *alloc_workqueue(const char *name, int flags, int max)
{
	return kmalloc(1, GFP_KERNEL);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	kfree(wq);
}

bool host_put_off(struct workqueue_struct *wq, struct delayed_work *dwork,
		  unsigned long delay)
{
	if (!queue_work(wq, &dwork->work))
		return false;
	jiffies += delay;
	return true;
}

bool wait_for_completion_timeout(struct completion *done, unsigned long timeout)
{
	unsigned int left = 8;

	while (!done->done && left--)
		host_wait();
	if (!done->done)
		return false;
	done->done--;
	return true;
}

/* The bus */

void virtio_check_driver_offered_feature(const struct virtio_device *vdev,
					 unsigned int fbit)
{
	unsigned int i;

	for (i = 0; i < target_driver->feature_table_size; i++)
		if (target_driver->feature_table[i] == fbit)
			return;
	for (i = 0; i < target_driver->feature_table_size_legacy; i++)
		if (target_driver->feature_table_legacy[i] == fbit)
			return;
	check(false, "feature %u is not in the driver's table", fbit);
}

void virtio_add_status(struct virtio_device *vdev, unsigned int status)
{
	vdev->config->set_status(vdev, host.status | status);
}

void virtio_reset_device(struct virtio_device *vdev)
{
	vdev->config->reset(vdev);
}

void virtio_device_shutdown(struct virtio_device *vdev)
{
	virtio_break_device(vdev);
	virtio_reset_device(vdev);
}

int __register_virtio_driver(struct virtio_driver *driver, struct module *owner)
{
	target_driver = driver;
	return 0;
}

void unregister_virtio_driver(struct virtio_driver *driver)
{
}

/* The transport */

static void config_get(struct virtio_device *vdev, unsigned int offset,
		       void *buf, unsigned int len)
{
	check(offset + len <= host.config_size,
	      "%u bytes at %u of a configuration of %u", len, offset,
	      host.config_size);
	if (host.flux)
		host_spoil_config();
	memcpy(buf, host.config + offset, len);
}

static void config_set(struct virtio_device *vdev, unsigned int offset,
		       const void *buf, unsigned int len)
{
	check(offset + len <= host.config_size, "write beyond the configuration");
	memcpy(host.written + offset, buf, len);
	if (device_byte() & 1)
		memcpy(host.config + offset, buf, len);
}

static u32 config_generation(struct virtio_device *vdev)
{
	if (host.stuck_generation && device_byte() & 1)
		host.stuck_generation--;
	return host.stuck_generation;
}

/*
 * The device may turn the features down that it took before, want to be reset, or
 * not be there any more. Not before it works: the base's virtio_device_ready() has
 * a warning for that.
 */
static u8 get_status(struct virtio_device *vdev)
{
	if (host.gone)
		return 0xff;
	if (host.needs_reset)
		return host.status | VIRTIO_CONFIG_S_NEEDS_RESET;
	switch (device_byte()) {
	case 0xff:
		return host.status & ~VIRTIO_CONFIG_S_FEATURES_OK;
	case 0xfe:
		return host.status | VIRTIO_CONFIG_S_NEEDS_RESET;
	case 0xfd:
		return host.status & VIRTIO_CONFIG_S_DRIVER_OK ? 0xff : host.status;
	default:
		return host.status;
	}
}

static void set_status(struct virtio_device *vdev, u8 status)
{
	check(status, "a status of 0 is a reset");
	host.status = status & ~VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void reset(struct virtio_device *vdev)
{
	unsigned int i;

	host.status = 0;
	host.resets++;
	host.needs_reset = false;
	for (i = 0; i < host.num_queues; i++)
		host.queues[i].count = 0;
	host_forget();
}

static int finalize_features(struct virtio_device *vdev)
{
	return 0;
}

static bool notify(struct virtqueue *vq)
{
	host.notified++;
	host.queues[vq->index].notified++;
	return device_byte() != 0xff;
}

static void attach(struct host_queue *queue)
{
	struct device_queue *dq = &queue->dq;

	queue->count = 0;
	queue->spoilt = false;
	dq->ops = fuzz.packed ? &device_packed : &device_split;
	dq->num = virtqueue_get_vring_size(queue->vq);
	dq->desc = virtqueue_get_desc_addr(queue->vq);
	dq->driver = virtqueue_get_avail_addr(queue->vq);
	dq->device = virtqueue_get_used_addr(queue->vq);
	dq->indirect = virtio_has_feature(&host.vdev, VIRTIO_RING_F_INDIRECT_DESC);
	dq->event = virtio_has_feature(&host.vdev, VIRTIO_RING_F_EVENT_IDX);
	dq->iommu = fuzz.access;
	dq->seen = 0;
	dq->popped = 0;
	dq->used = 0;
	dq->told = 0;
	memset(dq->taken, 0, dq->num);
	device_set_kicks(dq, KICKS_ON, 0);
}

static void del_vqs(struct virtio_device *vdev)
{
	check(!(host.status & VIRTIO_CONFIG_S_DRIVER_OK),
	      "the queues go while the device works with them");
	while (host.num_queues)
		vring_del_virtqueue(host.queues[--host.num_queues].vq);
	host_forget();
}

static int find_vqs(struct virtio_device *vdev, unsigned int num,
		    struct virtqueue *vqs[], struct virtqueue_info info[],
		    struct irq_affinity *affinity)
{
	unsigned int size = host.queue_size, i;
	struct host_queue *queue;

	if (num > HOST_MAX_QUEUES)
		return -ENOENT;
	if (host.may_shrink && size > 1 && device_byte() == 0xff)
		size /= 2;
	for (i = 0; i < num; i++) {
		queue = &host.queues[i];
		queue->vq = vring_create_virtqueue(i, size, 64, vdev,
						   true, false, info[i].ctx,
						   notify, info[i].callback,
						   info[i].name);
		if (!queue->vq) {
			del_vqs(vdev);
			return -ENOMEM;
		}
		host.num_queues++;
		vqs[i] = queue->vq;
		attach(queue);
	}
	return 0;
}

static int disable_vq_and_reset(struct virtqueue *vq)
{
	struct host_queue *queue = &host.queues[vq->index];

	if (!virtio_has_feature(vq->vdev, VIRTIO_F_RING_RESET))
		return -ENOENT;
	queue->count = 0;
	queue->spoilt = true;
	host_forget();
	vq->reset = true;
	return 0;
}

static int enable_vq_after_reset(struct virtqueue *vq)
{
	vq->reset = false;
	attach(&host.queues[vq->index]);
	return 0;
}

static void synchronize_cbs(struct virtio_device *vdev)
{
}

static const struct virtio_config_ops config_ops = {
	.get = config_get,
	.set = config_set,
	.generation = config_generation,
	.get_status = get_status,
	.set_status = set_status,
	.reset = reset,
	.find_vqs = find_vqs,
	.del_vqs = del_vqs,
	.disable_vq_and_reset = disable_vq_and_reset,
	.enable_vq_after_reset = enable_vq_after_reset,
	.synchronize_cbs = synchronize_cbs,
	.finalize_features = finalize_features,
};

/* The device */

void host_spoil_config(void)
{
	u8 how = device_byte();

	if (how < 0x80)
		host.config[how % host.config_size] = device_byte();
}

void host_create(const void *config, unsigned int size)
{
	static const u16 sizes[] = { 16, 64, 4, 8, 32, 3, 2, 1 };
	struct virtio_device *vdev = &host.vdev;
	u8 ring = driver_byte(), more = driver_byte();
	u16 offered = driver_byte() | driver_byte() << 8;
	unsigned int i;

	memset(vdev, 0, sizeof(*vdev));
	memcpy(host.config, config, size);
	host.config_size = size;
	host.parent.name = "parent";
	vdev->dev.parent = &host.parent;
	vdev->dev.name = "virtio0";
	vdev->config = &config_ops;
	INIT_LIST_HEAD(&vdev->vqs);
	spin_lock_init(&vdev->vqs_list_lock);

	fuzz.packed = ring & 1;
	fuzz.access = ring & 8;
	__virtio_set_bit(vdev, VIRTIO_F_VERSION_1);
	if (ring & 1)
		__virtio_set_bit(vdev, VIRTIO_F_RING_PACKED);
	if (ring & 2)
		__virtio_set_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	if (ring & 4)
		__virtio_set_bit(vdev, VIRTIO_RING_F_EVENT_IDX);
	if (ring & 8)
		__virtio_set_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	shim.bounce = ring & 16;
	for (i = 0; i < target_driver->feature_table_size; i++)
		if (offered >> i & 1)
			__virtio_set_bit(vdev, target_driver->feature_table[i]);

	host.queue_size = sizes[more & 7];
	if (!fuzz.packed)
		host.queue_size = rounddown_pow_of_two(host.queue_size);
	host.flux = more & 8;
	host.stuck_generation = more >> 4 & 3;
	for (i = more >> 6; i; i--)
		host_spoil_config();
	host.bound = false;
	host.may_shrink = false;
	host.gone = false;
	host.needs_reset = false;
	host.checked = false;
	host.on_wait = NULL;
	host.status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		      VIRTIO_CONFIG_S_FEATURES_OK;
}

void *host_elem(unsigned int queue, const struct device_elem *elem)
{
	struct device_queue *dq = &host.queues[queue].dq;

	return elem->write ? device_write(dq, elem->addr, elem->len) :
			     (void *)device_read(dq, elem->addr, elem->len);
}

static bool may_look(const struct host_queue *queue)
{
	return !host.gone && host.status & VIRTIO_CONFIG_S_DRIVER_OK && !queue->spoilt;
}

static bool take(struct host_queue *queue)
{
	if (!may_look(queue) || queue->count == HOST_MAX_HELD ||
	    !device_pop(&queue->dq, &queue->held[queue->count]))
		return false;
	queue->count++;
	return true;
}

static void give_back(struct host_queue *queue, unsigned int n, bool fair)
{
	struct device_buf *buf;
	u32 len;

	if (!may_look(queue) || !queue->count)
		return;
	n %= queue->count;
	buf = &queue->held[n];
	len = target_answer(queue - host.queues, buf, fair);
	device_use(&queue->dq, buf, min_t(u64, len, buf->in_len));
	queue->held[n] = queue->held[--queue->count];
}

static void spoil_ring(struct host_queue *queue, u8 how)
{
	if (!may_look(queue))
		return;
	queue->spoilt = true;
	queue->count = 0;
	queue->dq.ops->put_used(&queue->dq, how, (u32)device_byte() << 16, 1);
}

static void interrupt(struct host_queue *queue)
{
	if (host.status & VIRTIO_CONFIG_S_DRIVER_OK)
		vring_interrupt(0, queue->vq);
}

static struct host_queue *any_queue(void)
{
	return &host.queues[device_byte() % host.num_queues];
}

/* Without interrupts: the driver may be anywhere. */
static void act_quietly(u8 how)
{
	struct host_queue *queue = any_queue();

	switch (how % 8) {
	case 0:
	case 1:
		take(queue);
		break;
	case 2:
	case 3:
	case 4:
		take(queue);
		give_back(queue, device_byte(), false);
		break;
	case 5:
		host_spoil_config();
		break;
	case 6:
		device_set_kicks(&queue->dq, how & 8 ? KICKS_ON : KICKS_OFF, 0);
		break;
	default:
		if (how & 64)
			spoil_ring(queue, how);
		break;
	}
}

void host_act(void)
{
	unsigned int i;
	u8 how = device_byte();

	if (!host.num_queues)
		return;
	if (how & 1 && how & 128 && host.bound && target_driver->config_changed)
		target_driver->config_changed(&host.vdev);
	else
		act_quietly(how >> 1);
	for (i = 0; i < host.num_queues; i++)
		if (may_look(&host.queues[i]) &&
		    (device_wants_irq(&host.queues[i].dq) || how & 128))
			interrupt(&host.queues[i]);
		else if (host.queues[i].spoilt)
			interrupt(&host.queues[i]);
}

bool host_take(unsigned int queue)
{
	return take(&host.queues[queue]);
}

void host_give(unsigned int queue, unsigned int n)
{
	give_back(&host.queues[queue], n, true);
}

void host_interrupt(unsigned int queue)
{
	interrupt(&host.queues[queue]);
}

void host_use_all(unsigned int queue)
{
	while (host_take(queue))
		host_give(queue, 0);
}

void host_do_nothing(void)
{
}

void host_wait(void)
{
	bool points = shim.point;

	call_end();
	time_passes();
	if (host.on_wait)
		host.on_wait();
	else
		host_act();
	if (points)
		call_begin(10000);
}

bool host_is_spoilt(void)
{
	unsigned int i;

	for (i = 0; i < host.num_queues; i++)
		if (host.queues[i].spoilt)
			return true;
	return false;
}

void host_finish(void)
{
	unsigned int i;

	call_end();
	for (i = 0; i < host.num_queues; i++) {
		while (host.queues[i].count || take(&host.queues[i]))
			give_back(&host.queues[i], 0, true);
		interrupt(&host.queues[i]);
	}
}

/* The bus */

static void *managed;

unsigned long devm_get_free_pages(struct device *dev, gfp_t gfp,
				  unsigned int order)
{
	check(!managed, "more managed memory than there is room for");
	managed = kzalloc(PAGE_SIZE << order, gfp);
	return (unsigned long)managed;
}

static void free_managed(void)
{
	kfree(managed);
	managed = NULL;
}

/* The target sees to it, once its driver has returned. */
bool virtio_device_check(struct virtio_device *vdev)
{
	host.checked = host.bound;
	return host.bound;
}

bool virtio_device_request_reset(struct virtio_device *vdev)
{
	return virtio_device_check(vdev);
}

int virtio_device_freeze(struct virtio_device *vdev)
{
	host.bound = false;
	return target_driver->freeze(vdev);
}

int virtio_device_restore(struct virtio_device *vdev)
{
	int err;

	reset(vdev);
	host.status = VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
	err = target_driver->restore(vdev);
	if (err) {
		host.status |= VIRTIO_CONFIG_S_FAILED;
		if (target_driver->restart_failed)
			target_driver->restart_failed(vdev);
	}
	host.bound = true;
	return err;
}

static int bind(void)
{
	int err = 0;

	call_begin(50000);
	if (target_driver->validate)
		err = target_driver->validate(&host.vdev);
	if (!err)
		err = target_driver->probe(&host.vdev);
	if (!err && target_driver->scan)
		target_driver->scan(&host.vdev);
	call_end();
	return err;
}

/* Memory that was the device's, and on some machines still is */

static struct {
	u8 *start;
	size_t size;
	void *owner;
} remembered;

/* Copies are gone when they are unmapped. */
void host_remember(void *start, size_t size, void *owner)
{
	if (shim.bounce)
		return;
	remembered.start = start;
	remembered.size = size;
	remembered.owner = owner;
}

void host_forget(void)
{
	remembered.size = 0;
}

/* Called within calls of the driver, where it looks at memory */
void liar_act(void)
{
	u8 how = device_byte();

	if (how & 1 && remembered.size) {
		u8 *p = &remembered.start[device_byte() % remembered.size];

		*p = device_byte();
		target_changed(remembered.owner, p);
	} else if (host.num_queues && host.status & VIRTIO_CONFIG_S_DRIVER_OK) {
		act_quietly(how >> 1);
	}
}

/* One input */

static void use_device(void)
{
	host.bound = true;
	while (!input_ended()) {
		call_begin(50000);
		target_step(driver_byte());
		call_end();
	}
	host.bound = false;
	shim.alloc_fail_at = 0;
	shim.map_fail_at = 0;
	target_driver->remove(&host.vdev);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int err;

	input_set(data, size);
	memset(&shim, 0, sizeof(shim));
	target_load();
	err = bind();
	if (!err)
		use_device();
	free_managed();
	check(!host.num_queues, "%u queues left over", host.num_queues);
	check(!(host.status & VIRTIO_CONFIG_S_DRIVER_OK), "the device still works");
	target_unload();
	check(!shim.alloc_live, "%ld allocations left over", shim.alloc_live);
	check(!shim.map_live, "%ld mappings left over", shim.map_live);
	check(!shim.coherent_live, "%ld pieces of coherent memory left over",
	      shim.coherent_live);
	check(!shim.warns, "a warning");
	return 0;
}
