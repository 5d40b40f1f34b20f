/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_GLUE_H
#define TOOLS_VIRTIO_GLUE_H
/* The linker puts glue.c's around the functions of the same name. */
#include <linux/virtio.h>
#include <stdarg.h>

void *__real_alloc_pages_exact(size_t size, gfp_t gfp);
void *__wrap_alloc_pages_exact(size_t size, gfp_t gfp);
void __real_free_pages_exact(void *virt, size_t size);
void __wrap_free_pages_exact(void *virt, size_t size);
/* Where the test wants the next memory for a device; NULL: anywhere */
extern void *__kmalloc_fake;

/* For vringh's messages */
void vringh_says(const char *fmt, va_list ap);

#endif
