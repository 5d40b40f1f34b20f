#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# I/O with verified data on each device that scripts/run gives the guest. $layout
# is the ring layout that the host asked for, $memory the guest's size in MiB, and
# $devices may name some devices only. Each device gives TAP lines and one line of
# the host's table; nothing waits for ever. In a guest of somebody else's, a disk is
# written on only if $devices names it.

cd "$(dirname "$0")" && . ./lib.sh || exit

MiB=1048576

# All of its queues, and what the rings are
is_in_debugfs()
{
	local file=/sys/kernel/debug/virtio/${dir##*/}/queues packed=

	cat "$file" || return
	[ "$(ring_layout "$dir")" != packed ] || packed=' packed'
	head -n 1 "$file" | grep -q "^rings:$packed" &&
	grep -q ': size [1-9][0-9]* used [0-9]* works$' "$file" &&
	! tail -n +2 "$file" | grep -v -e ': size [1-9][0-9]* used [0-9]* works$' \
		-e '^  buffers [0-9]* next ' -e '^  tables ' -e '^  used lengths cut '
}

ring_is_as_asked()
{
	[ -z "${layout:-}" ] ||
		check "$1: the ring is $layout" [ "$(ring_layout "$dir")" = "$layout" ]
	if [ -e "/sys/kernel/debug/virtio/${dir##*/}/queues" ]; then
		check "$1: its queues are in debugfs" is_in_debugfs
	else
		skip "$1: its queues are in debugfs" "needs VIRTIO_DEBUG"
	fi
}

# test_disk NAME DEVICE
# Random data through the ring and back, without the page cache; then random
# writes, each block read again and compared by fio.
test_disk()
{
	local name=$1 disk=/dev/$2 verified=no rate=0 bytes=0
	dir=$(virtio_of "/sys/block/$2/device") || { not_ok "$name: no disk $2"; return; }

	if copy_disk && fio_disk; then
		verified=yes
	fi
	row "$name" "$dir" "$bytes" "$verified" "$rate"
	check "$name: data is written, read back and the same" [ "$verified" = yes ]
	ring_is_as_asked "$name"
}

copy_disk()
{
	timeout 60 dd if=/tmp/data of="$disk" bs=256k oflag=direct conv=fsync &&
	echo 3 >/proc/sys/vm/drop_caches &&
	timeout 60 dd if="$disk" bs=256k count=$((data_size / 262144)) iflag=direct of=/tmp/back &&
	cmp /tmp/data /tmp/back &&
	bytes=$((bytes + 2 * data_size))
}

# In fio's terse output (version 3) fields 5, 6, 9, 47, 50 are the error, KiB read,
# ms reading, KiB written, ms writing.
fio_disk()
{
	timeout 60 fio --name="$name" --filename="$disk" --direct=1 --ioengine=io_uring \
		--rw=randwrite --bs=4k --iodepth=16 --size=8m --verify=crc32c \
		--verify_fatal=1 --minimal >/tmp/fio || return 1
	set -- $(awk -F';' '/^3;/ { ms = $9 + $50; kb = $6 + $47
		printf "%d %d %d %d\n", $5, $6 * 1024, $47 * 1024,
			ms ? kb / 4 * 1000 / ms : 0 }' /tmp/fio)
	bytes=$((bytes + $2 + $3)) rate=$4
	[ "$1" = 0 ] && [ "$2" = $((8 * MiB)) ] && [ "$3" = $((8 * MiB)) ]
}

# The host echoes what comes to port 7 of 10.0.2.100.
echo_data()
{
	ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up &&
	wait_for 10 ping -c 1 -W 1 10.0.2.2 || return 1
	start=$(now)
	timeout 90 nc 10.0.2.100 7 </tmp/data >/tmp/back &&
	cmp /tmp/data /tmp/back
}

test_net()
{
	local verified=no rate=0 frames seconds

	dir=$(virtio_of /sys/class/net/eth0/device) || { not_ok "net: no device"; return; }
	start=$(now)
	echo_data && verified=yes
	seconds=$(seconds_since "$start")
	frames=$(awk -F'[: ]+' '/eth0/ { print $4 + $12 }' /proc/net/dev)
	rate=$(per_second "$frames" "$seconds")
	row net "$dir" $((2 * data_size)) $verified "$rate"
	check "net: data is sent, comes back and is the same" [ $verified = yes ]
	ring_is_as_asked "net"
}

# Random bytes cannot be compared with anything; they must come in full and must
# not compress.
test_rng()
{
	verified=no bytes=0 rate=0 reads=2048
	dir=$(virtio_by_driver virtio_rng) || { not_ok "rng: no device"; return; }
	start=$(now)
	timeout 60 dd if=/dev/hwrng of=/tmp/rng bs=64 count=$reads &&
		rate=$(per_second $reads "$(seconds_since "$start")")
	bytes=$(stat -c %s /tmp/rng)
	[ "$bytes" = $((reads * 64)) ] && [ "$(gzip -c /tmp/rng | wc -c)" -ge "$bytes" ] &&
		verified=yes
	row rng "$dir" "$bytes" $verified "$rate"
	check "rng: all bytes asked for came, and are random" [ $verified = yes ]
	ring_is_as_asked "rng"
}

# The host joins the two ports.
through_ports()
{
	timeout 60 head -c "$console_size" "$2" >/tmp/back &
	receiver=$!
	timeout 60 dd if=/tmp/console-data of="$1" bs=4k || return 1
	wait $receiver
	cmp /tmp/console-data /tmp/back
}

test_console()
{
	verified=no rate=0 console_size=$MiB
	dir=$(virtio_by_driver virtio_console) || { not_ok "console: no device"; return; }
	head -c $console_size /tmp/data >/tmp/console-data
	start=$(now)
	through_ports /dev/vport*p1 /dev/vport*p2 && through_ports /dev/vport*p2 /dev/vport*p1 &&
		verified=yes
	rate=$(per_second $((2 * console_size / 4096)) "$(seconds_since "$start")")
	row console "$dir" $((2 * console_size)) $verified "$rate"
	check "console: data goes through two ports both ways and is the same" [ $verified = yes ]
	ring_is_as_asked "console"
}

mem_total() { awk '/^MemTotal/ { print $2 }' /proc/meminfo; }
mem_is()    { [ "$(mem_total)" -eq "$1" ]; }

# The host takes 32 MiB and gives them back; the driver names 256 pages (1 MiB)
# in one request.
test_balloon()
{
	verified=no rate=0 balloon=32
	dir=$(virtio_by_driver virtio_balloon) || { not_ok "balloon: no device"; return; }
	before=$(mem_total)
	start=$(now)
	ask_host balloon $((memory - balloon))
	if wait_for 20 mem_is $((before - balloon * 1024)); then
		ask_host balloon $memory
		wait_for 20 mem_is "$before" && verified=yes
	fi
	rate=$(per_second $((2 * balloon)) "$(seconds_since "$start")")
	row balloon "$dir" $((2 * balloon * MiB)) $verified "$rate"
	check "balloon: memory is taken and given back" [ $verified = yes ]
	ring_is_as_asked "balloon"
}

data_size=$((8 * MiB))
if [ "${virtio_host:-}" = yes ]; then
	: "${devices:=blk scsi net rng console balloon}"
elif [ -z "${devices:-}" ]; then
	needs_that "a virtio-rng device" virtio_by_driver virtio_rng
	skip "blk, scsi" "they would be written on; name those that may be in \$devices"
	skip "net, console, balloon" "needs a host that is the other side"
	devices=rng
fi
dd if=/dev/urandom of=/tmp/data bs=1M count=8
for device in $devices; do
	case $device in
	blk) test_disk blk vda ;;
	scsi) test_disk scsi sda ;;
	*) "test_$device" ;;
	esac
done
plan
