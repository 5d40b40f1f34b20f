/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_TRACEPOINT_H
#define SHIM_LINUX_TRACEPOINT_H
/*
 * Events that are always off, as in a kernel without CONFIG_TRACEPOINTS: what a
 * definition says of an event's contents is left out.
 */
#include <linux/types.h>

#define TP_PROTO(args...)	args
#define DECLARE_EVENT_CLASS(...)
#define TRACE_EVENT(event, proto, ...)					\
	static inline void trace_##event(proto) {}			\
	static inline bool trace_##event##_enabled(void) { return false; }
#define DEFINE_EVENT(class, event, proto, ...)	TRACE_EVENT(event, PROTO(proto))
#define DEFINE_EVENT_PRINT(class, event, proto, ...) TRACE_EVENT(event, PROTO(proto))
#define PROTO(args...)		args

#endif
