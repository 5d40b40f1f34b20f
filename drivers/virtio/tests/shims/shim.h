/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RING_SHIM_H
#define RING_SHIM_H
/* How the device's side gets at memory */
#include <linux/dma-direction.h>
#include <linux/types.h>

void *shim_dma_to_cpu(dma_addr_t addr, size_t len, enum dma_data_direction dir);
void *shim_phys_to_cpu(dma_addr_t addr, size_t len);

#endif
