// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that does what the input says: uses buffers as it should, or nearly
 * so, or writes anything to any byte that it shares with the driver.
 */
#include <string.h>
#include "../../../drivers/virtio/virtio_ring_internal.h"
#include "fuzz.h"

#define MAX_REGIONS	64

/* The memory that both sides share: the ring, and pages of indirect tables */
static struct {
	u8 *start;
	size_t size;
} regions[MAX_REGIONS];

static void region_add(void *start, size_t size)
{
	unsigned int i;

	for (i = 0; i < MAX_REGIONS; i++) {
		if (regions[i].start)
			continue;
		regions[i].start = start;
		regions[i].size = size;
		return;
	}
}

static void region_remove(const void *start)
{
	unsigned int i;

	for (i = 0; i < MAX_REGIONS; i++)
		if (regions[i].start == start)
			regions[i].start = NULL;
}

void *__wrap_alloc_pages_exact(size_t size, gfp_t gfp)
{
	void *p = __real_alloc_pages_exact(size, gfp);

	if (p)
		region_add(p, size);
	return p;
}

void __wrap_free_pages_exact(void *virt, size_t size)
{
	region_remove(virt);
	__real_free_pages_exact(virt, size);
}

void *__wrap_dma_alloc_coherent(struct device *dev, size_t size,
				dma_addr_t *addr, gfp_t gfp)
{
	void *p = __real_dma_alloc_coherent(dev, size, addr, gfp);

	if (p)
		region_add(p, size);
	return p;
}

void __wrap_dma_free_coherent(struct device *dev, size_t size, void *cpu,
			      dma_addr_t addr)
{
	region_remove(cpu);
	__real_dma_free_coherent(dev, size, cpu, addr);
}

/* The ring */

static struct vring_desc *desc;
static struct vring_packed_desc *packed_desc;
static u16 *driver_area;
static u16 *device_area;

static void *cpu_address(dma_addr_t addr)
{
	return fuzz.access ? shim_dma_to_cpu(addr, 1, DMA_NONE) :
			     shim_phys_to_cpu(addr, 1);
}

void liar_attach(u32 pos)
{
	fuzz.num = virtqueue_get_vring_size(fuzz.vq);
	fuzz.added = pos;
	fuzz.used_pos = pos;
	desc = cpu_address(virtqueue_get_desc_addr(fuzz.vq));
	packed_desc = (void *)desc;
	driver_area = cpu_address(virtqueue_get_avail_addr(fuzz.vq));
	device_area = cpu_address(virtqueue_get_used_addr(fuzz.vq));
}

void liar_see(struct fuzz_buf *buf)
{
	if (fuzz.packed) {
		fuzz.added += buf->taken;
		buf->id = packed_desc[(fuzz.added - 1) % fuzz.num].id;
	} else {
		buf->id = driver_area[2 + fuzz.added % fuzz.num];
		fuzz.added++;
	}
}

/* The driver publishes all that it has added, at once. */
void liar_look(void)
{
	const struct vring_virtqueue *vring = to_vring(fuzz.vq);
	unsigned int i;

	if (fuzz.packed ? !!vring->packed.held_desc :
			  vring->split.published != vring->split.next_avail)
		return;
	for (i = 0; i < fuzz.count; i++)
		fuzz.order[i]->published = true;
}

/* Use buffers; a twist spoils one of the fields. */

enum twist {
	TWIST_ID = 8, TWIST_ID_HIGH, TWIST_LEN, TWIST_FLAGS, TWIST_STAY,
	TWIST_FAR, TWIST_BACK,
};

struct claim {
	u32 id;
	u32 len;
	u32 steps;	/* split: buffers, packed: descriptors */
	u16 flip;
};

static void twist(struct claim *claim, u8 how)
{
	switch (how & 15) {
	case TWIST_ID:
		claim->id ^= 1 << (how >> 4) % 4;
		break;
	case TWIST_ID_HIGH:
		claim->id ^= 1 << (8 + how / 16);
		break;
	case TWIST_LEN:
		claim->len = ~0U << how / 16;
		break;
	case TWIST_FLAGS:
		claim->flip = 1 << how / 16;
		break;
	case TWIST_STAY:
		claim->steps = 0;
		break;
	case TWIST_FAR:
		claim->steps += 1 << how / 16;
		break;
	case TWIST_BACK:
		claim->steps -= 1 + how / 16;
		break;
	default:
		break;
	}
}

static void put_split(const struct claim *claim)
{
	struct vring_used_elem *elem = (void *)(device_area + 2);

	elem += fuzz.used_pos % fuzz.num;
	elem->id = claim->id;
	elem->len = claim->len;
	fuzz.used_pos += claim->steps;
	device_area[1] = fuzz.used_pos;
	device_area[0] ^= claim->flip;
}

static void put_packed(const struct claim *claim)
{
	struct vring_packed_desc *used;

	used = &packed_desc[fuzz.used_pos % fuzz.num];
	used->id = claim->id;
	used->len = claim->len;
	used->flags = (fuzz.used_pos / fuzz.num & 1 ? 0 : 0x8080) ^ claim->flip;
	fuzz.used_pos += claim->steps;
}

static void put(const struct claim *claim)
{
	if (fuzz.packed)
		put_packed(claim);
	else
		put_split(claim);
}

/* The n-th of those that can be used and were not yet, NULL if there are none */
static struct fuzz_buf *unused(unsigned int n)
{
	struct fuzz_buf *buf = NULL;
	unsigned int i;

	liar_look();
	for (i = 0; i < fuzz.count; i++) {
		if (fuzz.order[i]->used || !fuzz.order[i]->published)
			continue;
		buf = fuzz.order[i];
		if (!n--)
			break;
	}
	return buf;
}

static u32 used_len(const struct fuzz_buf *buf)
{
	u8 byte = device_byte();

	return byte & 1 ? buf->in_len : min_t(u32, byte, buf->in_len);
}

static void use_one(u8 how)
{
	struct fuzz_buf *buf = unused(device_byte());
	struct claim claim = {};

	if (!buf)
		return;
	buf->used = true;
	claim.id = buf->id;
	claim.len = used_len(buf);
	claim.steps = fuzz.packed ? buf->taken : 1;
	twist(&claim, how);
	put(&claim);
}

/* A batch, named by the last of it: what in-order devices may do */
static void use_batch(u8 how)
{
	unsigned int n = 1 + device_byte() % 8;
	struct fuzz_buf *buf, *last = NULL;
	struct claim claim = {};

	while (n-- && (buf = unused(0))) {
		buf->used = true;
		claim.steps += fuzz.packed ? buf->taken : 1;
		last = buf;
	}
	if (!last)
		return;
	claim.id = last->id;
	claim.len = used_len(last);
	twist(&claim, how);
	put(&claim);
}

/* A buffer that is not in flight or not published, or one that was used */
static void use_any_id(u8 how)
{
	struct claim claim = { .id = device_byte() % fuzz.num, .steps = 1 };

	if (fuzz.count && how & 128)
		claim.id = fuzz.order[fuzz.count - 1]->id;

	twist(&claim, how);
	put(&claim);
}

/* Ask for notifications of positions around the driver's. */
static void set_event(u8 how)
{
	u16 at = fuzz.added + (s8)device_byte();

	if (fuzz.packed) {
		device_area[0] = at % fuzz.num | (how & 16) << 11;
		device_area[1] = how & 3;
	} else if (how & 1) {
		device_area[2 + 4 * fuzz.num] = at;
	} else {
		device_area[0] = how >> 4;
	}
}

static void set_used_pos(void)
{
	s8 move = device_byte();

	fuzz.used_pos += move;
	if (!fuzz.packed)
		device_area[1] = fuzz.used_pos;
}

/* Spoil a descriptor, a field at a time. */
static void spoil_desc(u8 how)
{
	u16 *field = (u16 *)&desc[device_byte() % fuzz.num];

	field += (how >> 4) % 8;
	*field = how & 8 ? device_byte() : *field ^ 1 << (how & 7) * 2;
}

/* Anything anywhere */
static void spoil_byte(u8 how)
{
	unsigned int region = how % 8, i, offset;

	offset = device_byte();
	offset |= device_byte() << 8;
	for (i = 0; i < MAX_REGIONS; i++)
		if (regions[i].start && !region--)
			break;
	if (i == MAX_REGIONS)
		return;
	regions[i].start[offset % regions[i].size] = device_byte();
}

static void spoil_driver_area(void)
{
	unsigned int words = fuzz.packed ? 2 : 3 + fuzz.num;

	driver_area[device_byte() % words] = device_byte();
}

void liar_act(void)
{
	u8 how = device_byte();

	switch (device_byte() % 12) {
	case 0:
	case 1:
	case 2:
		if (fuzz.in_order)
			use_batch(how);
		else
			use_one(how);
		break;
	case 3:
		use_one(how);
		break;
	case 4:
		use_batch(how);
		break;
	case 5:
		use_any_id(how);
		break;
	case 6:
		set_event(how);
		break;
	case 7:
		set_used_pos();
		break;
	case 8:
		spoil_desc(how);
		break;
	case 9:
		spoil_byte(how);
		break;
	case 10:
		spoil_driver_area();
		break;
	default:
		if (how < 0xf0) {
			vring_interrupt(0, fuzz.vq);
		} else {
			/* The device was pulled out. */
			fuzz.broken_by_us |= !virtqueue_is_broken(fuzz.vq);
			fuzz.unplugged = true;
			virtio_break_device(&fuzz.vdev);
		}
		break;
	}
}
