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
 * With VIRTIO_F_IN_ORDER buffer IDs are taken and given back in turn.
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

/*
 * The flags of available descriptors in the other lap (2.8.1).  In this one
 * they mark what neither side has any business with.
 */
static inline u16 packed_other_lap(u16 lap_flags)
{
	return lap_flags ^ (PACKED_AVAIL | PACKED_USED);
}

static inline u16 packed_advance(const struct vring_virtqueue *vring, u16 pos,
				 unsigned int count)
{
	unsigned int num = vring->rings.num;
	unsigned int index = packed_index(pos) + count;

	if (likely(index < num))
		return pos + count;
	return (index - num) | (~pos & PACKED_WRAP);
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

/* The next descriptor is where the next buffer goes. */
static __always_inline void packed_build_in_ring(struct vring_virtqueue *vring,
						 struct packed_build *build)
{
	build->next = vring->rings.packed.desc + packed_index(vring->next_avail);
	build->lap_flags = vring->lap_flags;
	build->wrap_flags = packed_other_lap(vring->lap_flags);
}

static __always_inline int packed_start(struct vring_virtqueue *vring,
					struct packed_build *build,
					bool readable, unsigned int num,
					void *data, void *ctx, gfp_t gfp)
{
	struct vring_state *state = &vring->rings.state[vring->free_head];
	int err;

	err = vring_start(vring, state, num, data, ctx, gfp);
	if (unlikely(err)) {
		/* A device that has work to do may soon make room. */
		if (err == -ENOSPC && readable) {
			packed_publish(vring);
			vring_notify(&vring->vq);
		}
		return err;
	}
	build->state = state;
	build->prev = &vring->packed_dummy;
	build->prev_flags = 0;
	build->in_len = 0;
	build->head_flags = VRING_DESC_F_WRITE;
	build->indirect = state->indirect;
	if (build->indirect)
		build->next = state->table->desc;
	else
		packed_build_in_ring(vring, build);
	return 0;
}

/*
 * Write an element of a chain, but for its flags; these of the one before are
 * known now.
 */
static __always_inline void packed_append_ring(struct vring_virtqueue *vring,
					       struct packed_build *build,
					       dma_addr_t addr,
					       unsigned int len,
					       unsigned int flags)
{
	struct vring_packed_desc *desc = build->next;

	build->prev->flags = cpu_to_le16(build->prev_flags | VRING_DESC_F_NEXT);
	build->prev = desc;
	build->prev_flags = build->wrap_flags | flags;
	if (++build->next == vring->rings.packed.end) {
		build->next = vring->rings.packed.desc;
		build->lap_flags = packed_other_lap(build->lap_flags);
	}
	build->wrap_flags = build->lap_flags;

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = cpu_to_le16(vring->free_head);
}

/* In a table all flags but this one are reserved, and so is the ID (2.8.7). */
static __always_inline void packed_append_table(struct packed_build *build,
						dma_addr_t addr,
						unsigned int len,
						unsigned int flags)
{
	struct vring_packed_desc *desc = build->next++;

	desc->addr = cpu_to_le64(addr);
	desc->len = cpu_to_le32(len);
	desc->id = 0;
	desc->flags = cpu_to_le16(flags);
}

static __always_inline void packed_append(struct vring_virtqueue *vring,
					  struct packed_build *build,
					  dma_addr_t addr, unsigned int len,
					  unsigned int flags, bool indirect)
{
	if (indirect)
		packed_append_table(build, addr, len, flags);
	else
		packed_append_ring(vring, build, addr, len, flags);
}

/* To be inlined with constants: a loop for each kind of buffer and address */
static __always_inline int packed_append_list(struct vring_virtqueue *vring,
					      struct packed_build *build,
					      struct scatterlist *sg,
					      unsigned int nents,
					      enum dma_data_direction dir,
					      bool indirect, bool plain)
{
	unsigned int flags = dir == DMA_FROM_DEVICE ? VRING_DESC_F_WRITE : 0;
	dma_addr_t addr;

	for (;;) {
		addr = vring_map_sg(vring, sg, dir, plain);
		if (!plain && unlikely(addr == DMA_MAPPING_ERROR))
			return -ENOMEM;
		packed_append(vring, build, addr, sg->length, flags, indirect);
		build->in_len += sg->length;
		if (!--nents || sg_is_last(sg))
			break;
		sg = vring_sg_next(sg);
	}
	/* No writable element has come before readable ones. */
	if (!flags) {
		build->in_len = 0;
		build->head_flags = 0;
	}
	return nents;
}

/*
 * Append a list, but no more than @nents elements.  By how many it was shorter,
 * or an error.
 */
static __always_inline int packed_append_sg(struct vring_virtqueue *vring,
					    struct packed_build *build,
					    struct scatterlist *sg,
					    unsigned int nents,
					    enum dma_data_direction dir)
{
	if (unlikely(!vring->plain))
		return packed_append_list(vring, build, sg, nents, dir,
					  build->indirect, false);
	if (build->indirect)
		return packed_append_list(vring, build, sg, nents, dir, true,
					  true);
	return packed_append_list(vring, build, sg, nents, dir, false, true);
}

/* The buffer has @num elements: make it available, or part of a batch. */
static __always_inline void packed_finish(struct vring_virtqueue *vring,
					  struct packed_build *build,
					  unsigned int num)
{
	struct vring_packed_desc *ring = vring->rings.packed.desc;
	struct vring_state *state = build->state;
	u16 head = vring->next_avail;
	unsigned int flags, size;

	if (build->indirect) {
		size = num * sizeof(struct vring_packed_desc);
		num = 1;
		build->head_flags = VRING_DESC_F_INDIRECT;
		packed_build_in_ring(vring, build);
		packed_append_ring(vring, build, state->table->dma, size, 0);
	}
	build->prev->flags = cpu_to_le16(build->prev_flags);
	vring_commit(vring, state, build->in_len, num);
	vring->free_head = state->next;

	flags = build->head_flags | vring->lap_flags;
	if (num > 1)
		flags |= VRING_DESC_F_NEXT;
	if (vring->published == head)
		vring->published_flags = flags;
	else
		ring[packed_index(head)].flags = cpu_to_le16(flags);

	/* In a lap where the wrap counter is 1 this flag is 0. */
	vring->next_avail = (build->next - ring) |
			    (~build->lap_flags & PACKED_USED);
	vring->lap_flags = build->lap_flags;
}

/*
 * The buffer will not be.  A shorter one may come next: what is behind that
 * must not look available.  The wrap counter is part of next_avail, which did
 * not move.
 */
static void packed_erase(struct vring_virtqueue *vring,
			 const struct vring_packed_desc *end, u16 end_lap)
{
	struct vring_packed *ring = &vring->rings.packed;
	struct vring_packed_desc *desc;
	u16 flags = packed_other_lap(vring->lap_flags);

	desc = ring->desc + packed_index(vring->next_avail);
	while (desc != end || flags == end_lap) {
		desc->flags = cpu_to_le16(flags);
		if (++desc == ring->end) {
			desc = ring->desc;
			flags = packed_other_lap(flags);
		}
	}
}

static __always_inline void packed_cancel(struct vring_virtqueue *vring,
					  const struct packed_build *build)
{
	if (!build->indirect)
		packed_erase(vring, build->next, build->lap_flags);
	vring_cancel(vring, build->state);
}

int vring_packed_start_buf(struct virtqueue *vq, unsigned int out,
			   unsigned int in, void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);

	return packed_start(vring, &vring->packed_build, out, out + in, data,
			    ctx, gfp);
}

static inline int packed_add_one(struct vring_virtqueue *vring, dma_addr_t addr,
				 unsigned int len, enum dma_data_direction dir)
{
	struct packed_build *build = &vring->packed_build;
	unsigned int flags = 0;

	if (dir == DMA_FROM_DEVICE) {
		flags = VRING_DESC_F_WRITE;
		build->in_len += len;
	} else {
		build->head_flags = 0;
	}
	if (build->indirect)
		packed_append_table(build, addr, len, flags);
	else
		packed_append_ring(vring, build, addr, len, flags);
	return 0;
}

int vring_packed_add_dma(struct virtqueue *vq, dma_addr_t addr,
			 unsigned int len, enum dma_data_direction dir)
{
	return packed_add_one(to_vring(vq), addr, len, dir);
}

/* Out of line, as with it packed_add_one() would have to save registers. */
static noinline int packed_add_mapped(struct vring_virtqueue *vring,
				      struct page *page, unsigned int offset,
				      unsigned int len,
				      enum dma_data_direction dir)
{
	dma_addr_t addr;

	addr = vring_map_dma(vring, page, offset, len, dir);
	if (unlikely(addr == DMA_MAPPING_ERROR))
		return -ENOMEM;
	return packed_add_one(vring, addr, len, dir);
}

int vring_packed_add_page(struct virtqueue *vq, struct page *page,
			  unsigned int offset, unsigned int len,
			  enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (unlikely(vring->rings.map))
		return packed_add_mapped(vring, page, offset, len, dir);
	return packed_add_one(vring, vring_phys(page, offset, len, dir), len, dir);
}

static noinline int packed_add_list(struct vring_virtqueue *vring,
				    struct scatterlist *sg, unsigned int nents,
				    enum dma_data_direction dir)
{
	struct packed_build build = vring->packed_build;	/* in registers */
	int left;

	left = packed_append_sg(vring, &build, sg, nents, dir);
	vring->packed_build = build;
	return left < 0 ? left : nents - left;
}

int vring_packed_add_sg(struct virtqueue *vq, struct scatterlist *sg,
			unsigned int nents, enum dma_data_direction dir)
{
	struct vring_virtqueue *vring = to_vring(vq);

	if (nents > 1 || unlikely(!vring->plain))
		return packed_add_list(vring, sg, nents, dir);
	packed_add_one(vring, vring_phys(sg_page(sg), sg->offset, sg->length, dir),
		       sg->length, dir);
	return 1;
}

int vring_packed_end_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	packed_finish(vring, &vring->packed_build, vq->build.added);
	return 0;
}

void vring_packed_cancel_buf(struct virtqueue *vq)
{
	struct vring_virtqueue *vring = to_vring(vq);

	packed_cancel(vring, &vring->packed_build);
}

/* A buffer of one list: vring_packed_add_sgs() without its loop */
int vring_packed_add_list(struct virtqueue *vq, struct scatterlist *sg,
			  unsigned int num, enum dma_data_direction dir,
			  void *data, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	struct packed_build build;	/* in registers */
	int err, left;

	err = packed_start(vring, &build, dir == DMA_TO_DEVICE, num, data, NULL,
			   gfp);
	if (unlikely(err))
		return err;
	left = packed_append_sg(vring, &build, sg, num, dir);
	if (unlikely(left < 0)) {
		packed_cancel(vring, &build);
		return left;
	}
	packed_finish(vring, &build, num - left);
	return 0;
}

int vring_packed_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			 unsigned int out_sgs, unsigned int in_sgs,
			 unsigned int num, void *data, void *ctx, gfp_t gfp)
{
	struct vring_virtqueue *vring = to_vring(vq);
	enum dma_data_direction dir;
	struct packed_build build;	/* in registers */
	unsigned int i;
	int err, left = num;

	err = packed_start(vring, &build, out_sgs, num, data, ctx, gfp);
	if (unlikely(err))
		return err;
	for (i = 0; i < out_sgs + in_sgs && left; i++) {
		dir = i < out_sgs ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
		left = packed_append_sg(vring, &build, sgs[i], left, dir);
		if (unlikely(left < 0)) {
			packed_cancel(vring, &build);
			return left;
		}
	}
	packed_finish(vring, &build, num - left);
	return 0;
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

static __always_inline void packed_put_buf(struct vring_virtqueue *vring,
					   struct vring_state *state, u16 id)
{
	vring_release(vring, state);
	vring->vq.num_free += state->num;
	if (vring->in_order)
		return;
	state->next = vring->free_head;
	vring->free_head = id;
}

static void packed_free_buf(struct vring_virtqueue *vring, u16 id)
{
	packed_put_buf(vring, &vring->rings.state[id], id);
}

/* Is there a used buffer at a position, or one of a batch that is half taken? */
static bool packed_used_at(const struct vring_virtqueue *vring, u16 pos)
{
	return READ_ONCE(vring->batch_last) >= 0 || packed_is_used(vring, pos);
}

static bool packed_more_used(const struct vring_virtqueue *vring)
{
	return packed_used_at(vring, READ_ONCE(vring->last_used));
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

/* Read the next used descriptor: true if it has a buffer ID in flight. */
static __always_inline bool packed_read_used(struct vring_virtqueue *vring,
					     u16 pos, u16 *used_id, u32 *len)
{
	struct vring_packed_desc *used;
	u16 id;

	used = &vring->rings.packed.desc[packed_index(pos)];
	id = le16_to_cpu(READ_ONCE(used->id));
	*len = le32_to_cpu(READ_ONCE(used->len));
	if (unlikely(id >= vring->rings.num)) {
		vring_break(vring, "used id %u is out of range", id);
		return false;
	}
	if (unlikely(!vring->rings.state[id].data)) {
		vring_break(vring, "used id %u is not in flight", id);
		return false;
	}
	*used_id = id;
	return true;
}

/*
 * In order (2.8.9): one used descriptor may stand for a batch of buffers, of
 * which it names the last.  It lies where the first one was made available; the
 * others are skipped, and are used in full.
 */
static bool packed_next_in_order(struct vring_virtqueue *vring, u16 pos,
				 u16 *used_id, u32 *len)
{
	u16 id = vring->oldest, last;
	struct vring_state *state = &vring->rings.state[id];

	if (vring->batch_last < 0) {
		if (!packed_read_used(vring, pos, &last, &vring->batch_len))
			return false;
		WRITE_ONCE(vring->batch_last, last);
	}
	*len = state->in_len;
	if (id == vring->batch_last) {
		*len = vring->batch_len;
		WRITE_ONCE(vring->batch_last, -1);
	}
	vring->oldest = state->next;
	*used_id = id;
	return true;
}

void *vring_packed_get_buf(struct virtqueue *vq, unsigned int *len, void **ctx)
{
	struct vring_virtqueue *vring = to_vring(vq);
	u16 pos = vring->last_used;
	struct vring_state *state;
	void *data;
	u16 id;

	if (!packed_used_at(vring, pos))
		return NULL;
	/*
	 * The flags before the rest: pairs with the device's barrier between
	 * writing the rest and the flags.
	 */
	virtio_rmb(vring->weak_barriers);

	if (vring->in_order ? !packed_next_in_order(vring, pos, &id, len) :
			      !packed_read_used(vring, pos, &id, len))
		return NULL;
	state = &vring->rings.state[id];
	data = vring_take(vring, state, len, ctx);
	pos = packed_advance(vring, pos, state->num);
	WRITE_ONCE(vring->last_used, pos);
	if (vring->event && !READ_ONCE(vring->cb_disabled) &&
	    !packed_used_at(vring, pos))
		packed_arm_event(vring);
	packed_put_buf(vring, state, id);
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

/*
 * Ask for a callback when the device uses the descriptor at a position.
 * Written in any case: a disable_cb on another CPU may be about to write as
 * well, after cb_disabled was seen to be false here.
 */
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
	return packed_used_at(vring, state);
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
	rings->packed.end = rings->packed.desc + num;
	rings->packed.driver = rings->mem.addr + events;
	rings->packed.device = rings->mem.addr + events + SMP_CACHE_BYTES;
	return 0;
}

static void packed_init(struct vring_virtqueue *vring)
{
	vring->next_avail = PACKED_WRAP;
	vring->published = PACKED_WRAP;
	vring->last_used = PACKED_WRAP;
	vring->lap_flags = PACKED_AVAIL;

	if (vring->cb_disabled)
		packed_write_event_flags(vring,
					 VRING_PACKED_EVENT_FLAG_DISABLE);
	else
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
		.add_sgs		= vring_packed_add_sgs,
		.add_list		= vring_packed_add_list,
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
