// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtio network device (section 5.1) that brings back what is sent.
 */
#include <endian.h>
#include "test.h"
#include "vduse.h"

/* The kernel's linux/virtio_net.h hides the one for user space, and is not for it. */

/* 5.1.3: feature bits */
#define F_MAC		5
#define F_STATUS	16

#define STATUS_LINK_UP	1

/* 5.1.4 */
struct net_config {
	u8 mac[6];
	u16 status;
};

/* 5.1.6 */
struct net_header {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 num_buffers;
};

#define RECEIVE		0
#define MAX_FRAME	65550

static u32 net_serve(const struct device_queue *dq, unsigned int queue,
		     const struct device_buf *sent)
{
	static struct device_buf got;
	static u8 frame[sizeof(struct net_header) + MAX_FRAME];
	struct net_header *header = (void *)frame;
	struct device_queue *receive = queue_ring(RECEIVE);
	u64 len = buf_out_len(sent);

	check(len > sizeof(*header) && len <= sizeof(frame), "device: a frame of %llu bytes",
	      (unsigned long long)len);
	buf_read(dq, sent, 0, frame, len);
	check(!header->flags && !header->gso_type, "device: an offload was not negotiated");
	/* A wire loses what nobody is ready for. */
	if (!receive->ops || !device_pop(receive, &got))
		return 0;
	check(got.in_len >= len, "device: no room for %llu bytes", (unsigned long long)len);
	header->num_buffers = htole16(1);
	buf_write(receive, &got, 0, frame, len);
	device_use(receive, &got, len);
	queue_interrupt(RECEIVE);
	return 0;
}

const struct storage *net_storage(void)
{
	static struct net_config config = {
		.mac = { 0x52, 0x54, 0x00, 0x00, 0x00, 0x01 },
	};
	static const struct storage storage = {
		.features = FEATURE(F_MAC) | FEATURE(F_STATUS),
		.config = &config,
		.config_size = sizeof(config),
		.idle_queue = RECEIVE,
		.serve = net_serve,
	};

	config.status = htole16(STATUS_LINK_UP);
	return &storage;
}
