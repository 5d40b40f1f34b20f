/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM virtio

#if !defined(_TRACE_VIRTIO_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_VIRTIO_H
/*
 * What happens to virtqueues of any kind, where a call comes in: see
 * Documentation/virtio/debugging.rst.
 */
#include <linux/tracepoint.h>
#include <linux/virtio.h>

/* Each event begins with the queue: device, number and name, as in debugfs. */
#define VQ_ENTRY							\
		__string(device, dev_name(&vq->vdev->dev))		\
		__field(unsigned int, index)				\
		__string(name, vq->name)
#define VQ_ASSIGN							\
		__assign_str(device);					\
		__entry->index = vq->index;				\
		__assign_str(name)
#define VQ_FORMAT	"%s %u %s"
#define VQ_VALUES	__get_str(device), __entry->index, __get_str(name)

DECLARE_EVENT_CLASS(virtqueue,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq),
	TP_STRUCT__entry(
		VQ_ENTRY
	),
	TP_fast_assign(
		VQ_ASSIGN;
	),
	TP_printk(VQ_FORMAT, VQ_VALUES)
);

/* All buffers become the device's, and it is not told. */
DEFINE_EVENT(virtqueue, virtqueue_publish,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq)
);

/* The device is being told to look at the queue. */
DEFINE_EVENT(virtqueue, virtqueue_notify,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq)
);

/* The driver asks for no callbacks, for one at once, or for one when much is used. */
DEFINE_EVENT(virtqueue, virtqueue_disable_cb,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq)
);

DEFINE_EVENT(virtqueue, virtqueue_enable_cb,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq)
);

DEFINE_EVENT(virtqueue, virtqueue_enable_cb_delayed,
	TP_PROTO(const struct virtqueue *vq),
	TP_ARGS(vq)
);

DECLARE_EVENT_CLASS(virtqueue_value,
	TP_PROTO(const struct virtqueue *vq, int value),
	TP_ARGS(vq, value),
	TP_STRUCT__entry(
		VQ_ENTRY
		__field(int, value)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__entry->value = value;
	),
	TP_printk(VQ_FORMAT ": err=%d", VQ_VALUES, __entry->value)
);

/* All buffers become the device's; 1: it wants to be told. */
DEFINE_EVENT_PRINT(virtqueue_value, virtqueue_kick,
	TP_PROTO(const struct virtqueue *vq, int value),
	TP_ARGS(vq, value),
	TP_printk(VQ_FORMAT ": notify=%d", VQ_VALUES, __entry->value)
);

/* An interrupt; 0: no buffer was used, it was for another queue or for none. */
DEFINE_EVENT_PRINT(virtqueue_value, virtqueue_interrupt,
	TP_PROTO(const struct virtqueue *vq, int value),
	TP_ARGS(vq, value),
	TP_printk(VQ_FORMAT ": used=%d", VQ_VALUES, __entry->value)
);

/* The buffer that was begun last is given up. */
DEFINE_EVENT(virtqueue_value, virtqueue_cancel,
	TP_PROTO(const struct virtqueue *vq, int value),
	TP_ARGS(vq, value)
);

/*
 * A buffer of at most so many elements is begun, or there is an error. It is the
 * device's with the next kick, unless it is cancelled.
 */
TRACE_EVENT(virtqueue_add,
	TP_PROTO(const struct virtqueue *vq, const void *token,
		 unsigned int out, unsigned int in, int err),
	TP_ARGS(vq, token, out, in, err),
	TP_STRUCT__entry(
		VQ_ENTRY
		__field(const void *, token)
		__field(unsigned int, out)
		__field(unsigned int, in)
		__field(unsigned int, free)
		__field(int, err)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__entry->token = token;
		__entry->out = out;
		__entry->in = in;
		__entry->free = vq->num_free;
		__entry->err = err;
	),
	TP_printk(VQ_FORMAT ": token=%p out=%u in=%u free=%u err=%d",
		  VQ_VALUES, __entry->token, __entry->out, __entry->in,
		  __entry->free, __entry->err)
);

/* A used buffer is the driver's again. */
TRACE_EVENT(virtqueue_get,
	TP_PROTO(const struct virtqueue *vq, const void *token,
		 unsigned int len),
	TP_ARGS(vq, token, len),
	TP_STRUCT__entry(
		VQ_ENTRY
		__field(const void *, token)
		__field(unsigned int, len)
		__field(unsigned int, free)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__entry->token = token;
		__entry->len = len;
		__entry->free = vq->num_free;
	),
	TP_printk(VQ_FORMAT ": token=%p len=%u free=%u", VQ_VALUES, __entry->token,
		  __entry->len, __entry->free)
);

TRACE_EVENT(virtqueue_break,
	TP_PROTO(const struct virtqueue *vq, const char *why),
	TP_ARGS(vq, why),
	TP_STRUCT__entry(
		VQ_ENTRY
		__string(why, why)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__assign_str(why);
	),
	TP_printk(VQ_FORMAT ": %s", VQ_VALUES, __get_str(why))
);

/* All buffers were taken from the device; the queue has this size, or an error. */
DECLARE_EVENT_CLASS(virtqueue_renewed,
	TP_PROTO(const struct virtqueue *vq, unsigned int size, int err),
	TP_ARGS(vq, size, err),
	TP_STRUCT__entry(
		VQ_ENTRY
		__field(unsigned int, size)
		__field(int, err)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__entry->size = size;
		__entry->err = err;
	),
	TP_printk(VQ_FORMAT ": size=%u err=%d", VQ_VALUES, __entry->size, __entry->err)
);

DEFINE_EVENT(virtqueue_renewed, virtqueue_resize,
	TP_PROTO(const struct virtqueue *vq, unsigned int size, int err),
	TP_ARGS(vq, size, err)
);

DEFINE_EVENT(virtqueue_renewed, virtqueue_reset,
	TP_PROTO(const struct virtqueue *vq, unsigned int size, int err),
	TP_ARGS(vq, size, err)
);

/* So many tables for indirect buffers, of so many elements each, come or go. */
DECLARE_EVENT_CLASS(virtqueue_tables,
	TP_PROTO(const struct virtqueue *vq, unsigned int elements,
		 unsigned int tables),
	TP_ARGS(vq, elements, tables),
	TP_STRUCT__entry(
		VQ_ENTRY
		__field(unsigned int, elements)
		__field(unsigned int, tables)
	),
	TP_fast_assign(
		VQ_ASSIGN;
		__entry->elements = elements;
		__entry->tables = tables;
	),
	TP_printk(VQ_FORMAT ": elements=%u tables=%u", VQ_VALUES, __entry->elements,
		  __entry->tables)
);

DEFINE_EVENT(virtqueue_tables, virtqueue_tables_grow,
	TP_PROTO(const struct virtqueue *vq, unsigned int elements,
		 unsigned int tables),
	TP_ARGS(vq, elements, tables)
);

DEFINE_EVENT(virtqueue_tables, virtqueue_tables_shrink,
	TP_PROTO(const struct virtqueue *vq, unsigned int elements,
		 unsigned int tables),
	TP_ARGS(vq, elements, tables)
);

#endif /* _TRACE_VIRTIO_H */

#include <trace/define_trace.h>
