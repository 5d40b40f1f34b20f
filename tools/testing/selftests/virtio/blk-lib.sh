# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of the block driver (busybox sh), after lib.sh. The serial number
# of a disk says what it is: split or packed, then letters and numbers between
# dashes: i (indirect descriptors), e (event index), d (goes through the DMA API),
# q4 (has 4 queues), legacy, b (is for the base's driver).
#
#  disk_serial DISK          its serial number, as vda's in /sys/block/vda/serial
#  disks                     the names of all disks with such a number and without b
#  base_disks                the same with b
#  disk_is WORD DISK         has the serial number this word?
#  disk_by_serial SERIAL     the name of the disk, false if there is none
#  disk_is_what_it_says DISK the features and queues are those of the serial number
#  fio_jobs DISK             verified I/O in all sizes, depths and ways; prints, for
#                            each job, its name, bytes moved and requests each second
#  stat_field DISK NUMBER    a field of Documentation/block/stat.rst, from 1
#  load DISK [COMMAND...]    fio, started by this and until it is stopped or fails; sets
#                            $load to its process, waits until it is at work. It may
#                            outlive the test
#  has_ended PROCESS
#  is_zero DISK OFFSET COUNT these MiB read as zeros
#  refuse COMMAND...         false if this succeeds
#  logged PATTERN            has the kernel said this?
#  clear_log                 forget what it has said, but for no_fault
#  no_fault                  the kernel has found no fault in itself, and no leak

MiB=1048576
FAULTS='cut here|BUG[: ]|KASAN|INFO: trying|WARNING: |possible .* detected|bad unlock'

logged() { dmesg | grep -q "$1"; }
clear_log() { dmesg -c >>/tmp/log; }

no_fault()
{
	clear_log
	! grep -A 60 -E "$FAULTS" /tmp/log && no_leak
}

disk_serial() { cat "/sys/block/$1/serial"; }
disk_is() { case -$(disk_serial "$2")- in *-$1-*) ;; *) return 1 ;; esac; }
stat_field() { awk -v n="$2" '{ print $n }' "/sys/block/$1/stat"; }

list_disks()
{
	for path in /sys/block/vd*; do
		echo "$(cat "$path/serial" 2>/dev/null) ${path##*/}"
	done | grep -E '^(split|packed)'
}

disks() { list_disks | awk '$1 !~ /-b$/ { print $2 }'; }
base_disks() { list_disks | awk '$1 ~ /-b$/ { print $2 }'; }

disk_by_serial()
{
	for path in /sys/block/vd*; do
		[ "$(cat "$path/serial" 2>/dev/null)" = "$1" ] && echo "${path##*/}" && return
	done
	return 1
}

# says LETTER DISK DIR BIT: the letter is there when the feature is
says()
{
	if disk_is "$1" "$2"; then has_feature "$3" "$4"; else ! has_feature "$3" "$4"; fi
}

# No more queues than CPUs
expected_queues()
{
	local queues cpus

	queues=$(disk_serial "$1" | sed -n 's/.*-q\([0-9]*\).*/\1/p')
	cpus=$(nproc)
	: "${queues:=1}"
	if [ "$queues" -lt "$cpus" ]; then echo "$queues"; else echo "$cpus"; fi
}

disk_is_what_it_says()
{
	local dir

	dir=$(virtio_of "/sys/block/$1/device") || return 1
	disk_is "$(ring_layout "$dir")" "$1" && says i "$1" "$dir" 28 &&
	says e "$1" "$dir" 29 && says d "$1" "$dir" 33 && refuse says legacy "$1" "$dir" 32 &&
	[ "$(find "/sys/block/$1/mq" -mindepth 1 -maxdepth 1 | wc -l)" -eq \
		"$(expected_queues "$1")" ]
}

# job NAME SIZE-IN-MIB OPTION...: a section for fio, with a place of its own
job()
{
	printf '[%s]\nstonewall\noffset=%sm\nsize=%sm\n' "$1" $place "$2"
	place=$((place + $2))
	shift 2
	printf '%s\n' "$@"
}

# iomem_align: buffers that begin within a page, so that a segment more is needed.
# iodepth_batch: so many are submitted at once, as a list.
# bs_unaligned: any number of bytes, which only the page cache takes.
fio_file()
{
	place=0
	printf '[global]\nfilename=/dev/%s\nverify=crc32c\nverify_fatal=1\ndirect=1\n' "$1"
	job sequential 8 rw=write bs=1m ioengine=libaio iodepth=4
	job random-512 1 rw=randwrite bs=512 ioengine=libaio iodepth=128 iodepth_batch=16
	job random-mixed 8 rw=randwrite bsrange=512-256k ioengine=io_uring iodepth=32 \
		iomem_align=512
	job depth-1 1 rw=randwrite bs=4k ioengine=psync
	job buffered 4 rw=write bsrange=777-100k bs_unaligned=1 direct=0 ioengine=libaio \
		iodepth=16 fsync=64
	if [ "$(cat "/sys/block/$1/queue/io_poll")" = 1 ]; then
		job polled 2 rw=randwrite bs=4k ioengine=io_uring hipri=1 iodepth=16
	fi
}

# In fio's terse output (version 3) the fields 3, 5, 6, 8, 9, 47, 49, 50 are the
# name, the error, KiB read, reads/s, ms, KiB written, writes/s, ms.
fio_jobs()
{
	fio_file "$1" >"/tmp/$1.fio"
	timeout $((150 * patience)) fio --minimal "/tmp/$1.fio" >"/tmp/$1.terse" || return 1
	awk -F';' '/^3;/ {
		if ($5 != 0 || $6 != $47 || $6 == 0)
			exit 1
		print $3, ($6 + $47) * 1024, int(($8 * $9 + $49 * $50) / ($9 + $50 + 1))
	}' "/tmp/$1.terse"
}

is_busy() { awk '{ exit $1 + $2 == 0 }' "/sys/block/$1/inflight"; }
has_ended() { ! kill -0 "$1" 2>/dev/null; }

# Not a file of its own where the disk was.
load()
{
	local disk=$1

	shift
	"$@" timeout -s KILL $((100 * patience)) fio --name=load --filename="/dev/$disk" \
		--size=8m --rw=randrw --bsrange=4k-64k --direct=1 \
		--ioengine=libaio --iodepth=32 --allow_file_create=0 \
		--time_based --runtime=$((90 * patience)) >/dev/null 2>&1 3>&- &
	load=$!
	wait_for 20 is_busy "$disk"
}

is_zero()
{
	echo 3 >/proc/sys/vm/drop_caches
	dd if="/dev/$1" bs=$MiB skip="$2" count="$3" 2>/dev/null | tr -d '\0' | head -c 1 |
		wc -c | grep -qx 0
}
