#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The block driver and a disk that lies: bad values in its configuration, bad
# status bytes, bad reports of zones, no answers, and a disk that is pulled out.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs blkdiscard blkzone fallocate fio
needs_module blk_liar
needs_that "a machine without a vda: the lying disk is that" [ ! -e /sys/block/vda ]

PARAM=/sys/module/blk_liar/parameters
bitmaps_lost=0
# Feature bits
SIZE_MAX=0x2 SEG_MAX=0x4 GEOMETRY=0x10 BLK_SIZE=0x40 FLUSH=0x200 TOPOLOGY=0x400 WCE=0x800
MQ=0x1000 DISCARD=0x2000 ZEROES=0x4000 ERASE=0x10000 ZONED=0x20000

device() { echo "$*" >$PARAM/device; }
say() { echo "$2" >"$PARAM/$1"; }
features() { echo "features=$(($1))"; }
there() { [ -e /sys/block/vda ]; }
count_lines() { dmesg | grep -c "$1"; }
offset_is()
{
	device "$(features $TOPOLOGY)" alignment_offset=1 physical_block_exp=3
	[ "$(cat /sys/block/vda/alignment_offset)" = "$1" ]
}
limit() { [ "$(cat "/sys/block/vda/queue/$1")" = "$2" ]; }

# ends DD-OPTION...: dd succeeds. If it does not end it never will, nor what comes next:
# a signal does not end direct I/O.
ends()
{
	dd "$@" 2>/tmp/dd &
	transfer=$!
	if ! wait_for 20 has_ended $transfer; then
		not_ok "I/O ends: dd $*" >&3
		plan >&3
	fi
	wait $transfer
}

# works: what is written can be read
works()
{
	there && head -c 65536 /dev/urandom >/tmp/in &&
	ends if=/tmp/in of=/dev/vda bs=64k oflag=direct &&
	ends if=/dev/vda of=/tmp/out bs=64k count=1 iflag=direct &&
	cmp /tmp/in /tmp/out
}

# Next to a load, which writes everywhere
reads() { ends if=/dev/vda of=/dev/null bs=64k count=1 iflag=direct; }

# refused NAME MESSAGE WORD...: the probe fails and says why
refused()
{
	local name=$1 message=$2

	shift 2
	clear_log
	device "$@"
	if ! there && logged "$message"; then
		ok "refused: $name"
	else
		not_ok "refused: $name"
		dmesg >&2
	fi
}

# taken NAME LIMIT VALUE WORD...: there is a disk that works, with this limit
taken()
{
	local name=$1 limit=$2 value=$3

	shift 3
	clear_log
	device "$@"
	if works && limit "$limit" "$value"; then
		ok "safe: $name"
	else
		not_ok "safe: $name"
		dmesg >&2
	fi
}

test_refused()
{
	refused "blocks of 513 bytes" "block size is 513" "$(features $BLK_SIZE)" blk_size=513
	refused "blocks of 2 GiB" "block size is 2147483648" "$(features $BLK_SIZE)" \
		blk_size=0x80000000
	refused "segments of 512 bytes" "largest segment .* is 512" "$(features $SIZE_MAX)" \
		size_max=512
	refused "many queues, and none" "that has none" "$(features $MQ)"
	refused "queues that hold no request" "queues of size 2" ring=2
	refused "secure erase without limits" "limit of secure erase is 0" "$(features $ERASE)"
	refused "a zone model of the future" "zone model is 7" "$(features $ZONED)" zoned.model=7
	refused "zones of no size" "zone size is 0" "$(features $ZONED)" $zones zoned.zone_sectors=0
	refused "zones of an odd size" "zone size is 3000" "$(features $ZONED)" $zones \
		zoned.zone_sectors=3000
	refused "zones that take no writes" "write granularity of zones is 0" \
		"$(features $ZONED)" $zones zoned.write_granularity=0
	refused "zones that take no appends" "zone append's limit is 0" \
		"$(features $ZONED)" $zones zoned.max_append_sectors=0
}

test_safe()
{
	taken "the physical block size is passed on" physical_block_size 4096 \
		"$(features "$TOPOLOGY | $BLK_SIZE")" blk_size=1024 physical_block_exp=2
	taken "blocks of 4096 bytes" logical_block_size 4096 "$(features $BLK_SIZE)" blk_size=4096
	taken "blocks of no size" logical_block_size 512 "$(features $BLK_SIZE)"
	check "safe: that was said, once" [ "$(count_lines "ignored: block size is 0")" -eq 1 ]
	taken "no limits at all" max_segments 1 ring=64
	taken "no segments" max_segments 1 "$(features $SEG_MAX)"
	taken "more segments than the ring has room for" max_segments 62 "$(features $SEG_MAX)" \
		seg_max=0xffffffff
	check "safe: that was said, once" \
		[ "$(count_lines "ignored: segments .* is 4294967295")" -eq 1 ]
	taken "a ring that holds one segment" max_segments 1 ring=3 "$(features $SEG_MAX)" \
		seg_max=100
	taken "segments of no size" max_segment_size 65536 "$(features $SIZE_MAX)"
	taken "huge segments" max_segment_size 4294967295 "$(features $SIZE_MAX)" \
		size_max=0xffffffff
	taken "a physical block of 2^264 bytes" physical_block_size 512 \
		"$(features $TOPOLOGY)" physical_block_exp=255
	check "safe: an alignment offset" offset_is 512
	taken "an alignment of no meaning" physical_block_size 512 "$(features $TOPOLOGY)" \
		alignment_offset=255
	taken "a minimum that is large" minimum_io_size 33553920 "$(features $TOPOLOGY)" \
		min_io_size=65535
	taken "an optimum that overflows" optimal_io_size 0 "$(features $TOPOLOGY)" \
		opt_io_size=0xffffffff
	taken "discards without limits" discard_max_hw_bytes 2199023255040 "$(features $DISCARD)"
	taken "discards that are less than a block" discard_max_hw_bytes 0 \
		"$(features "$DISCARD | $BLK_SIZE")" \
		blk_size=4096 max_discard_sectors=7
	taken "discards aligned to 2 TiB" discard_granularity 512 "$(features $DISCARD)" \
		discard_sector_alignment=0xffffffff
	taken "discards aligned to 24 sectors" discard_granularity 12288 "$(features $DISCARD)" \
		discard_sector_alignment=24
	taken "the smaller alignment of discard and secure erase" discard_granularity 4096 $both
	taken "the smaller number of ranges of both" max_discard_segments 2 $both
	taken "discards aligned to more than they may be" discard_granularity 512 \
		"$(features $DISCARD)" \
		max_discard_sectors=64 discard_sector_alignment=128
	taken "discards in 4 billion ranges" max_discard_segments 256 "$(features $DISCARD)" \
		max_discard_seg=0xffffffff
	taken "zeroes that are less than a block" write_zeroes_max_bytes 0 \
		"$(features "$ZEROES | $BLK_SIZE")" \
		blk_size=4096 max_write_zeroes_sectors=1
	taken "zones written in less than a block" zone_write_granularity 4096 \
		"$(features "$ZONED | $SEG_MAX | $BLK_SIZE")" $zones blk_size=4096 \
		zoned.write_granularity=512
	taken "zones that one need not care about" zoned none "$(features $ZONED)" zoned.model=2
	device capacity=0
	check "safe: a disk of no size" there
	device capacity=0xffffffffffffffff
	check "safe: a disk of more bytes than can be counted" there
}

name_of_vda() { basename "$(virtio_of /sys/block/vda/device)"; }

# taken_by_base NAME LIMIT VALUE WORD...: the base's driver makes the same of it
taken_by_base()
{
	local name=$1 limit=$2 value=$3

	shift 3
	device "$@"
	vda=$(name_of_vda)
	echo "$vda" >/sys/bus/virtio/drivers/virtio_blk/unbind
	echo "$vda" >/sys/bus/virtio/drivers/blk_base/bind
	if works && limit "$limit" "$value"; then
		ok "the base's driver: $name"
	else
		not_ok "the base's driver: $name"
		dmesg >&2
	fi
}

# Odd, and found in the field: ours has taken these as well.
test_base()
{
	if ! has_module blk_base; then
		skip "the base's driver" "needs the module blk_base"
		return
	fi
	check "the base's driver is there" load_module blk_base
	taken_by_base "blocks of no size" logical_block_size 512 "$(features $BLK_SIZE)"
	taken_by_base "discards aligned to 24 sectors" discard_granularity 12288 \
		"$(features $DISCARD)" discard_sector_alignment=24
	taken_by_base "the smaller alignment of discard and secure erase" \
		discard_granularity 4096 $both
	taken_by_base "the smaller number of ranges of both" max_discard_segments 2 $both
	taken_by_base "zones written in less than a block" zone_write_granularity 4096 \
		"$(features "$ZONED | $SEG_MAX | $BLK_SIZE")" $zones blk_size=4096 \
		zoned.write_granularity=512
	device
	# It would take what ours refuses.
	check "the base's driver is gone" rmmod blk_base
}

# result ERRNO-TEXT: what a read says
read_fails() { ! ends if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct && grep -q "$1" /tmp/dd; }

test_status()
{
	device
	device "$(features $SEG_MAX)" seg_max=16
	for status in 1 3 4 7 128 255; do
		say status $status
		check "status $status is an error" read_fails "Input/output error"
	done
	say status 2
	check "status 2 is: not supported" read_fails "not supported"
	say status -1
	check "after all that it works" works
	say speechless 1
	check "a status that was never written is an error" read_fails "Input/output error"
	say speechless 0
	check "a serial number without an end is cut" \
		[ "$(cat /sys/block/vda/serial)" = "liar-liar-liar-liar-" ]
}

queues() { ls /sys/block/vda/mq | wc -l; }
parameter() { echo "$2" >"/sys/module/virtio_blk/parameters/$1"; }

# verifies OPTION...: fio does, with requests that fill the ring of the disk
verifies()
{
	timeout $((60 * patience)) fio --name=verify --filename=/dev/vda --size=4m \
		--rw=randwrite --bsrange=4k-128k --direct=1 \
		--ioengine=libaio --iodepth=32 --iodepth_batch=16 \
		--verify=crc32c --verify_fatal=1 --minimal "$@" >/dev/null
}

# As large as it may be, and no larger: the disk refuses the rest.
test_limits()
{
	device "$(features "$SEG_MAX | $SIZE_MAX | $MQ")" seg_max=14 size_max=4096 \
		num_queues=2 ring=16
	say segments 0
	check "requests that fill a ring each wait for one another" verifies
	check "there were requests as large as the ring" [ "$(cat $PARAM/segments)" -eq 14 ]
	device "$(features "$SEG_MAX | $SIZE_MAX")" seg_max=3 size_max=12288
	check "no more and no larger segments than the device takes" verifies
	device "$(features "$SIZE_MAX")" size_max=8192
	check "only one segment" verifies
}

cache() { cat /sys/block/vda/cache_type; }

# Who has no switch for the cache can't be told, and need not be.
test_cache()
{
	device "$(features $FLUSH)"
	check "with flushes there is a cache" [ "$(cache)" = "write back" ]
	check "that can't be switched" refuse \
		sh -c 'echo "write through" >/sys/block/vda/cache_type'
	device "$(features $SEG_MAX)" seg_max=16
	check "without flushes there is none" [ "$(cache)" = "write through" ]
	device "$(features "$FLUSH | $WCE")" wce=0
	check "a cache that is off" [ "$(cache)" = "write through" ]
	check "is switched on" sh -c 'echo "write back" >/sys/block/vda/cache_type'
	check "and that is how it is" [ "$(cache)" = "write back" ]
	check "for the block layer, too" limit write_cache "write back"
	check "is switched off" sh -c 'echo "write through" >/sys/block/vda/cache_type'
	check "and that is how the block layer sees it" limit write_cache "write through"
	device "$(features "$FLUSH | $WCE")" wce=1
	echo "write through" >/sys/block/vda/cache_type
	check "a cache that was switched off is so after a resume" sh -c "echo 64 >$PARAM/resume" &&
	check "as is seen in the device" [ "$(cache)" = "write through" ]
}

# What is told to the driver, or to the device
test_passed_on()
{
	device "$(features $GEOMETRY)" geometry.cylinders=100 geometry.heads=7 geometry.sectors=19
	check "the geometry is the device's" \
		sh -c 'fdisk -l /dev/vda | grep -q "7 heads, 19 sectors/track"'
	ionice -c 2 -n 3 dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null
	check "the device is told of priorities" [ "$(cat $PARAM/ioprio)" = $((2 << 13 | 3)) ]
	device "$(features $MQ)" num_queues=65535
	check "no more queues than CPUs" [ "$(queues)" -eq "$(nproc)" ]
	parameter num_request_queues 1
	device "$(features $MQ)" num_queues=4
	check "no more queues than the module was told" [ "$(queues)" -eq 1 ]
	parameter num_request_queues 0
	parameter poll_queues 100
	device "$(features $MQ)" num_queues=2
	check "all queues but one can be polled" [ "$(cat /sys/block/vda/queue/io_poll)" = 1 ]
	check "and a disk with a polled queue works" works
	parameter poll_queues 0
}

size_is() { [ "$(cat /sys/block/vda/size)" -eq "$1" ]; }
has_resize_event() { grep -q "change vda 1" /tmp/events; }

test_changed()
{
	device capacity=16384
	uevent sh -c 'echo $ACTION $DEVNAME $RESIZE' >/tmp/events &
	listener=$!
	# it may not listen yet
	sleep 1
	say change capacity=8192
	check "a change of size is seen" wait_for 20 size_is 8192
	check "and user space is told of it" wait_for 10 has_resize_event
	kill $listener
	device
}

range_is_zero() { is_zero vda 1 1; }
fill() { dd if=/tmp/random of=/dev/vda bs=$MiB count=4 conv=fsync 2>/dev/null; }

test_ranges()
{
	dd if=/dev/urandom of=/tmp/random bs=$MiB count=4 2>/dev/null
	device "$(features "$SEG_MAX | $DISCARD | $ZEROES | $ERASE | $FLUSH")" seg_max=16 \
		max_discard_sectors=1024 max_discard_seg=4 \
		max_secure_erase_sectors=512 max_secure_erase_seg=8 \
		secure_erase_sector_alignment=16 discard_sector_alignment=8
	check "alignments of discard and secure erase are combined" limit discard_granularity 4096
	check "the number of ranges is passed on" limit max_discard_segments 4
	for how in "discard:" "secure erase:-s" "zeroes:-z"; do
		fill
		check "${how%:*}: its sectors are zero" \
			/bin/blkdiscard ${how#*:} -o $MiB -l $MiB /dev/vda
		check "${how%:*}: and no others" range_is_zero
		check "${how%:*}: the rest is as it was" cmp -n $MiB /tmp/random /dev/vda
	done
	check "zeroes: nothing is unmapped" [ "$(cat $PARAM/flags)" -eq 0 ]
	check "zeroes: a hole is punched" /bin/fallocate --punch-hole -o $MiB -l $MiB /dev/vda
	check "zeroes: unmapped this time" [ "$(cat $PARAM/flags)" -eq 1 ]
	device "$(features "$SEG_MAX | $ERASE")" seg_max=16 max_secure_erase_sectors=1024 \
		max_secure_erase_seg=2 secure_erase_sector_alignment=1
	check "secure erase: no more ranges than allowed, though there are more bios" erase 2048
	device "$(features "$SEG_MAX | $FLUSH")" seg_max=16
	check "a flush names no sector" dd if=/tmp/random of=/dev/vda bs=4k count=1 conv=fsync
}

zone_is() { blkzone report -o $1 -c 1 /dev/vda | grep -q "$2"; }
append() { echo "/dev/vda $1" >$PARAM/append_at; }
erase() { echo "/dev/vda $1" >$PARAM/erase_at; }

# Writes one page where the zone that begins at this sector is written next.
write_zone()
{
	dd if=/tmp/random of=/dev/vda bs=4k count=1 seek=$(($1 / 8)) \
		oflag=direct conv=notrunc 2>/dev/null
}

test_zones()
{
	device "$(features "$ZONED | $SEG_MAX | $BLK_SIZE | $DISCARD")" $zones
	check "zones: the disk has them" limit zoned host-managed
	check "zones: it has no discard" limit discard_max_hw_bytes 0
	check "zones: the first one is conventional" zone_is 0 "type: 1(CONVENTIONAL)"
	check "zones: all are reported" [ "$(blkzone report /dev/vda | wc -l)" -eq 8 ]
	check "zones: writes advance" write_zone 2048
	check "zones: the write pointer has moved" zone_is 2048 "wptr 0x000008"
	check "zones: append" append 2048
	check "zones: it was put where the device says" logged "appended at 2056: 0"
	say append 100000
	check "zones: a place in another zone is an error" refuse append 2048
	say append 0
	check "zones: finish" blkzone finish -o 4096 -c 1 /dev/vda
	check "zones: it is full" zone_is 4096 "zcond:14(fu)"
	check "zones: open" blkzone open -o 6144 -c 1 /dev/vda
	check "zones: it is open" zone_is 6144 "zcond: 3(oe)"
	check "zones: close" blkzone close -o 6144 -c 1 /dev/vda
	check "zones: reset" blkzone reset -o 4096 -c 1 /dev/vda
	check "zones: it is empty" zone_is 4096 "zcond: 1(em)"
	check "zones: reset all" blkzone reset /dev/vda
	check "zones: all are empty" zone_is 2048 "zcond: 1(em)"
	check "zones: a report of more than was asked for is cut" report_many
}

report_many()
{
	say zone many
	[ "$(blkzone report -o 2048 -c 2 /dev/vda | wc -l)" -eq 2 ]
	many=$?
	say zone ""
	return $many
}

# 6.12's blk_revalidate_disk_zones() loses its bitmap of conventional zones when a zone after
# one of them is wrong. No driver ever sees it, and the base's has it lost as well: leave
# out as many as there were such reports.
leaks()
{
	awk -v lost=$bitmaps_lost '
		function flush() {
			if (!of_base || lost-- <= 0)
				printf "%s", text
			text = last = ""
			of_base = 0
		}
		/^unreferenced object/ { flush() }
		/ blk_revalidate_zone_cb\+/ && last ~ / bitmap_zalloc\+/ { of_base = 1 }
		{ text = text $0 "\n"; last = $0 }
		END { flush() }' /sys/kernel/debug/kmemleak
}

test_zone_lies()
{
	for lie in start type state wp cap; do
		say zone $lie
		refused "a report with a bad $lie" "bad report" \
			"$(features "$ZONED | $SEG_MAX")" $zones
	done
	say zone ""
	# All are about the first zone, which is conventional, but that has no wp.
	bitmaps_lost=1
}

ended_within() { wait_for "$1" has_ended "$2"; }

# gone NAME COMMAND...: within 15 s of the removal all I/O has ended
gone()
{
	local name=$1

	shift
	device "$(features "$SEG_MAX | $MQ | $FLUSH")" seg_max=16 num_queues=2
	load vda
	"$@"
	device &
	remove=$!
	check "$name: it is removed in time" ended_within 15 $remove
	check "$name: all I/O has ended" ended_within 15 $load
	check "$name: the disk is gone" refuse there
}

pull_out() { say lost told; }

short_timeout() { echo 1000 >/sys/block/vda/queue/io_timeout; }

# Who sends nothing more, as all he may is under way, finds out at a timeout.
pull_out_quietly()
{
	short_timeout
	say lost quietly
}

# The device keeps its requests for longer than the timeout.
fall_silent()
{
	short_timeout
	say silent 1
	sleep 0.2
}

# Nothing is said and nothing is answered, and its registers read as all ones.
vanish()
{
	fall_silent
	say status_bits 255
}

# The block layer swallows them: no queue knows of these requests any more.
lose_answers()
{
	short_timeout
	echo 100 >/sys/kernel/debug/fail_io_timeout/probability
	echo -1 >/sys/kernel/debug/fail_io_timeout/times
	echo 1 >/sys/block/vda/io-timeout-fail
	sleep 0.5
	echo 0 >/sys/block/vda/io-timeout-fail
	say status_bits 255
}

unbind() { name_of_vda >/sys/bus/virtio/drivers/virtio_blk/unbind; }

# A device that is there gets the time it wants, and is not asked to hurry.
test_silence()
{
	device "$(features "$SEG_MAX | $FLUSH")" seg_max=16
	load vda
	clear_log
	began=$(now)
	fall_silent
	unbind &
	remove=$!
	check "a disk that has fallen silent: its removal waits" refuse ended_within 4 $remove
	check "a disk that has fallen silent: so it says" logged "no answer for"
	check "a disk that has fallen silent: once for each timeout" \
		[ "$(count_lines "no answer for")" -le $((($(now) - began) / 100 + 2)) ]
	check "a disk that has fallen silent: it was not given up" refuse logged "lost the device"
	say silent 0
	check "a disk that speaks again is removed" ended_within 15 $remove
	check "a disk that speaks again: all I/O has ended" ended_within 15 $load
	device
}

# A notification or an interrupt that gets lost costs one timeout and one line.
test_lost_signals()
{
	device "$(features $SEG_MAX)" seg_max=16
	short_timeout
	clear_log
	say lose_notifications 1
	check "a lost notification: the request is answered all the same" reads
	check "a lost notification: one line" [ "$(count_lines "no answer for")" -eq 1 ]
	clear_log
	say lose_interrupts 1
	check "a lost interrupt: the request is answered all the same" reads
	check "a lost interrupt: one line" [ "$(count_lines "did not say so")" -eq 1 ]
	check "a lost interrupt: nothing was waited for" refuse logged "no answer for"
}

# Nothing is under way that would give memory back, and there is none.
test_starving()
{
	device "$(features $SEG_MAX)" seg_max=16
	short_timeout
	clear_log
	say fail_add 1
	dd if=/dev/vda of=/dev/null bs=64k count=1 iflag=direct 2>/dev/null &
	load=$!
	check "no memory: a request ends" ended_within 15 $load
	check "no memory: so it says" logged "no memory to send a request of 65536 bytes"
	check "no memory: it is an error" refuse wait $load
	say fail_add 0
	check "memory again: it works" works
	device
}

# Polled requests that are done, and nobody polls since he was stopped
test_nobody_polls()
{
	parameter poll_queues 1
	device "$(features "$SEG_MAX | $MQ")" seg_max=16 num_queues=2
	parameter poll_queues 0
	short_timeout
	clear_log
	fio --thread --name=polled --filename=/dev/vda --size=1m --rw=randread --bs=4k \
		--direct=1 --ioengine=io_uring --hipri=1 --iodepth=16 \
		--time_based --runtime=$((60 * patience)) --minimal >/dev/null &
	load=$!
	wait_for 20 is_busy vda
	kill -STOP $load
	check "a polled queue: what nobody polls ends" wait_for 10 refuse is_busy vda
	check "a polled queue: it is not said to be lost" refuse logged "did not say so"
	kill -CONT $load
	kill $load
	wait $load
	device
}

test_removal()
{
	gone "a disk that works" true
	gone "a disk that was pulled out" pull_out
	gone "a disk that was pulled out, and nobody said so" pull_out_quietly
	gone "a disk that is not there any more" vanish
	if [ -e /sys/kernel/debug/fail_io_timeout ]; then
		gone "a disk whose answers get lost" lose_answers
	fi

	# Not removed: a queue that breaks is noticed, and all else fails at once.
	device "$(features "$SEG_MAX | $FLUSH")" seg_max=16
	short_timeout
	load vda
	pull_out
	check "lost and not removed: I/O ends with errors" ended_within 15 $load
	check "lost and not removed: it is said once" \
		[ "$(dmesg | grep -c 'lost the device')" -ge 1 ]
	check "lost and not removed: more I/O fails" read_fails "Input/output error"
	device

	# A queue that breaks before there is a disk, and then the other one
	device "$(features "$SEG_MAX | $BLK_SIZE | $MQ")" seg_max=16 blk_size=512 \
		num_queues=2 early=1
	fall_silent
	load vda taskset 2
	pull_out
	check "broken early: I/O ends with errors" ended_within 15 $load
	device
}

test_resume()
{
	device "$(features "$SEG_MAX | $MQ")" seg_max=16 num_queues=2
	load vda
	check "resume: the same queues" say resume 64
	check "resume: the load goes on" refuse has_ended $load
	check "resume: queues that are large enough" say resume 18
	check "resume: it still works" reads
	check "resume: smaller queues are refused" refuse say resume 17
	check "resume: I/O ends with errors" ended_within 15 $load
	check "resume: and so does more" read_fails "Input/output error"
	check "resume: with queues of the old size it is back" say resume 64
	check "resume: and works" works
	load vda
	say change "$(features $FLUSH)"
	check "resume: without its features it is refused" refuse say resume 64
	check "resume: I/O without a device ends with errors" ended_within 15 $load
	check "resume: and so does more without a device" read_fails "Input/output error"
	say change "$(features "$SEG_MAX | $MQ")"
	check "resume: with its features it is back" say resume 64
	check "resume: and works once more" works
	device
}

# While it has requests that it does not answer
want_reset()
{
	say silent 1
	sleep 0.2
	say status_bits 64
}

# Requests that were lost with the state of the device are sent again.
test_reset()
{
	device "$(features "$SEG_MAX | $MQ | $FLUSH")" seg_max=16 num_queues=2
	clear_log
	verifies --loops=4 &
	load=$!
	wait_for 20 is_busy vda
	want_reset
	say change ""
	check "a disk that wants a reset: it is reset" wait_for 5 logged "works again"
	check "a disk that wants a reset: I/O goes on, and the data is right" wait $load
	check "a disk that wants a reset: it is not lost" refuse logged "lost the device"
	clear_log
	short_timeout
	want_reset
	check "a disk that does not say that it wants a reset: I/O goes on" reads
	check "a disk that does not say that it wants a reset: a timeout finds out" \
		logged "works again"
	device
}

zones="capacity=16384 seg_max=16 blk_size=512 zoned.model=1 zoned.zone_sectors=2048
zoned.write_granularity=4096 zoned.max_append_sectors=256 zoned.max_open_zones=4
zoned.max_active_zones=4"
both="$(features "$DISCARD | $ERASE") max_discard_seg=8 discard_sector_alignment=8
max_secure_erase_sectors=64 max_secure_erase_seg=2 secure_erase_sector_alignment=16"
exec 3>&1
# nothing may wait for ever
load_module blk_liar || { not_ok "the lying disk can be had"; plan; }
case ${only:-all} in
all) tests="refused safe base limits cache passed_on changed status ranges zones zone_lies
	resume reset lost_signals nobody_polls starving silence removal" ;;
*) tests=$only ;;
esac
for name in $tests; do
	test_"$name"
done
check "the kernel has found no fault in itself" no_fault
plan
