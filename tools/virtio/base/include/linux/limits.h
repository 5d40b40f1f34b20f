/* SPDX-License-Identifier: GPL-2.0-only */
/* What the C library wants of it: the kernel's own clashes with its limits.h. */
#include <uapi/linux/limits.h>
