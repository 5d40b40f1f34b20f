/* SPDX-License-Identifier: GPL-2.0-only */
/* The base's has true and false, which tools/include takes from libc. */
#include <stddef.h>
#include <uapi/linux/stddef.h>
