#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices that are driven by virtio_vdpa: the kernel's simulators of a disk and of a
# network device, whose data goes through the DMA API. What is written comes back the
# same, and devices can be removed.

cd "$(dirname "$0")" && . ./lib.sh && . ./blk-lib.sh && . ./vdpa-lib.sh || exit

# Modules of the tests, or of the kernel
load_simulators()
{
	local module

	for module in vringh vdpa vdpa_sim vdpa_sim_blk vdpa_sim_net virtio_vdpa; do
		load_module $module || return
	done
}

has_simulators() { vdpa mgmtdev show vdpasim_blk && vdpa mgmtdev show vdpasim_net; }

needs vdpa fio
needs_that "the kernel's simulators of vDPA devices" load_simulators
needs_that "them to manage devices" has_simulators

test_disk()
{
	local disk

	check "blk0: a disk is added" vdpa dev add name blk0 mgmtdev vdpasim_blk
	wait_for 10 has_disk blk0 || { not_ok "blk0: no disk"; return; }
	disk=$(disk_of blk0)
	echo "# blk0: $disk, $(ring_layout "$(virtio_device_of blk0)"), $(ring_features "$(virtio_device_of blk0)")"
	check "blk0: what is written comes back the same, in all sizes and depths" fio_jobs "$disk"
	check "blk0: it can be removed" remove blk0 "/sys/block/$disk"
}

# It brings back what is sent to its own address.
test_net()
{
	local name

	check "net0: a network device is added" \
		vdpa dev add name net0 mgmtdev vdpasim_net mac 52:54:00:00:00:01
	wait_for 10 is_driven net0 || { not_ok "net0: no device"; return; }
	name=$(netdev_of net0)
	ip link set "$name" up
	check "net0: frames of all sizes come back the same, in order" ./net_loop "$name" 20000
	check "net0: it can be removed" remove net0 "/sys/class/net/$name"
}

clear_log
test_disk
test_net
check "no fault was found" no_fault
plan
