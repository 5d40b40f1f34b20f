// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the stack is told of the link: carrier, speed, and that the device is lost.
 *
 * There is a carrier while the device is up and says that the link is (5.1.4).
 * Queues are neither stopped nor woken with it: the stack does not transmit without
 * a carrier, and a queue that is being reset must not be woken.
 */
#include <linux/virtio_config.h>

#include "virtio_net.h"

static void virtnet_read_speed(struct virtnet *vn)
{
	u32 speed;
	u8 duplex;

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_SPEED_DUPLEX))
		return;

	virtio_cread_le(vn->vdev, struct virtio_net_config, speed, &speed);
	if (ethtool_validate_speed(speed))
		vn->speed = speed;
	virtio_cread_le(vn->vdev, struct virtio_net_config, duplex, &duplex);
	if (ethtool_validate_duplex(duplex))
		vn->duplex = duplex;
}

static bool virtnet_read_link(struct virtnet *vn)
{
	u16 status;

	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_STATUS))
		return true;

	virtio_cread(vn->vdev, struct virtio_net_config, status, &status);
	return status & VIRTIO_NET_S_LINK_UP;
}

void virtnet_link_update(struct virtnet *vn)
{
	bool carrier = vn->up && virtnet_read_link(vn);

	if (carrier && !netif_carrier_ok(vn->dev))
		virtnet_read_speed(vn);

	if (!carrier) {
		netif_carrier_off(vn->dev);
		return;
	}
	netif_carrier_on(vn->dev);
	/* It may have been lost since; virtnet_lost() sets this first. */
	if (READ_ONCE(vn->lost))
		netif_carrier_off(vn->dev);
}

void virtnet_lost(struct virtnet *vn, const char *why)
{
	if (xchg(&vn->lost, true))
		return;
	netif_carrier_off(vn->dev);
	netdev_err(vn->dev, "no more traffic: %s\n", why);
}

/* True if the device has met an error from which it can't recover (2.1.2) */
bool virtnet_needs_reset(const struct virtnet *vn)
{
	return vn->vdev->config->get_status(vn->vdev) &
	       VIRTIO_CONFIG_S_NEEDS_RESET;
}
