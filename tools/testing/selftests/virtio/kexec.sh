#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A guest that goes on in another kernel, while disks, SCSI disks and the network are at
# work: what devices did for the kernel before must not get into the memory of the next
# one, which has to find all of them, and their data. $boot counts the kernels; after the
# last one the guest reboots at work.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh
. ./load-lib.sh

needs kexec
: "${boot:=1}" "${boots:=3}"

# A shell of its own, called by no check: what outlives the test must not have its output
# open, and a shell keeps open what it has redirected for a function.
start_work()
{
	(
		verify_disks 1000
		workers=$verifiers
		for n in $(bed_numbers); do
			load $n
			workers="$workers $load"
		done
		echo "$workers" >/tmp/workers
	) >/dev/console 2>&1 3>&-
}

at_work()
{
	local worker

	sleep 3
	for worker in $(cat /tmp/workers); do
		kill -0 "$worker" || return
	done
}

# By the device's place: names are given in the order in which disks are found.
pattern() { yes "kernel $1 of $(readlink -f "/sys/block/$disk/device")" | head -c 1048576; }

# What the kernel before has left, where the load does not write
keep_data()
{
	local last=$((boot - 1))

	if [ $last -gt 0 ]; then
		dd if="/dev/$disk" bs=1M skip=12 count=1 iflag=direct >/tmp/data &&
			pattern $last | cmp - /tmp/data || return
	fi
	pattern $boot | dd of="/dev/$disk" bs=1M seek=12 iflag=fullblock oflag=direct conv=notrunc
}

load_next_kernel()
{
	local options="$(sed 's/ boot=[0-9]*//' /proc/cmdline) boot=$((boot + 1))"

	mkdir -p /mnt
	mount -t 9p -o trans=virtio,version=9p2000.L,ro host /mnt &&
	kexec -l /mnt/bzImage --initrd=/mnt/kexec.cpio --command-line="$options" &&
	umount /mnt
}

for n in $(bed_numbers); do
	check "kernel $boot: bed $n ($(bed_words $n)): the devices answer" bed_up $n
	serve $n
done
for disk in $disks; do
	check "kernel $boot: $disk has its data" keep_data
done
for n in $(bed_numbers); do
	check "kernel $boot: bed $n: a stream comes back the same" traffic $n stream
done
verify_disks 2
wait $verifiers
for disk in $disks; do
	check "kernel $boot: $disk works" disk_is_well "$disk"
done
check "kernel $boot: it has found no fault in itself" no_fault
if [ "$boot" -lt "$boots" ]; then
	check "kernel $boot: the next one is loaded" load_next_kernel
	start_work
	check "kernel $boot: all are at work" at_work
	# who passes lines on does so with one when the next has come, as for ask_host
	echo "#"
	sleep 2
	kexec -e -x
	not_ok "kernel $boot: the next one begins"
	plan
fi
start_work
check "kernel $boot: all are at work when the guest reboots" at_work
plan
