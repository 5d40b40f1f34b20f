// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which CPUs a queue pair belongs to.
 *
 * The CPUs that are online are dealt out to the pairs in use, neighbours to the
 * same pair. Their interrupts go there, and what these CPUs transmit goes to their
 * pair, so that it is reclaimed where it was sent.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/virtio_config.h>

#include "virtio_net.h"

static enum cpuhp_state virtnet_online_state;

/* True if pair @pair of @pairs gets the CPU at place @place of @cpus */
static bool virtnet_pair_has_cpu(unsigned int pair, unsigned int pairs,
				 unsigned int place, unsigned int cpus)
{
	if (pairs > cpus)
		return pair % cpus == place;
	return place * pairs / cpus == pair;
}

static void virtnet_pair_cpus(unsigned int pair, unsigned int pairs,
			      const struct cpumask *online,
			      struct cpumask *mask)
{
	unsigned int cpus = cpumask_weight(online);
	unsigned int place = 0;
	unsigned int cpu;

	cpumask_clear(mask);
	for_each_cpu(cpu, online) {
		if (virtnet_pair_has_cpu(pair, pairs, place, cpus))
			cpumask_set_cpu(cpu, mask);
		place++;
	}
}

/* Hotplug is held off, or this is one of its callbacks. */
static void virtnet_deal_out(struct virtnet *vn, const struct cpumask *online)
{
	unsigned int pairs = virtnet_active_pairs(vn);
	cpumask_var_t mask;
	unsigned int i;

	/* The queues then stay where they are, which only costs speed. */
	if (!alloc_cpumask_var(&mask, GFP_KERNEL))
		return;

	for (i = 0; i < pairs; i++) {
		virtnet_pair_cpus(i, pairs, online, mask);
		virtqueue_set_affinity(vn->rq[i].vq, mask);
		virtqueue_set_affinity(vn->sq[i].vq, mask);
		__netif_set_xps_queue(vn->dev, cpumask_bits(mask), i,
				      XPS_CPUS);
	}
	free_cpumask_var(mask);
}

void virtnet_set_affinity(struct virtnet *vn)
{
	cpus_read_lock();
	virtnet_deal_out(vn, cpu_online_mask);
	cpus_read_unlock();
}

/* What the hints of interrupts point to is the transport's, and goes with the queues. */
void virtnet_clear_affinity(struct virtnet *vn)
{
	unsigned int i;

	for (i = 0; i < vn->max_pairs; i++) {
		virtqueue_set_affinity(vn->rq[i].vq, NULL);
		virtqueue_set_affinity(vn->sq[i].vq, NULL);
	}
}

static int virtnet_cpu_online(unsigned int cpu, struct hlist_node *node)
{
	virtnet_deal_out(hlist_entry(node, struct virtnet, node),
			 cpu_online_mask);
	return 0;
}

/* @cpu is still among those online. If it stays, it comes online again. */
static int virtnet_cpu_leaves(unsigned int cpu, struct hlist_node *node)
{
	struct virtnet *vn = hlist_entry(node, struct virtnet, node);
	cpumask_var_t rest;

	if (!alloc_cpumask_var(&rest, GFP_KERNEL))
		return 0;
	cpumask_andnot(rest, cpu_online_mask, cpumask_of(cpu));
	virtnet_deal_out(vn, rest);
	free_cpumask_var(rest);
	return 0;
}

int virtnet_hotplug_add(struct virtnet *vn)
{
	return cpuhp_state_add_instance_nocalls(virtnet_online_state,
						&vn->node);
}

void virtnet_hotplug_remove(struct virtnet *vn)
{
	cpuhp_state_remove_instance_nocalls(virtnet_online_state, &vn->node);
}

int virtnet_hotplug_init(void)
{
	int ret;

	ret = cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "virtio/net:online",
				      virtnet_cpu_online, virtnet_cpu_leaves);
	if (ret < 0)
		return ret;
	virtnet_online_state = ret;
	return 0;
}

void virtnet_hotplug_exit(void)
{
	cpuhp_remove_multi_state(virtnet_online_state);
}
