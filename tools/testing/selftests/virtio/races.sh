#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Whether a kernel that looks for races (KCSAN) finds one in the code of a ring:
# test_modules/races/ has two CPUs use one virtqueue.

cd "$(dirname "$0")" && . ./lib.sh || exit

needs_module virtio_races
needs_that "a kernel that looks for races" [ -e /sys/kernel/debug/kcsan ]
needs_that "two CPUs" [ -e /sys/devices/system/cpu/cpu1 ]

# use LOCKED
use()
{
	load_module virtio_races locked="$1" seconds=$((5 * patience)) && rmmod virtio_races
}

is_quiet() { ! dmesg | grep KCSAN: ; }
in_the_ring() { dmesg | grep 'KCSAN: data-race in .*vring_split_enable_cb_delayed'; }

# What the tests of drivers look for when they end
sees_it() { (eval "$(grep '^FAULTS=' "$1")" && dmesg | grep -E "$FAULTS"); }

check "two CPUs in turns: no race" use Y
check "and none is reported" is_quiet
check "two CPUs at a time" use N
check "the race is reported, in the ring's code" in_the_ring
for lib in blk-lib.sh scsi-lib.sh net-lib.sh; do
	check "$lib: it is a fault" sees_it $lib
done
plan
