// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network driver and a device that lies: in its configuration, in lengths,
 * headers and numbers of buffers, in answers to commands and in its statistics.
 *
 * All of the driver that sees what the device writes is here, and what programs do with
 * it. Who attaches them, sockets, the CPUs of queues and ethtool's tables are not.
 */
#include <linux/virtio.h>
#include "stack.h"
#include "host.h"
#include "../../shim.h"
#include "../../../../drivers/net/virtio_net/rx.h"

static const struct virtio_net_config good_config = {
	.mac = { 2, 0, 0, 0, 0, 1 },
	.status = VIRTIO_NET_S_LINK_UP,
	.max_virtqueue_pairs = 2,
	.mtu = 1500,
	.speed = 1000,
	.duplex = 1,
	.rss_max_key_size = 40,
	.rss_max_indirection_table_length = 16,
	.supported_hash_types = 0x1ff,
};

static struct virtnet *driver(void)
{
	return netdev_priv(stack_dev());
}

/*
 * The device
 */

static u8 any_byte(bool fair)
{
	return fair ? 0 : device_byte();
}

static bool is_control(unsigned int queue)
{
	return queue + 1 == host.num_queues && host.num_queues % 2;
}

/* A record of counters, right but for some bytes */
static void write_record(u8 *reply, u32 len, u16 vq_index)
{
	static const struct {
		u8 type;
		u8 size;
	} records[] = {
		{ VIRTIO_NET_STATS_TYPE_REPLY_RX_BASIC, sizeof(struct virtio_net_stats_rx_basic) },
		{ VIRTIO_NET_STATS_TYPE_REPLY_RX_CSUM, sizeof(struct virtio_net_stats_rx_csum) },
		{ VIRTIO_NET_STATS_TYPE_REPLY_TX_BASIC, sizeof(struct virtio_net_stats_tx_basic) },
		{ VIRTIO_NET_STATS_TYPE_REPLY_TX_GSO, sizeof(struct virtio_net_stats_tx_gso) },
		{ VIRTIO_NET_STATS_TYPE_REPLY_CVQ, sizeof(struct virtio_net_stats_cvq) },
	};
	u8 how = device_byte(), n = how % ARRAY_SIZE(records);
	struct virtio_net_stats_reply_hdr hdr = {
		.type = records[n].type,
		.vq_index = cpu_to_le16(vq_index),
		.size = cpu_to_le16(records[n].size),
	};

	memset(reply, 0, len);
	memcpy(reply, &hdr, min_t(size_t, sizeof(hdr), len));
	for (how /= 64; how; how--)
		reply[device_byte() % len] = device_byte();
}

static void write_reply(unsigned int queue, const struct device_buf *buf, u8 how)
{
	const struct virtio_net_ctrl_hdr *hdr = host_elem(queue, &buf->elem[0]);
	const struct device_elem *elem = &buf->elem[buf->out + 1];
	u8 *reply = host_elem(queue, elem);
	const __le16 *vq_index;
	u32 i;

	if (hdr->cmd == VIRTIO_NET_CTRL_STATS_QUERY || how & 4) {
		for (i = 0; i < elem->len && i < 16; i++)
			reply[i] = how & 8 ? device_byte() : 0xff;
		return;
	}
	vq_index = host_elem(queue, &buf->elem[1]);
	write_record(reply, elem->len, le16_to_cpu(*vq_index));
}

static u32 answer_command(unsigned int queue, const struct device_buf *buf,
			  bool fair)
{
	const struct device_elem *elem = &buf->elem[buf->out];
	u8 how = any_byte(fair);

	check(buf->out && buf->elem[0].len == 2, "device: a command of another shape");
	check(buf->in && elem->len == 1, "device: a command without a status");
	*(u8 *)host_elem(queue, elem) = how & 1 ? any_byte(fair) : VIRTIO_NET_OK;
	if (buf->in > 1)
		write_reply(queue, buf, how);
	return how & 2 ? any_byte(fair) : buf->in_len;
}

/* A header of all bytes, but mostly not too far from a good one */
static void write_header(struct virtio_net_hdr_v1_hash *hdr, bool fair)
{
	u8 how = any_byte(fair);

	memset(hdr, 0, sizeof(*hdr));
	hdr->hdr.num_buffers = 1;
	if (how & 1)
		hdr->hdr.num_buffers = any_byte(fair) % 24;
	if (how & 2)
		hdr->hdr.gso_type = any_byte(fair);
	if (how & 4)
		hdr->hdr.flags = any_byte(fair);
	if (how & 8)
		((u8 *)hdr)[any_byte(fair) % sizeof(*hdr)] = any_byte(fair);
}

static u32 give_packet(unsigned int queue, const struct device_buf *buf, bool fair)
{
	struct virtio_net_hdr_v1_hash hdr;
	const struct device_elem *elem = buf->elem;
	u8 *p = host_elem(queue, elem), how;
	u32 len;

	check(!buf->out && buf->in, "device: a buffer that can't be written");
	write_header(&hdr, fair);
	memcpy(p, &hdr, min_t(size_t, sizeof(hdr), elem->len));
	host_remember(p, min_t(size_t, sizeof(hdr), elem->len), NULL);

	how = any_byte(fair);
	len = how & 1 ? any_byte(fair) : 100;
	if (how & 2)
		len += any_byte(fair) << 8;
	return how & 4 ? buf->in_len : len;
}

/* What was sent: its header says nothing that was not meant. */
static u32 take_packet(unsigned int queue, const struct device_buf *buf)
{
	const u8 *hdr = host_elem(queue, &buf->elem[0]);
	unsigned int i;

	check(buf->out && !buf->in && buf->elem[0].len >= driver()->hdr_len,
	      "device: a packet without a header");
	for (i = 10; i < driver()->hdr_len; i++)
		check(!hdr[i], "device: byte %u of a header is %02x", i, hdr[i]);
	return 0;
}

u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	if (is_control(queue))
		return answer_command(queue, buf, fair);
	if (queue % 2)
		return take_packet(queue, buf);
	return give_packet(queue, buf, fair);
}

void target_changed(void *owner, u8 *p)
{
}

/*
 * The administrator
 */

static void change_hash(u8 how)
{
	struct ethtool_rxfh_fields fields = { RXH_IP_SRC | RXH_IP_DST, UDP_V4_FLOW };
	struct net_device *dev = stack_dev();
	u32 size = virtnet_rss_table_size(dev), i;
	struct ethtool_rxfh_param rxfh = { .hfunc = ETH_RSS_HASH_TOP };

	rxfh.key = calloc(1, virtnet_rss_key_size(dev) + 1);
	rxfh.indir = calloc(size + 1, sizeof(u32));
	for (i = 0; i < size; i++)
		rxfh.indir[i] = how % driver()->max_pairs;
	virtnet_get_rxfh(dev, &rxfh);
	virtnet_set_rxfh(dev, &rxfh, NULL);
	virtnet_set_rxfh_fields(dev, &fields, NULL);
	free(rxfh.indir);
	free(rxfh.key);
}

static void change_moderation(u8 how)
{
	struct ethtool_coalesce ec = {};
	struct net_device *dev = stack_dev();

	virtnet_get_coalesce(dev, &ec, NULL, NULL);
	ec.rx_coalesce_usecs = how;
	virtnet_set_coalesce(dev, &ec, NULL, NULL);
	virtnet_get_queue_coalesce(dev, how % 4, &ec);
	ec.use_adaptive_rx_coalesce = how & 1;
	virtnet_set_queue_coalesce(dev, how % 4, &ec);
}

static void read_statistics(u8 how)
{
	struct netdev_queue_stats_rx rx = {};
	struct netdev_queue_stats_tx tx = {};
	enum virtnet_vq_type type = how % 3;
	unsigned int num = virtnet_hw_stats_count(driver(), type);
	u64 *data = calloc(num + 1, sizeof(*data));

	/* In memory of just the size that the driver may write */
	data = realloc(data, num ? num * sizeof(*data) : 1);
	virtnet_hw_stats_read(driver(), type, how / 3, data);
	virtnet_hw_qstats_read(driver(), VIRTNET_VQ_RX, how, &rx);
	virtnet_hw_qstats_read(driver(), VIRTNET_VQ_TX, how, &tx);
	free(data);
}

static void change(u8 what, u8 how)
{
	struct sockaddr addr = { .sa_data = { 2, how } };
	struct net_device *dev = stack_dev();
	const struct net_device_ops *ops = dev->netdev_ops;

	switch (what % 8) {
	case 0:
		ops->ndo_set_mac_address(dev, &addr);
		break;
	case 1:
		dev->flags ^= how & (IFF_PROMISC | IFF_ALLMULTI);
		ops->ndo_set_rx_mode(dev);
		break;
	case 2:
		if (!ops->ndo_set_features(dev, dev->features ^ NETIF_F_GRO_HW))
			dev->features ^= NETIF_F_GRO_HW;
		break;
	case 3:
		if (!ops->ndo_set_features(dev, dev->features ^ NETIF_F_RXHASH))
			dev->features ^= NETIF_F_RXHASH;
		break;
	case 4:
		if (how & 1)
			ops->ndo_vlan_rx_add_vid(dev, 0, how);
		else
			ops->ndo_vlan_rx_kill_vid(dev, 0, how);
		break;
	case 5:
		change_hash(how);
		break;
	case 6:
		change_moderation(how);
		break;
	default:
		read_statistics(how);
	}
}

/* As RTNL's holder, for a device that is there */
static void administer(u8 what)
{
	u8 how = driver_byte();

	if (!stack_dev()->present)
		return;
	spin_lock(&rtnl);
	change(what, how);
	spin_unlock(&rtnl);
}

/* Big buffers have no programs: attaching one is refused. */
static void attach_program(void)
{
	static struct bpf_prog_aux aux;
	static struct bpf_prog prog = { &aux };
	struct virtnet *vn = driver();
	unsigned int i;

	aux.xdp_has_frags = driver_byte() & 1;
	if (vn->kind == &virtnet_rx_big)
		return;
	for (i = 0; i < vn->max_pairs; i++)
		vn->rq[i].prog = vn->rq[i].prog ? NULL : &prog;
}

static void send_packet(void)
{
	static const u16 lengths[] = { 14, 60, 128, 1500 };
	u8 shape = driver_byte();

	stack_send(shape & 1 ? 64 : 6, lengths[shape >> 1 & 3],
		   shape & 8 ? shape >> 4 : 0, shape & 8 && shape & 16);
}

static void sleep_and_wake(void)
{
	if (!stack_dev()->present)
		return;
	virtio_device_freeze(&host.vdev);
	virtio_device_restore(&host.vdev);
}

void target_step(u8 op)
{
	switch (op % 16) {
	case 0:
	case 1:
	case 2:
		send_packet();
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		host_wait();
		break;
	case 7:
	case 8:
		stack_poll();
		break;
	case 9:
		stack_up(!stack_dev()->running);
		break;
	case 10:
		check(work_run(), "work has no end");
		break;
	case 11:
		shim.alloc_fail_at = op >> 6;
		shim.map_fail_at = op >> 4 & 3;
		break;
	case 12:
		administer(op >> 4);
		break;
	case 13:
		if (op >= 0xc0)
			sleep_and_wake();
		else
			stack_time();
		break;
	case 14:
		if (op >= 0x80)
			attach_program();
		else if (stack_dev()->present)
			stack_dev()->netdev_ops->ndo_tx_timeout(stack_dev(), 0);
		break;
	default:
		stack_up(true);
	}
}

void target_load(void)
{
	unsigned int i;
	u16 more;

	if (!target_driver)
		check(!target_init(), "the driver does not register");
	virtnet_napi_tx = driver_byte() & 1;
	host_create(&good_config, sizeof(good_config));
	/* host_create() has looked at the first 16 */
	more = driver_byte() | driver_byte() << 8;
	for (i = 16; i < 32; i++)
		if (more >> (i - 16) & 1)
			__virtio_set_bit(&host.vdev, target_driver->feature_table[i]);
}

void target_unload(void)
{
	stack_check_end();
}
