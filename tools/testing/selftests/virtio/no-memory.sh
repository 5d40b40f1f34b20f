#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that is not there. Allocations fail below the functions of the rings, or of one of
# the drivers: first at work, for $seconds, and then while devices are bound, $rounds times.
# At work all data is right, and the network goes on. Whoever can't be bound leaves nothing
# behind, and is bound when there is memory.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh
. ./load-lib.sh

: "${seconds:=10}"
: "${rounds:=15}"
debug=/sys/kernel/debug
drivers=/sys/bus/virtio/drivers

needs_host
needs_that "faults in allocations below a function" [ -e $debug/failslab/require-start ]
needs_that "faults in allocations of pages" [ -e $debug/fail_page_alloc/require-start ]

# What is there to be run at boot only lies behind the rest.
code_of()
{
	awk -v name="^($1)_[a-z0-9_]*\$" '
		$3 == "_etext" { exit }
		$2 ~ /[tT]/ && $3 ~ name { if (!first) first = $1; last = $1 }
		END { print "0x" first, "0x" last }' /proc/kallsyms
}

# Any allocation may be the one, and each is said in the log.
prepare_faults()
{
	local kind

	for kind in failslab fail_page_alloc; do
		echo N >$debug/$kind/ignore-gfp-wait
		echo -1 >$debug/$kind/times
		echo 1 >$debug/$kind/verbose
	done
	echo 0 >$debug/fail_page_alloc/min-order
	echo N >$debug/fail_page_alloc/ignore-gfp-highmem
}

# fail PERCENT EVERY FIRST LAST: below the code from FIRST to LAST
fail()
{
	local kind

	for kind in failslab fail_page_alloc; do
		echo "$2" >$debug/$kind/interval
		echo "$3" >$debug/$kind/require-start
		echo "$4" >$debug/$kind/require-end
		echo "$1" >$debug/$kind/probability
	done
}

fail_no_more()
{
	echo 0 >$debug/failslab/probability
	echo 0 >$debug/fail_page_alloc/probability
}

are_well()
{
	for disk in $disks; do
		disk_is_well "$disk" || { echo "$disk is not"; return 1; }
	done
}

works()
{
	find_disks
	verify_disks 1
	wait $verifiers
	are_well && network_is_up && echoes
}

at_work()
{
	local echoed

	fail 10 1 $2
	verify_disks "$seconds"
	echo_for "$seconds"
	echoed=$?
	wait $verifiers
	fail_no_more
	check "$1: at work: the data is right" are_well
	check "$1: at work: all that was sent comes back" [ $echoed = 0 ]
}

# Whether it is bound then or not: it is not after this. An interface gets its buffers when
# it comes up.
try_to_bind()
{
	echo "$2" 2>/dev/null >"$drivers/$1/bind"
	ip link set eth0 up 2>/dev/null
	! [ -e "$drivers/$1/$2" ] || echo "$2" >"$drivers/$1/unbind"
}

# bind_often DRIVER FIRST LAST: what fails is the first allocation, then every third,
# sixth, tenth, and so on, so that each step on the way is the one that fails
bind_often()
{
	local driver=$1 path device round every
	shift

	for path in "$drivers/$driver"/virtio*; do
		device=${path##*/}
		echo "$device" >"$drivers/$driver/unbind" || return
		round=1 every=1
		while [ $round -le "$rounds" ]; do
			fail 100 $every "$@"
			try_to_bind "$driver" "$device"
			fail_no_more
			round=$((round + 1)) every=$((every + round))
		done
		echo "$device" >"$drivers/$driver/bind" || return
	done
}

failed_allocations()
{
	clear_log
	grep -c 'FAULT_INJECTION: forcing a failure' /tmp/log
}

some_failed()
{
	local now=$(failed_allocations)

	echo "$now, $1 before"
	[ "$now" -gt "$1" ]
}

# without_memory NAME PREFIX DRIVER...: the functions that begin with PREFIX; the devices
# of these drivers are bound
without_memory()
{
	local name=$1 code=$(code_of "$2") before driver

	wanted "$name" || return
	shift 2
	before=$(failed_allocations)
	at_work "$name" "$code"
	echo "# $name: $(($(failed_allocations) - before)) allocations have failed at work"
	for driver; do
		check "$name: $driver is bound at last" bind_often "$driver" $code
	done
	check "$name: allocations have failed" some_failed "$before"
	check "$name: all works as before" works
}

# What 6.12 itself says in such a case is left out: files of an interrupt in /proc that could
# not be made are removed, and the search for leaks wants memory too.
reports()
{
	awk '/cut here/ { if (held) print held; held = $0; next }
	     held { held = held "\n" $0 }
	     held && /WARNING: / { foreign = / at remove_proc_entry/
				  if (!foreign) print held
				  held = ""
				  next }
	     !held && !foreign { print }
	     /end trace/ { foreign = 0 }
	     END { if (held) print held }' /tmp/log |
		grep -v 'kmemleak: Cannot allocate a scan area'
}

finds_no_fault() { clear_log; ! reports | grep -A 60 -E "$FAULTS"; }

prepare_faults
check "all works" works
without_memory rings "vring|virtqueue" virtio_blk virtio_scsi virtio_net
without_memory blk virtblk virtio_blk
without_memory scsi virtscsi virtio_scsi
without_memory net virtnet virtio_net
check "the kernel has found no fault in itself" finds_no_fault
check "no memory is lost" no_leak
plan
