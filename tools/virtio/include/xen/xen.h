/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_XEN_XEN_H
#define _SHIM_XEN_XEN_H
#include <linux/types.h>

extern bool shim_xen;

#define xen_domain()	shim_xen

#endif
