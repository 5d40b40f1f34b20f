// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues come, go, stop, start, and change their size.
 *
 * The arrays of queues live as long as the net_device, as statistics and NAPI do.
 * Virtqueues and the memory for receive buffers live from probe or resume to the
 * next reset of the device. While the device is up all queues have their NAPI, but
 * only the active pairs have receive buffers. Buffers stay in the rings when the
 * device goes down, as it may still write to them.
 */
#include <linux/virtio_config.h>

#include "virtio_net.h"

/*
 * Arrays
 */

static void virtnet_pair_init(struct virtnet *vn, unsigned int i)
{
	struct virtnet_rq *rq = &vn->rq[i];
	struct virtnet_sq *sq = &vn->sq[i];

	rq->vn = vn;
	rq->kind = vn->kind;
	snprintf(rq->name, sizeof(rq->name), "input.%u", i);
	u64_stats_init(&rq->stats.syncp);
	netif_napi_add_weight(vn->dev, &rq->napi, virtnet_rx_poll,
			      virtnet_napi_weight);

	sq->vn = vn;
	sq->txq = netdev_get_tx_queue(vn->dev, i);
	sq->napi_mode = virtnet_napi_tx;
	snprintf(sq->name, sizeof(sq->name), "output.%u", i);
	u64_stats_init(&sq->stats.syncp);
	netif_napi_add_tx_weight(vn->dev, &sq->napi, virtnet_tx_poll,
				 virtnet_napi_weight);
}

int virtnet_queues_alloc(struct virtnet *vn)
{
	unsigned int i;

	vn->rq = kvcalloc(vn->max_pairs, sizeof(*vn->rq), GFP_KERNEL);
	vn->sq = kvcalloc(vn->max_pairs, sizeof(*vn->sq), GFP_KERNEL);
	if (!vn->rq || !vn->sq) {
		kvfree(vn->rq);
		kvfree(vn->sq);
		return -ENOMEM;
	}
	for (i = 0; i < vn->max_pairs; i++)
		virtnet_pair_init(vn, i);
	return 0;
}

void virtnet_queues_free(struct virtnet *vn)
{
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		__netif_napi_del(&vn->rq[i].napi);
		__netif_napi_del(&vn->sq[i].napi);
	}
	/* NAPIs are looked up under RCU. */
	synchronize_net();
	kvfree(vn->rq);
	kvfree(vn->sq);
}

/*
 * Virtqueues
 */

static void virtnet_describe(struct virtnet *vn, struct virtqueue_info *infos)
{
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		infos[2 * i].name = vn->rq[i].name;
		infos[2 * i].callback = virtnet_rx_interrupt;
		infos[2 * i + 1].name = vn->sq[i].name;
		infos[2 * i + 1].callback = virtnet_tx_interrupt;
	}
	if (virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_VQ))
		infos[2 * i].name = "control";
}

static int virtnet_find_vqs(struct virtnet *vn)
{
	bool ctrl = virtio_has_feature(vn->vdev, VIRTIO_NET_F_CTRL_VQ);
	unsigned int total = 2 * vn->max_pairs + ctrl;
	struct virtqueue_info *infos;
	struct virtqueue **vqs;
	unsigned int i;
	int err = -ENOMEM;

	infos = kvcalloc(total, sizeof(*infos), GFP_KERNEL);
	vqs = kvcalloc(total, sizeof(*vqs), GFP_KERNEL);
	if (!infos || !vqs)
		goto free;

	virtnet_describe(vn, infos);
	err = virtio_find_vqs(vn->vdev, total, vqs, infos, NULL);
	if (err)
		goto free;

	for (i = 0; i < vn->max_pairs; i++) {
		vn->rq[i].vq = vqs[2 * i];
		vn->sq[i].vq = vqs[2 * i + 1];
	}
	if (ctrl)
		vn->ctrl.vq = vqs[total - 1];
free:
	kvfree(infos);
	kvfree(vqs);
	return err;
}

static void virtnet_del_vqs(struct virtnet *vn)
{
	unsigned int i;

	virtnet_clear_affinity(vn);
	for (i = 0; i < vn->max_pairs; i++) {
		vn->rq[i].vq = NULL;
		vn->sq[i].vq = NULL;
	}
	vn->ctrl.vq = NULL;
	vn->vdev->config->del_vqs(vn->vdev);
}

int virtnet_queues_create(struct virtnet *vn)
{
	unsigned int i;
	int err;

	err = virtnet_find_vqs(vn);
	if (err)
		return err;

	for (i = 0; i < vn->max_pairs; i++) {
		err = vn->rq[i].kind->start(&vn->rq[i]);
		if (err)
			goto stop;
	}
	return 0;

stop:
	while (i--)
		vn->rq[i].kind->stop(&vn->rq[i]);
	virtnet_del_vqs(vn);
	return err;
}

void virtnet_queues_destroy(struct virtnet *vn)
{
	unsigned int i;

	virtnet_ctrl_stop(vn);
	for (i = 0; i < vn->max_pairs; i++) {
		virtnet_tx_free_unused(&vn->sq[i]);
		virtnet_rx_free_unused(&vn->rq[i]);
		vn->rq[i].kind->stop(&vn->rq[i]);
		cond_resched();
	}
	virtnet_del_vqs(vn);
}

/*
 * Up and down
 */

static unsigned int virtnet_rq_number(const struct virtnet_rq *rq)
{
	return rq - rq->vn->rq;
}

static unsigned int virtnet_sq_number(const struct virtnet_sq *sq)
{
	return sq - sq->vn->sq;
}

/* Interrupts that came while the NAPI could not run were lost. */
static void virtnet_napi_kick(struct napi_struct *napi)
{
	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
}

static void virtnet_rx_start(struct virtnet_rq *rq)
{
	unsigned int i = virtnet_rq_number(rq);
	bool active = i < virtnet_active_pairs(rq->vn);

	/* If there is no memory, NAPI tries again. */
	if (active)
		virtnet_rx_fill(rq, GFP_KERNEL);
	virtnet_dim_start(rq);
	napi_enable(&rq->napi);
	netif_queue_set_napi(rq->vn->dev, i, NETDEV_QUEUE_TYPE_RX, &rq->napi);
	if (active)
		virtnet_napi_kick(&rq->napi);
}

static void virtnet_rx_stop(struct virtnet_rq *rq)
{
	netif_queue_set_napi(rq->vn->dev, virtnet_rq_number(rq),
			     NETDEV_QUEUE_TYPE_RX, NULL);
	napi_disable(&rq->napi);
}

static void virtnet_tx_start(struct virtnet_sq *sq)
{
	struct netdev_queue *txq = sq->txq;

	napi_enable(&sq->napi);
	netif_queue_set_napi(sq->vn->dev, virtnet_sq_number(sq),
			     NETDEV_QUEUE_TYPE_TX, &sq->napi);

	__netif_tx_lock_bh(txq);
	sq->usable = !virtqueue_is_broken(sq->vq);
	if (sq->usable) {
		txq_trans_cond_update(txq);
		virtnet_tx_wake(sq);
	}
	__netif_tx_unlock_bh(txq);
	virtnet_napi_kick(&sq->napi);
}

static void virtnet_tx_stop(struct virtnet_sq *sq)
{
	struct netdev_queue *txq = sq->txq;

	__netif_tx_lock_bh(txq);
	sq->usable = false;
	/* What was idle before has not been stopped for long. */
	txq_trans_cond_update(txq);
	netif_tx_stop_queue(txq);
	__netif_tx_unlock_bh(txq);

	netif_queue_set_napi(sq->vn->dev, virtnet_sq_number(sq),
			     NETDEV_QUEUE_TYPE_TX, NULL);
	napi_disable(&sq->napi);
}

void virtnet_queues_up(struct virtnet *vn)
{
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		virtnet_rx_start(&vn->rq[i]);
		virtnet_tx_start(&vn->sq[i]);
	}
	/* virtnet_xsk_wakeup() reads it without RTNL. */
	WRITE_ONCE(vn->up, true);
}

void virtnet_queues_down(struct virtnet *vn)
{
	unsigned int i;

	WRITE_ONCE(vn->up, false);
	for (i = 0; i < vn->max_pairs; i++) {
		virtnet_rx_stop(&vn->rq[i]);
		virtnet_tx_stop(&vn->sq[i]);
	}
	/* A poll that has given its NAPI up may still look at its queue. */
	synchronize_net();
	for (i = 0; i < vn->max_pairs; i++)
		virtnet_dim_stop(&vn->rq[i]);
}

void virtnet_queues_fill(struct virtnet *vn, unsigned int pairs)
{
	unsigned int i;

	if (!vn->up)
		return;
	for (i = 0; i < pairs; i++)
		virtnet_napi_kick(&vn->rq[i].napi);
}

/*
 * One queue: pause, reset, another size, another kind
 */

void virtnet_rx_pause(struct virtnet_rq *rq)
{
	if (!rq->vn->up)
		return;
	virtnet_rx_stop(rq);
	/* As in virtnet_queues_down() */
	synchronize_net();
	virtnet_dim_stop(rq);
}

void virtnet_rx_resume(struct virtnet_rq *rq)
{
	if (rq->vn->up)
		virtnet_rx_start(rq);
}

void virtnet_tx_pause(struct virtnet_sq *sq)
{
	if (sq->vn->up)
		virtnet_tx_stop(sq);
}

void virtnet_tx_resume(struct virtnet_sq *sq)
{
	if (sq->vn->up)
		virtnet_tx_start(sq);
}

/*
 * If one queue can't be taken back, the whole device is reset: it must neither read nor
 * write the buffers of the queue, as they are freed next.
 */
static void virtnet_vq_take_back(struct virtqueue *vq,
				 void (*recycle)(struct virtqueue *vq, void *token),
				 void (*done)(struct virtqueue *vq))
{
	void *token;

	virtnet_lost(vq->vdev->priv, "a queue could not be reset");
	virtio_break_device(vq->vdev);
	virtio_reset_device(vq->vdev);
	while ((token = virtqueue_detach_unused_buf(vq)))
		recycle(vq, token);
	if (done)
		done(vq);
}

static int virtnet_vq_resize(struct virtqueue *vq, u32 num,
			     void (*recycle)(struct virtqueue *vq, void *token),
			     void (*done)(struct virtqueue *vq))
{
	int err;

	if (num)
		err = virtqueue_resize(vq, num, recycle, done);
	else
		err = virtqueue_reset(vq, recycle, done);
	if (virtqueue_is_broken(vq))
		virtnet_vq_take_back(vq, recycle, done);
	return err;
}

int virtnet_rx_resize(struct virtnet_rq *rq, u32 num)
{
	int err;

	virtnet_rx_pause(rq);
	err = virtnet_vq_resize(rq->vq, num, virtnet_rx_recycle, NULL);
	virtnet_rx_resume(rq);
	return err ?: virtnet_coalesce_apply_rq(rq);
}

int virtnet_tx_resize(struct virtnet_sq *sq, u32 num)
{
	int err;

	virtnet_tx_pause(sq);
	err = virtnet_vq_resize(sq->vq, num, virtnet_tx_recycle,
				virtnet_tx_recycle_done);
	virtnet_tx_resume(sq);
	return err ?: virtnet_coalesce_apply_sq(sq);
}

void virtnet_queues_apply_sizes(struct virtnet *vn)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < vn->max_pairs; i++) {
		if (vn->state.rx_num)
			err = virtnet_rx_resize(&vn->rq[i], vn->state.rx_num) ?:
			      err;
		if (vn->state.tx_num)
			err = virtnet_tx_resize(&vn->sq[i], vn->state.tx_num) ?:
			      err;
	}
	if (err)
		netdev_warn(vn->dev, "cannot set ring sizes: error %d\n", err);
}

static int virtnet_change_kind(struct virtnet_rq *rq,
			       const struct virtnet_rx_kind *kind)
{
	const struct virtnet_rx_kind *old = rq->kind;
	int err;

	old->stop(rq);
	rq->kind = kind;
	err = kind->start(rq);
	if (!err)
		return 0;

	/* From the kind of the device there is no way back: see virtnet_rx_set_kind() */
	if (kind != rq->vn->kind) {
		rq->kind = old;
		if (!old->start(rq))
			return err;
	}
	/* Without memory for buffers nothing can be received any more. */
	__virtqueue_break(rq->vq);
	virtnet_lost(rq->vn, "no memory for a receive queue");
	return err;
}

int virtnet_rx_set_kind(struct virtnet_rq *rq,
			const struct virtnet_rx_kind *kind)
{
	int err;

	/* Without virtqueues there is nothing that the old kind has made. */
	if (!rq->vq) {
		rq->kind = kind;
		return 0;
	}

	virtnet_rx_pause(rq);
	err = virtnet_vq_resize(rq->vq, 0, virtnet_rx_recycle, NULL);
	/* The queue is empty, even if it is broken now. */
	if (!err || virtqueue_is_broken(rq->vq))
		err = virtnet_change_kind(rq, kind);
	virtnet_rx_resume(rq);
	return err ?: virtnet_coalesce_apply_rq(rq);
}
