#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The lines for bpftrace, perf and trace-cmd of Documentation/virtio/debugging.rst, as they
# are there, on the stuck queue of that page: each of them sees a notification that gets
# lost, and the time until the driver finds out.

cd "$(dirname "$0")" && . ./lib.sh || exit

tracing=/sys/kernel/tracing
[ -d $tracing/events/virtio ] || mount -t tracefs nodev $tracing 2>/dev/null
needs_that "events of virtio in tracefs" [ -d $tracing/events/virtio ]
needs_that "the lines of debugging.rst" [ -s debugging_lines ]
needs_module scsi_script
needs_that "a guest without a SCSI host of virtio" [ -z "$(virtio_by_driver virtio_scsi)" ]
needs_that "a machine without an sda: that is the scripted disk" [ ! -e /sys/block/sda ]
script=/sys/module/scsi_script/parameters
work=$(mktemp -d)

# line START: the one that begins so, and what is indented below
line()
{
	awk -v start="$1 " '
		/^[^ ]/ { on = index($0, start) == 1 && !n++ }
		on' debugging_lines
}

# run START: it ends, and what it prints is in $work/out
run()
{
	local command="$(line "$1")" from=$(now) status

	[ -n "$command" ] || return
	(cd "$work" && timeout $((300 * patience)) sh -c "$command") >"$work/out" 2>&1 3>&-
	status=$?
	cat "$work/out"
	echo "$1: status $status after $(seconds_since "$from") s"
	return $status
}
run_losing() { echo 1 >$script/lose_kicks && run "$1"; }

# buckets: "quick LATE" of the request queue; 1024 ms and more have a K in their name
buckets()
{
	awk -v queue="@ms[${device##*/}, 2]:" '
		/^@/ { on = index($0, queue) == 1 }
		on && match($0, /^\[[^])]*[])]/) {
			split(substr($0, RLENGTH + 1), words, " ")
			n[substr($0, 1, RLENGTH) ~ /K/] += words[1]
		}
		END { print n[0] + 0, n[1] + 0 }' "$work/out"
}
# number_of EVENT: how many lines of the request queue have it
number_of() { grep "virtqueue_$1" "$work/out" | grep -cE "${device##*/}\"?,? (index: )?2[^0-9]"; }
# seconds are between the notification that was lost and the answer
late()
{
	awk '/virtqueue_notify/ && !n++ { first = $1 }
		/virtqueue_get/ { last = $1 }
		END { exit !(last - first > 1000) }' "$work/out"
}
# counted EVENT: what perf stat says of it
counted() { awk -v event="virtio:virtqueue_$1" '$2 == event { print $1 }' "$work/out"; }

test_bpftrace()
{
	check "bpftrace: times are taken" run_losing "bpftrace -e 'tracepoint:virtio:virtqueue_add"
	check "bpftrace: of 8 buffers, one took seconds" [ "$(buckets)" = "7 1" ]
	check "bpftrace: none is still out" refuse grep '^@added\[' "$work/out"
	check "bpftrace: kicks are counted" run_losing "bpftrace -e 'tracepoint:virtio:virtqueue_kick"
	check "bpftrace: 8, and the one after the timeout" \
		grep -x "@kicks\[${device##*/}, 2, 1\]: 9" "$work/out"
}

test_perf()
{
	check "perf trace: a read is followed" run_losing "perf trace"
	check "perf trace: the device was told twice of one buffer" \
		[ "$(number_of add)$(number_of notify)$(number_of get)" = 121 ]
	check "perf trace: the time in between is seconds" late
	check "perf stat: events are counted" run_losing "perf stat"
	check "perf stat: 9 kicks for 8 buffers" \
		[ "$(counted kick) $(counted notify) $(counted get)" = "9 9 8" ]
}

test_trace_cmd()
{
	check "trace-cmd: events are recorded" run_losing "trace-cmd record"
	check "trace-cmd: the record can be read" run "trace-cmd report"
	check "trace-cmd: the device was told twice of one buffer" \
		[ "$(number_of add)$(number_of notify)$(number_of get)" = 121 ]
}

tracing_on=$(cat $tracing/tracing_on)
check "the scripted device is loaded" load_module scsi_script
wait_for 5 [ -e /dev/sda ]
echo 2 >/sys/block/sda/device/timeout
device=$(virtio_by_driver virtio_scsi)
for tool in perf trace-cmd bpftrace; do
	if command -v $tool >/dev/null; then
		test_$(echo $tool | tr - _)
	else
		skip "$tool" "needs the program $tool"
	fi
done
echo "$tracing_on" >$tracing/tracing_on
rmmod scsi_script
rm -r "$work"
plan
