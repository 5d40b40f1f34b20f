// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is common to the device's side of both layouts.
 */
#include <endian.h>
#include "device.h"
#include "shim.h"
#include "test.h"

static void *translate(const struct device_queue *dq, u64 addr, size_t len,
		       enum dma_data_direction dir)
{
	if (dq->cpu_addrs)
		return (void *)(unsigned long)addr;
	if (dq->iommu)
		return shim_dma_to_cpu(addr, len, dir);
	return shim_phys_to_cpu(addr, len);
}

const void *device_read(const struct device_queue *dq, u64 addr, size_t len)
{
	return translate(dq, addr, len, DMA_TO_DEVICE);
}

void *device_write(const struct device_queue *dq, u64 addr, size_t len)
{
	return translate(dq, addr, len, DMA_FROM_DEVICE);
}

u16 device_read16(const struct device_queue *dq, u64 addr)
{
	const volatile u16 *p = device_read(dq, addr, sizeof(*p));

	return dq->native ? *p : le16toh(*p);
}

void device_write16(const struct device_queue *dq, u64 addr, u16 val)
{
	volatile u16 *p = device_write(dq, addr, sizeof(*p));

	*p = dq->native ? val : htole16(val);
}

bool device_pop(struct device_queue *dq, struct device_buf *buf)
{
	if (dq->ops->look(dq) == dq->popped)
		return false;
	buf->out = 0;
	buf->in = 0;
	buf->in_len = 0;
	buf->indirect = false;
	dq->ops->pop(dq, buf);
	check(buf->out + buf->in, "device: a buffer without elements");
	return true;
}

void device_use(struct device_queue *dq, const struct device_buf *buf, u32 len)
{
	check(len <= buf->in_len, "test: used length beyond the buffer");
	dq->ops->put_used(dq, buf->id, len, buf->steps);
	dq->ops->forget(dq, buf);
}

void device_set_kicks(struct device_queue *dq, enum device_kicks kicks,
		      u64 event)
{
	dq->kicks = kicks;
	dq->kick_event = event;
	dq->ops->set_kicks(dq);
}

bool device_wants_irq(struct device_queue *dq)
{
	u64 old = dq->told;

	dq->told = dq->used;
	return dq->used != old && dq->ops->wants_irq(dq, old, dq->used);
}

/* 2.6.4.2, 2.8.17.1: readable elements come before writable ones. */
void device_add_elem(struct device_buf *buf, u64 addr, u32 len, bool write)
{
	unsigned int n = buf->out + buf->in;

	check(n < DEVICE_MAX_ELEMS, "device: a buffer of too many elements");
	check(len, "device: an element of no bytes");
	check(write || !buf->in, "device: readable element after a writable one");
	buf->elem[n].addr = addr;
	buf->elem[n].len = len;
	buf->elem[n].write = write;
	if (write) {
		buf->in++;
		buf->in_len += len;
	} else {
		buf->out++;
	}
	check(buf->in_len <= 1ULL << 32, "device: more than 4 GiB in a buffer");
}
