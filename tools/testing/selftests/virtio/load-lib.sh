# SPDX-License-Identifier: GPL-2.0-only
#
# Work for all disks of a guest at once, each of which may be written on, and for its network:
# for tests (busybox sh), after lib.sh. The host echoes what comes to 10.0.2.100, port 7.
#
#  find_disks            sets $disks to their names, as has been done here
#  verify_disks SECONDS  starts verified I/O on each of them; "wait $verifiers" for its end,
#  disk_is_well DISK     and then: no request has failed, and the data was right
#  network_is_up         eth0 gets an address, and the host answers
#  echoes                1 MiB of $echo_data goes to the host and comes back; false if other
#                        bytes do, or not in a minute
#  echo_for SECONDS      again and again

needs fio nc

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

network_is_up()
{
	ip addr flush dev eth0 && ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up &&
		wait_for 20 ping -c 1 -W 1 10.0.2.2
}

echoes()
{
	timeout $((60 * patience)) nc 10.0.2.100 7 <"$echo_data" >/tmp/back &&
		cmp "$echo_data" /tmp/back
}

echo_for()
{
	local start=$(now)

	while [ $(($(now) - start)) -lt $(($1 * 100)) ]; do
		echoes || return 1
	done
}

find_disks
echo_data=/tmp/echo-data
dd if=/dev/urandom of=$echo_data bs=64k count=16 2>/dev/null
