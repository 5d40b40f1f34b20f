// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the network driver has to do, rule by rule, with a device that does as the test
 * says. The fuzzer finds out what must never happen; this is about what must.
 */
#include <linux/virtio.h>
#include "stack.h"
#include "rules.h"
#include "../../shim.h"
#include "../../../../drivers/net/virtio_net/rx.h"

#define RX		0
#define TX		1
#define MAX_TOLD	16
#define F(name)		BIT_ULL(VIRTIO_NET_F_##name)

/**
 * struct rule - a test
 * @name: what has to be
 * @run: looks whether it is
 * @ring: the first byte of host_create(): 1 packed, 4 event index
 * @size: index of the queue size there
 * @features: of the device
 * @config: its configuration
 */
struct rule {
	const char *name;
	void (*run)(void);
	u8 ring;
	u8 size;
	u64 features;
	struct virtio_net_config config;
};

static const struct rule *rule;

/* The device: commands that it was sent, and what it is to say. */
static struct {
	u8 class, cmd;
	u8 data[64];
	u32 len;
} told[MAX_TOLD];
static unsigned int num_told;

static struct {
	struct virtio_net_hdr_v1_hash hdr;
	bool head;
	u32 len;
	u8 refuse_class, refuse_cmd;
	bool speechless;
	u8 written;
} say;

static struct virtnet *driver(void)
{
	return netdev_priv(stack_dev());
}

static bool is_control(unsigned int queue)
{
	return queue + 1 == host.num_queues && host.num_queues % 2;
}

static u32 answer_command(unsigned int queue, const struct device_buf *buf)
{
	const struct virtio_net_ctrl_hdr *hdr = host_elem(queue, &buf->elem[0]);
	typeof(told[0]) *entry = &told[num_told++ % MAX_TOLD];
	bool refused = hdr->class == say.refuse_class && hdr->cmd == say.refuse_cmd;

	memset(entry, 0, sizeof(*entry));
	entry->class = hdr->class;
	entry->cmd = hdr->cmd;
	if (buf->out > 1) {
		entry->len = buf->elem[1].len;
		memcpy(entry->data, host_elem(queue, &buf->elem[1]),
		       min_t(u32, entry->len, sizeof(entry->data)));
	}
	if (say.speechless)
		return 0;
	*(u8 *)host_elem(queue, &buf->elem[buf->out]) = refused ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
	if (buf->in > 1)
		memset(host_elem(queue, &buf->elem[buf->out + 1]), 0x55, buf->in_len - 1);
	return say.written ?: buf->in_len;
}

u32 target_answer(unsigned int queue, const struct device_buf *buf, bool fair)
{
	if (is_control(queue))
		return answer_command(queue, buf);
	if (queue % 2)
		return 0;
	if (say.head)
		memcpy(host_elem(queue, &buf->elem[0]), &say.hdr, driver()->hdr_len);
	return say.len;
}

void target_changed(void *owner, u8 *p)
{
}

/* The driver waits for the answer to a command. */
static void answer(void)
{
	host_use_all(host.num_queues - 1);
}

static bool was_told(u8 class, u8 cmd, const char *data, u32 len)
{
	unsigned int i;

	for (i = 0; i < min(num_told, MAX_TOLD); i++)
		if (told[i].class == class && told[i].cmd == cmd &&
		    told[i].len == len && !memcmp(told[i].data, data, len))
			return true;
	return false;
}

/* What tests do */

static void give(u32 len, bool head)
{
	say.len = len;
	say.head = head;
	check(host_take(RX), "no buffer for a packet");
	host_give(RX, 0);
}

static void arrive(u32 len)
{
	give(len, true);
	host_interrupt(RX);
	stack_poll();
}

/* A packet of 100 bytes more than its header */
static void want_arrival(void)
{
	unsigned int before = stack_seen.packets;

	arrive(driver()->hdr_len + 100);
	check(stack_seen.packets == before + 1, "a packet does not arrive");
	check(stack_seen.len == 100 - ETH_HLEN, "%u bytes of it", stack_seen.len);
}

static void want_drop(u32 len)
{
	unsigned int before = stack_seen.packets;
	unsigned long errors = stack_dev()->stats.rx_length_errors +
			       stack_dev()->stats.rx_frame_errors;

	arrive(len);
	check(stack_seen.packets == before, "a bad packet arrives");
	check(stack_dev()->stats.rx_length_errors +
	      stack_dev()->stats.rx_frame_errors == errors + 1, "it is not counted");
}

static void stop_and_start(void)
{
	num_told = 0;
	virtio_device_freeze(&host.vdev);
	check(!virtio_device_restore(&host.vdev), "no restart");
}

/* Receive */

static void rule_checksums(void)
{
	want_arrival();
	check(stack_seen.ip_summed == CHECKSUM_NONE, "a checksum nobody has seen is good");
	say.hdr.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	want_arrival();
	check(stack_seen.ip_summed == CHECKSUM_UNNECESSARY, "one that is good is not");
	say.hdr.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	stack_seen.offloads = 0;
	want_arrival();
	check(stack_seen.offloads == 1, "a checksum to be made is not");
}

static void rule_segments(void)
{
	say.hdr.hdr.gso_type = 9;
	want_drop(driver()->hdr_len + 100);
	say.hdr.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	want_arrival();
}

static void rule_hash(void)
{
	struct net_device *dev = stack_dev();

	dev->features |= NETIF_F_RXHASH;
	say.hdr.hash_value = cpu_to_le32(77);
	say.hdr.hash_report = cpu_to_le16(VIRTIO_NET_HASH_REPORT_TCPv4);
	want_arrival();
	check(stack_seen.hash == 77, "hash %u", stack_seen.hash);
	say.hdr.hash_report = cpu_to_le16(VIRTIO_NET_HASH_REPORT_UDPv6_EX + 1);
	want_arrival();
	check(!stack_seen.hash, "a hash of no kind");
}

static void rule_refill(void)
{
	unsigned int n;

	for (n = 0; n < 200; n++)
		want_arrival();
}

/*
 * All buffers come back, with packets that are too long to be copied, and one of the
 * allocations that follow fails.
 */
static void all_come_back(unsigned int fail_at)
{
	unsigned int n;

	say.len = driver()->hdr_len + 1000;
	say.head = true;
	for (n = 0; host_take(RX); n++)
		host_give(RX, 0);
	check(n, "nobody tries again to get memory");
	host_interrupt(RX);
	shim.alloc_fail_at = fail_at;
	stack_poll();
	shim.alloc_fail_at = 0;
	stack_poll();
	stack_poll();
}

static void rule_no_memory(void)
{
	unsigned int n;

	for (n = 1; n < 60; n++)
		all_come_back(n);
	want_arrival();
}

static void rule_short_packets(void)
{
	want_drop(driver()->hdr_len + ETH_HLEN - 1);
	want_drop(driver()->hdr_len - 1);
	want_drop(0);
	want_arrival();
}

static void rule_long_packets(void)
{
	want_drop(U32_MAX);
	want_arrival();
}

static void pieces(unsigned int num, u32 len)
{
	unsigned int i;

	say.hdr.hdr.num_buffers = num;
	for (i = 0; i < num; i++)
		give(len + (i ? 0 : driver()->hdr_len), !i);
	host_interrupt(RX);
	stack_poll();
	say.hdr.hdr.num_buffers = 1;
}

static void rule_pieces(void)
{
	unsigned int before = stack_seen.packets;

	pieces(3, 100);
	check(stack_seen.packets == before + 1, "a packet of 3 buffers does not arrive");
	pieces(40, 100);
	check(stack_seen.packets == before + 2, "a packet of 40 buffers does not arrive");
	check(stack_seen.len == 4000 - ETH_HLEN, "%u bytes of it", stack_seen.len);
	say.hdr.hdr.num_buffers = 0;
	want_arrival();
	want_arrival();
	pieces(60, 1400);
	check(stack_seen.packets == before + 4, "a packet of more than 64 KiB arrives");
	want_arrival();
}

/* The third piece lies behind the second, in a page that the packet has already. */
static void rule_adjoining_pieces(void)
{
	unsigned int before = stack_seen.packets;

	stack_adjoins = true;
	pieces(3, 100);
	stack_adjoins = false;
	check(stack_seen.packets == before + 1, "it does not arrive");
	check(stack_seen.len == 300 - ETH_HLEN, "%u bytes of it", stack_seen.len);
}

/* What follows the bad piece is no packet. */
static void rule_bad_piece(void)
{
	unsigned int before = stack_seen.packets;

	say.hdr.hdr.num_buffers = 4;
	give(driver()->hdr_len + 100, true);
	give(0, false);
	say.hdr.hdr.num_buffers = 1;
	give(driver()->hdr_len + 100, true);
	give(driver()->hdr_len + 100, true);
	host_interrupt(RX);
	stack_poll();
	check(stack_seen.packets == before, "a part of a bad packet arrives");
	want_arrival();
}

static void rule_broken_receive_queue(void)
{
	give(driver()->hdr_len + 100, true);
	host_interrupt(RX);
	__virtqueue_break(host.queues[RX].vq);
	stack_poll();
	check(!stack_dev()->carrier, "a broken queue is noticed by nobody");
	target_driver->config_changed(&host.vdev);
	work_run();
	check(!stack_dev()->carrier, "a carrier, and no device");
	stop_and_start();
	check(stack_dev()->carrier, "no carrier after a restart");
	want_arrival();
}

/* With pages that are larger than the pieces of a buffer, too */
static void rule_longest_packet(void)
{
	arrive(driver()->hdr_len + ETH_HLEN + stack_dev()->mtu);
	check(stack_seen.packets == 1 && stack_seen.len == stack_dev()->mtu,
	      "a packet of the MTU does not arrive");
}

static void rule_large_pages(void)
{
	virtio_device_freeze(&host.vdev);
	target_driver->remove(&host.vdev);
	stack_page_size = 65536;
	check(!target_driver->probe(&host.vdev), "no probe");
	stack_up(true);
	rule_longest_packet();
}

static void rule_aligned_headers(void)
{
	unsigned int len;

	stack_ip_align = 2;
	for (len = 60; len < 1000; len += 100) {
		arrive(driver()->hdr_len + len);
		check(stack_seen.len == len - ETH_HLEN, "a packet does not arrive");
		check(stack_seen.aligned, "its header of IP is not aligned");
	}
}

/* netpoll sends, maybe within an interrupt: that is no time to get memory. */
static void rule_no_budget(void)
{
	struct virtnet_rq *rq = &driver()->rq[0];
	unsigned int num_free;
	unsigned long calls;

	say.len = driver()->hdr_len + 1000;
	say.head = true;
	host_use_all(RX);
	host_interrupt(RX);
	shim.alloc_fail_all = true;
	stack_poll();
	shim.alloc_fail_all = false;
	num_free = rq->vq->num_free;
	calls = shim.alloc_calls;
	check(num_free, "nothing is missing");
	check(!rq->napi.poll(&rq->napi, 0), "packets without a budget");
	check(rq->vq->num_free == num_free && shim.alloc_calls == calls,
	      "a poll without a budget refills");
	stack_poll();
	want_arrival();
}

/* Buffers of others, as those of a socket */

static int others_start(struct virtnet_rq *rq)
{
	return 0;
}

static void others_stop(struct virtnet_rq *rq)
{
}

static int others_fill(struct virtnet_rq *rq, gfp_t gfp)
{
	return 0;
}

static unsigned int others_receive(struct virtnet_rq *rq, unsigned int budget,
				   struct virtnet_rx_batch *batch)
{
	return 0;
}

static const struct virtnet_rx_kind others = {
	.start		= others_start,
	.stop		= others_stop,
	.fill		= others_fill,
	.receive	= others_receive,
};

/* They go away in any case: without memory for others there is nothing to receive into. */
static void rule_others_go(void)
{
	struct virtnet_rq *rq = &driver()->rq[0];

	check(!virtnet_rx_set_kind(rq, &others), "no buffers of others");
	check(!virtnet_rx_set_kind(rq, driver()->kind), "no way back");
	want_arrival();
	check(!virtnet_rx_set_kind(rq, &others), "no buffers of others, again");
	shim.alloc_fail_at = 1;
	check(virtnet_rx_set_kind(rq, driver()->kind), "memory where there is none");
	check(rq->kind == driver()->kind, "buffers of others that are gone");
	check(virtqueue_is_broken(rq->vq), "a queue that has no buffers works");
	check(!stack_dev()->carrier, "nothing can be received, and nobody notices");
	stop_and_start();
	check(stack_dev()->carrier, "no carrier after a restart");
	want_arrival();
}

/* The memory for a queue goes only when nobody looks at it any more. */
static void rule_polls_end(void)
{
	stack_up(false);
	check(stack_polls_ended, "down, and a poll may look at its queue");
	stack_up(true);
	virtnet_rx_pause(&driver()->rq[0]);
	check(stack_polls_ended, "paused, and a poll may look at its queue");
	virtnet_rx_resume(&driver()->rq[0]);
	want_arrival();
}

/* All queues have the same work for it, and each poll its own numbers. */
static void rule_moderation(void)
{
	struct ethtool_coalesce ec = {};
	unsigned int n;

	virtnet_get_coalesce(stack_dev(), &ec, NULL, NULL);
	ec.use_adaptive_rx_coalesce = 1;
	check(!virtnet_set_coalesce(stack_dev(), &ec, NULL, NULL), "no adaptive moderation");
	/* The first one is for what may have come before. */
	stack_poll();
	num_told = 0;
	for (n = 0; n < 8; n++)
		want_arrival();
	work_run();
	check(num_told, "what is best now is told to nobody");
	for (n = 0; n < 8; n++)
		want_arrival();
	stack_up(false);
	num_told = 0;
	work_run();
	check(!num_told, "the device is told, though nothing is received");
}

/* Something is done at one point of a call, then at the next one, and so on. */

static unsigned int points;
static void (*act)(void);
static bool acted;

static void at_point(void)
{
	if (points--)
		return;
	shim.point = NULL;
	acted = true;
	act();
}

static void poll_with(void (*what)(void), unsigned int when)
{
	points = when;
	act = what;
	acted = false;
	shim.point = at_point;
	stack_poll();
	shim.point = NULL;
	stack_poll();
	stack_poll();
}

static void interrupt_if_wanted(unsigned int queue)
{
	if (device_wants_irq(&host.queues[queue].dq))
		host_interrupt(queue);
}

static void another_arrives(void)
{
	give(driver()->hdr_len + 100, true);
	interrupt_if_wanted(RX);
}

static void rule_nothing_is_overlooked(void)
{
	unsigned int n = 0, before;

	do {
		before = stack_seen.packets;
		give(driver()->hdr_len + 100, true);
		host_interrupt(RX);
		poll_with(another_arrives, n++);
		check(stack_seen.packets == before + 1 + acted, "a packet waits for the next one");
	} while (acted);
}

static void another_was_sent(void)
{
	host_give(TX, 0);
	interrupt_if_wanted(TX);
}

static void rule_sent_is_noticed(void)
{
	unsigned int n = 0;

	do {
		stack_send(64, 60, 0, false);
		stack_send(64, 60, 0, false);
		check(host_take(TX) && host_take(TX), "packets are not sent");
		host_give(TX, 0);
		host_interrupt(TX);
		poll_with(another_was_sent, n++);
		check(!acted || !stack_dev()->tx[0].bytes, "a packet that was sent is forgotten");
		while (host.queues[TX].count)
			host_give(TX, 0);
		host_interrupt(TX);
		stack_poll();
	} while (acted);
}

/* Transmit */

/* There is room as long as the longest packet has it: 19 elements. */
static void rule_full_queue(void)
{
	struct netdev_queue *txq = &stack_dev()->tx[0];
	unsigned int n;

	for (n = 0; n < 45; n++)
		stack_send(64, 60, 0, false);
	check(!txq->stopped, "a queue with room takes nothing");
	stack_send(64, 60, 16, false);
	check(txq->stopped && !stack_dev()->stats.tx_dropped, "a full queue takes packets");
	while (host_take(TX))
		;
	host_give(TX, 0);
	host_interrupt(TX);
	stack_poll();
	check(txq->stopped, "a full queue takes packets again");
	while (host.queues[TX].count)
		host_give(TX, 0);
	host_interrupt(TX);
	stack_poll();
	check(!txq->stopped, "an empty queue takes none");
}

/* XDP takes back what the stack has sent, and so there is no interrupt for it. */
static void rule_xdp_wakes(void)
{
	struct netdev_queue *txq = &stack_dev()->tx[0];
	static struct bpf_prog_aux aux;
	static struct bpf_prog prog = { &aux };
	struct xdp_frame *frame = stack_buffer(VIRTNET_BUF_MAX);
	unsigned int n;

	for (n = 0; n < 46; n++)
		stack_send(64, 60, 0, false);
	check(txq->stopped, "a full queue takes packets");
	host_use_all(TX);

	*frame = (struct xdp_frame) {
		.data		= (void *)frame + XDP_PACKET_HEADROOM,
		.len		= 100,
		.headroom	= 100,
		.frame_sz	= VIRTNET_BUF_MAX,
	};
	memset(frame->data, 0, frame->len);
	driver()->rq[0].prog = &prog;
	check(stack_dev()->netdev_ops->ndo_xdp_xmit(stack_dev(), 1, &frame, XDP_XMIT_FLUSH) == 1,
	      "a frame is not sent");
	driver()->rq[0].prog = NULL;
	check(!txq->stopped, "nobody tells the stack that there is room");
	check(host_take(TX), "the device does not see the frame");
	host_give(TX, 0);
	host_interrupt(TX);
	stack_poll();
}

static void rule_small_queue(void)
{
	stack_send(64, 60, 5, false);
	check(stack_seen.linearized == 1, "a packet with too many parts is not made one");
}

static void rule_broken_send_queue(void)
{
	stack_send(64, 60, 0, false);
	check(host_take(TX), "a packet is not sent");
	host_give(TX, 0);
	host_interrupt(TX);
	__virtqueue_break(host.queues[TX].vq);
	stack_poll();
	check(!stack_dev()->carrier, "a broken queue is noticed by nobody");
}

/* The stack looks now and then for a queue that has been stopped for 5 seconds. */
static bool times_out(const struct netdev_queue *txq)
{
	return txq->stopped && time_after(jiffies, txq->trans_start + 5 * HZ);
}

static void rule_pause(void)
{
	struct netdev_queue *txq = &stack_dev()->tx[0];
	struct virtnet_sq *sq = &driver()->sq[0];

	jiffies += 100 * HZ;
	virtnet_tx_pause(sq);
	check(txq->stopped && !times_out(txq), "a queue that was idle times out in a pause");
	jiffies += 100 * HZ;
	virtnet_tx_resume(sq);
	check(!txq->stopped && !times_out(txq), "it does not work after that");
}

/* All that is written to the counters of a send queue is under its lock. */
static void rule_send_counters(void)
{
	struct net_device *dev = stack_dev();
	struct virtnet_sq *sq = &driver()->sq[0];

	sq->stats.syncp.lock = &sq->txq->lock;
	stack_send(64, 60, 0, false);
	check(host_take(TX), "a packet is not sent");
	host_give(TX, 0);
	host_interrupt(TX);
	stack_poll();
	check(sq->stats.packets.v == 1 && sq->stats.kicks.v == 1, "not counted");
	dev->netdev_ops->ndo_tx_timeout(dev, 0);
	check(sq->stats.tx_timeouts.v == 1, "a timeout is not counted");
}

/* Commands */

static int set_mac(u8 last)
{
	struct sockaddr addr = { .sa_data = { 2, 0, 0, 0, 0, last } };

	return stack_dev()->netdev_ops->ndo_set_mac_address(stack_dev(), &addr);
}

static void rule_commands(void)
{
	check(!set_mac(7), "a command fails");
	check(was_told(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, "\2\0\0\0\0\7", 6),
	      "another address");
	say.refuse_class = VIRTIO_NET_CTRL_MAC;
	say.refuse_cmd = VIRTIO_NET_CTRL_MAC_ADDR_SET;
	check(set_mac(8), "a command that is refused succeeds");
	check(stack_dev()->dev_addr[5] == 7, "an address that was refused");
	say.refuse_cmd = 0xff;
	say.speechless = true;
	check(set_mac(9), "a command without a status succeeds");
}

/* What is behind the bytes that were written is no reply, whatever it is. */
static void rule_replies(void)
{
	u8 reply[8] = { };

	check(virtnet_ctrl_query(driver(), 77, 0, NULL, 0, reply, sizeof(reply)) == 8 &&
	      reply[7] == 0x55, "another reply");
	memset(reply, 0, sizeof(reply));
	say.written = 4;
	check(virtnet_ctrl_query(driver(), 77, 0, NULL, 0, reply, sizeof(reply)) == 3 &&
	      reply[2] == 0x55 && !reply[3], "a reply that nobody wrote");
	say.written = 0;
}

static void rule_filters(void)
{
	struct netdev_hw_addr group = { .addr = { 1, 0, 0x5e, 0, 0, 1 } };
	struct net_device *dev = stack_dev();

	list_add(&group.list, &dev->mc.list);
	dev->mc.count = 1;
	dev->netdev_ops->ndo_set_rx_mode(dev);
	work_run();
	check(was_told(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
		       "\0\0\0\0\1\0\0\0\1\0\x5e\0\0\1", 14), "another table");
	check(was_told(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, "\0", 1),
	      "all groups");
	num_told = 0;
	say.refuse_class = VIRTIO_NET_CTRL_MAC;
	say.refuse_cmd = VIRTIO_NET_CTRL_MAC_TABLE_SET;
	dev->netdev_ops->ndo_set_rx_mode(dev);
	work_run();
	check(was_told(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, "\1", 1),
	      "without a table, not all groups");
	say.refuse_cmd = 0xff;
	dev->mc.count = 0;
	INIT_LIST_HEAD(&dev->mc.list);
}

static void rule_state_after_a_reset(void)
{
	struct net_device *dev = stack_dev();

	set_mac(7);
	dev->netdev_ops->ndo_vlan_rx_add_vid(dev, 0, 5);
	stop_and_start();
	check(was_told(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, "\2\0\0\0\0\7", 6),
	      "the address is forgotten");
	check(was_told(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, "\5\0", 2),
	      "a VLAN is forgotten");
	want_arrival();
}

/* What the device is told again then is only what it can be told. */
static void rule_late_answer(void)
{
	unsigned int warns;

	host.on_wait = host_do_nothing;
	check(set_mac(7) == -ETIMEDOUT, "a command without an answer succeeds");
	host.on_wait = answer;
	check(set_mac(8) == -EBUSY, "a command while there is no answer");
	answer();
	num_told = 0;
	stack_time();
	warns = shim.dev_warns;
	work_run();
	check(num_told, "the device is not told all again");
	check(shim.dev_warns == warns, "it is told what it does not know");
	check(!virtnet_apply_offloads(driver(), driver()->state.offloads),
	      "what a device can't do is missed");
	check(!set_mac(9), "a command after that fails");
}

/* A number of pairs that there can't be, of which one is there anyway */
static void rule_no_pairs(void)
{
	check(driver()->max_pairs == 1, "%u pairs", driver()->max_pairs);
}

static void rule_small_mtu(void)
{
	struct virtio_net_config *config = (void *)host.config;

	config->mtu = ETH_MIN_MTU - 1;
	check(!target_driver->validate(&host.vdev), "a device is refused");
	check(!virtio_has_feature(&host.vdev, VIRTIO_NET_F_MTU), "an MTU of no use");
}

/* Who looks twice may see two configurations. */
static void rule_mtu_shrinks(void)
{
	struct virtio_net_config *config = (void *)host.config;
	unsigned long warns = shim.dev_warns;

	target_driver->remove(&host.vdev);
	check(!target_driver->validate(&host.vdev), "a good configuration is refused");
	config->mtu = ETH_MIN_MTU - 1;
	check(target_driver->probe(&host.vdev) == -EINVAL, "a device of no use is used");
	shim.dev_warns = warns;
	config->mtu = ETH_MIN_MTU;
	check(!target_driver->probe(&host.vdev) && stack_dev()->mtu == ETH_MIN_MTU,
	      "the smallest MTU is none");
}

static void rule_table_of_hashes(void)
{
	check(virtnet_rss_table_size(stack_dev()) == 16, "a table of %u entries",
	      virtnet_rss_table_size(stack_dev()));
}

/* The rules */

#define CONFIG(...) { .mac = { 2, 0, 0, 0, 0, 1 }, .status = VIRTIO_NET_S_LINK_UP, \
		      .max_virtqueue_pairs = 1, .mtu = 1500, __VA_ARGS__ }
#define RULE(name, ...) { #name, rule_##name, .size = 1, .config = CONFIG(), __VA_ARGS__ }
#define PLAIN		(F(MAC) | F(STATUS))
#define MERGED		(PLAIN | F(MRG_RXBUF))
#define BIG		(PLAIN | F(GUEST_CSUM) | F(GUEST_TSO4))
#define CONTROL		(MERGED | F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_VLAN) | F(CTRL_MAC_ADDR))
#define HASHES		(CONTROL | F(HASH_REPORT) | F(RSS))

#pragma GCC diagnostic ignored "-Winitializer-overrides"
static const struct rule rules[] = {
	RULE(checksums, .features = PLAIN),
	RULE(checksums, .features = MERGED, .ring = 1),
	RULE(checksums, .features = BIG),
	RULE(segments, .features = PLAIN),
	RULE(hash, .features = HASHES,
	     .config = CONFIG(.rss_max_key_size = 40, .supported_hash_types = 63,
			      .rss_max_indirection_table_length = 16)),
	RULE(refill, .features = PLAIN),
	RULE(refill, .features = MERGED, .ring = 1),
	RULE(refill, .features = BIG, .ring = 2),
	RULE(no_memory, .features = PLAIN, .size = 3),
	RULE(no_memory, .features = MERGED, .size = 3),
	RULE(short_packets, .features = PLAIN),
	RULE(short_packets, .features = MERGED),
	RULE(short_packets, .features = BIG),
	RULE(long_packets, .features = BIG),
	RULE(pieces, .features = MERGED),
	RULE(adjoining_pieces, .features = MERGED),
	RULE(bad_piece, .features = MERGED),
	RULE(broken_receive_queue, .features = MERGED),
	RULE(longest_packet, .features = PLAIN | F(MTU), .config = CONFIG(.mtu = 12280)),
	RULE(large_pages, .features = PLAIN | F(MTU), .config = CONFIG(.mtu = 12280)),
	RULE(aligned_headers, .features = PLAIN),
	RULE(aligned_headers, .features = MERGED),
	RULE(aligned_headers, .features = BIG),
	RULE(no_budget, .features = PLAIN, .size = 0),
	RULE(others_go, .features = PLAIN | BIT_ULL(VIRTIO_F_RING_RESET)),
	RULE(polls_end, .features = PLAIN),
	RULE(moderation, .features = CONTROL | F(NOTF_COAL) | F(VQ_NOTF_COAL)),
	RULE(nothing_is_overlooked, .features = MERGED),
	RULE(nothing_is_overlooked, .features = MERGED, .ring = 4),
	RULE(nothing_is_overlooked, .features = MERGED, .ring = 5),
	RULE(sent_is_noticed, .features = PLAIN),
	RULE(sent_is_noticed, .features = PLAIN, .ring = 4),
	RULE(sent_is_noticed, .features = PLAIN, .ring = 5),
	RULE(full_queue, .features = PLAIN),
	RULE(xdp_wakes, .features = PLAIN),
	RULE(small_queue, .features = PLAIN, .size = 2),
	RULE(broken_send_queue, .features = PLAIN),
	RULE(pause, .features = PLAIN),
	RULE(send_counters, .features = PLAIN),
	RULE(commands, .features = CONTROL),
	RULE(late_answer, .features = CONTROL),
	RULE(replies, .features = CONTROL),
	RULE(filters, .features = CONTROL),
	RULE(state_after_a_reset, .features = CONTROL),
	RULE(no_pairs, .features = CONTROL | F(MQ), .config = CONFIG(.max_virtqueue_pairs = 0)),
	RULE(no_pairs, .features = CONTROL | F(MQ),
	     .config = CONFIG(.max_virtqueue_pairs = 0x8001)),
	RULE(small_mtu, .features = PLAIN | F(MTU)),
	RULE(mtu_shrinks, .features = PLAIN | F(MTU)),
	RULE(table_of_hashes, .features = HASHES,
	     .config = CONFIG(.rss_max_key_size = 40, .supported_hash_types = 63,
			      .rss_max_indirection_table_length = 17)),
};

/* One input: what the device is, what is above the driver, and one step. */
void target_load(void)
{
	unsigned int bit;

	check(!target_init(), "the driver does not register");
	virtnet_napi_tx = true;
	host_create(&rule->config, sizeof(rule->config));
	for (bit = 0; bit < 64; bit++)
		if (rule->features & BIT_ULL(bit))
			__virtio_set_bit(&host.vdev, bit);
	host.on_wait = answer;
	say.refuse_cmd = 0xff;
	say.hdr.hdr.num_buffers = 1;
}

void target_unload(void)
{
	stack_check_end();
}

void target_rule(void)
{
	stack_up(true);
	work_run();
	rule->run();
	say.speechless = false;
}

int main(void)
{
	unsigned int failed = 0;

	for (rule = rules; rule < rules + ARRAY_SIZE(rules); rule++) {
		if (rule_holds(rule->ring, rule->size, 0))
			continue;
		printf("not so: %s\n", rule->name);
		failed++;
	}
	return rules_end(ARRAY_SIZE(rules), failed);
}
