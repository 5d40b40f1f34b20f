// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network stack: packets, NAPI, the device. It looks at each byte of a packet.
 */
#include "stack.h"
#include "host.h"
#include "../../shim.h"

#define MAX_BUFFERS	4096
#define MAX_NAPIS	64

spinlock_t rtnl;	/* the one lock of all configuration */
bool stack_more;
bool stack_adjoins;
unsigned int stack_ip_align;
unsigned long stack_page_size = 4096;
bool stack_polls_ended = true;
struct page zero_page[1] __aligned(4096);
struct stack_seen stack_seen;

static struct net_device *device;
static struct napi_struct *napis[MAX_NAPIS];
static unsigned int num_napis;
static struct delayed_work *delayed;
static bool polling;	/* by the one that has its NAPI */

/*
 * Memory of packets: a piece is freed by any address in it, once.
 */

static struct {
	u8 *start;
	size_t size;
} buffers[MAX_BUFFERS];
static unsigned int num_buffers;

void *stack_buffer(size_t size)
{
	void *p;

	if (shim_alloc_fails())
		return NULL;
	check(num_buffers < MAX_BUFFERS, "more buffers than there is room for");
	p = aligned_alloc(128, ALIGN(size, 128));
	buffers[num_buffers].start = p;
	buffers[num_buffers++].size = size;
	return p;
}

static unsigned int find_buffer(const void *p)
{
	const u8 *at = p;
	unsigned int i;

	for (i = 0; i < num_buffers; i++)
		if (at >= buffers[i].start && at < buffers[i].start + buffers[i].size)
			return i;
	check(false, "this is not the memory of a packet, or not any more");
	return 0;
}

void stack_buffer_free(const void *p)
{
	unsigned int i = find_buffer(p);

	/* The device may still write there, but nobody looks. */
	host_forget();
	free(buffers[i].start);
	buffers[i] = buffers[--num_buffers];
}

/*
 * Packets
 */

static struct sk_buff *new_skb(void *head, unsigned int size, bool buffer)
{
	struct sk_buff *skb = kzalloc(sizeof(*skb), GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb->head = head;
	skb->data = head;
	skb->size = size;
	skb->truesize = size;
	skb->buffer = buffer;
	/* The fragments of a packet that XDP passes stay. */
	memset(skb_shinfo(skb), 0, offsetof(struct skb_shared_info, xdp_frags_size));
	return skb;
}

struct sk_buff *napi_alloc_skb(struct napi_struct *napi, unsigned int len)
{
	unsigned int size = SKB_DATA_ALIGN(len + NET_SKB_PAD + NET_IP_ALIGN) +
			    SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	void *head = kmalloc(size, GFP_ATOMIC);
	struct sk_buff *skb;

	if (!head)
		return NULL;
	skb = new_skb(head, size, false);
	if (skb)
		skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	else
		kfree(head);
	return skb;
}

struct sk_buff *napi_build_skb(void *data, unsigned int size)
{
	unsigned int i = find_buffer(data);

	check(buffers[i].start == data && size <= buffers[i].size,
	      "a packet of %u bytes in a buffer of %zu", size, buffers[i].size);
	return new_skb(data, size, true);
}

void skb_reserve(struct sk_buff *skb, unsigned int len)
{
	skb->data += len;
}

void *__skb_put(struct sk_buff *skb, unsigned int len)
{
	void *tail = skb->data + skb_headlen(skb);

	check(tail + len <= (void *)skb_shinfo(skb), "no room for %u bytes", len);
	skb->len += len;
	return tail;
}

void skb_put_data(struct sk_buff *skb, const void *data, unsigned int len)
{
	memcpy(__skb_put(skb, len), data, len);
}

void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int off,
		     int size, unsigned int truesize)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	check(i == shinfo->nr_frags && i < MAX_SKB_FRAGS, "fragment %d", i);
	shinfo->frags[i] = (skb_frag_t) { page, size, off };
	shinfo->nr_frags++;
	skb->len += size;
	skb->data_len += size;
	skb->truesize += truesize;
}

/*
 * As no two buffers really adjoin, a packet has a copy of such a piece: its buffer is
 * the driver's to free, as a page would be that the packet has a reference to already.
 */
static const void *adjoining;

bool skb_can_coalesce(struct sk_buff *skb, int i, const struct page *page, int off)
{
	adjoining = page_address(page) + off;
	return stack_adjoins && i;
}

void skb_coalesce_rx_frag(struct sk_buff *skb, int i, int size, unsigned int truesize)
{
	void *copy = stack_buffer(size);

	memcpy(copy, adjoining, size);
	skb_add_rx_frag(skb, i + 1, virt_to_page(copy), offset_in_page(copy), size, truesize);
}

void xdp_update_skb_shared_info(struct sk_buff *skb, u8 nr_frags, unsigned int size,
				unsigned int truesize, bool pfmemalloc)
{
	skb_shinfo(skb)->nr_frags = nr_frags;
	skb->len += size;
	skb->data_len += size;
	skb->truesize += truesize;
}

static void *frag_data(const skb_frag_t *frag)
{
	return page_address(frag->page) + frag->offset;
}

static void free_frags(struct skb_shared_info *shinfo)
{
	unsigned int i;

	for (i = 0; i < shinfo->nr_frags; i++)
		stack_buffer_free(frag_data(&shinfo->frags[i]));
}

static void free_one(struct sk_buff *skb)
{
	free_frags(skb_shinfo(skb));
	if (skb->buffer)
		stack_buffer_free(skb->head);
	else
		kfree(skb->head);
	kfree(skb);
}

void kfree_skb(struct sk_buff *skb)
{
	struct sk_buff *next = skb_shinfo(skb)->frag_list;

	free_one(skb);
	while ((skb = next)) {
		next = skb->next;
		free_one(skb);
	}
}

void xdp_return_buff(struct xdp_buff *xdp)
{
	if (xdp_buff_has_frags(xdp))
		free_frags(xdp_get_shared_info_from_buff(xdp));
	stack_buffer_free(xdp->data_hard_start);
}

struct xdp_frame *xdp_convert_buff_to_frame(struct xdp_buff *xdp)
{
	struct xdp_frame *frame = (void *)xdp->data_hard_start;

	check((void *)(frame + 1) <= (void *)xdp->data_meta, "no room for a frame");
	*frame = (struct xdp_frame) {
		.data		= xdp->data,
		.len		= xdp->data_end - xdp->data,
		.headroom	= xdp->data - (unsigned char *)(frame + 1),
		.frame_sz	= xdp->frame_sz,
		.frags		= xdp_buff_has_frags(xdp),
	};
	return frame;
}

void xdp_return_frame(struct xdp_frame *frame)
{
	if (xdp_frame_has_frags(frame))
		free_frags(xdp_get_shared_info_from_frame(frame));
	stack_buffer_free(frame);
}

int skb_linearize(struct sk_buff *skb)
{
	stack_seen.linearized++;
	return -ENOMEM;
}

int virtio_net_hdr_to_skb(struct sk_buff *skb, const struct virtio_net_hdr *hdr,
			  bool little_endian)
{
	stack_seen.offloads++;
	return (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) > 5 ? -EINVAL : 0;
}

int virtio_net_hdr_from_skb(const struct sk_buff *skb, struct virtio_net_hdr *hdr,
			    bool little_endian, bool has_data_valid, int vlan_len)
{
	hdr->gso_type = skb->gso ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE;
	return 0;
}

static volatile u8 sum;

/* Reads all: what is not there is found. */
static unsigned int look_at(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int i, len = skb_headlen(skb);
	unsigned int k;

	for (k = 0; k < skb_headlen(skb); k++)
		sum += skb->data[k];
	for (i = 0; i < shinfo->nr_frags; i++) {
		const u8 *data = frag_data(&shinfo->frags[i]);

		for (k = 0; k < shinfo->frags[i].len; k++)
			sum += data[k];
		len += shinfo->frags[i].len;
	}
	return len;
}

__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	check(skb_headlen(skb) >= ETH_HLEN, "a header of %u bytes", skb_headlen(skb));
	skb->data += ETH_HLEN;
	skb->len -= ETH_HLEN;
	return 0;
}

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	const struct sk_buff *frag;
	unsigned int len = look_at(skb);

	for (frag = skb_shinfo(skb)->frag_list; frag; frag = frag->next)
		len += look_at(frag);
	check(len == skb->len && len <= 65536 + 8, "a packet of %u bytes has %u", skb->len, len);
	stack_seen.packets++;
	stack_seen.len = len;
	stack_seen.ip_summed = skb->ip_summed;
	stack_seen.hash = skb->hash;
	stack_seen.aligned = IS_ALIGNED((unsigned long)skb->data, 4);
	kfree_skb(skb);
}

/*
 * NAPI
 */

void stack_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget))
{
	napi->poll = poll;
	napi->dev = dev;
	if (num_napis < MAX_NAPIS)
		napis[num_napis++] = napi;
}

void stack_napi_del(struct napi_struct *napi)
{
	unsigned int i;

	check(!napi->enabled, "NAPI goes while it is enabled");
	for (i = 0; i < num_napis; i++)
		if (napis[i] == napi)
			napis[i--] = napis[--num_napis];
}

void napi_enable(struct napi_struct *napi)
{
	check(!napi->enabled, "NAPI is enabled twice");
	napi->enabled = true;
}

void napi_disable(struct napi_struct *napi)
{
	check(napi->enabled, "NAPI is disabled twice: this waits for ever");
	stack_polls_ended = false;
	napi->enabled = false;
	napi->scheduled = false;
	napi->again = false;
}

bool napi_schedule_prep(struct napi_struct *napi)
{
	if (!napi->enabled)
		return false;
	if (napi->scheduled) {
		napi->again = true;
		return false;
	}
	napi->scheduled = true;
	return true;
}

bool napi_complete_done(struct napi_struct *napi, int done)
{
	napi->scheduled = napi->again;
	napi->again = false;
	polling = napi->scheduled;
	return !polling;
}

void stack_poll(void)
{
	unsigned int i;
	int done;

	for (i = 0; i < num_napis; i++) {
		if (!napis[i]->scheduled)
			continue;
		polling = true;
		done = napis[i]->poll(napis[i], 16);
		polling = false;
		check(done >= 0 && done <= 16, "%d packets of 16", done);
	}
}

/*
 * The device
 */

struct net_device *alloc_etherdev_mq(size_t priv, unsigned int queues)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (!dev)
		return NULL;
	dev->name = "eth";
	dev->mtu = 1500;
	dev->max_mtu = 1500;
	dev->num_tx_queues = queues;
	dev->tx = calloc(queues, sizeof(*dev->tx));
	dev->priv = calloc(1, priv);
	INIT_LIST_HEAD(&dev->uc.list);
	INIT_LIST_HEAD(&dev->mc.list);
	return dev;
}

void free_netdev(struct net_device *dev)
{
	free(dev->tx);
	free(dev->priv);
	kfree(dev);
	device = NULL;
}

int register_netdevice(struct net_device *dev)
{
	device = dev;
	dev->present = true;
	return 0;
}

struct net_device *stack_dev(void)
{
	return device;
}

void stack_up(bool up)
{
	if (up == device->running || !device->present)
		return;
	spin_lock(&rtnl);
	if (up) {
		device->running = true;
		device->flags |= IFF_UP;
		device->netdev_ops->ndo_open(device);
		device->netdev_ops->ndo_set_rx_mode(device);
	} else {
		device->running = false;
		device->netdev_ops->ndo_stop(device);
		device->flags &= ~IFF_UP;
	}
	spin_unlock(&rtnl);
}

void unregister_netdev(struct net_device *dev)
{
	spin_lock(&rtnl);
	if (dev->running) {
		dev->running = false;
		dev->netdev_ops->ndo_stop(dev);
	}
	spin_unlock(&rtnl);
}

bool __netdev_tx_sent_queue(struct netdev_queue *txq, unsigned int bytes, bool more)
{
	txq->bytes += bytes;
	return txq->stopped || !more;
}

void netdev_tx_completed_queue(struct netdev_queue *txq, unsigned int packets,
			       unsigned int bytes)
{
	txq->bytes -= bytes;
	check(txq->bytes >= 0, "more bytes were sent than there were");
}

static struct sk_buff *packet(unsigned int room, unsigned int linear,
			      unsigned int frags)
{
	unsigned int size = SKB_DATA_ALIGN(room + linear) +
			    SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	void *head = stack_buffer(size), *data;
	struct sk_buff *skb;

	if (!head)
		return NULL;
	skb = new_skb(head, size, true);
	if (!skb) {
		stack_buffer_free(head);
		return NULL;
	}
	skb_reserve(skb, room);
	memset(__skb_put(skb, linear), 0xaa, linear);
	for (; frags && (data = stack_buffer(100)); frags--)
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, virt_to_page(data),
				offset_in_page(data), 100, 100);
	return skb;
}

void stack_send(unsigned int room, unsigned int linear, unsigned int frags,
		bool more)
{
	struct netdev_queue *txq;
	struct sk_buff *skb;
	unsigned int i;

	if (!device->running || !device->present)
		return;
	skb = packet(room, linear, frags);
	if (!skb)
		return;
	i = linear % device->real_num_tx_queues;
	txq = &device->tx[i];
	if (txq->stopped) {
		kfree_skb(skb);
		return;
	}
	skb->queue_mapping = i;
	skb->gso = frags > 4;
	skb->cloned = room & 1;
	stack_more = more;
	spin_lock(&txq->lock);
	device->netdev_ops->ndo_start_xmit(skb, device);
	spin_unlock(&txq->lock);
	stack_more = false;
}

/* What the headers of tools/include do not have inline */
unsigned long _find_next_bit(const unsigned long *map, unsigned long num,
			     unsigned long bit)
{
	while (bit < num && !(map[bit / 64] >> bit % 64 & 1))
		bit++;
	return min(bit, num);
}

unsigned long _find_first_bit(const unsigned long *map, unsigned long num)
{
	return _find_next_bit(map, num, 0);
}

/*
 * Interrupt moderation, and time
 */

int net_dim_init_irq_moder(struct net_device *dev, u8 profile, u8 coal, u8 rx_mode,
			   u8 tx_mode, void (*rx)(struct work_struct *work),
			   void (*tx)(struct work_struct *work))
{
	dev->dim_work = rx;
	dev->irq_moder = kmalloc(1, GFP_KERNEL);
	return dev->irq_moder ? 0 : -ENOMEM;
}

void net_dim_free_irq_moder(struct net_device *dev)
{
	kfree(dev->irq_moder);
}

void net_dim_setting(struct net_device *dev, struct dim *dim, bool is_tx)
{
	INIT_WORK(&dim->work, dev->dim_work);
}

struct dim_cq_moder net_dim_get_rx_irq_moder(struct net_device *dev,
					     struct dim *dim)
{
	return (struct dim_cq_moder) { .usec = dim->profile_ix, .pkts = 256 };
}

void net_dim(struct dim *dim, struct dim_sample sample)
{
	check(polling, "moderation by a poll that has completed its NAPI");
	if (sample.event_ctr % 4 || dim->state != DIM_START_MEASURE)
		return;
	dim->profile_ix = (dim->profile_ix + 1) % 5;
	dim->state++;
	queue_work(NULL, &dim->work);
}

bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	delayed = work;
	return true;
}

bool stack_cancel_delayed(struct delayed_work *work)
{
	delayed = NULL;
	return false;
}

void stack_time(void)
{
	struct delayed_work *work = delayed;

	delayed = NULL;
	if (work)
		work->work.fn(&work->work);
}

void stack_check_end(void)
{
	check(!num_buffers, "%u pieces of packets left over", num_buffers);
	check(!device, "the net_device is left over");
	num_napis = 0;
}
