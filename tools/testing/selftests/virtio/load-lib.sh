# SPDX-License-Identifier: GPL-2.0-only
#
# Work for all disks of a guest at once, each of which may be written on: for tests (busybox
# sh), after lib.sh.
#
#  find_disks            sets $disks to their names, as has been done here
#  verify_disks SECONDS  starts verified I/O on each of them; "wait $verifiers" for its end,
#  disk_is_well DISK     and then: no request has failed, and the data was right

needs fio

find_disks() { disks=$(ls /sys/block | grep -E '^(vd|sd)'); }

verify_disk()
{
	timeout $(($2 + 120 * patience)) fio --name="$1" --filename="/dev/$1" --size=8m \
		--rw=randwrite --bsrange=4k-256k --direct=1 --ioengine=libaio --iodepth=64 \
		--verify=crc32c --verify_fatal=1 --loops=1000 \
		--time_based --runtime="$2" --minimal >"/tmp/$1.terse"
}

verify_disks()
{
	rm -f /tmp/*.ok
	verifiers=
	for disk in $disks; do
		{ verify_disk "$disk" "$1" && echo ok >"/tmp/$disk.ok"; } &
		verifiers="$verifiers $!"
	done
}

disk_is_well() { [ -e "/tmp/$1.ok" ]; }

find_disks
