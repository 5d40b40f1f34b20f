// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the rest of the kernel relies on while a device goes, or comes back: nobody can
 * look from outside at the right time. And the rest of the kernel that does not want it.
 */
#include <linux/dim.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include "script.h"

static uint without_rtnl;
module_param(without_rtnl, uint, 0644);
MODULE_PARM_DESC(without_rtnl, "how often queues came or went without RTNL");

static int profiles = -1;
module_param(profiles, int, 0444);
MODULE_PARM_DESC(profiles, "of moderation, as the interface last went down; -1: none");

static bool unwanted;
module_param(unwanted, bool, 0644);
MODULE_PARM_DESC(unwanted, "the device is refused when it is registered, all else being done");

void watch_queues(void)
{
	if (!rtnl_is_locked())
		without_rtnl++;
}

static int watch_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if (dev->dev.parent != &script_vdev.dev)
		return NOTIFY_DONE;
	if (event == NETDEV_GOING_DOWN)
		profiles = dev->irq_moder ? dev->irq_moder->profile_flags : -1;
	if (event == NETDEV_POST_INIT && unwanted)
		return notifier_from_errno(-EBUSY);
	return NOTIFY_DONE;
}

static struct notifier_block watch_block = { .notifier_call = watch_event };

int watch_start(void)
{
	return register_netdevice_notifier(&watch_block);
}

void watch_stop(void)
{
	unregister_netdevice_notifier(&watch_block);
}
