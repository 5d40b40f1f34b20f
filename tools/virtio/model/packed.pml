/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packed ring: virtio_ring_packed.c. A descriptor is two locations: its flags,
 * and the rest, in which the device puts the buffer ID. An event is one location:
 * 32 bits that are read at once.
 */
#define NUM		2
#define TOTAL		5

#define AVAIL_AT(n)	((n) % NUM)
#define USED_AT(n)	((n) % NUM)
#define FLAGS_AT(n)	(NUM + (n) % NUM)
#define USED_EVENT	(2 * NUM)
#define AVAIL_EVENT	(2 * NUM + 1)
#define LOCS		(2 * NUM + 2)

#include "names.pml"
#include "memory.pml"

/* Bits AVAIL (1) and USED (2), by the wrap counter of the lap that n is in */
#define AVAILABLE(n)	(((n) / NUM) % 2 -> 2 : 1)
#define IS_USED(n)	(((n) / NUM) % 2 -> 0 : 3)

#define is_used(n)	(load(DRIVER, FLAGS_AT(n)) == IS_USED(n))
#define is_available(n)	(load(DEVICE, FLAGS_AT(n)) == AVAILABLE(n))

/* Whether one was used is all that is known. */
#define too_late(n, wait)	is_used(n)

/* ring_finish(): the flags of the first descriptor that is not public are held back. */
inline add_buffer(first, n)
{
	store(DRIVER, AVAIL_AT(n), n);
	if
	:: (n) != (first) -> store(DRIVER, FLAGS_AT(n), AVAILABLE(n))
	:: else
	fi
}

/* ring_publish() */
inline publish(first, next) { store(DRIVER, FLAGS_AT(first), AVAILABLE(first)) }

inline put_used(first, next) { store(DEVICE, FLAGS_AT(first), IS_USED(first)) }

#include "protocol.pml"
