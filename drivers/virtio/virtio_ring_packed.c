// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packed virtqueue: section 2.8 of the specification.
 *
 * One ring of descriptors, in which the driver makes buffers available and the
 * device marks them used, in its own order.  Two bits in the flags of a
 * descriptor tell whose it is, by comparison with a wrap counter that each side
 * flips when it passes the end of the ring.  A position is an index with the
 * wrap counter in bit 15, as in the event suppression structures.
 *
 * The first descriptor of a batch is held back with the flags of one that is
 * not available.  As the device goes through the ring in order it sees none of
 * the batch until these flags are written, so one barrier serves all.
 *
 * Documentation/virtio/barriers.rst pairs the barriers with the device's.
 */
#include <linux/bits.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include "virtio_ring_internal.h"

#define PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED	BIT(VRING_PACKED_DESC_F_USED)
#define PACKED_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

static inline u16 packed_index(u16 pos)
{
	return pos & ~PACKED_WRAP;
}

/* Flags of a descriptor that is available at a position (2.8.1) */
static inline u16 packed_avail_flags(u16 pos)
{
	return pos & PACKED_WRAP ? PACKED_AVAIL : PACKED_USED;
}

/* Flags of a descriptor there that neither side has any business with */
static inline u16 packed_idle_flags(u16 pos)
{
	return pos & PACKED_WRAP ? 0 : PACKED_AVAIL | PACKED_USED;
}

static inline u16 packed_advance(const struct vring_virtqueue *vring, u16 pos,
				 u16 count)
{
	unsigned int index = packed_index(pos) + count;

	if (index >= vring->rings.num)
		return (index - vring->rings.num) | (~pos & PACKED_WRAP);
	return index | (pos & PACKED_WRAP);
}

/* Has the device used the descriptor that is at a position? */
static inline bool packed_is_used(const struct vring_virtqueue *vring, u16 pos)
{
	const struct vring_packed_desc *desc = vring->rings.packed.desc;
	u16 want = pos & PACKED_WRAP ? PACKED_AVAIL | PACKED_USED : 0;
	u16 flags = le16_to_cpu(READ_ONCE(desc[packed_index(pos)].flags));

	return (flags & (PACKED_AVAIL | PACKED_USED)) == want;
}

/*
 * Adding buffers
 */

/* The buffers up to next_avail become the device's. */
static void packed_publish(struct vring_virtqueue *vring)
{
	struct vring_packed_desc *desc = vring->rings.packed.desc;

	if (vring->published == vring->next_avail)
		return;
	/*
	 * The batch before the flags of its first descriptor: pairs with the
	 * device's barrier between reading flags and the rest.
	 */
	virtio_wmb(vring->weak_barriers);
	WRITE_ONCE(desc[packed_index(vring->published)].flags,
		   cpu_to_le16(vring->published_flags));
	vring->published = vring->next_avail;
}

int vring_packed_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_build *build = &vring->build;
	int err;

	err = vring_build_start(vring, out + in, data, ctx, gfp,
				vring->rings.packed.desc);
	if (unlikely(err)) {
		/* A device that has work to do may soon make room. */
		if (err == -ENOSPC && out) {
			packed_publish(vring);
			vring_notify(vq);
		}
		return err;
	}
	build->id = vring->free_head;
	build->cur = build->table ? 0 : vring->next_avail;
	return 0;
}

/* Write what was left open of the last descriptor in the ring. */
static __always_inline void packed_complete(struct vring_build *build,
					    struct vring_packed_desc *prev,
					    u16 next_flag)
{
	prev->len = cpu_to_le32(build->prev_len);
	prev->id = cpu_to_le16(build->id);
	prev->flags = cpu_to_le16(build->prev_flags | next_flag);
}

static __always_inline void packed_append(struct vring_build *build,
					  const struct vring_virtqueue *vring,
					  dma_addr_t addr, unsigned int len,
					  enum dma_data_direction dir)
{
	struct vring_packed_desc *desc = build->desc;
	u16 pos = build->cur;
	u16 flags = 0;

	if (dir == DMA_FROM_DEVICE) {
		flags = VRING_DESC_F_WRITE;
		build->in_len += len;
	}

	/* In a table, all but the write flag is reserved (2.8.7). */
	if (build->table) {
		desc += build->num++;
		desc->addr = cpu_to_le64(addr);
		desc->len = cpu_to_le32(len);
		desc->id = 0;
		desc->flags = cpu_to_le16(flags);
		return;
	}

	if (build->num++) {
		packed_complete(build, &desc[build->prev], VRING_DESC_F_NEXT);
		flags |= packed_avail_flags(pos);
	} else {
		build->head_flags = flags;
		flags |= packed_idle_flags(pos);
	}
	build->prev = packed_index(pos);
	build->prev_len = len;
	build->prev_flags = flags;
	build->cur = packed_advance(vring, pos, 1);
	desc[build->prev].addr = cpu_to_le64(addr);
}

int vring_packed_add_page(struct virtqueue *vq, struct page *page,
			  unsigned int offset, unsigned int len,
			  enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	dma_addr_t addr;
	int err;

	err = vring_build_map(vring, &vring->build, page, offset, len, dir,
			      &addr);
	if (unlikely(err))
		return err;
	packed_append(&vring->build, vring, addr, len, dir);
	return 0;
}

int vring_packed_add_dma(struct virtqueue *vq, dma_addr_t addr,
			 unsigned int len, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	packed_append(&vring->build, vring, addr, len, dir);
	return 0;
}

int vring_packed_add_sg(struct virtqueue *vq, struct scatterlist *sgl,
			unsigned int nents, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_build build = vring->build; /* in registers */
	unsigned int n;
	int err = 0;

	for (n = 0; n < nents && sgl; n++, sgl = sg_next(sgl)) {
		dma_addr_t addr;

		err = vring_build_map_sg(vring, &build, sgl, dir, &addr);
		if (unlikely(err))
			break;
		packed_append(&build, vring, addr, sgl->length, dir);
	}
	vring->build = build;
	return err ?: n;
}

/* One descriptor in the ring points to the table that was filled. */
static void packed_link_table(struct vring_virtqueue *vring)
{
	struct vring_packed_desc *desc = vring->rings.packed.desc;
	struct vring_build *build = &vring->build;
	u16 pos = vring->next_avail;

	build->head_flags = VRING_DESC_F_INDIRECT;
	build->prev = packed_index(pos);
	build->prev_len = build->num * sizeof(*desc);
	build->prev_flags = packed_idle_flags(pos);
	build->cur = packed_advance(vring, pos, 1);
	desc[build->prev].addr = cpu_to_le64(build->table->dma);
}

int vring_packed_end_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_packed_desc *desc = vring->rings.packed.desc;
	struct vring_build *build = &vring->build;
	struct vring_state *state = &vring->rings.state[build->id];
	u16 head = vring->next_avail;
	u16 flags;

	if (build->table)
		packed_link_table(vring);
	packed_complete(build, &desc[build->prev], 0);
	vring_build_finish(vring, state);
	vring->free_head = state->next;
	vring->next_avail = build->cur;

	flags = build->head_flags | packed_avail_flags(head);
	if (state->num > 1)
		flags |= VRING_DESC_F_NEXT;
	if (vring->published == head)
		vring->published_flags = flags;
	else
		desc[packed_index(head)].flags = cpu_to_le16(flags);
	return 0;
}

/*
 * A shorter buffer may come next: what is behind it must not look available.
 * The wrap counter is part of next_avail, which did not move.
 */
void vring_packed_cancel_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_packed_desc *desc = vring->rings.packed.desc;
	u16 pos = vring->next_avail;
	unsigned int n;

	if (!vring->build.table) {
		for (n = 1; n < vring->build.num; n++) {
			desc[packed_index(pos)].flags =
				cpu_to_le16(packed_idle_flags(pos));
			pos = packed_advance(vring, pos, 1);
		}
	}
	vring_build_undo(vring);
}

/* How far a position is from the start of the lap that @now is in */
static u16 packed_linear(const struct vring_virtqueue *vring, u16 pos, u16 now)
{
	u16 lap = (pos ^ now) & PACKED_WRAP ? vring->rings.num : 0;

	return packed_index(pos) - lap;
}

bool vring_packed_kick_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 old = vring->published;
	u16 new = vring->next_avail;
	u32 event;
	u16 flags;

	packed_publish(vring);
	/*
	 * The flags before we look whether the device wants to be told: pairs
	 * with the device's barrier between asking for it and looking at the
	 * flags once more.
	 */
	virtio_mb(vring->weak_barriers);

	/* Both fields in one read, so that they belong together. */
	event = le32_to_cpu(READ_ONCE(*(__le32 *)vring->rings.packed.device));
	flags = event >> 16;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;

	return vring_need_event(packed_linear(vring, event, new),
				packed_index(new),
				packed_linear(vring, old, new));
}

/*
 * Taking used buffers
 */

static void packed_free_buf(struct vring_virtqueue *vring, u16 id)
{
	struct vring_state *state = &vring->rings.state[id];

	vring_state_release(vring, state);
	state->next = vring->free_head;
	vring->free_head = id;
}

static bool packed_more_used(const struct vring_virtqueue *vring)
{
	return packed_is_used(vring, READ_ONCE(vring->last_used));
}

/*
 * No more buffers are used: ask for a callback at the next one.  The barrier
 * puts this before the ring is looked at again, see vring_packed_poll().
 */
static void packed_arm_event(struct vring_virtqueue *vring)
{
	WRITE_ONCE(vring->event_triggered, false);
	virtio_store_mb(vring->weak_barriers,
			&vring->rings.packed.driver->off_wrap,
			cpu_to_le16(vring->last_used));
}

void *vring_packed_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct vring_packed_desc *used;
	struct vring_state *state;
	u16 pos = vring->last_used;
	void *data;
	u16 id;

	if (!packed_is_used(vring, pos))
		return NULL;
	/*
	 * The flags before the rest: pairs with the device's barrier between
	 * writing the rest and the flags.
	 */
	virtio_rmb(vring->weak_barriers);

	used = &vring->rings.packed.desc[packed_index(pos)];
	id = le16_to_cpu(READ_ONCE(used->id));
	if (unlikely(id >= vring->rings.num)) {
		vring_break(vring, "used id %u is out of range", id);
		return NULL;
	}
	state = &vring->rings.state[id];
	data = state->data;
	if (unlikely(!data)) {
		vring_break(vring, "used id %u is not in flight", id);
		return NULL;
	}
	*len = vring_used_len(vring, state,
			      le32_to_cpu(READ_ONCE(used->len)));
	if (ctx)
		*ctx = state->indirect ? NULL : state->ctx;

	packed_free_buf(vring, id);
	pos = packed_advance(vring, pos, state->num);
	WRITE_ONCE(vring->last_used, pos);
	if (vring->event && !READ_ONCE(vring->cb_disabled) &&
	    !packed_is_used(vring, pos))
		packed_arm_event(vring);
	return data;
}

/*
 * Callbacks
 */

static void packed_write_event_flags(struct vring_virtqueue *vring, u16 flags)
{
	WRITE_ONCE(vring->rings.packed.driver->flags, cpu_to_le16(flags));
}

void vring_packed_disable_cb(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (READ_ONCE(vring->cb_disabled))
		return;
	WRITE_ONCE(vring->cb_disabled, true);
	/* An event that has fired does not fire again until it is armed. */
	if (!READ_ONCE(vring->event_triggered))
		packed_write_event_flags(vring,
					 VRING_PACKED_EVENT_FLAG_DISABLE);
}

/* Ask for a callback when the device uses the descriptor at a position. */
static void packed_write_callback(struct vring_virtqueue *vring, u16 pos)
{
	WRITE_ONCE(vring->event_triggered, false);
	if (vring->event) {
		WRITE_ONCE(vring->rings.packed.driver->off_wrap,
			   cpu_to_le16(pos));
		/*
		 * The position before the flags that make it count: pairs with
		 * the device's barrier between reading flags and position.
		 */
		virtio_wmb(vring->weak_barriers);
	}
	if (vring->cb_disabled)
		packed_write_event_flags(vring, vring->event ?
					 VRING_PACKED_EVENT_FLAG_DESC :
					 VRING_PACKED_EVENT_FLAG_ENABLE);
	WRITE_ONCE(vring->cb_disabled, false);
}

unsigned int vring_packed_enable_cb_prepare(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	packed_write_callback(vring, vring->last_used);
	return vring->last_used;
}

bool vring_packed_poll(struct virtqueue *vq, unsigned int state)
{
	struct vring_virtqueue *vring = to_vring(vq);

	/*
	 * Asking for a callback before looking once more: pairs with the
	 * device's barrier between writing flags and looking whether we want
	 * a callback.
	 */
	virtio_mb(vring->weak_barriers);
	return packed_is_used(vring, state);
}

bool vring_packed_enable_cb_delayed(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);
	unsigned int taken = vring->rings.num - vq->num_free;

	packed_write_callback(vring, packed_advance(vring, vring->last_used,
						    taken * 3 / 4));
	return !vring_packed_poll(vq, vring->last_used);
}

/*
 * Memory
 */

/* The event suppression structures follow the ring, a cache line for each. */
static int packed_alloc(struct vring_virtqueue *vring,
			struct vring_rings *rings, unsigned int num)
{
	size_t events = ALIGN(num * sizeof(struct vring_packed_desc),
			      SMP_CACHE_BYTES);
	int err;

	err = vring_mem_alloc(vring, &rings->mem, events + 2 * SMP_CACHE_BYTES,
			      GFP_KERNEL);
	if (err)
		return err;
	rings->num = num;
	rings->packed.desc = rings->mem.addr;
	rings->packed.driver = rings->mem.addr + events;
	rings->packed.device = rings->mem.addr + events + SMP_CACHE_BYTES;
	return 0;
}

static void packed_init(struct vring_virtqueue *vring)
{
	bool cb = !vring->cb_disabled;

	vring->next_avail = PACKED_WRAP;
	vring->published = PACKED_WRAP;
	vring->last_used = PACKED_WRAP;

	packed_write_event_flags(vring, VRING_PACKED_EVENT_FLAG_DISABLE);
	vring->cb_disabled = true;
	if (cb)
		packed_write_callback(vring, PACKED_WRAP);
}

static dma_addr_t packed_desc_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma;
}

static dma_addr_t packed_driver_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma +
	       ((void *)vring->rings.packed.driver - vring->rings.mem.addr);
}

static dma_addr_t packed_device_addr(const struct vring_virtqueue *vring)
{
	return vring->rings.mem.dma +
	       ((void *)vring->rings.packed.device - vring->rings.mem.addr);
}

const struct vring_layout vring_packed_layout = {
	.ops = {
		.start_buf		= vring_packed_start_buf,
		.add_sg			= vring_packed_add_sg,
		.add_page		= vring_packed_add_page,
		.add_dma		= vring_packed_add_dma,
		.end_buf		= vring_packed_end_buf,
		.cancel_buf		= vring_packed_cancel_buf,
		.kick_prepare		= vring_packed_kick_prepare,
		.notify			= vring_notify,
		.get_buf		= vring_packed_get_buf,
		.disable_cb		= vring_packed_disable_cb,
		.enable_cb_prepare	= vring_packed_enable_cb_prepare,
		.enable_cb_delayed	= vring_packed_enable_cb_delayed,
		.poll			= vring_packed_poll,
		.detach_unused_buf	= vring_detach_unused_buf,
		.size			= vring_num,
		.resize			= vring_resize,
		.reset			= vring_reset,
		.set_dma_premapped	= vring_set_dma_premapped,
	},
	.alloc		= packed_alloc,
	.init		= packed_init,
	.free_buf	= packed_free_buf,
	.more_used	= packed_more_used,
	.desc_addr	= packed_desc_addr,
	.driver_addr	= packed_driver_addr,
	.device_addr	= packed_device_addr,
};
