/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two layouts of a virtqueue in memory that driver and device share: split
 * rings (one area for each direction and one for descriptors) and packed rings
 * (one area for all).
 *
 * All of it is interface, for drivers and devices in and outside of the kernel:
 * a layout or value in here never changes. Section numbers refer to version 1.2
 * of the virtio specification.
 *
 * VIRTIO_RING_NO_LEGACY, when defined before this header is included, leaves
 * out what is about the single memory area of legacy split rings.
 *
 * This header is BSD licensed:
 *
 * Redistribution and use in source and binary forms, with or without
 * modification, are permitted provided that the following conditions are
 * met:
 *
 * 1. Redistributions of source code must retain the above copyright notice,
 *    this list of conditions and the following disclaimer.
 * 2. Redistributions in binary form must reproduce the above copyright
 *    notice, this list of conditions and the following disclaimer in the
 *    documentation and/or other materials provided with the distribution.
 * 3. Neither the name of IBM nor the names of its contributors may be used
 *    to endorse or promote products derived from this software without
 *    specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS ``AS
 * IS'' AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED
 * TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A
 * PARTICULAR PURPOSE ARE DISCLAIMED.  IN NO EVENT SHALL IBM OR CONTRIBUTORS
 * BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR
 * CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF
 * SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS
 * INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN
 * CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)
 * ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF
 * THE POSSIBILITY OF SUCH DAMAGE.
 *
 * Copyright Rusty Russell IBM Corporation 2007.
 */
#ifndef _UAPI_LINUX_VIRTIO_RING_H
#define _UAPI_LINUX_VIRTIO_RING_H

#ifndef __KERNEL__
#include <stdint.h>
#endif
#include <linux/types.h>
#include <linux/virtio_types.h>

/* Descriptor flags of both layouts (2.7.5, 2.8.6) */

/* The buffer goes on in another descriptor. */
#define VRING_DESC_F_NEXT	1
/* For the device to write; without it, for the device to read. */
#define VRING_DESC_F_WRITE	2
/* The memory holds a table of descriptors, not data. */
#define VRING_DESC_F_INDIRECT	4

/*
 * Descriptor flags of the packed layout (2.8.1). These are numbers of bits, not
 * masks. Each side compares them with its wrap counter.
 */
#define VRING_PACKED_DESC_F_AVAIL	7
#define VRING_PACKED_DESC_F_USED	15

/*
 * Notification suppression, split (2.7.7, 2.7.10): a hint by which one side
 * saves the other the trouble. Whoever sets it must expect to be notified.
 */

/* vring_used.flags: the device asks the driver not to kick. */
#define VRING_USED_F_NO_NOTIFY		1
/* vring_avail.flags: the driver asks the device not to interrupt. */
#define VRING_AVAIL_F_NO_INTERRUPT	1

/* Notification suppression, packed (2.8.14): vring_packed_desc_event.flags */

/* Notify always. */
#define VRING_PACKED_EVENT_FLAG_ENABLE	0x0
/* Notify never. */
#define VRING_PACKED_EVENT_FLAG_DISABLE	0x1
/* Notify at the place in off_wrap; needs VIRTIO_RING_F_EVENT_IDX. */
#define VRING_PACKED_EVENT_FLAG_DESC	0x2

/* The number of the bit in off_wrap that holds the wrap counter. */
#define VRING_PACKED_EVENT_F_WRAP_CTR	15

/* Feature bits of the rings (6) */

/* A descriptor may stand for a table of descriptors (2.7.5.3, 2.8.7). */
#define VIRTIO_RING_F_INDIRECT_DESC	28

/*
 * Each side names the place at which it wants to be notified next (2.7.7,
 * 2.7.10, 2.8.14); on split rings this takes the place of the two flags.
 */
#define VIRTIO_RING_F_EVENT_IDX		29

/* Alignment in bytes of the three parts of a split ring (2.7) */
#define VRING_AVAIL_ALIGN_SIZE	2
#define VRING_USED_ALIGN_SIZE	4
#define VRING_DESC_ALIGN_SIZE	16

/*
 * Split rings: types with two underscores (__virtio16) are little-endian, or in
 * the guest's own byte order for a legacy device (2.7.3).
 */

/**
 * struct vring_desc - one entry of the descriptor table (2.7.5)
 * @addr: where the memory is: a guest physical or a DMA address
 * @len: how much there is of it, in bytes
 * @flags: VRING_DESC_F_*
 * @next: with VRING_DESC_F_NEXT, the number of the descriptor that follows
 */
struct vring_desc {
	__virtio64 addr;
	__virtio32 len;
	__virtio16 flags;
	__virtio16 next;
};

/**
 * struct vring_avail - what the driver has made available (2.7.6)
 * @flags: VRING_AVAIL_F_NO_INTERRUPT or 0
 * @idx: how many buffers were made available so far, modulo 65536
 * @ring: the first descriptor of each buffer, one entry for each descriptor
 */
struct vring_avail {
	__virtio16 flags;
	__virtio16 idx;
	__virtio16 ring[];
};

/**
 * struct vring_used_elem - one buffer that the device has used (2.7.8)
 * @id: the number of the buffer's first descriptor
 * @len: how many bytes the device has written into the buffer
 */
struct vring_used_elem {
	__virtio32 id;
	__virtio32 len;
};

typedef struct vring_used_elem __attribute__((aligned(VRING_USED_ALIGN_SIZE)))
	vring_used_elem_t;

/**
 * struct vring_used - what the device has used (2.7.8)
 * @flags: VRING_USED_F_NO_NOTIFY or 0
 * @idx: how many buffers were used so far, modulo 65536
 * @ring: the used buffers, one entry for each descriptor
 */
struct vring_used {
	__virtio16 flags;
	__virtio16 idx;
	vring_used_elem_t ring[];
};

/*
 * The parts as pointers see them. The other side may have placed them with just
 * the alignment above, which on some machines is less than the compiler assumes
 * for the struct. A typedef can lower the alignment, an attribute of the struct
 * can only raise it.
 */
typedef struct vring_desc __attribute__((aligned(VRING_DESC_ALIGN_SIZE)))
	vring_desc_t;
typedef struct vring_avail __attribute__((aligned(VRING_AVAIL_ALIGN_SIZE)))
	vring_avail_t;
typedef struct vring_used __attribute__((aligned(VRING_USED_ALIGN_SIZE)))
	vring_used_t;

/**
 * struct vring - where the parts of a split ring are, in the user's own memory
 * @num: how many descriptors there are, a power of two
 * @desc: the descriptor table
 * @avail: the available ring, that the driver writes
 * @used: the used ring, that the device writes
 */
struct vring {
	unsigned int num;

	vring_desc_t *desc;

	vring_avail_t *avail;

	vring_used_t *used;
};

#ifndef VIRTIO_RING_NO_LEGACY

/*
 * A split ring in one piece, as legacy devices need it (2.7.2); modern ones
 * accept it as well:
 *
 *	offset		bytes
 *	0		16 * num	descriptor table
 *	16 * num	4 + 2 * num	available ring: flags, idx, ring[num]
 *	  then		2		used_event
 *	  then				unused, up to the next multiple of align
 *	  then		4 + 8 * num	used ring: flags, idx, ring[num]
 *	  then		2		avail_event
 *
 * The event indexes came later than the rings. Each stands behind the ring that
 * its own writer writes: so used_event behind available and the other way round.
 */
#define vring_used_event(vr) ((vr)->avail->ring[(vr)->num])
#define vring_avail_event(vr) (*(__virtio16 *)&(vr)->used->ring[(vr)->num])

/**
 * vring_init - point a struct vring at a ring in one piece (2.7.2)
 * @vr: what to fill in
 * @num: how many descriptors there are, a power of two
 * @p: where the ring starts
 * @align: what the used ring is aligned to, in bytes, a power of two
 */
static inline void vring_init(struct vring *vr, unsigned int num, void *p,
			      unsigned long align)
{
	uintptr_t desc = (uintptr_t)p;
	uintptr_t avail = desc + num * sizeof(struct vring_desc);
	uintptr_t avail_end = avail + sizeof(__virtio16) * (3 + (uintptr_t)num);

	vr->num = num;
	vr->desc = (vring_desc_t *)p;
	vr->avail = (vring_avail_t *)avail;
	vr->used = (vring_used_t *)((avail_end + align - 1) & ~(align - 1));
}

/**
 * vring_size - how many bytes a ring in one piece takes (2.7.2)
 * @num: how many descriptors there are, a power of two
 * @align: what the used ring is aligned to, in bytes, a power of two
 *
 * Return: the size in bytes.
 */
static inline unsigned int vring_size(unsigned int num, unsigned long align)
{
	unsigned long desc = sizeof(struct vring_desc) * num;
	unsigned long avail = sizeof(__virtio16) * (3 + (unsigned long)num);
	unsigned long used = sizeof(__virtio16) * 3 +
			     sizeof(struct vring_used_elem) * num;

	return (unsigned int)(((desc + avail + align - 1) & ~(align - 1)) + used);
}

#endif /* VIRTIO_RING_NO_LEGACY */

/**
 * vring_need_event - does the other side want to be notified? (2.7.7.2, 2.7.10.1)
 * @event_idx: the place that it has named
 * @new_idx: the index after the entries that were just added
 * @old: the index before them, at the time of the last decision
 *
 * It does if the entry with the number @event_idx is among those just added:
 * numbers wrap, so this is a question of distances from @new_idx.
 *
 * Return: 1 if it is to be notified, 0 if not.
 */
static inline int vring_need_event(__u16 event_idx, __u16 new_idx, __u16 old)
{
	__u16 behind = (__u16)(new_idx - event_idx - 1);
	__u16 added = (__u16)(new_idx - old);

	return behind < added;
}

/* Packed rings are little-endian always: there is no legacy form of them. */

/**
 * struct vring_packed_desc_event - when one side wants notifications (2.8.14)
 * @off_wrap: the place in the ring, with the wrap counter in the top bit
 * @flags: VRING_PACKED_EVENT_FLAG_*
 */
struct vring_packed_desc_event {
	__le16 off_wrap;
	__le16 flags;
};

/**
 * struct vring_packed_desc - one entry of a packed ring (2.8.6, 2.8.13)
 * @addr: where the memory is: a guest physical or a DMA address
 * @len: how much there is of it, or was written to it, in bytes
 * @id: the buffer's name, chosen by the driver and given back by the device
 * @flags: VRING_DESC_F_*, and the two bits VRING_PACKED_DESC_F_*
 */
struct vring_packed_desc {
	__le64 addr;
	__le32 len;
	__le16 id;
	__le16 flags;
};

#endif /* _UAPI_LINUX_VIRTIO_RING_H */
