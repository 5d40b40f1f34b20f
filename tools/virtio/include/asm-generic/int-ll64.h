/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's half defines u64 and s64, and so does tools/include. */
#include <uapi/asm-generic/int-ll64.h>
