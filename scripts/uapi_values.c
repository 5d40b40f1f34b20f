// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what the user space headers of rings and status define: values, sizes,
 * offsets, and what the functions return. scripts/check compiles this with the
 * base's headers and with ours, and compares. uapi_macros.h is made there: one
 * VALUE(NAME) for each macro of the base.
 */
#include <stddef.h>
#include <stdio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#define VALUE(name)	printf("%s %lld\n", #name, (long long)(name));
#define TYPE(type)	printf("%s: %u bytes, aligned to %u\n", #type, \
			       (unsigned int)sizeof(type), \
			       (unsigned int)__alignof__(type));
#define MEMBER(type, member) \
	printf("%s.%s at %u, %u bytes\n", #type, #member, \
	       (unsigned int)offsetof(struct type, member), \
	       (unsigned int)sizeof(((struct type *)0)->member));
/* The type of a flexible array's entries */
#define ARRAY(type, member) \
	printf("%s.%s at %u, entries of %u bytes\n", #type, #member, \
	       (unsigned int)offsetof(struct type, member), \
	       (unsigned int)sizeof(((struct type *)0)->member[0]));

static void print_values(void)
{
#include "uapi_macros.h"
}

static void print_types(void)
{
	TYPE(struct vring)
	MEMBER(vring, num)
	MEMBER(vring, desc)
	MEMBER(vring, avail)
	MEMBER(vring, used)
	TYPE(struct vring_desc)
	TYPE(vring_desc_t)
	MEMBER(vring_desc, addr)
	MEMBER(vring_desc, len)
	MEMBER(vring_desc, flags)
	MEMBER(vring_desc, next)
	TYPE(struct vring_avail)
	TYPE(vring_avail_t)
	MEMBER(vring_avail, flags)
	MEMBER(vring_avail, idx)
	ARRAY(vring_avail, ring)
	TYPE(struct vring_used_elem)
	TYPE(vring_used_elem_t)
	MEMBER(vring_used_elem, id)
	MEMBER(vring_used_elem, len)
	TYPE(struct vring_used)
	TYPE(vring_used_t)
	MEMBER(vring_used, flags)
	MEMBER(vring_used, idx)
	ARRAY(vring_used, ring)
	TYPE(struct vring_packed_desc_event)
	MEMBER(vring_packed_desc_event, off_wrap)
	MEMBER(vring_packed_desc_event, flags)
	TYPE(struct vring_packed_desc)
	MEMBER(vring_packed_desc, addr)
	MEMBER(vring_packed_desc, len)
	MEMBER(vring_packed_desc, id)
	MEMBER(vring_packed_desc, flags)
}

static void print_ring(unsigned int num, unsigned long align)
{
	/* Only addresses are computed: nothing is there. */
	char *start = (char *)0x100000;
	struct vring vr;

	vring_init(&vr, num, start, align);
	printf("ring of %u, align %lu: num %u desc %ld avail %ld used %ld size %u",
	       num, align, vr.num, (long)((char *)vr.desc - start),
	       (long)((char *)vr.avail - start), (long)((char *)vr.used - start),
	       vring_size(num, align));
	printf(" used_event %ld avail_event %ld\n",
	       (long)((char *)&vring_used_event(&vr) - start),
	       (long)((char *)&vring_avail_event(&vr) - start));
}

static void print_rings(void)
{
	unsigned long align;
	unsigned int num;

	for (num = 1; num <= 32768; num *= 2)
		for (align = 4; align <= 65536; align *= 2)
			print_ring(num, align);
}

/* Around 0 and around the wrap, each with each */
static void print_events(void)
{
	const int span = 6;
	int event, index, old;

	for (event = -span; event <= span; event++)
		for (index = -span; index <= span; index++)
			for (old = -span; old <= span; old++)
				printf("event %d index %d old %d: %d\n",
				       event, index, old,
				       vring_need_event((__u16)event,
							(__u16)index,
							(__u16)old));
}

int main(void)
{
	print_values();
	print_types();
	print_rings();
	print_events();
	return 0;
}
