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
int __real_virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			     unsigned int out_sgs, unsigned int in_sgs, void *data,
			     gfp_t gfp);
int __wrap_virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[],
			     unsigned int out_sgs, unsigned int in_sgs, void *data,
			     gfp_t gfp);
int __real_virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
				unsigned int num, void *data, gfp_t gfp);
int __wrap_virtqueue_add_outbuf(struct virtqueue *vq, struct scatterlist sg[],
				unsigned int num, void *data, gfp_t gfp);
int __real_virtqueue_add_inbuf(struct virtqueue *vq, struct scatterlist sg[],
			       unsigned int num, void *data, gfp_t gfp);
int __wrap_virtqueue_add_inbuf(struct virtqueue *vq, struct scatterlist sg[],
			       unsigned int num, void *data, gfp_t gfp);

/* Where the test wants the next memory for a device; NULL: anywhere */
extern void *__kmalloc_fake;
/* vringh_test only: what a device can read, in the process that has all of it */
extern void *__user_addr_min __weak, *__user_addr_max __weak;

/* For vringh's messages */
void vringh_says(const char *fmt, va_list ap);

#endif
