// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process can do to its driver: die, keep it waiting, and lie. And what it leaves
 * to the process that goes on.
 */
#include <endian.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include "test.h"
#include "vduse.h"

#define LATE_SECONDS	3

#define DESC_SIZE	sizeof(struct vring_packed_desc)
#define DESC_FLAGS	offsetof(struct vring_packed_desc, flags)
#define DESC_F_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define DESC_F_USED	BIT(VRING_PACKED_DESC_F_USED)

struct behaviour behaviour;
static const struct storage *honest;
static atomic_bool wanted;
static atomic_bool lied;

/* ---- what is left ---- */

/*
 * For each queue, in one word that is written at once: the place of the used element that
 * is about to be written, and how many places it stands for. Nothing else is under way
 * then. The process may end before that or after it: the ring says so. 0: there was none.
 */
static u64 nothing[MAX_QUEUES];
static u64 *journal = nothing;

void journal_open(const char *file)
{
	journal = map_file(file, sizeof(nothing), 0);
}

void journal_clear(void)
{
	unsigned int n;

	for (n = 0; n < MAX_QUEUES; n++)
		__atomic_store_n(&journal[n], 0, __ATOMIC_RELAXED);
}

static void journal_note(unsigned int n, const struct device_queue *dq,
			 const struct device_buf *buf)
{
	__atomic_store_n(&journal[n], dq->used << 16 | buf->steps, __ATOMIC_RELAXED);
}

static u16 ring16(u64 addr)
{
	const u16 *place = transport_memory(addr, sizeof(*place));

	check(place, "a ring that is not in memory");
	return le16toh(__atomic_load_n(place, __ATOMIC_RELAXED));
}

/* Is the element at @pos as the driver made it available? */
static bool is_unused(const struct transport_ring *ring, u64 pos)
{
	u16 flags;

	if (!(ring->features & FEATURE(VIRTIO_F_RING_PACKED)))
		return ring16(ring->device + 2) == (u16)pos;
	flags = ring16(ring->desc + pos % ring->num * DESC_SIZE + DESC_FLAGS);
	return (flags & (DESC_F_AVAIL | DESC_F_USED)) ==
	       (pos / ring->num & 1 ? DESC_F_USED : DESC_F_AVAIL);
}

bool journal_place(unsigned int n, const struct transport_ring *ring, u16 *place)
{
	u64 pos = journal[n] >> 16;
	u16 steps = journal[n];

	if (!steps)
		return false;
	if (!is_unused(ring, pos))
		pos += steps;
	if (ring->features & FEATURE(VIRTIO_F_RING_PACKED))
		*place = pos % ring->num | !(pos / ring->num & 1) << 15;
	else
		*place = pos;
	return true;
}

/* ---- lies ---- */

bool behave_has_lied(void)
{
	return lied;
}

static void fill_at_random(const struct device_queue *dq, u64 addr, size_t len)
{
	u8 *place = device_write(dq, addr, len);

	while (len--)
		__atomic_store_n(place++, random(), __ATOMIC_RELAXED);
}

/* All that the two sides share, again and again, until the kernel wants no interrupts */
static void scribble(const struct device_queue *dq, unsigned int n)
{
	bool packed = dq->ops == &device_packed;

	do {
		fill_at_random(dq, dq->desc, DESC_SIZE * dq->num);
		fill_at_random(dq, dq->driver, packed ? 4 : 6 + 2 * dq->num);
		fill_at_random(dq, dq->device, packed ? 4 : 6 + 8 * dq->num);
	} while (transport_interrupt(n));
}

/* This thread keeps the lock of the queues: messages are answered without it then. */
static void lie(struct device_queue *dq, unsigned int n)
{
	lied = true;
	if (!strcmp(behaviour.misdeed, "scribble"))
		scribble(dq, n);
	else
		dq->ops->put_used(dq, dq->num, 1, 1);
	transport_interrupt(n);
	if (!strcmp(behaviour.misdeed, "id-die"))
		raise(SIGKILL);
	for (;;)
		pause();
}

static void misbehave(struct device_queue *dq, unsigned int n)
{
	if (!strcmp(behaviour.misdeed, "late"))
		sleep(LATE_SECONDS);
	else if (!strcmp(behaviour.misdeed, "die"))
		raise(SIGKILL);
	else
		lie(dq, n);
}

static u32 serve(const struct device_queue *dq, unsigned int n, const struct device_buf *buf)
{
	u32 len;

	if (atomic_exchange(&wanted, false))
		misbehave(queue_ring(n), n);
	len = honest->serve(dq, n, buf);
	journal_note(n, dq, buf);
	return len;
}

static void want(int signal)
{
	wanted = true;
}

const struct storage *behave_as(const struct storage *storage)
{
	static struct storage copy;

	honest = storage;
	copy = *storage;
	copy.serve = serve;
	if (behaviour.misdeed)
		signal(SIGUSR1, want);
	return &copy;
}
