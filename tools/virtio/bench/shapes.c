// SPDX-License-Identifier: GPL-2.0-only
/* What buffers look like */
#include "bench.h"

const struct shape_info shapes[SHAPES] = {
	[READABLE]	= { "1 readable", 1, 0, 0 },
	[WRITABLE]	= { "1 writable", 0, 1, 4096 },
	[NET_TX]	= { "net transmit", 2, 0, 0 },
	[BLOCK_4K]	= { "block 4 KiB", 1, 2, 4097 },
	[BLOCK_128K]	= { "block 128 KiB", 1, 33, 131073 },
};

unsigned int chain_of(enum shape shape)
{
	return shapes[shape].out + shapes[shape].in;
}

void fit(struct load *load, const struct queue_config *config)
{
	unsigned int room = config->ring;

	if (!config->indirect)
		room /= chain_of(load->shape);
	if (load->batch > room - load->fill)
		load->batch = room - load->fill;
	for (load->requests = 1; load->requests < load->batch + load->fill; )
		load->requests *= 2;
}
