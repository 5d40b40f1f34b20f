/* SPDX-License-Identifier: GPL-2.0-only */
/* There are no events to define: see linux/tracepoint.h. */
