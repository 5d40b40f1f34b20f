# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for vm.sh and the suites
#
# Guests of the network driver's suites. After scripts/vm.sh:
#
#  net_build [PROGRAM]...    builds the guest's kernel and user space. In the environment
#                            NET_STOCK=yes takes the driver of 6.12, on our virtqueues;
#                            NET_ROUNDS and NET_TIMEOUT repeat more, and give the guest
#                            more time for it; NET_ONLY=PART,PART has only these parts
#                            of the test run; NET_WORDS has 72-net-xdp use other beds
#  net_alone                 from here on the suite is alone in a network of its own:
#                            it is run again in one, and the calls above it must
#                            not need the world
#  net_bed WORDS [DEVICE-OPTION]...
#                            adds two devices of one guest and a wire between them to
#                            the array NET_OPTIONS. What the words mean is in
#                            tools/testing/selftests/virtio/net-lib.sh
#  net_start NAME TEST [QEMU-OPTION]...
#                            vm_start with the beds and, for "ask" in the guest, a
#                            serial line on which the host answers
#  net_driver                builds the driver of 6.12 if it is wanted, for VM_KERNEL
#  net_answer TEXT           the answer, from a function host_NAME
#
# The wire is a bridge between two taps that leave checksums and segments as they
# are, so that all offloads are at work. The devices of bed N (from 1) have the
# names nearN and farN and the MAC addresses 52:54:00:00:0N:01 and :02.

NET_BEDS=()
NET_OPTIONS=()
NET_APPEND=${NET_ROUNDS:+ rounds=$NET_ROUNDS}${NET_ONLY:+ only=$NET_ONLY}
[[ ${NET_STOCK:-} != yes ]] || NET_APPEND+=" other_driver=net_base initcall_blacklist=virtnet_init"

net_driver()
{
	[[ ${NET_STOCK:-} == yes ]] || return 0
	vm_module net-base "$TOP/tools/testing/selftests/virtio/net_base/Kbuild" \
		"$BASE_TREE/drivers/net/virtio_net.c"
}

net_build()
{
	local word options=()

	need_packages ethtool iproute2 clang
	vm_kernel
	net_driver
	for word in ethtool ip "$@"; do
		options+=(--program "$word")
	done
	for word in "${VM_MODULES[@]}"; do
		options+=(--file "$word:/tests/virtio/test_modules/${word##*/}")
	done
	"$TOP/scripts/initramfs" --name net --small "${options[@]}" || exit
}

net_alone()
{
	VM_INITRD=$BUILD/net.cpio
	((VM_MEM > 1024)) || VM_MEM=1024
	[[ ${NET_IS_ALONE:-} == yes ]] || NET_IS_ALONE=yes exec unshare -n "$0"
	# no packets but those of the guests
	sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

net_has() { [[ -$2- == *-$1-* ]] && echo on || echo off; }

# net_tap NAME BRIDGE QUEUES
net_tap()
{
	local multi=

	(($3 == 1)) || multi=multi_queue
	# shellcheck disable=SC2086 # may be no word
	ip tuntap add "$1" mode tap vnet_hdr $multi &&
		ip link set "$1" mtu 9000 master "$2" up ||
		die "cannot make the tap $1 (is /dev/net/tun there?)"
}

net_bed()
{
	local words=$1 number=$((${#NET_BEDS[@]} + 1)) queues=1 side=0 name device
	shift

	[[ $words =~ -q([0-9]+) ]] && queues=${BASH_REMATCH[1]}
	NET_BEDS+=("$words")
	ip link add "wire$number" type bridge forward_delay 0 mcast_snooping 0
	ip link set "wire$number" mtu 9000 up
	for name in "near$number" "far$number"; do
		side=$((side + 1))
		net_tap "$name" "wire$number" "$queues"
		device=virtio-net-pci,id=$name,netdev=net-$name,romfile=
		if [[ $words == *-plug* ]]; then
			NET_OPTIONS+=(-device "pcie-root-port,id=port-$name,chassis=$number$side,slot=$number$side")
			device+=,bus=port-$name
		fi
		device+=,mac=52:54:00:00:0$number:0$side
		device+=,packed=$(net_has packed "$words"),indirect_desc=$(net_has i "$words")
		device+=,event_idx=$(net_has e "$words"),iommu_platform=$(net_has d "$words")
		device+=,disable-modern=$(net_has legacy "$words")
		[[ $words == *-legacy* ]] || device+=,disable-legacy=on
		[[ $words != *-@(big|small)* ]] || device+=,mrg_rxbuf=off
		[[ $words != *-small* ]] ||
			device+=,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off
		((queues == 1)) || device+=,mq=on,vectors=$((2 * queues + 2))
		device+=$(printf ',%s' "$@")
		NET_OPTIONS+=(-netdev "tap,id=net-$name,ifname=$name,script=no,downscript=no,vhost=off,queues=$queues"
			      -device "${device%,}")
	done
}

net_start()
{
	local name=$1 test=$2 answers
	shift 2

	vm_scratch
	answers=$VM_SCRATCH/answers
	mkfifo "$answers.in" "$answers.out"
	exec {NET_ANSWERS}<>"$answers.in"
	vm_start "$name" "run=$test beds=$(IFS=,; echo "${NET_BEDS[*]}")$NET_APPEND" \
		"${NET_OPTIONS[@]}" \
		-serial "pipe:$answers" "$@"
}

net_answer() { printf '%s\n' "$1" >&"$NET_ANSWERS"; }
