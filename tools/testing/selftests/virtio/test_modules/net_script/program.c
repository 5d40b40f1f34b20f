// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program for the interface (XDP) that asks for the hash of each packet. What BPF calls
 * for it needs type information of the kernel, which few test kernels have; this one is a
 * function of C, and calls the driver itself.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/xdp.h>
#include "script.h"

static char asked[32];
module_param_string(asked, asked, sizeof(asked), 0444);
MODULE_PARM_DESC(asked, "what the program was told last: a hash and its type, or an error");

static unsigned int ask(const void *ctx, const struct bpf_insn *insns)
{
	const struct xdp_buff *xdp = ctx;
	const struct xdp_metadata_ops *ops = xdp->rxq->dev->xdp_metadata_ops;
	enum xdp_rss_hash_type type = XDP_RSS_TYPE_NONE;
	u32 hash = 0;
	int err;

	/* without them the kernel attaches no program that asks */
	err = ops ? ops->xmo_rx_hash(ctx, &hash, &type) : -EOPNOTSUPP;
	if (err)
		snprintf(asked, sizeof(asked), "%d", err);
	else
		snprintf(asked, sizeof(asked), "%#x %#x", hash, type);
	return XDP_PASS;
}

static struct bpf_prog_aux aux = { .xdp_has_frags = true };
static struct bpf_prog asking = { .aux = &aux, .bpf_func = ask };

static struct net_device *interface(void)
{
	struct net_device *dev;

	for_each_netdev(&init_net, dev)
		if (dev->dev.parent == &script_vdev.dev)
			return dev;
	return NULL;
}

static int set_program(struct bpf_prog *prog)
{
	struct netdev_bpf command = { .command = XDP_SETUP_PROG, .prog = prog };
	struct net_device *dev = interface();

	if (!dev || !dev->netdev_ops->ndo_bpf)
		return -EOPNOTSUPP;
	return dev->netdev_ops->ndo_bpf(dev, &command);
}

static int program_set(const char *value, const struct kernel_param *kp)
{
	bool wanted;
	int err;

	err = kstrtobool(value, &wanted);
	if (err)
		return err;
	rtnl_lock();
	/* one is the driver's, and one stays here: nobody frees what is no program of BPF */
	if (wanted)
		atomic64_set(&aux.refcnt, 2);
	err = set_program(wanted ? &asking : NULL);
	rtnl_unlock();
	return err;
}

static const struct kernel_param_ops program_ops = { .set = program_set };
module_param_cb(program, &program_ops, NULL, 0200);
MODULE_PARM_DESC(program, "attach the program, or detach it, as has to be before the device goes");
