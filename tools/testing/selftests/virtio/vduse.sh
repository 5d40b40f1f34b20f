#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices that are processes of this guest: a disk and a network device of vduse-device
# (tools/virtio/vduse), by VDUSE and virtio_vdpa. What is written comes back the same, with
# each kind of ring, also when the process dies at work and another one goes on. One that
# lies loses its disk, and no more. only=NAME,NAME
# has no others run than these, which are named at the end.

cd "$(dirname "$0")" && . ./lib.sh && . ./blk-lib.sh && . ./vdpa-lib.sh || exit

needs vdpa fio vduse-device
needs_that "VDUSE of the kernel" [ -e /dev/vduse/control ]

INDIRECT=28 EVENT_IDX=29 PACKED=34 IN_ORDER=35

# What VDUSE has if nobody says otherwise
bounce=$((64 * MiB))

# Status bits
DRIVER_OK=4 FEATURES_OK=8

# be NAME KIND FEATURES [OPTION=VALUE...]: sets $process, which may outlive the test
be()
{
	vduse-device "$@" >>"/tmp/$1.log" 2>&1 3>&- &
	process=$!
}

# What a process has found against the specification, at once: its requests wait for ever.
tell() { while ! grep -hs error: /tmp/*.log; do sleep 1; done; }

has_process() { [ -e "/sys/class/vduse/$1" ]; }
add() { vdpa dev add name "$1" mgmtdev vduse 2>/dev/null; }
give_up_after() { echo "$2" >"/sys/class/vduse/$1/msg_timeout"; }

# start NAME KIND FEATURES [OPTION=VALUE...]: with $bounce bytes for DMA
start()
{
	be "$@"
	wait_for 10 has_process "$1"
	echo "$bounce" >"/sys/class/vduse/$1/bounce_size"
	if wait_for 10 add "$1" && wait_for 20 is_driven "$1"; then
		return
	fi
	not_ok "$1: the process is a device: $(tail -n 1 "/tmp/$1.log")"
	return 1
}

# Sets $disk
start_disk()
{
	start "$1" blk "$2" $3 && wait_for 20 has_disk "$1" || return
	disk=$(disk_of "$1")
}

# The process has seen nothing against the specification, and the device can go.
kept_the_rules() { ! has_ended $process && ! grep error: "/tmp/$1.log"; }

# destroy NAME: without a driver and a process
destroy()
{
	kill -KILL $process 2>/dev/null
	wait_for 10 has_ended $process && wait_for 10 vduse-device "$1" destroy 2>/dev/null
}

# finish NAME WHERE
finish()
{
	check "$1: the driver has kept the rules" kept_the_rules "$1"
	check "$1: it can be removed" remove "$1" "$2"
	check "$1: nothing is left of it" destroy "$1"
}

# negotiated NAME BIT,...: these features of rings and no others
negotiated()
{
	local bit dir

	dir=$(virtio_device_of "$1")
	for bit in $INDIRECT $EVENT_IDX $PACKED $IN_ORDER; do
		case ,$2, in
		*,$bit,*) has_feature "$dir" $bit || return ;;
		*) ! has_feature "$dir" $bit || return ;;
		esac
	done
}

# io NAME BIT,...
io()
{
	start_disk "$1" "$2" || return
	check "$1: its rings are as the process wants them" negotiated "$1" "$2"
	check "$1: what is written comes back the same, in all sizes and depths" fio_jobs "$disk"
	finish "$1" "/sys/block/$disk"
}

test_disk()
{
	io split ""
	io split-in-order $INDIRECT,$EVENT_IDX,$IN_ORDER
	io packed $PACKED,$INDIRECT,$EVENT_IDX
	io packed-in-order $PACKED,$IN_ORDER
}

# Requests wait for memory that others have, and none fails.
test_little()
{
	bounce=$((4 * MiB))
	clear_log
	io little-memory $PACKED,$INDIRECT,$EVENT_IDX
	check "little-memory: no request failed that was tried again" refuse logged "I/O error"
	bounce=$((64 * MiB))
}

# frames NAME BIT,...
frames()
{
	local name

	start "$1" net "$2" || return
	name=$(netdev_of "$1")
	ip link set "$name" up
	check "$1: its rings are as the process wants them" negotiated "$1" "$2"
	check "$1: frames of all sizes come back the same, in order" ./net_loop "$name" 5000
	finish "$1" "/sys/class/net/$name"
}

test_net()
{
	frames net-split $EVENT_IDX
	frames net-split-in-order $IN_ORDER
	frames net-packed $PACKED
	frames net-packed-in-order $PACKED,$EVENT_IDX,$IN_ORDER
}

# large: requests of many pages, which need tables
large()
{
	timeout -s KILL $((60 * patience)) fio --name=large --filename="/dev/$disk" --size=16m \
		--rw=randwrite --bs=256k --direct=1 --ioengine=libaio --iodepth=16 \
		--verify=crc32c --verify_fatal=1 --minimal >/dev/null
}

# The driver gives back what it has not used for a while, and gets other memory then.
test_idle()
{
	local round

	start_disk idle $INDIRECT,$EVENT_IDX || return
	for round in 1 2 3; do
		check "idle: what is written comes back the same, time $round" large
		sleep 8
	done
	finish idle "/sys/block/$disk"
}

# verify: in the background; sets $load
verify()
{
	timeout -s KILL $((100 * patience)) fio --name=verify --filename="/dev/$disk" --size=8m \
		--rw=randwrite --bsrange=4k-128k --direct=1 --ioengine=libaio --iodepth=32 \
		--verify=crc32c --verify_fatal=1 --time_based --runtime=$((15 * patience)) \
		--minimal >/dev/null 2>"/tmp/fio" 3>&- &
	load=$!
	wait_for 20 is_busy "$disk"
}

# The process dies with buffers that it took, or wherever it is
die() { wait_for 20 is_busy "$disk" && kill -USR1 $process && wait_for 10 has_ended $process; }
be_killed() { sleep 0.$((RANDOM % 10)); kill -KILL $process && wait_for 10 has_ended $process; }

# go_on NAME BIT,... HOW ROUNDS
go_on()
{
	local round=0

	while [ $round -lt "$4" ]; do
		$3 || return
		be "$1" blk "$2" $journal
		# so that the signal finds it at work
		sleep 0.5
		round=$((round + 1))
	done
}

# takeover NAME BIT,...
takeover()
{
	journal="disk=/tmp/$1.disk journal=/tmp/$1.journal then=die"
	start_disk "$1" "$2" "$journal" || return
	clear_log
	verify
	check "$1: the process dies at work, another one goes on, 5 times" go_on "$1" "$2" die 5
	check "$1: it is killed anywhere, another one goes on, 5 times" \
		go_on "$1" "$2" be_killed 5
	check "$1: all requests were answered, and the data is right" wait $load
	check "$1: none was sent again or given up" refuse logged "virtio.*\[$disk\]\|I/O error"
	finish "$1" "/sys/block/$disk"
}

test_takeover()
{
	takeover split ""
	takeover packed $PACKED,$INDIRECT,$EVENT_IDX
	takeover packed-in-order $PACKED,$EVENT_IDX,$IN_ORDER
}

test_late()
{
	start_disk late "" then=late || return
	echo 1000 >"/sys/block/$disk/queue/io_timeout"
	clear_log
	kill -USR1 $process
	check "late: a request that is answered after its time is answered" \
		dd if="/dev/$disk" of=/dev/null bs=4k count=1 iflag=direct
	check "late: the driver has waited, and says so" logged "no answer for"
	finish late "/sys/block/$disk"
}

# No process is there for a device that nobody uses.
test_dead()
{
	start_disk dead "" || return
	give_up_after dead 2
	kill -KILL $process
	check "dead: it can be removed all the same" remove dead "/sys/block/$disk"
	check "dead: nothing is left of it" destroy dead
}

# Then it is waited for, as long as VDUSE has the device.
test_dead_at_work()
{
	local remover

	journal="disk=/tmp/gone.disk journal=/tmp/gone.journal"
	start_disk gone $PACKED "$journal" || return
	clear_log
	load "$disk"
	kill -KILL $process
	wait_for 10 has_ended $process
	vdpa dev del gone 3>&- &
	remover=$!
	sleep 3
	check "dead at work: its removal waits" refuse has_ended $remover
	be gone blk $PACKED $journal
	check "dead at work: with another process it ends" wait_for 15 has_ended $remover
	check "dead at work: all I/O has ended" wait_for 15 has_ended $load
	check "dead at work: what was under way was answered" \
		refuse logged "I/O error\|lost the device"
	check "dead at work: the disk is gone" [ ! -e "/sys/block/$disk" ]
	check "dead at work: nothing is left of it" destroy gone
}

# lies NAME BIT,... MISDEED
lies()
{
	local name=$1-$3

	start_disk "$name" "$2" then="$3" || return
	give_up_after "$name" 3
	load "$disk"
	clear_log
	kill -USR1 $process
	check "$name: all I/O ends" wait_for 20 has_ended $load
	check "$name: it is said once that the disk is lost" \
		[ "$(dmesg | grep -c 'lost the device')" -eq 1 ]
	check "$name: more I/O fails" refuse \
		dd if="/dev/$disk" of=/dev/null bs=4k count=1 iflag=direct
	check "$name: it can be removed" remove "$name" "/sys/block/$disk"
	check "$name: nothing is left of it" destroy "$name"
}

test_lies()
{
	local misdeed

	for misdeed in id scribble id-die; do
		lies split $EVENT_IDX $misdeed
		lies packed $PACKED,$INDIRECT $misdeed
	done
}

# unwilling NAME OPTION: one that does not let a driver in
unwilling()
{
	be "$1" blk $PACKED "$2"
	wait_for 10 has_process "$1"
	give_up_after "$1" 2
	check "$1: whoever adds it gets an end" wait_for 10 add "$1"
}

end_of()
{
	check "$1: it can be removed" remove "$1" "/sys/bus/vdpa/devices/$1"
	check "$1: nothing is left of it" destroy "$1"
}

test_unwilling()
{
	local how

	for how in refuse ignore; do
		unwilling features-$how $how=$FEATURES_OK
		check "features-$how: it has no driver" refuse is_driven features-$how
		end_of features-$how
	done
	for how in refuse ignore; do
		clear_log
		unwilling start-$how $how=$DRIVER_OK
		check "start-$how: its disk is lost" logged "lost the device"
		end_of start-$how
	done
}

exec 3>&1
clear_log
tell &
teller=$!
for name in disk net little idle takeover late dead dead_at_work lies unwilling; do
	! wanted $name || test_$name
done
check "the kernel has found no fault in itself" no_fault
kill $teller
plan
