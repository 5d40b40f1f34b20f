#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Functions that vanish: a ROM of ones of another device is put where the registers
# were. Whatever waits for such a device has to end; a disk that is in use when this
# ends must not keep the guest from rebooting.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh

needs_host
needs ./net_traffic

pci=/sys/bus/pci/devices

# 8 hexadecimal digits to 4 bytes, the lowest first
bytes()
{
	printf '%08x' "$1" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/'
}

# config FUNCTION OFFSET SIZE BYTES
config()
{
	printf "$4" | dd of="$pci/$1/config" bs="$3" seek=$(($2 / $3)) conv=notrunc 2>/dev/null
}

free_cover()
{
	for path in $pci/*; do
		[ "$(cat "$path/vendor" "$path/device" | tr -d '\n')" = 0x1b360x0005 ] || continue
		[ -e "/tmp/cover-${path##*/}" ] && continue
		: >"/tmp/cover-${path##*/}"
		echo "${path##*/}"
		return
	done
	return 1
}

# vanish DIR: the virtio device in this directory
vanish()
{
	local function cover bar

	function=$(basename "$(dirname "$1")")
	cover=$(free_cover) || return
	# The fifth resource has all registers, the first word is where it begins.
	bar=$(awk 'NR == 5 { print $1 }' "$pci/$function/resource")
	[ $((bar >> 32)) = 0 ] || return
	config "$function" 4 2 '\x00\x00'
	config "$cover" 48 4 "$(bytes $((bar | 1)))"
	config "$cover" 4 2 '\x02\x00'
	[ "$(cat "$1/status")" = 0x000000ff ]
}

# within SECONDS COMMAND...: it ends, well or not
within()
{
	local seconds=$1 process tries

	shift
	"$@" >&2 &
	process=$!
	tries=$((seconds * 10))
	while [ -d /proc/$process ] && ! grep -q '^State:.*Z' /proc/$process/status 2>/dev/null; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

unbind()
{
	echo "${1##*/}" >"$(readlink -f "$1/driver")/unbind"
}

# by_type NUMBER: the device of this type
by_type()
{
	for path in /sys/bus/virtio/devices/*; do
		[ $(($(cat "$path/device"))) = "$1" ] && readlink -f "$path" && return
	done
	return 1
}

of_disk() { virtio_of "/sys/block/$1/device"; }

# Requests are given up after 2 s, not after 30.
impatient() { echo 2000 >"/sys/block/$1/queue/io_timeout"; }

write_for_ever()
{
	while dd if=/dev/zero of="/dev/$1" bs=64k oflag=direct 2>/dev/null; do :; done
}

# has_a_load DISK: sets $load
has_a_load()
{
	write_for_ever "$1" >/dev/null 2>&1 &
	load=$!
	wait_for 20 is_writing "$1"
}

is_writing() { [ "$(stat_field "$1" 9)" -gt 0 ]; }
load_ended() { [ ! -d /proc/$load ] || grep -q '^State:.*Z' /proc/$load/status; }

test_simple()
{
	local name=$1 dir=$2

	check "$name: the device vanishes" vanish "$dir"
	check "$name: the driver is unbound" within 60 unbind "$dir"
	check "$name: it can't be bound again" \
		sh -c "! echo ${dir##*/} >/sys/bus/virtio/drivers_probe || ! [ -e $dir/driver ]"
}

test_rng()
{
	local dir reader

	dir=$(by_type 4)
	cat /dev/hwrng >/dev/null &
	reader=$!
	check "rng: the device vanishes while it is read" vanish "$dir"
	check "rng: the driver is unbound" within 60 unbind "$dir"
	kill $reader
	check "rng: who reads gets an end" within 20 wait_gone $reader
}

wait_gone()
{
	while [ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status"; do sleep 0.1; done
}

test_load()
{
	local name=$1 disk=$2 dir

	dir=$(of_disk "$disk")
	impatient "$disk"
	check "$name: I/O is in flight" has_a_load "$disk"
	check "$name: the device vanishes under load" vanish "$dir"
	check "$name: all I/O ends" wait_for 60 load_ended
	check "$name: the driver is unbound" within 90 unbind "$dir"
}

# The removal writes back what is dirty, and is at that when the device goes.
test_remove()
{
	local disk=$1 dir remover

	dir=$(of_disk "$disk")
	impatient "$disk"
	# The last one who closes it would write back.
	exec 9>"/dev/$disk"
	dd if=/dev/zero of="/dev/$disk" bs=1M count=24 2>/dev/null
	unbind "$dir" &
	remover=$!
	check "removal: writes back" wait_for 20 is_writing "$disk"
	check "removal: the device vanishes meanwhile" vanish "$dir"
	check "removal: ends" within 90 wait_gone $remover
	exec 9>&-
}

flr() { echo 1 >"$(dirname "$1")/reset"; }

# verifies DISK: writes, and reads it back, for some seconds and in spite of a reset
verifies()
{
	timeout 100 fio --name=flr --filename="/dev/$1" --size=8m --rw=randwrite --bs=4k \
		--direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c --verify_fatal=1 \
		--time_based --runtime=8 --minimal >"/tmp/flr-$1"
}

answers() { ping -c 1 -W 1 10.0.3.2 >/dev/null; }

# All of them at once, as each takes seconds until somebody finds out
test_resets()
{
	local disk=$1 lun=$2 nic=$3 disk_load lun_load

	echo 2000 >"/sys/block/$disk/queue/io_timeout"
	echo 2 >"/sys/block/$lun/device/timeout"
	ip addr add 10.0.3.15/24 dev "$nic"
	ip link set "$nic" up
	check "reset: the network is there" wait_for 10 answers
	verifies "$disk" &
	disk_load=$!
	verifies "$lun" &
	lun_load=$!
	wait_for 20 is_writing "$disk"
	wait_for 20 is_writing "$lun"
	check "reset: of a disk's function" flr "$(of_disk "$disk")"
	check "reset: of a SCSI host's function" flr "$(of_disk "$lun")"
	check "reset: of a network device's function" flr \
		"$(virtio_of "/sys/class/net/$nic/device")"
	check "reset: I/O of the disk goes on, and the data is right" wait $disk_load
	check "reset: I/O of the SCSI host goes on, and the data is right" wait $lun_load
	check "reset: the network goes on" wait_for 30 answers
}

lun_by_serial()
{
	for path in /sys/block/sd*; do
		grep -q "$1" "$path/device/vpd_pg80" && echo "${path##*/}" && return
	done
	return 1
}

nic_by_address()
{
	for path in /sys/class/net/*; do
		grep -q "$1" "$path/address" && echo "${path##*/}" && return
	done
	return 1
}

other_nic()
{
	for path in /sys/class/net/eth*; do
		grep -q "$1" "$path/address" || { virtio_of "$path/device"; return; }
	done
	return 1
}

# The host looks at what is said of a device of this name while the guest reboots.
sends_for_ever()
{
	ip link set "$1" down && ip link set "$1" name leaves && ip link set leaves up &&
		wait_for 10 answers || return
	./net_traffic send 10.0.3.2 100000000 1400 >/dev/null 2>&1 3>&- &
	sleep 1
	[ "$(cat /sys/class/net/leaves/statistics/tx_packets)" -gt 100 ]
}

suspend() { echo devices >/sys/power/pm_test && echo mem >/sys/power/state; }
# A device that is gone may be an error.
suspend_ends() { suspend || true; }

test_9p()
{
	mkdir -p /mnt
	check "9p: mounted" mount -t 9p -o trans=virtio,version=9p2000.L host /mnt
	check "9p: files are seen" test -e /mnt/ones.rom
	clear_log
	check "9p: suspend and resume" suspend
	timeout 20 cat /mnt/ones.rom >/dev/null 2>&1
	check "9p: who reads gets an error, and does not wait" [ $? = 1 ]
	check "9p: unmounted" timeout 20 umount /mnt
	check "9p: one line says that it can't resume" [ "$(dmesg | grep -c 9p)" = 1 ]
}

test_9p
test_resets "$(disk_by_serial flr)" "$(lun_by_serial flr)" "$(nic_by_address 52:54:00:00:00:99)"
test_simple net "$(other_nic 52:54:00:00:00:99)"
test_rng
test_simple balloon "$(by_type 5)"
test_simple console "$(by_type 3)"
test_load blk "$(disk_by_serial load)"
test_load scsi "$(lun_by_serial lun)"
test_remove "$(disk_by_serial remove)"

keyboard=$(by_type 18)
check "suspend: a device vanishes" vanish "$keyboard"
check "suspend: ends" within 60 suspend_ends
check "suspend: the driver is unbound" within 60 unbind "$keyboard"

disk=$(disk_by_serial reboot)
impatient "$disk"
check "reboot: I/O is in flight" has_a_load "$disk"
check "reboot: the device vanishes" vanish "$(of_disk "$disk")"
check "reboot: packets are sent" sends_for_ever "$(nic_by_address 52:54:00:00:00:99)"
check "the kernel has found no fault in itself" no_fault
plan
