// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver sends is described, and may be reflected: ARP and ICMP echo
 * requests are answered. What it receives has the header, the lengths and the number
 * of buffers that the test wants.
 */
#include <linux/hex.h>
#include <linux/icmp.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/unaligned.h>
#include <linux/virtio_net.h>
#include <net/checksum.h>
#include "script.h"

#define PACKET_MAX	(65536 + 64)

static bool reflect;
module_param(reflect, bool, 0644);
MODULE_PARM_DESC(reflect, "answer ARP and ICMP echo requests");

static bool hold_sent;

static int hold_sent_set(const char *value, const struct kernel_param *kp)
{
	int err = param_set_bool(value, kp);

	queue_work(system_unbound_wq, &device_work);
	return err;
}

static const struct kernel_param_ops hold_sent_ops = {
	.set = hold_sent_set,
	.get = param_get_bool,
};
module_param_cb(hold_sent, &hold_sent_ops, &hold_sent, 0644);
MODULE_PARM_DESC(hold_sent, "do not give back what was sent until this is 0 again");

static uint sent_count;
module_param(sent_count, uint, 0644);
MODULE_PARM_DESC(sent_count, "packets that were sent");

static char sent[256];
module_param_string(sent, sent, sizeof(sent), 0444);
MODULE_PARM_DESC(sent, "what was sent last: header, lengths of the pieces");

/* Of what is received */
static uint split = PACKET_MAX;
module_param(split, uint, 0644);
MODULE_PARM_DESC(split, "put at most so many bytes into a buffer");

static int num_buffers = -1;
module_param(num_buffers, int, 0644);
MODULE_PARM_DESC(num_buffers, "claim this number of buffers; negative: do not lie");

static int longer;
module_param(longer, int, 0644);
MODULE_PARM_DESC(longer, "claim that so many bytes more were written to the first buffer");

static uint flags;
module_param(flags, uint, 0644);
static uint gso_type;
module_param(gso_type, uint, 0644);
static uint gso_size;
module_param(gso_size, uint, 0644);
static uint csum_start;
module_param(csum_start, uint, 0644);
static uint hash_value;
module_param(hash_value, uint, 0644);
static uint hash_report;
module_param(hash_report, uint, 0644);

static unsigned int header_len(void)
{
	if (virtio_has_feature(&script_vdev, VIRTIO_NET_F_HASH_REPORT))
		return sizeof(struct virtio_net_hdr_v1_hash);
	return sizeof(struct virtio_net_hdr_v1);
}

static void describe(const struct buffer *buf, const u8 *packet)
{
	unsigned int i, pos;

	pos = scnprintf(sent, sizeof(sent), "%*phN", header_len(), packet);
	for (i = 0; i < buf->out; i++)
		pos += scnprintf(sent + pos, sizeof(sent) - pos, " %u",
				 buf->pieces[i].len);
}

/*
 * Receive
 */

static void fill_header(u8 *packet)
{
	struct virtio_net_hdr_v1_hash *hdr = (void *)packet;

	memset(packet, 0, header_len());
	hdr->hdr.flags = flags;
	hdr->hdr.gso_type = gso_type;
	hdr->hdr.csum_start = cpu_to_virtio16(&script_vdev, csum_start);
	hdr->hdr.gso_size = cpu_to_virtio16(&script_vdev, gso_size);
	if (header_len() < sizeof(*hdr))
		return;
	put_unaligned_le32(hash_value, packet + sizeof(hdr->hdr));
	put_unaligned_le16(hash_report, packet + sizeof(hdr->hdr) + 4);
}

/* Returns how many buffers it took, 0 if there were not enough: then it is lost. */
static unsigned int fill_buffers(struct script_queue *queue, const u8 *packet,
				 u32 len, struct list_head *list)
{
	unsigned int num = 0;
	struct buffer *buf;
	u32 part;

	for (; len; packet += part, len -= part, num++) {
		buf = queue_next(queue);
		if (!buf)
			return 0;
		list_add_tail(&buf->list, list);
		part = buffer_write(buf, 0, packet, min(len, split));
		buf->used_len = part;
	}
	return num;
}

static void receive(struct script_queue *queue, u8 *packet, u32 len)
{
	struct buffer *buf, *next;
	__le16 number;
	LIST_HEAD(list);
	int num;

	fill_header(packet);
	num = fill_buffers(queue, packet, len, &list);
	if (num) {
		buf = list_first_entry(&list, struct buffer, list);
		number = cpu_to_le16(num_buffers < 0 ? num : num_buffers);
		buffer_write(buf, offsetof(struct virtio_net_hdr_v1, num_buffers),
			     &number, sizeof(number));
		buf->used_len += longer;
	}
	list_for_each_entry_safe(buf, next, &list, list) {
		list_del(&buf->list);
		queue_move(queue, buf, num ? &queue->used : &queue->offered);
	}
}

/*
 * Reflection
 */

static const u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 0x99 };

static bool answer_arp(u8 *arp, u32 len)
{
	u8 asked[4];

	if (len < sizeof(struct arphdr) + 20 || arp[7] != ARPOP_REQUEST)
		return false;
	arp[7] = ARPOP_REPLY;
	memcpy(asked, arp + 24, 4);
	memcpy(arp + 18, arp + 8, 10);
	memcpy(arp + 8, mac, ETH_ALEN);
	memcpy(arp + 14, asked, 4);
	return true;
}

static bool answer_ping(struct iphdr *ip, u32 len)
{
	struct icmphdr *icmp = (void *)(ip + 1);

	if (len < sizeof(*ip) + sizeof(*icmp) || ip->protocol != IPPROTO_ICMP)
		return false;
	swap(ip->saddr, ip->daddr);
	if (ip->frag_off & htons(IP_OFFSET))
		return true;
	if (icmp->type != ICMP_ECHO)
		return false;
	icmp->type = ICMP_ECHOREPLY;
	csum_replace2(&icmp->checksum, htons(ICMP_ECHO << 8),
		      htons(ICMP_ECHOREPLY << 8));
	return true;
}

static bool answer(u8 *frame, u32 len)
{
	struct ethhdr *eth = (void *)frame;
	bool known = false;

	if (len < ETH_HLEN)
		return false;
	if (eth->h_proto == htons(ETH_P_ARP))
		known = answer_arp(frame + ETH_HLEN, len - ETH_HLEN);
	else if (eth->h_proto == htons(ETH_P_IP))
		known = answer_ping((void *)(frame + ETH_HLEN), len - ETH_HLEN);
	memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	memcpy(eth->h_source, mac, ETH_ALEN);
	return known;
}

void nic_release(struct script_queue *queue)
{
	struct buffer *buf;

	while (!hold_sent && (buf = queue_held(queue)))
		queue_move(queue, buf, &queue->used);
}

/* Only the work of the device calls this. */
void nic_sent(struct script_queue *queue, struct buffer *buf)
{
	static u8 packet[PACKET_MAX];
	struct script_queue *rx = script_queue(queue->vq.index - 1);
	unsigned int hdr_len = header_len();
	u32 len = buffer_read(buf, 0, packet, sizeof(packet));

	sent_count++;
	describe(buf, packet);
	queue_move(queue, buf, hold_sent ? &queue->held : &queue->used);
	if (reflect && len > hdr_len && rx &&
	    answer(packet + hdr_len, len - hdr_len))
		receive(rx, packet, len);
}
