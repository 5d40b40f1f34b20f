// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many packets, or how much time, the device may let pass before it
 * interrupts (5.1.6.5.8): for all queues, for one, or as the load demands.
 *
 * What a queue has is recorded when the device has accepted it. So after a
 * failure virtnet_coalesce_apply() takes back what was sent.
 *
 * Without any of the features, tx-frames is all there is to set: 0 has skbs
 * orphaned as they are sent, 1 has NAPI free them.
 */
#include <linux/virtio_config.h>

#include "virtio_net.h"

static bool virtnet_has_coal(const struct virtnet *vn)
{
	return virtio_has_feature(vn->vdev, VIRTIO_NET_F_NOTF_COAL);
}

static bool virtnet_has_vq_coal(const struct virtnet *vn)
{
	return virtio_has_feature(vn->vdev, VIRTIO_NET_F_VQ_NOTF_COAL);
}

static bool virtnet_coal_equal(const struct virtnet_coal *a,
			       const struct virtnet_coal *b)
{
	return a->max_packets == b->max_packets && a->max_usecs == b->max_usecs;
}

/*
 * Commands
 */

static int virtnet_coal_send_vq(struct virtnet *vn, u16 vqn,
				const struct virtnet_coal *coal)
{
	struct virtio_net_ctrl_coal_vq data = {
		.vqn = cpu_to_le16(vqn),
		.coal.max_packets = cpu_to_le32(coal->max_packets),
		.coal.max_usecs = cpu_to_le32(coal->max_usecs),
	};

	return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_NOTF_COAL,
				    VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET,
				    &data, sizeof(data));
}

static int virtnet_coal_send_rq(struct virtnet_rq *rq,
				const struct virtnet_coal *coal)
{
	return virtnet_coal_send_vq(rq->vn, 2 * (rq - rq->vn->rq), coal);
}

static int virtnet_coal_send_sq(struct virtnet_sq *sq,
				const struct virtnet_coal *coal)
{
	return virtnet_coal_send_vq(sq->vn, 2 * (sq - sq->vn->sq) + 1, coal);
}

/* All queues of one direction; the commands for both have the same layout. */
static int virtnet_coal_send_all(struct virtnet *vn, u8 cmd,
				 const struct virtnet_coal *coal)
{
	struct virtio_net_ctrl_coal data = {
		.max_packets = cpu_to_le32(coal->max_packets),
		.max_usecs = cpu_to_le32(coal->max_usecs),
	};

	return virtnet_ctrl_command(vn, VIRTIO_NET_CTRL_NOTF_COAL, cmd,
				    &data, sizeof(data));
}

static int virtnet_coal_send_tx(struct virtnet *vn,
				const struct virtnet_coal *coal)
{
	unsigned int i;
	int err = 0;

	if (virtnet_has_coal(vn))
		return virtnet_coal_send_all(vn, VIRTIO_NET_CTRL_NOTF_COAL_TX_SET,
					     coal);
	for (i = 0; i < vn->max_pairs && !err; i++)
		err = virtnet_coal_send_sq(&vn->sq[i], coal);
	return err;
}

static int virtnet_coal_send_rx(struct virtnet *vn,
				const struct virtnet_coal *coal)
{
	unsigned int i;
	int err = 0;

	if (virtnet_has_coal(vn))
		return virtnet_coal_send_all(vn, VIRTIO_NET_CTRL_NOTF_COAL_RX_SET,
					     coal);
	for (i = 0; i < vn->max_pairs && !err; i++)
		err = virtnet_coal_send_rq(&vn->rq[i], coal);
	return err;
}

/*
 * The device as it is wanted
 */

int virtnet_coalesce_apply_rq(struct virtnet_rq *rq)
{
	int err;

	if (!virtnet_has_vq_coal(rq->vn))
		return 0;
	mutex_lock(&rq->dim_lock);
	err = virtnet_coal_send_rq(rq, &rq->coal);
	mutex_unlock(&rq->dim_lock);
	return err;
}

int virtnet_coalesce_apply_sq(struct virtnet_sq *sq)
{
	if (!virtnet_has_vq_coal(sq->vn))
		return 0;
	return virtnet_coal_send_sq(sq, &sq->coal);
}

/* Without the feature for all, each queue needs a command of its own. */
static int virtnet_coalesce_apply_pair(struct virtnet *vn, unsigned int i)
{
	bool global = virtnet_has_coal(vn);
	int err = 0, ret = 0;

	if (!global || !virtnet_coal_equal(&vn->sq[i].coal, &vn->state.tx_coal))
		err = virtnet_coalesce_apply_sq(&vn->sq[i]);
	if (!global || !virtnet_coal_equal(&vn->rq[i].coal, &vn->state.rx_coal))
		ret = virtnet_coalesce_apply_rq(&vn->rq[i]);
	return err ?: ret;
}

/* One failure must not keep the other queues from having theirs. */
int virtnet_coalesce_apply(struct virtnet *vn)
{
	unsigned int i;
	int err = 0, ret;

	if (virtnet_has_coal(vn)) {
		err = virtnet_coal_send_tx(vn, &vn->state.tx_coal);
		ret = virtnet_coal_send_rx(vn, &vn->state.rx_coal);
		err = err ?: ret;
	}
	for (i = 0; virtnet_has_vq_coal(vn) && i < vn->max_pairs; i++) {
		ret = virtnet_coalesce_apply_pair(vn, i);
		err = err ?: ret;
	}
	return err;
}

/*
 * As the load demands
 */

static void virtnet_dim_work(struct work_struct *work)
{
	struct dim *dim = container_of(work, struct dim, work);
	struct virtnet_rq *rq = container_of(dim, struct virtnet_rq, dim);
	struct dim_cq_moder moder;
	struct virtnet_coal coal;

	mutex_lock(&rq->dim_lock);
	if (rq->dim_enabled) {
		moder = net_dim_get_rx_irq_moder(rq->vn->dev, dim);
		coal.max_packets = moder.pkts;
		coal.max_usecs = moder.usec;
		if (!virtnet_coal_equal(&coal, &rq->coal) &&
		    !virtnet_coal_send_rq(rq, &coal))
			rq->coal = coal;
	}
	dim->state = DIM_START_MEASURE;
	mutex_unlock(&rq->dim_lock);
}

/* The work may have been cancelled in the midst of a step. */
void virtnet_dim_start(struct virtnet_rq *rq)
{
	rq->dim.state = DIM_START_MEASURE;
}

/* The NAPI of @rq is disabled, so nobody starts the work again. */
void virtnet_dim_stop(struct virtnet_rq *rq)
{
	if (rq->vn->dev->irq_moder)
		net_dim_work_cancel(&rq->dim);
}

/* Each poll that ends was started by an interrupt. */
void virtnet_dim_update(struct virtnet_rq *rq)
{
	struct dim_sample sample = {};

	if (!READ_ONCE(rq->dim_enabled))
		return;
	dim_update_sample(++rq->dim_calls, u64_stats_read(&rq->stats.packets),
			  u64_stats_read(&rq->stats.bytes), &sample);
	net_dim(&rq->dim, sample);
}

/*
 * DIM may have had the last word since all queues got @coal: then the queue gets
 * it once more.
 */
static void virtnet_dim_disable(struct virtnet_rq *rq,
				const struct virtnet_coal *coal)
{
	mutex_lock(&rq->dim_lock);
	if (rq->dim_enabled && !virtnet_coal_equal(&rq->coal, coal))
		virtnet_coal_send_rq(rq, coal);
	rq->coal = *coal;
	WRITE_ONCE(rq->dim_enabled, false);
	mutex_unlock(&rq->dim_lock);
}

/*
 * ethtool -c, -C
 */

static void virtnet_coal_to_ec(struct ethtool_coalesce *ec,
			       const struct virtnet_coal *rx,
			       const struct virtnet_coal *tx, bool dim)
{
	ec->rx_coalesce_usecs = rx->max_usecs;
	ec->rx_max_coalesced_frames = rx->max_packets;
	ec->tx_coalesce_usecs = tx->max_usecs;
	ec->tx_max_coalesced_frames = tx->max_packets;
	ec->use_adaptive_rx_coalesce = dim;
}

static void virtnet_coal_from_ec(const struct ethtool_coalesce *ec,
				 struct virtnet_coal *rx,
				 struct virtnet_coal *tx)
{
	rx->max_usecs = ec->rx_coalesce_usecs;
	rx->max_packets = ec->rx_max_coalesced_frames;
	tx->max_usecs = ec->tx_coalesce_usecs;
	tx->max_packets = ec->tx_max_coalesced_frames;
}

/* What a device without moderation does */
static void virtnet_coal_plain(struct ethtool_coalesce *ec,
			       const struct virtnet_sq *sq)
{
	ec->rx_max_coalesced_frames = 1;
	ec->tx_max_coalesced_frames = sq->napi_mode;
}

static int virtnet_coal_check_plain(const struct ethtool_coalesce *ec)
{
	if (ec->rx_coalesce_usecs || ec->tx_coalesce_usecs ||
	    ec->use_adaptive_rx_coalesce)
		return -EOPNOTSUPP;
	if (ec->rx_max_coalesced_frames != 1 || ec->tx_max_coalesced_frames > 1)
		return -EINVAL;
	return 0;
}

/* Queue by queue, and with values that nobody else decides on */
static int virtnet_coal_check_dim(struct virtnet *vn,
				  const struct virtnet_coal *want,
				  const struct virtnet_coal *have)
{
	if (!virtnet_has_vq_coal(vn))
		return -EOPNOTSUPP;
	return virtnet_coal_equal(want, have) ? 0 : -EINVAL;
}

/* Packets in flight are freed in the way in which they were sent. */
static bool virtnet_napi_mode_busy(struct virtnet *vn, struct virtnet_sq *sq,
				   bool napi_mode)
{
	return sq->napi_mode != napi_mode && (vn->dev->flags & IFF_UP);
}

int virtnet_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
			 struct kernel_ethtool_coalesce *kernel_ec,
			 struct netlink_ext_ack *extack)
{
	struct virtnet *vn = netdev_priv(dev);

	if (virtnet_has_coal(vn) || virtnet_has_vq_coal(vn))
		virtnet_coal_to_ec(ec, &vn->state.rx_coal, &vn->state.tx_coal,
				   vn->state.rx_dim);
	else
		virtnet_coal_plain(ec, &vn->sq[0]);
	return 0;
}

static void virtnet_coal_record(struct virtnet *vn,
				const struct virtnet_coal *rx,
				const struct virtnet_coal *tx, bool dim)
{
	unsigned int i;

	vn->state.tx_coal = *tx;
	vn->state.rx_coal = *rx;
	vn->state.rx_dim = dim;
	for (i = 0; i < vn->max_pairs; i++) {
		vn->sq[i].coal = *tx;
		if (dim)
			WRITE_ONCE(vn->rq[i].dim_enabled, true);
		else
			virtnet_dim_disable(&vn->rq[i], rx);
	}
}

static int virtnet_coal_set_all(struct virtnet *vn,
				const struct ethtool_coalesce *ec)
{
	bool dim = ec->use_adaptive_rx_coalesce;
	struct virtnet_coal rx, tx;
	int err;

	virtnet_coal_from_ec(ec, &rx, &tx);
	err = dim ? virtnet_coal_check_dim(vn, &rx, &vn->state.rx_coal) : 0;
	if (err)
		return err;

	err = virtnet_coal_send_tx(vn, &tx);
	if (!err && !dim)
		err = virtnet_coal_send_rx(vn, &rx);
	if (err)
		virtnet_coalesce_apply(vn);
	else
		virtnet_coal_record(vn, &rx, &tx, dim);
	return err;
}

int virtnet_set_coalesce(struct net_device *dev, struct ethtool_coalesce *ec,
			 struct kernel_ethtool_coalesce *kernel_ec,
			 struct netlink_ext_ack *extack)
{
	struct virtnet *vn = netdev_priv(dev);
	bool napi_mode = ec->tx_max_coalesced_frames;
	unsigned int i;
	int err;

	for (i = 0; i < vn->max_pairs; i++) {
		if (virtnet_napi_mode_busy(vn, &vn->sq[i], napi_mode)) {
			NL_SET_ERR_MSG_MOD(extack,
					   "tx-frames can become 0, or other than 0, only while the interface is down");
			return -EBUSY;
		}
	}

	if (virtnet_has_coal(vn) || virtnet_has_vq_coal(vn))
		err = virtnet_coal_set_all(vn, ec);
	else
		err = virtnet_coal_check_plain(ec);
	if (err)
		return err;

	for (i = 0; i < vn->max_pairs; i++)
		vn->sq[i].napi_mode = napi_mode;
	return 0;
}

int virtnet_get_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *ec)
{
	struct virtnet *vn = netdev_priv(dev);
	struct virtnet_rq *rq;

	if (queue >= vn->max_pairs)
		return -EINVAL;
	if (!virtnet_has_vq_coal(vn)) {
		virtnet_coal_plain(ec, &vn->sq[queue]);
		return 0;
	}

	rq = &vn->rq[queue];
	mutex_lock(&rq->dim_lock);
	virtnet_coal_to_ec(ec, &rq->coal, &vn->sq[queue].coal, rq->dim_enabled);
	mutex_unlock(&rq->dim_lock);
	return 0;
}

static int virtnet_coal_set_rq(struct virtnet_rq *rq,
			       const struct virtnet_coal *rx, bool dim)
{
	int err;

	mutex_lock(&rq->dim_lock);
	if (dim)
		err = virtnet_coal_check_dim(rq->vn, rx, &rq->coal);
	else
		err = virtnet_coal_send_rq(rq, rx);
	if (!err) {
		rq->coal = *rx;
		WRITE_ONCE(rq->dim_enabled, dim);
	}
	mutex_unlock(&rq->dim_lock);
	return err;
}

/* The receive queue has the new values only if the send queue has them, too. */
static int virtnet_coal_set_pair(struct virtnet *vn, u32 queue,
				 const struct ethtool_coalesce *ec)
{
	struct virtnet_sq *sq = &vn->sq[queue];
	struct virtnet_coal rx, tx, old = sq->coal;
	int err;

	virtnet_coal_from_ec(ec, &rx, &tx);
	err = virtnet_coal_send_sq(sq, &tx);
	if (err)
		return err;

	err = virtnet_coal_set_rq(&vn->rq[queue], &rx,
				  ec->use_adaptive_rx_coalesce);
	if (err)
		virtnet_coal_send_sq(sq, &old);
	else
		sq->coal = tx;
	return err;
}

int virtnet_set_queue_coalesce(struct net_device *dev, u32 queue,
			       struct ethtool_coalesce *ec)
{
	struct virtnet *vn = netdev_priv(dev);
	bool napi_mode = ec->tx_max_coalesced_frames;
	int err;

	if (queue >= vn->max_pairs)
		return -EINVAL;
	if (virtnet_napi_mode_busy(vn, &vn->sq[queue], napi_mode))
		return -EBUSY;

	if (virtnet_has_vq_coal(vn))
		err = virtnet_coal_set_pair(vn, queue, ec);
	else
		err = virtnet_coal_check_plain(ec);
	if (!err)
		vn->sq[queue].napi_mode = napi_mode;
	return err;
}

/*
 * The beginning and the end
 */

/* @vn has its queues, with their NAPI modes. */
int virtnet_coalesce_init(struct virtnet *vn)
{
	unsigned int i;
	int err;

	vn->state.tx_coal.max_packets = vn->sq[0].napi_mode;
	for (i = 0; i < vn->max_pairs; i++) {
		vn->sq[i].coal = vn->state.tx_coal;
		mutex_init(&vn->rq[i].dim_lock);
	}
	if (!virtnet_has_vq_coal(vn))
		return 0;

	err = net_dim_init_irq_moder(vn->dev, DIM_PROFILE_RX,
				     DIM_COALESCE_USEC | DIM_COALESCE_PKTS,
				     DIM_CQ_PERIOD_MODE_START_FROM_EQE, 0,
				     virtnet_dim_work, NULL);
	if (err) {
		vn->dev->irq_moder = NULL;
		return err;
	}
	for (i = 0; i < vn->max_pairs; i++)
		net_dim_setting(vn->dev, &vn->rq[i].dim, false);
	return 0;
}

/* ethtool and DIM use it as long as the net_device is registered. */
void virtnet_coalesce_free(struct virtnet *vn)
{
	rtnl_lock();
	net_dim_free_irq_moder(vn->dev);
	vn->dev->irq_moder = NULL;
	rtnl_unlock();
}
