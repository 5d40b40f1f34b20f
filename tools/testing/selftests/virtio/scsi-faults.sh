#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The SCSI driver on a device that follows a script: see test_modules/scsi_script/.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./scsi-lib.sh

needs fio sg_reset
needs_module scsi_script
needs_that "a machine without SCSI devices: the first one is to be that of the module" \
	[ -z "$(ls /sys/class/scsi_device 2>/dev/null)" ]

script=/sys/module/scsi_script/parameters
driver=/sys/bus/virtio/drivers/virtio_scsi
device=/sys/class/scsi_device/*/device

find_disk()
{
	disk=/dev/$(ls $device/block) && [ -b "$disk" ]
}

# load [PARAMETER=VALUE...]: brings the device; short timeouts for what comes. All that
# the kernel reads by itself is read when the disk is attached.
load()
{
	mark
	load_module scsi_script "$@" && wait_for 20 said 'Attached SCSI disk' && find_disk &&
		short_timeouts
}

short_timeouts()
{
	echo 2 >"$(echo $device)/timeout" &&
	echo 1 >"$(echo $device)/eh_timeout"
}

# Without a deadline the mid-layer never recovers: the host has its time.
ask_for_recovery() { echo 600 >"$(echo /sys/class/scsi_host/host*)/eh_deadline"; }

unload() { timeout 30 rmmod scsi_script; }
tell() { echo "$2" >"$script/$1"; }
block() { timeout "$1" dd if="$disk" of=/tmp/block bs=4k count=1 iflag=direct; }

# within SECONDS START
within() { [ $(($(now) - $2)) -lt $(($1 * patience * 100)) ]; }

layout_is() { [ "$(cat $script/layout)" = "$1" ] || { cat $script/layout; return 1; }; }

# Fails, but does not hang: timeout(1) gives 143
fails_in_time()
{
	local status=0

	block "$1" || status=$?
	[ $status != 0 ] && [ $status != 143 ]
}

verified_by_fio()
{
	timeout 60 fio --eta=never --name=io --filename="$disk" --direct=1 --ioengine=io_uring \
		--rw=randrw --bsrange=4k-128k --iodepth=16 --size=4m --verify=crc32c \
		--verify_fatal=1 "$@"
}

writes_a_block() { dd if=/tmp/data of="$disk" bs=4k count=1 oflag=direct; }
reads_a_block() { block 10 && cmp -n 4096 /tmp/data /tmp/block; }
works() { writes_a_block && reads_a_block; }

# test_layout NAME WRITE READ
test_layout()
{
	check "$1: data is written" writes_a_block
	check "$1: header, protection, data, response; in this order" layout_is "$2"
	check "$1: data is read back" reads_a_block
	check "$1: header, response, protection, data; in this order" layout_is "$3"
	check "$1: fio verifies its data" verified_by_fio
}

# test_bad_value WHAT PARAMETER VALUE
test_bad_value()
{
	mark
	tell "$2" "$3"
	check "a bad $1: the command fails" fails_in_time 20
	case $2 in
	silent|hold) tell "$2" 0 ;;
	response) tell "$2" -1 ;;
	*) tell "$2" 0 ;;
	esac
	check "a bad $1: reported once" said_once "gave a bad $1"
	check "a bad $1: afterwards all is well" works
	# each device reports one
	reload
}

# What stock takes: cut, and reported once
test_long_sense()
{
	mark
	tell once 1
	tell sense_len "$1"
	check "sense data of $1 bytes: the command succeeds" block 20
	check "sense data of $1 bytes: reported" said_once "gave a bad sense length"
	tell once 0
	reload
}

# vhost counts what the CDB asks for. The mid-layer sends the rest once more.
test_long_residual()
{
	mark
	tell once 1
	tell resid "$1"
	check "a residual of $1: the command succeeds" reads_a_block
	check "a residual of $1: that is no fault" never_said "gave a bad"
	tell once 0
}

# Without memory for as long as a command may take, and nothing else in flight
test_never_memory()
{
	mark
	tell fail_add 1
	check "never memory: the command fails" fails_in_time 20
	check "never memory: reported" said 'there is never memory for 4096 bytes in 1 segments'
	tell fail_add 0
	check "never memory: afterwards all is well" works
}

# A scan gets no answer; a disk that grows meanwhile is told of.
test_parallel_events()
{
	tell gone 1
	tell hold_inquiry 1
	tell event "1 01004001 1"
	sleep 0.5
	tell gone 0
	tell blocks 8192
	tell event "3 01004000 92a"
	check "event: a new size does not wait for a scan" wait_for 10 number_is \
		"/sys/block/${disk#/dev/}/size" 8192
	tell blocks 16384
	tell release 1
	tell event "3 01004000 92a"
	check "event: and the next one comes too" wait_for 10 number_is \
		"/sys/block/${disk#/dev/}/size" 16384
	check "event: all buffers are back" wait_for 20 event_room
}

# A disk of its own: it has what is read from it later
reload() { unload && load && writes_a_block; }

# test_response CODE HOSTBYTE: what the mid-layer makes of a response
test_response()
{
	mark
	tell response "$1"
	check "response $1: the command fails" fails_in_time 30
	tell response -1
	check "response $1: host byte $2" said "hostbyte=($2) "
}

# For those after which a command is sent again until it succeeds
test_retried_response()
{
	tell once 1
	tell response "$1"
	check "response $1: sent again" reads_a_block
	tell once 0
}

# test_lost NAME TMFS STARTS: a read is lost; what was tried to get it back?
test_lost()
{
	local before=$(cat $script/starts) start=$(now)

	ask_for_recovery
	tell tmfs ''
	tell once 1
	tell hold 1
	check "$1: the read succeeds all the same" timeout 60 dd if="$disk" of=/tmp/block bs=4k \
		count=1 iflag=direct
	check "$1: and in time" within 12 "$start"
	check "$1: task management functions: $2" [ "$(echo $(cat $script/tmfs))" = "$2" ]
	check "$1: starts of the device: $3" [ $(($(cat $script/starts) - before)) = "$3" ]
	tell once 0
	tell tmf_response 0
	tell keep 0
	check "$1: afterwards all is well" verified_by_fio
}

# Task management is answered when nobody waits any more; its memory must be there.
test_late()
{
	tell once 1
	tell hold 1
	tell tmf_response -1
	timeout 60 dd if="$disk" of=/tmp/block bs=4k count=1 iflag=direct &
	check "late: task management times out" wait_for 20 tmfs_begin "0 5"
	check "late: and is answered" tell late 1
	tell tmf_response 0
	wait $!
	check "late: the read succeeds all the same" [ $? = 0 ]
	tell once 0
	check "late: afterwards all is well" verified_by_fio
}

tmfs_begin() { case "$(echo $(cat $script/tmfs))" in "$1"*) ;; *) return 1 ;; esac; }

# start_reader: a read that takes as long as it takes
start_reader()
{
	dd if="$disk" of=/tmp/block bs=4k count=1 iflag=direct &
	reader=$!
}

still_waits() { kill -0 "$reader" 2>/dev/null; }
has_ended() { ! still_waits; }
no_recovery() { [ -z "$(cat $script/tmfs)" ] && [ "$(cat $script/starts)" = "$1" ]; }

# The host takes longer than three timeouts for one command: it gets that time, and
# commands for others are answered meanwhile.
test_slow()
{
	local starts=$(cat $script/starts)

	mark
	tell tmfs ''
	tell once 1
	tell hold 1
	start_reader
	sleep 0.2
	sleep 7
	check "slow: other commands are answered" timeout 5 dd if="$disk" of=/dev/null bs=4k \
		count=1 skip=1 iflag=direct
	check "slow: the command still waits" still_waits
	check "slow: it is reported" said 'no answer for [0-9]+ s to command 0x28'
	check "slow: nobody recovers" no_recovery "$starts"
	tell once 0
	tell release 1
	wait $reader
	check "slow: the command succeeds in the end" [ $? = 0 ]
	check "slow: it was not sent again" no_recovery "$starts"
}

# As Documentation/virtio/debugging.rst looks for a stuck queue
is_seen_stuck()
{
	grep ' request: size [0-9]* used [1-9][0-9]* works$' /sys/kernel/debug/virtio/*/queues
}

test_lost_kick()
{
	local starts=$(cat $script/starts) reader

	mark
	tell tmfs ''
	tell lose_kicks 1
	block 20 &
	reader=$!
	check "lost kick: debugfs shows what is stuck" wait_for 1 is_seen_stuck
	wait $reader
	check "lost kick: the read succeeds" [ $? = 0 ]
	check "lost kick: debugfs shows nothing stuck" refuse is_seen_stuck
	check "lost kick: after one timeout, with one line" said_once 'no answer for [0-9]+ s'
	check "lost kick: nobody recovers" no_recovery "$starts"
}

test_lost_interrupt()
{
	local starts=$(cat $script/starts)

	mark
	tell tmfs ''
	tell lose_interrupts 1
	check "lost interrupt: the read succeeds" block 20
	check "lost interrupt: reported as such" said_once \
		'queue 0: the device was done, and did not say so'
	check "lost interrupt: and as nothing else" never_said 'no answer'
	check "lost interrupt: nobody recovers" no_recovery "$starts"
}

# Found by a command that takes long
test_needs_reset()
{
	local starts=$(cat $script/starts)

	mark
	tell once 1
	tell hold 1
	tell status_bits 0x40
	check "a device that needs a reset: the read succeeds" timeout 60 dd if="$disk" \
		of=/dev/null bs=4k count=1 iflag=direct
	tell once 0
	check "a device that needs a reset: reported" said_once 'the device needs a reset'
	check "a device that needs a reset: gets one" number_is $script/starts $((starts + 1))
	check "a device that needs a reset: afterwards all is well" works
}

# Said by the device; the command's time is far from over.
test_bus_reset()
{
	local starts=$(cat $script/starts)

	echo 60 >"$(echo $device)/timeout"
	tell once 1
	tell hold 1
	start_reader
	sleep 0.2
	tell status_bits 0x40
	tell config 1
	check "a device that says that it needs a reset: the read ends at once" \
		wait_for 20 has_ended
	wait $reader
	check "a device that says that it needs a reset: and succeeds" [ $? = 0 ]
	check "a device that says that it needs a reset: gets one" \
		number_is $script/starts $((starts + 1))
	tell once 0
	check "a device that says that it needs a reset: afterwards all is well" works
	short_timeouts
}

test_gone()
{
	mark
	tell hold 1
	start_reader
	sleep 0.2
	tell status_bits 0xff
	wait $reader
	check "gone: the command fails" [ $? != 0 ]
	check "gone: reported" said 'the device is gone'
	check "gone: a new command fails at once" fails_in_time 3
	check "gone: removed in time" unbind
	tell hold 0
	tell appear 1
	check "gone: bound again" bind
	check "gone: bound again: all is well" works
	short_timeouts
}

# A write is under way when the driver is unbound.
unbind_later()
{
	tell hold 1
	dd if=/tmp/data of="$disk" bs=64k count=1 oflag=direct &
	writer=$!
	sleep 0.5
	vdev=$(ls $driver | grep '^virtio')
	echo "$vdev" >$driver/unbind &
	reader=$!
	sleep 0.5
}

# Removal waits for what was sent, for longer than three timeouts.
test_slow_removal()
{
	dd if=/dev/zero of="$disk" bs=64k count=1 oflag=direct
	mark
	tell once 1
	unbind_later
	sleep 7
	check "slow removal: it waits" still_waits
	check "slow removal: and says for what" said 'no answer for [0-9]+ s to command 0x2a'
	tell once 0
	tell release 1
	wait $writer
	check "slow removal: the write succeeds" [ $? = 0 ]
	check "slow removal: it ends" wait_for 20 has_ended
	check "slow removal: bound again" bind
	dd if="$disk" of=/tmp/block bs=64k count=1 iflag=direct
	check "slow removal: everything was written" cmp /tmp/data /tmp/block
	short_timeouts
}

test_gone_meanwhile()
{
	unbind_later
	check "gone during removal: it waits" still_waits
	tell status_bits 0xff
	check "gone during removal: it ends" wait_for 20 has_ended
	wait $writer
	check "gone during removal: the write fails" [ $? != 0 ]
	tell hold 0
	tell appear 1
	check "gone during removal: bound again" bind
	short_timeouts
}

# Resets while commands come and go, and while there are events
test_resets_under_load()
{
	local i=0 load before=$(cat $script/starts)

	flood 2000 &
	timeout 90 fio --eta=never --name=io --filename="$disk" --direct=1 \
		--ioengine=io_uring --rw=randwrite --bs=4k --iodepth=16 --size=2m \
		--loops=6 --verify=crc32c --verify_fatal=1 &
	load=$!
	while [ $i -lt 20 ]; do
		timeout 20 sg_reset --host "$disk" || break
		i=$((i + 1))
	done >&2
	check "resets under load: 20 of them" [ $(($(cat $script/starts) - before)) -ge 20 ]
	check "resets under load: fio verifies its data" wait $load
}

flood()
{
	local i=0

	while [ $i -lt "$1" ]; do
		echo "7 ffffffff 7" >$script/event
		i=$((i + 1))
	done 2>/dev/null
}

# The device has less room when it is set up again: no use for it any more.
test_smaller()
{
	mark
	tell queue_size 32
	timeout 20 sg_reset --host "$disk" >&2
	check "smaller queues after a reset: reported" said "queues are smaller"
	check "smaller queues after a reset: commands fail at once" fails_in_time 3
	tell queue_size 64
	check "smaller queues after a reset: bound again" rebind
	check "smaller queues after a reset: no complaint" sh -c "! dmesg | grep 'did not reset'"
	check "smaller queues after a reset: fio verifies its data" verified_by_fio
}

# Sixteen reads that are submitted together need fewer kicks than reads.
test_batches()
{
	tell kicks 0
	check "batches: reads" timeout 60 fio --eta=never --name=io --filename="$disk" --direct=1 \
		--ioengine=io_uring --rw=randread --bs=4k --iodepth=16 --iodepth_batch_submit=16 \
		--iodepth_batch_complete_min=16 --number_ios=512
	check "batches: 512 reads, $(cat $script/kicks) kicks" [ "$(cat $script/kicks)" -le 128 ]
}

# The device is told of commands that it has got, though the last one of their batch
# did not get there.
test_short_batch()
{
	local reader

	tell executed 0
	tell room 8
	timeout 60 fio --eta=never --name=io --filename="$disk" --direct=1 \
		--ioengine=io_uring --rw=randread --bs=4k \
		--iodepth=16 --iodepth_batch_submit=16 --iodepth_batch_complete_min=16 \
		--number_ios=16 &
	reader=$!
	check "batches: without the last command the others are executed" \
		wait_for 10 number_is $script/executed 8
	tell room -1
	check "batches: and the last ones later" wait $reader
}

# A LUN that went or came while events were missed
test_missed()
{
	tell gone 1
	tell event "80000000 0 0"
	check "event: missed ones: the disk that is gone goes" wait_for 10 has_no_disk
	tell gone 0
	tell event "80000000 0 0"
	check "event: missed ones: the disk that is there comes" wait_for 10 find_disk
	check "event: missed ones: all is well" works
}

has_no_disk() { ! find_disk; }

# number_is FILE VALUE, of the host or the device
number_is() { [ "$(cat $1)" = "$2" ] || { echo "$1: $(cat $1)"; return 1; }; }

test_queue_depth()
{
	local file=$(echo $device)/queue_depth

	check "queue depth: lowered" sh -c "echo 3 >$file && [ \$(cat $file) = 3 ]"
	check "queue depth: fio verifies its data" verified_by_fio
	check "queue depth: limited to cmd_per_lun" sh -c "echo 64 >$file && [ \$(cat $file) = 32 ]"
}

# Cache lines have at least 64 bytes: these are whole ones, and the page is no other's.
event_room()
{
	[ "$(cat $script/event)" = "8 buffers, 8 mapped, 128 bytes at 0" ] ||
		{ cat $script/event; return 1; }
}

# test_event NAME EVENT MESSAGE
test_event()
{
	mark
	check "event: $1 is sent" tell event "$2"
	check "event: $1 is reported" wait_for 20 said "$3"
	check "event: $1: all is well" works
	reload
}

test_flood()
{
	mark
	flood 300
	check "event: a flood of bad ones is reported once" said_once "gave a bad event"
	check "event: a flood: all is well" works
	check "event: a flood: all buffers are back, where they were" wait_for 20 event_room
}

unbind()
{
	vdev=$(ls $driver | grep '^virtio') &&
	timeout 30 sh -c "echo $vdev >$driver/unbind" && ! find_disk
}

bind() { echo "$vdev" >$driver/bind && wait_for 10 find_disk; }
rebind() { unbind && bind; }

dd if=/dev/urandom of=/tmp/data bs=64k count=1

check "a scripted device is loaded" load
check "events: mapped once, in cache lines of their own" event_room
test_queue_depth
test_batches
test_short_batch
test_layout "plain" "lun 01004000 pi 0 0 out 51 4096 in 108" \
	"lun 01004000 pi 0 0 out 51 in 108 4096"

test_bad_value response response 77
test_bad_value response silent 1
test_long_sense 97
test_long_sense 4294967295
test_long_residual 4097
test_long_residual 4294967295

# the mid-layer limits how many failures it prints in 5 s
sleep 5
test_response 1 'DID_ERROR|0x07'
test_response 2 'DID_ABORT|0x05'
test_response 3 'DID_BAD_TARGET|0x04'
test_response 7 'DID_BAD_TARGET|0x04'
test_response 9 'DID_ERROR|0x07'
for code in 4 5 6; do
	test_retried_response $code
done
mark
tell response 8
check "response 8: a reservation conflict" fails_in_time 20
tell response -1

test_slow
test_lost_kick
test_lost_interrupt
test_needs_reset
test_bus_reset
test_gone
test_slow_removal
test_gone_meanwhile
test_lost "lost, aborted" "0" 0
tell tmf_response 11
test_lost "lost, abort rejected" "0 5 4" 1
tell tmf_response -1
test_lost "lost, task management not answered" "0 5 4" 1
tell keep 1
test_lost "lost, success claimed but not given back" "0 5 4" 1
tell tmfs ''
test_late
test_resets_under_load
test_smaller
short_timeouts

tell fail_start 7
check "every 7th buffer finds no memory: fio verifies its data" verified_by_fio
tell fail_start 0
tell fail_add 101
check "every 101st piece finds no memory: fio verifies its data" verified_by_fio
tell fail_add 0

test_never_memory
test_parallel_events

test_event "a LUN in no known format" "1 07000000 1" "gave a bad event LUN: 0x7000000"
test_event "a target out of range" "1 01094000 1" "gave a bad event LUN: 0x1094000"
test_event "a LUN out of range" "3 01007fff 2a09" "gave a bad event LUN"
test_event "an unknown reason" "1 01000000 63" "gave a bad event reason: 0x63"
test_event "an unknown event" "9 01000000 0" "gave a bad event: 0x9"
test_event "a removed LUN that never was" "1 01000003 2" "LUN 0:0:3 was not known"
test_missed
check "event: missed ones are sent" tell event "80000000 0 0"
check "event: missed ones: the disk stays" sh -c "sleep 1; [ -b $disk ]"
test_flood

# a read is lost, and then the device
tell hold 1
timeout 60 dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct &
reader=$!
sleep 0.5
start=$(now)
tell lose 1
mark
check "device lost: a new command fails at once" fails_in_time 3
check "device lost: with no connection" said 'hostbyte=(DID_NO_CONNECT|0x01) '
check "device lost: removed in time" unbind
wait $reader
check "device lost: the waiting command has failed" [ $? != 0 ]
check "device lost: all that in 15 s" within 15 "$start"
tell hold 0
tell appear 1
check "device lost: bound again" bind
check "bound again: fio verifies its data" verified_by_fio

# the same with a device that is there but answers nothing at all, and an
# administrator who does not want to wait
short_timeouts
ask_for_recovery
echo 1 >/sys/class/scsi_disk/*/max_retries
tell hold 1
tell tmf_response -1
timeout 60 dd if="$disk" of=/dev/null bs=4k count=1 iflag=direct &
reader=$!
sleep 0.5
flood 500 &
check "mute device: removed in time" unbind
wait $reader
check "mute device: the waiting command has failed" [ $? != 0 ]
tell hold 0
tell tmf_response 0
check "mute device: bound again" bind
check "unloaded" unload

check "small queue: loaded" load queue_size=8 seg_max=4096
check "small queue: segments are limited" \
	[ "$(cat /sys/block/${disk#/dev/}/queue/max_segments)" = 6 ]
check "small queue: fio verifies its data" verified_by_fio
check "small queue: unloaded" unload
check "strange limits: loaded" load seg_max=0 max_sectors=7 cmd_per_lun=4294967295 \
	max_target=65535 max_lun=4294967295 num_queues=0
check "strange limits: less than a page is reported" said_once \
	"max_sectors 7 is less than a page, using 8"
check "strange limits: a page is what there is" number_is \
	"/sys/block/${disk#/dev/}/queue/max_hw_sectors_kb" 4
for pair in sg_tablesize:1 cmd_per_lun:64 can_queue:64; do
	check "strange limits: ${pair%:*} is ${pair#*:}" number_is \
		"/sys/class/scsi_host/host*/${pair%:*}" "${pair#*:}"
done
check "strange limits: fio verifies its data" verified_by_fio
check "strange limits: unloaded" unload

for type in 1 2 3; do
	check "protection type $type: loaded" load pi=$type
	test_layout "protection type $type" "lun 01004000 pi 64 0 out 59 64 4096 in 108" \
		"lun 01004000 pi 0 64 out 59 in 108 64 4096"
	check "protection type $type: fio verifies its data, many segments" verified_by_fio \
		--bs=128k
	check "protection type $type: unloaded" unload
done

check "the kernel found no fault" no_fault
plan
