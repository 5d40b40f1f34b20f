#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# SCSI hosts that differ in rings and queues. A host's name says how, and a disk's
# serial number is HOST-TARGET-LUN, which is how it is found here:
#
#  s or p   split or packed ring
#  i or d   with or without indirect descriptors
#  p or m   physical addresses, or mapped by the DMA API
#  1 or 4   queues
#
# Data is tested on all, the rest on some that have all of these between them.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./scsi-lib.sh

needs_host
needs fio sg_raw sg_inq
needs_module scsi_starve

# What our driver says only of a device that is wrong
BAD='bad (response|sense|residual|event)'

# serials PATTERN: prints the sdX whose serial number matches. One process for all
# disks, as there are many, and this is called in loops.
serials()
{
	strings -f -n 4 /sys/block/sd*/device/vpd_pg80 2>/dev/null |
		sed -n "s|/sys/block/\\(sd[a-z]*\\)/.*: $1\$|\\1|p" | grep .
}

scsi_disk() { serials "$1"; }
host_disks() { serials "$1-.*"; }
has_disk() { scsi_disk "$1" >/dev/null; }
has_no_disk() { ! has_disk "$1"; }
sectors_are() { [ "$(cat "/sys/block/$1/size")" = "$2" ]; }

# Negotiated as the name says
host_is()
{
	local dir=$1 name=$2

	case $name in
	s*) [ "$(ring_layout "$dir")" = split ] ;;
	p*) [ "$(ring_layout "$dir")" = packed ] ;;
	esac &&
	case $name in
	?i*) has_feature "$dir" 28 ;;
	?d*) ! has_feature "$dir" 28 ;;
	esac &&
	case $name in
	??m*) has_feature "$dir" 33 ;;
	??p*) ! has_feature "$dir" 33 ;;
	esac
}

# queues_are DISK NUMBER
queues_are() { [ "$(ls "/sys/block/$1/mq" | wc -l)" = "$2" ]; }

# Each queue has a processor of its own, for which its interrupt is.
affinity_is()
{
	[ "$(sort -u "/sys/block/$1"/mq/*/cpu_list | wc -l)" = "$2" ] &&
	[ "$(request_interrupts "$3" | while read -r irq _; do
		cat "/proc/irq/$irq/smp_affinity_list"
	done | sort -u | wc -l)" = "$2" ]
}

# request_interrupts DIR: number and count of each that a request queue has
request_interrupts()
{
	awk -v name="${1##*/}-request" '$NF == name {
		for (i = 2; i <= 5; i++)
			count += $i
		print $1 + 0, count
		count = 0
	}' /proc/interrupts
}

# verified_fio SECONDS ARGUMENTS...: data is read again and compared. (To show the use of
# disks, fio looks for each of them in all of /sys/block.)
verified_fio()
{
	local seconds=$1

	shift
	timeout "$seconds" fio --eta=never --disk_util=0 --thread --direct=1 --ioengine=io_uring \
		--verify=crc32c --verify_fatal=1 "$@"
}

# All disks of a host at once, every block read again and compared
fio_disks()
{
	local disk jobs=

	for disk in $(host_disks "$1"); do
		jobs="$jobs --name=$disk --filename=/dev/$disk"
	done
	verified_fio 120 --rw=randwrite --bsrange=4k-512k --iodepth=8 --size=1m $jobs
}

longest_lists()
{
	timeout 30 ./scsi_vectors "/dev/$1" "$(cat "/sys/block/$1/queue/max_segments")"
}

test_host()
{
	local host=$1 queues=${1#???} disk dir

	wait_for 20 has_disk "$host-0-0" || { not_ok "$host: no disks"; return; }
	disk=$(scsi_disk "$host-0-0")
	dir=$(virtio_of "/sys/block/$disk/device")
	check "$host: rings and features are as asked for" host_is "$dir" "$host"
	check "$host: $queues queues" queues_are "$disk" "$queues"
	[ "$queues" = 1 ] || check "$host: a processor for each queue" affinity_is "$disk" \
		"$queues" "$dir"
	check "$host: lists of $(cat "/sys/block/$disk/queue/max_segments") segments" \
		longest_lists "$disk"
}

test_data() { check "$1: $(host_disks "$1" | wc -l) disks at once, data verified" fio_disks "$1"; }

unmaps()
{
	# a pattern where 64 blocks are unmapped
	dd if=/tmp/data of="$1" bs=64k count=1 oflag=direct &&
	sg_unmap --lba=0 --num=64 --force "$1" &&
	dd if="$1" bs=32k count=1 iflag=direct | tr -d '\0' | cmp - /dev/null &&
	dd if="$1" bs=32k skip=1 count=1 iflag=direct >/tmp/back &&
	dd if=/tmp/data bs=32k skip=1 count=1 | cmp - /tmp/back
}

writes_same()
{
	head -c 512 /tmp/data >/tmp/block &&
	sg_write_same --in=/tmp/block --lba=128 --num=64 "$1" &&
	dd if="$1" bs=512 skip=191 count=1 iflag=direct | cmp - /tmp/block
}

# READ CAPACITY gives 8 bytes, and the rest is the residual.
short_read()
{
	[ "$(sg_raw -b -r 100 "$1" 25 00 00 00 00 00 00 00 00 00 2>/dev/null | wc -c)" = 8 ]
}

# READ beyond the end
has_sense() { sg_raw -r 512 "$1" 28 00 7f ff ff ff 00 00 01 00 2>&1 | grep -q 'out of range'; }

test_commands()
{
	local host=$1 disk=/dev/$(scsi_disk "$1-0-0") other=/dev/$(scsi_disk "$1-1-0")

	check "$host: sg_inq" sh -c "sg_inq $disk | grep -q 'Unit serial number: $host-0-0'"
	check "$host: sg_readcap" \
		sh -c "sg_readcap $disk | grep -q 'Number of logical blocks=32768'"
	check "$host: sg_vpd" sh -c "sg_vpd --page=lbpv $disk | grep -q 'LBPU): 1'"
	check "$host: sg_luns" sh -c "[ \$(sg_luns $disk | grep -c '^    ') = 3 ]"
	check "$host: sg_unmap" unmaps "$other"
	check "$host: sg_write_same" writes_same "$other"
	check "$host: a residual is reported" short_read "$disk"
	check "$host: sense data is reported" has_sense "$disk"
	check "$host: the CD has the data of the disk" \
		sh -c "timeout 60 dd if=/dev/$(host_cd "$host") bs=64k | cmp - /tmp/cd-$host"
}

host_cd()
{
	local path dir=$(virtio_of "/sys/block/$(scsi_disk "$1-0-0")/device")

	for path in /sys/block/sr*; do
		[ "$(virtio_of "$path/device")" = "$dir" ] && echo "${path##*/}"
	done
}

# Resets while there is I/O on two disks: it must not notice.
resets()
{
	local status i=0

	verified_fio 60 --rw=randwrite --bs=4k --iodepth=8 --size=2m --loops=6 \
		--name=reset --filename="$1" --name=other --filename="$2" &
	while [ $i -lt 5 ]; do
		sg_reset --device --no-esc "$1" && sg_reset --target --no-esc "$1" &&
			sg_reset --host "$1"
		status=$?
		[ $status = 0 ] || break
		i=$((i + 1))
	done
	wait $! && return $status
}

test_hotplug()
{
	local host=$1 disk target lun

	for pair in 0,5 5,0 5,300; do
		target=${pair%,*} lun=${pair#*,}
		ask_host add $host $target $lun
		check "$host: LUN $lun of target $target comes by itself" wait_for 20 has_disk \
			"$host-$target-$lun"
	done
	disk=$(scsi_disk "$host-5-300") &&
		check "$host: data on the disk that came" dd if=/tmp/data of="/dev/$disk" bs=64k \
			count=8 oflag=direct
	for pair in 5,300 5,0 0,5; do
		target=${pair%,*} lun=${pair#*,}
		ask_host del $host $target $lun
		check "$host: LUN $lun of target $target goes by itself" wait_for 20 has_no_disk \
			"$host-$target-$lun"
	done
	disk=$(scsi_disk "$host-2-1")
	ask_host resize $host 2 1 24
	check "$host: a disk grows by itself" wait_for 20 sectors_are "$disk" 49152
}

# host_number DISK: N of the hostN that it is on
host_number()
{
	local address=$(basename "$(readlink -f "/sys/block/$1/device")")

	echo "${address%%:*}"
}

# One disk's storage takes longer than three timeouts: it gets that time, and the other
# disks of the host don't notice.
waits_for_a_slow_disk()
{
	local host=$1 disk other reader

	disk=$(scsi_disk "$host-0-2") other=$(scsi_disk "$host-1-2")
	mark
	dd if=/tmp/data of="/dev/$disk" bs=64k count=2 oflag=direct || return 1
	echo 2 >"/sys/block/$disk/device/timeout"
	ask_host hold $host 0 2 >&3
	sleep 1
	dd if="/dev/$disk" bs=64k count=2 iflag=direct of=/tmp/back &
	reader=$!
	wait_for 20 said 'no answer for ([6-9]|[1-9][0-9]) s to command' || return 1
	timeout 5 dd if="/dev/$other" bs=4k count=2 iflag=direct of=/dev/null || return 1
	kill -0 $reader || return 1
	ask_host release $host 0 2 >&3
	wait $reader || return 1
	cmp -n 131072 /tmp/data /tmp/back && never_said 'abort|device reset'
}

# The disk does not answer a read, and the administrator wants recovery: abort, then
# reset; the others go on.
loses_a_command()
{
	local host=$1 disk other reader deadline

	disk=$(scsi_disk "$host-0-2") other=$(scsi_disk "$host-1-2")
	deadline=/sys/class/scsi_host/host$(host_number "$disk")/eh_deadline
	echo 600 >"$deadline"
	mark
	dd if=/tmp/data of="/dev/$disk" bs=64k count=2 oflag=direct || return 1
	echo 2 >"/sys/block/$disk/device/timeout"
	echo 2 >"/sys/block/$disk/device/eh_timeout"
	ask_host hold $host 0 2 >&3
	sleep 1
	timeout 60 dd if="/dev/$disk" bs=64k count=2 iflag=direct of=/tmp/back &
	reader=$!
	wait_for 20 said "device reset" || return 1
	ask_host release $host 0 2 >&3
	wait $reader || return 1
	echo off >"$deadline"
	cmp -n 131072 /tmp/data /tmp/back &&
	timeout 20 dd if="/dev/$other" bs=4k count=2 iflag=direct of=/dev/null
}

resets_without_memory()
{
	timeout 60 sh -c "echo $(host_number "$1") >/sys/module/scsi_starve/parameters/reset" &&
	timeout 20 dd if=/tmp/data of="/dev/$1" bs=64k count=2 oflag=direct &&
	timeout 20 dd if="/dev/$1" bs=64k count=2 iflag=direct | cmp -n 131072 - /tmp/data
}

# There are 2 MiB of these.
writes_much()
{
	dd if=/dev/urandom of=/tmp/much bs=4M count=1 &&
	timeout 60 dd if=/tmp/much of="/dev/$1" bs=4M count=1 oflag=direct &&
	timeout 60 dd if="/dev/$1" bs=4M count=1 iflag=direct | cmp - /tmp/much
}

# The rings are taken down and set up again with I/O waiting: there is some all the time.
# What the load prints is of use only when it has failed.
suspends()
{
	local host jobs= fio status

	for host in $hosts; do
		jobs="$jobs --name=$host --filename=/dev/$(scsi_disk "$host-0-0")"
	done
	verified_fio $((100 * patience)) --rw=randwrite --bs=16k --iodepth=8 --size=2m --loops=1000 \
		--time_based --runtime=$((20 * patience)) $jobs >/tmp/load 2>&1 &
	fio=$!
	echo 1 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >/sys/power/pm_test &&
	echo mem >/sys/power/state &&
	echo none >/sys/power/pm_test &&
	ask_host wakeup >&3 &&
	# Whoever passes that on to the host must not be frozen before it has.
	sleep 3 &&
	echo mem >/sys/power/state &&
	! is_gone $fio
	status=$?
	wait $fio && return $status
	cat /tmp/load
	return 1
}

# Field 5 of the disk's statistics
writes() { awk '{ print $5 }' "/sys/block/$1/stat"; }
wrote_more() { [ "$(writes "$1")" -gt "$2" ]; }

# The controller goes while there is I/O, which has to end, and comes again. (Writes,
# as fio reads on for ever at the end of a disk that has got no size.)
test_unplug()
{
	local name=$1 disk=$(scsi_disk "$1-0-0") reader before

	before=$(writes "$disk")
	fio --name=unplug --filename="/dev/$disk" --disk_util=0 --direct=1 \
		--ioengine=io_uring --rw=randwrite --bs=4k --iodepth=16 --size=16m \
		--time_based --runtime=100 >/dev/null 2>&1 &
	reader=$!
	# Without the disk, fio makes a file of that name.
	check "$name: there is a load" wait_for 60 wrote_more "$disk" "$before"
	ask_host unplug $name
	check "$name: unplugged under load, the disk goes" wait_for 30 has_no_disk "$name-0-0"
	check "$name: and the load ends" wait_for 10 is_gone $reader
	ask_host plug $name $2
	check "$name: plugged in again, the disk comes" wait_for 30 has_disk "$name-0-0"
	check "$name: data on it" fio_disks "$name"
	check "$name: data on it, polled" fio_polled "$(scsi_disk "$name-0-0")"
}

# Half of the queues are polled: there I/O needs no interrupt. (A few come, from
# what else reads the disk.)
fio_polled()
{
	local dir=$(virtio_of "/sys/block/$1/device") before after

	queues_are "$1" 4 || return 1
	before=$(interrupts "$dir")
	[ "$(request_interrupts "$dir" | wc -l)" = 2 ] || return 1
	verified_fio 60 --name=poll --filename="/dev/$1" --hipri=1 --rw=randrw --bs=4k \
		--iodepth=8 --size=4m || return 1
	after=$(interrupts "$dir")
	echo "interrupts for 1024 polled writes and as many reads: $((after - before))"
	[ $((after - before)) -lt 100 ]
}

interrupts() { request_interrupts "$1" | awk '{ sum += $2 } END { print sum + 0 }'; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# "check" has its command's output go elsewhere
exec 3>&1
mark
dd if=/dev/urandom of=/tmp/data bs=1M count=1
hosts=$(for layout in s p; do
	for indirect in i d; do
		for address in p m; do
			echo $layout$indirect${address}1 $layout$indirect${address}4
		done
	done
done)
load_module scsi_starve
wait_for 60 has_disk pdm4-1-2
for host in sip4 sdm1 pip4 pdm1; do
	dd if="/dev/$(scsi_disk $host-0-0)" bs=64k of=/tmp/cd-$host iflag=direct
done
for host in $hosts; do
	test_host "$host"
	test_data "$host"
done
# A debug kernel submits commands more slowly than the device answers.
if [ "$patience" = 1 ]; then
	check "with the DMA API there was often no memory" said 'swiotlb buffer is full'
else
	skip "with the DMA API there was often no memory" "too slow for it"
fi
for host in sip4 sdm1 pip4 pdm1; do
	test_commands $host
	check "$host: sg_reset of device, target and host under I/O" \
		resets "/dev/$(scsi_disk $host-2-0)" "/dev/$(scsi_disk $host-1-1)"
	test_hotplug $host
	check "$host: a command that the device does not answer is recovered" loses_a_command $host
done
for host in sip4 pdm1; do
	check "$host: a disk that is slow has its time" waits_for_a_slow_disk $host
	check "$host: a reset of the host without memory" resets_without_memory \
		"$(scsi_disk $host-0-0)"
done
for host in sdm1 pim4; do
	check "$host: writes larger than all bounce buffers" writes_much "$(scsi_disk $host-0-0)"
done
check "suspend under I/O" suspends
# 6.12's pciehp takes its locks in two orders when a device is unplugged. Lockdep says so,
# and nothing more after that: so what it has said of all before is looked at first.
check "up to here, the kernel has found no fault in itself" no_fault "$BAD"
FAULTS='cut here|BUG[: ]|KASAN|blocked for more'
echo 2 >/sys/module/virtio_scsi/parameters/virtscsi_poll_queues
test_unplug us4 packed=off
test_unplug up4 packed=on
check "the kernel found no fault" no_fault "$BAD"
plan
