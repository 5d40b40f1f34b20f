#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The events of virtqueues in tracefs: one request of a disk, step by step, tables that
# come and go, what the KUnit suite of the rings does to its queues, and the stuck queue
# of Documentation/virtio/debugging.rst. Disks are only read.

cd "$(dirname "$0")" && . ./lib.sh || exit

tracing=/sys/kernel/tracing
events=$tracing/events/virtio
[ -d $events ] || mount -t tracefs nodev $tracing 2>/dev/null
needs_that "events of virtio in tracefs" [ -d $events ]
dir=$(virtio_by_driver virtio_blk)
needs_that "a disk of virtio_blk" [ -n "$dir" ]
disk=/dev/$(ls "$dir/block")
queue="${dir##*/} [0-9]* req.[0-9]*"

on()  { for event; do echo 1 >"$events/$event/enable"; done; }
off() { echo 0 >$events/enable; }
forget() { echo >$tracing/trace; }
# lines EVENT [REGEX]: of its lines, those that match
lines() { grep " virtqueue_$1: " $tracing/trace | grep -E -e "${2:-}"; }
number_of() { lines "$@" | wc -l; }
# the value of a name in the lines that come in
value() { sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }
# the events of a queue, in one line
story() { sed -n "s/.* virtqueue_\([a-z_]*\): $1.*/\1/p" $tracing/trace | tr '\n' ' '; }

read_disk() { timeout 20 dd if="$disk" of=/dev/null bs="$1" count=1 iflag=direct; }
one_read() { forget && read_disk 4k && off && cat $tracing/trace >&2; }

# What happens in any case, in this order; callbacks may be switched in between.
in_order() { story "$queue" | grep -E 'add .*kick .*notify .*interrupt .*get '; }
same_token()
{
	local token

	token=$(lines add "$queue" | value token)
	[ -n "$token" ] && [ "$(lines get "$queue" | value token)" = "$token" ]
}
tables_come()
{
	read_disk 1M && lines tables_grow "$queue: elements=(16|32|64|128|256) tables=[1-9]"
}

off
echo 8192 >$tracing/buffer_size_kb
# so that two tokens can be told apart, however little is random yet
hashed=$(cat $tracing/options/hash-ptr)
echo 0 >$tracing/options/hash-ptr
on virtqueue_add virtqueue_kick virtqueue_notify virtqueue_get virtqueue_interrupt \
	virtqueue_disable_cb virtqueue_enable_cb virtqueue_enable_cb_delayed
check "a block is read with events on" one_read
check "its events come in order" in_order
check "it is one buffer" [ "$(number_of add "$queue: .* out=1 in=2 .* err=0")" = 1 ]
check "the device wanted to be told, and was" \
	[ "$(number_of kick "$queue: notify=1")/$(number_of notify "$queue")" = 1/1 ]
check "an interrupt found a used buffer" lines interrupt "$queue: used=1"
check "the token that comes back is that of the buffer" same_token
check "with the length of a block and its status" [ "$(lines get "$queue" | value len)" = 4097 ]
check "callbacks are switched off and on" \
	[ "$(number_of disable_cb "$queue"):$(number_of enable_cb "$queue")" = 1:1 ]
forget
check "events that are off leave no trace" sh -c \
	"dd if=$disk of=/dev/null bs=4k count=1 iflag=direct && ! grep virtqueue_ $tracing/trace"

on virtqueue_add
echo "device == \"${dir##*/}\" && index == 99" >$events/filter
check "a filter takes one queue" sh -c \
	"dd if=$disk of=/dev/null bs=4k count=1 iflag=direct && ! grep virtqueue_ $tracing/trace"
echo 0 >$events/filter
off

on virtqueue_tables_grow virtqueue_tables_shrink
check "a large request has tables made" wait_for 5 tables_come
check "which are given back when nobody uses them" wait_for 20 lines tables_shrink "$queue"
off

# events_of_rings: what its suite does to rings, on a device named "ring_test"
test_rings()
{
	local ring="ring_test 0 ring:"

	forget
	on virtqueue_break virtqueue_reset virtqueue_resize virtqueue_cancel virtqueue_publish
	check "the suite of the rings is run with events on" load_module virtio_ring_test
	off
	rmmod virtio_ring_test
	echo traceoff >$events/virtqueue_break/trigger
	check "a trigger is taken" grep traceoff $events/virtqueue_break/trigger
	echo '!traceoff' >$events/virtqueue_break/trigger
	check "rings break with the reason" lines break \
		"$ring used (id|index) [0-9]+ is (out of range|not in flight|past the available index [0-9]+)"
	check "rings are reset" lines reset "$ring size=16 err=0"
	check "rings are resized" lines resize "$ring size=(8|32) err=0"
}
if has_module virtio_ring_test; then
	test_rings
else
	skip "events of rings" "needs the module virtio_ring_test"
fi

# As Documentation/virtio/debugging.rst looks for what is missing
test_lost_kick()
{
	local script=/sys/module/scsi_script/parameters dev reader

	check "lost kick: the scripted device is loaded" load_module scsi_script
	wait_for 5 [ -e /dev/sda ]
	echo 2 >/sys/block/sda/device/timeout
	dev=$(virtio_by_driver virtio_scsi)
	forget
	on virtqueue_add virtqueue_kick virtqueue_notify virtqueue_get
	echo 1 >$script/lose_kicks
	dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &
	reader=$!
	check "lost kick: the device was told of a buffer that does not come back" \
		wait_for 2 sh -c \
			"grep -E ' virtqueue_(add|kick|notify|get): ${dev##*/} 2 ' $tracing/trace |
				tail -n 1 | grep virtqueue_notify"
	wait $reader
	check "lost kick: it comes back after another notification" [ $? = 0 ]
	check "lost kick: which is there, too" \
		[ "$(lines notify "${dev##*/} 2 request" | wc -l)" -gt 1 ]
	off
	rmmod scsi_script
}
if has_module scsi_script && [ -z "$(virtio_by_driver virtio_scsi)" ]; then
	test_lost_kick
else
	skip "lost kick" "needs the module scsi_script, and no other SCSI host of virtio"
fi
echo "$hashed" >$tracing/options/hash-ptr
plan
