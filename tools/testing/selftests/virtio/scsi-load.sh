#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Random reads of 4 KiB from more and more SCSI targets at once, first on a host with
# one request queue, then on one with four. Prints "# row QUEUES|TARGETS|READS/S".

cd "$(dirname "$0")" && . ./lib.sh || exit

# disk QUEUES TARGET: prints its sdX
disk() { sed -n "s|/sys/block/\(sd[a-z]*\)/.*: $1-$2\$|\1|p" /tmp/serials; }

# Field 8 of fio's terse output
reads_per_second()
{
	timeout 60 fio --minimal --disk_util=0 --group_reporting --thread \
		--direct=1 --ioengine=io_uring --rw=randread --bs=4k \
		--iodepth=8 --iodepth_batch_complete_max=8 \
		--time_based --ramp_time=300ms --runtime=1 "$@" |
		grep '^3;' | cut -d ';' -f 8
}

measure()
{
	local queues=$1 number=$2 jobs='' i=0

	while [ $i -lt "$number" ]; do
		jobs="$jobs --name=t$i --filename=/dev/$(disk "$queues" $i)"
		i=$((i + 1))
	done
	echo "# row $queues|$number|$(reads_per_second $jobs)"
}

all_there() { [ "$(ls -d /sys/block/sd* | wc -l)" = $((2 * targets)) ]; }

wait_for 60 all_there || not_ok "there are not all disks"
strings -f -n 3 /sys/block/sd*/device/vpd_pg80 >/tmp/serials
for file in /sys/block/sd*/queue/scheduler; do
	echo none >"$file"
done
for number in 1 2 4 8 16 24 32; do
	measure 1 $number
	measure 4 $number
done
