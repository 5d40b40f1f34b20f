#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A disk, a SCSI host and a network device come and go $rounds times each way, at work: by
# unbinding, with the modules of their drivers, and by the host's hand. All that works with
# them ends in time, and their memory comes back. At the end the guest reboots at work.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs_host
needs fio ping ./net_traffic
needs_module blk_again scsi_again net_again
needs_that "a machine without disks: vda and sda are plugged in" \
	[ ! -e /sys/block/vda -a ! -e /sys/block/sda ]
needs_that "a machine without an eth0: that is plugged in" [ ! -e /sys/class/net/eth0 ]

# 6.12's pciehp takes its locks in two orders: see blk-plug.sh
FAULTS='cut here|BUG[: ]|KASAN'
: "${rounds:=100}"
drivers=/sys/bus/virtio/drivers

are_there() { [ -e /dev/vda ] && [ -e /dev/sda ] && [ -e /sys/class/net/eth0 ]; }
are_gone() { ! [ -e /sys/block/vda ] && ! [ -e /sys/block/sda ] && ! [ -e /sys/class/net/eth0 ]; }
all_ended() { for load in $loads; do has_ended $load || return; done; }

plug() { ask_host plug $([ $(($1 % 2)) = 0 ] && echo true || echo false) >&3; }
unplug() { ask_host unplug >&3; }

# The devices that are there, by the number of their type: 2, 8, 1
devices_of_type() { grep -lx "0x000$1" /sys/bus/virtio/devices/*/device | cut -d/ -f6; }

bind_all()
{
	devices_of_type 2 >$drivers/virtio_blk/bind &&
	devices_of_type 8 >$drivers/virtio_scsi/bind &&
	devices_of_type 1 >$drivers/virtio_net/bind
}

unbind_all()
{
	devices_of_type 2 >$drivers/virtio_blk/unbind &&
	devices_of_type 8 >$drivers/virtio_scsi/unbind &&
	devices_of_type 1 >$drivers/virtio_net/unbind
}

load_all() { load_module blk_again && load_module scsi_again && load_module net_again; }
can_unload() { rmmod "$1" 2>/dev/null; }

# A driver whose disk is open stays; that of a network device does not.
unload_all()
{
	refuse can_unload blk_again && refuse can_unload scsi_again && rmmod net_again || return
	kill $loads 2>/dev/null
	wait_for 10 can_unload blk_again && wait_for 10 can_unload scsi_again
}

net_load()
{
	ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up &&
	wait_for 20 ping -q -c 1 -W 1 10.0.2.2 >/dev/null || return
	./net_traffic send 10.0.2.2 100000000 1400 >/dev/null 2>&1 3>&- &
	loads="$loads $!"
}

all_work()
{
	loads=
	load vda && loads="$loads $load" && load sda && loads="$loads $load" && net_load
}

failed() { echo "round $1: not all $2"; return 1; }

# round NUMBER COME GO
round()
{
	$2 $1 && wait_for 60 are_there || failed $1 came || return
	all_work || failed $1 work || return
	sleep 0.$((1 + $1 % 9))
	$3 && wait_for 60 are_gone || failed $1 went || return
	wait_for 20 all_ended || failed $1 ended
}

# What is kept for the next time does not count.
memory() { echo 3 >/proc/sys/vm/drop_caches; awk '/^Slab:/ { print $2 }' /proc/meminfo; }

all_rounds()
{
	local number=1

	while [ $number -le "$rounds" ]; do
		round $number "$@" || return
		[ $number != 5 ] || before=$(memory)
		number=$((number + 1))
	done
}

memory_is_back()
{
	local after=$(memory)

	echo "slabs: $before KiB after 5 rounds, $after KiB after $rounds"
	[ $((after - before)) -lt 4096 ]
}

# test NAME COME GO
test_rounds()
{
	check "$1: $rounds times at work" all_rounds $2 $3
	check "$1: no memory is lost" memory_is_back
}

exec 3>&1
for number in 0 1; do
	plug $number
	check "devices are plugged in" wait_for 60 are_there
	layout=$(ring_layout "$(virtio_by_driver virtio_blk)")
	check "$layout: they are unbound" unbind_all
	test_rounds "$layout: bound and unbound" bind_all unbind_all
	test_rounds "$layout: loaded and unloaded" load_all unload_all
	check "$layout: the built-in drivers take them again" bind_all
	unplug
	check "$layout: devices are pulled out" wait_for 60 are_gone
done
test_rounds "plugged in and pulled out" plug unplug
check "the kernel has found no fault in itself" no_fault
plug 0
check "devices are plugged in once more" wait_for 60 are_there
check "all are at work when the guest reboots" all_work
plan
