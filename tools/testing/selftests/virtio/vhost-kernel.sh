#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For a guest whose kernel is the host of another guest, which it has in /guest: network
# devices on vhost-net, modern and legacy, a SCSI host on vhost-scsi and sockets on
# vhost-vsock, at work at the same time. What the inner guest says of them (machine_init.c)
# is said here.

cd "$(dirname "$0")" && . ./lib.sh || exit

target=/sys/kernel/config/target
wwpn=naa.6001405000000001

load_modules()
{
	local module

	for module in /modules/*; do
		insmod "$module" || return
	done
}

needs qemu-system-x86_64 ip nc ./net_traffic
needs_that "a guest's kernel in /guest" [ -e /guest/kernel ]
needs_that "the kernel's vhost" load_modules

ip() { /bin/ip "$@"; }

# wire NUMBER: where the inner guest expects who sends back what he gets
wire()
{
	ip tuntap add "tap$1" mode tap && ip addr add "10.0.$1.100/24" dev "tap$1" &&
		ip link set "tap$1" up
}

# A disk of 8 MiB in memory
make_target()
{
	local disk=$target/core/rd_mcp_0/disk group=$target/vhost/$wwpn/tpgt_1

	mount -t configfs configfs /sys/kernel/config
	mkdir -p "$disk" && echo rd_pages=2048 >"$disk/control" && echo 1 >"$disk/enable" &&
		mkdir -p "$group/lun/lun_0" && echo naa.6001405000000002 >"$group/nexus" &&
		ln -s "$disk" "$group/lun/lun_0/port"
}

# net NUMBER OPTIONS: the wire's end
net()
{
	echo "-netdev tap,id=n$1,ifname=tap$1,script=no,downscript=no,vhost=on" \
	     "-device virtio-net-pci,netdev=n$1,mac=52:54:00:00:00:0$1,romfile=,$2"
}

start_guest()
{
	# shellcheck disable=SC2046 # lists of words
	qemu-system-x86_64 -M q35 -accel tcg -smp 2 -m 256 -nodefaults -no-user-config \
		-display none -no-reboot -serial file:/tmp/guest \
		-kernel /guest/kernel -initrd /guest/initramfs \
		-append "console=ttyS0 panic=-1 quiet no_timer_check machine=vhost" \
		$(net 1 disable-legacy=on) $(net 2 disable-modern=on,disable-legacy=off) \
		-device "vhost-scsi-pci,wwpn=$wwpn,disable-legacy=on" \
		-device vhost-vsock-pci,guest-cid=3,disable-legacy=on >/tmp/qemu 2>&1 3>&- &
	guest=$!
}

# A thread of the kernel for each, called after its process
has_vhosts() { [ "$(ps | grep -c "\[vhost-$guest\]")" -ge 4 ]; }
has_ended() { grep -q '^# done' /tmp/guest || ! kill -0 $guest; }

check "vhost: wires" eval "wire 1 && wire 2"
nc -ll -p 7 -e cat >/dev/null 2>&1 3>&- &
NET_PORT=7 ./net_traffic vsock >/dev/null 2>&1 3>&- &
check "vhost: a SCSI target" make_target
start_guest
check "vhost: its threads are there" wait_for 100 has_vhosts
check "vhost: the guest has ended" wait_for 1200 has_ended
kill $guest
cat /tmp/qemu
tr -d '\r' </tmp/guest >/tmp/lines
while read -r line; do
	case $line in
	"# row "*) echo "$line" ;;
	"ok - "*) ok "${line#ok - }" ;;
	"not ok - "*) not_ok "${line#not ok - }" ;;
	*) echo "# guest: $line" ;;
	esac
done </tmp/lines
plan
