/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_DEVICE_H
#define _SHIM_LINUX_DEVICE_H
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/numa.h>
#include <linux/printk.h>

struct cpumask;
struct module;

struct device {
	const char *name;
	struct device *parent;
};

struct device_driver {
	const char *name;
};

#define dev_err(dev, ...)	shim_dev_err(dev, __VA_ARGS__)
#define dev_warn(dev, ...)	shim_dev_warn(dev, __VA_ARGS__)
#define dev_warn_once(dev, ...)	shim_dev_warn(dev, __VA_ARGS__)
#define dev_info(dev, ...)	shim_dev_info(dev, __VA_ARGS__)
#define dev_name(dev)		((dev)->name)
#define dev_to_node(dev)	({ (void)(dev); NUMA_NO_NODE; })

#endif
