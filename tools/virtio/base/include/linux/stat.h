/* SPDX-License-Identifier: GPL-2.0-only */
/* The C library includes this for what it has itself. */
