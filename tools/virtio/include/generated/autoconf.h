/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel configuration that the core is built with here. */
#define CONFIG_64BIT			1
#define CONFIG_PHYS_ADDR_T_64BIT	1
#define CONFIG_MITIGATION_RETPOLINE	1
