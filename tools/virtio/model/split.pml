/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The split ring: virtio_ring_split.c. An available entry and the descriptors that it
 * leads to are one location, with the number of the buffer.
 */
#define NUM		2
#define TOTAL		5

#define AVAIL_AT(n)	((n) % NUM)
#define USED_AT(n)	(NUM + (n) % NUM)
#define AVAIL_IDX	(2 * NUM)
#define USED_IDX	(2 * NUM + 1)
#define USED_EVENT	(2 * NUM + 2)
#define AVAIL_EVENT	(2 * NUM + 3)
#define LOCS		(2 * NUM + 4)

#include "names.pml"
#include "memory.pml"

#define is_used(n)	(load(DRIVER, USED_IDX) != (n))
#define is_available(n)	(load(DEVICE, AVAIL_IDX) != (n))

/* Were more than @wait used? */
#define too_late(n, wait) \
	(((load(DRIVER, USED_IDX) - (n)) & 255) > (wait))

/* ring_finish() */
inline add_buffer(first, n) { store(DRIVER, AVAIL_AT(n), n) }

/* ring_publish() */
inline publish(first, next) { store(DRIVER, AVAIL_IDX, next) }

inline put_used(first, next) { store(DEVICE, USED_IDX, next) }

#include "protocol.pml"
