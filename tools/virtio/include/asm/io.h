/* SPDX-License-Identifier: GPL-2.0-only */
/* The base's scatterlist.h includes this; nothing in it is used. */
