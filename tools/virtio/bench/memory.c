// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a queue takes, as CSV: WHAT,STOCK,OURS in bytes.
 *
 * The linker sends the allocations of both cores here (--wrap). Each counts as
 * the kernel's allocators would round it: kmalloc's sizes up to two pages,
 * whole pages above and for rings.
 */
#include "bench.h"
#include "memory.h"
#include <stdio.h>
#include <stdlib.h>

#define PAGE		4096
#define IN_FLIGHT	64
/* What core_create() and core_prepare() allocate for themselves, first of all */
#define CREATE_OWN	1
#define PREPARE_OWN	2

static struct {
	bool on;
	unsigned int skip;
	long live;
	long peak;
} bill;

/* What was billed for memory that is not yet freed */
static struct {
	void *p;
	long size;
} items[MAX_RING];

static size_t kmalloc_size(size_t size)
{
	size_t room = 8;

	if (size > 2 * PAGE)
		return (size + PAGE - 1) / PAGE * PAGE;
	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	while (room < size)
		room *= 2;
	return room;
}

static void *charge(void *p, size_t size)
{
	unsigned int i;

	if (!bill.on || !p)
		return p;
	if (bill.skip) {
		bill.skip--;
		return p;
	}
	for (i = 0; items[i].p; i++)
		if (i == MAX_RING - 1)
			abort();
	items[i].p = p;
	items[i].size = size;
	bill.live += size;
	if (bill.live > bill.peak)
		bill.peak = bill.live;
	return p;
}

void *__wrap_malloc(size_t size)
{
	return charge(__real_malloc(size), kmalloc_size(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return charge(__real_calloc(n, size), kmalloc_size(n * size));
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return charge(__real_aligned_alloc(align, size),
		      (size + PAGE - 1) / PAGE * PAGE);
}

void __wrap_free(void *p)
{
	unsigned int i;

	for (i = 0; p && i < MAX_RING; i++) {
		if (items[i].p == p) {
			bill.live -= items[i].size;
			items[i].p = NULL;
		}
	}
	__real_free(p);
}

struct memory {
	long queue;		/* when nothing was sent */
	long request;		/* more for each in flight */
	long kept;		/* of that when all have ended */
};

static struct memory measure(const struct core *core, bool packed,
			     enum shape shape)
{
	struct queue_config config = {
		.ring = 256, .packed = packed, .indirect = true, .event = true,
	};
	struct load load = {
		.shape = shape, .batch = IN_FLIGHT, .requests = IN_FLIGHT,
		.api = core == &ours_counted ? PIECE : OLD,
	};
	struct device_side dev;
	struct memory memory;
	void *queue;

	bill.on = true;
	bill.skip = CREATE_OWN;
	bill.live = 0;
	queue = core->create(&config);
	memory.queue = bill.live;
	bill.peak = bill.live;

	core->attach(queue, &dev);
	dev.chain = chain_of(shape);
	dev.written = shapes[shape].written;
	bill.skip = PREPARE_OWN;
	core->prepare(queue, &load);
	core->run(queue, &load, &dev, 4);
	memory.request = (bill.peak - memory.queue) / IN_FLIGHT;
	memory.kept = bill.live - memory.queue;
	bill.on = false;
	core->destroy(queue);
	return memory;
}

static void compare(bool packed, enum shape shape)
{
	const char *layout = packed ? "packed" : "split";
	struct memory stock = measure(&stock_counted, packed, shape);
	struct memory ours = measure(&ours_counted, packed, shape);

	if (shape == BLOCK_4K)
		printf("%s queue of 256,%ld,%ld\n", layout, stock.queue,
		       ours.queue);
	printf("%s table of a %s request with %u in flight,%ld,%ld\n", layout,
	       shapes[shape].name, IN_FLIGHT, stock.request, ours.request);
	printf("%s tables kept after %u of these,%ld,%ld\n", layout, IN_FLIGHT,
	       stock.kept, ours.kept);
}

int main(void)
{
	compare(false, BLOCK_4K);
	compare(false, BLOCK_128K);
	compare(true, BLOCK_4K);
	compare(true, BLOCK_128K);
	return 0;
}
