# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of the network driver (busybox sh), after lib.sh. The guest has pairs
# of devices with a wire between them, called beds; $beds, from the kernel's command
# line, has words for each, from 1 on: packed, q4 (4 pairs of queues), d (goes through
# the DMA API), legacy. The near side of bed 1 becomes n1 in this network name space,
# the far side f1 in the space far1. $other_driver, if there is one, is a module whose
# devices they are.
#
#  bed_words N              its words
#  bed_is WORD N            has it this word?
#  bed_dir N a|b            sysfs directory of its near or far virtio device
#  bed_up N [MTU]           gives its devices names, addresses and carriers: 10.N.0.1 and
#                           .2, fd00:N::1 and ::2
#  bed_is_what_it_says N    its devices have the features of its words
#  bed_off N / bed_bind N [BIT]...
#                           takes the driver from both devices; binds it again, and
#                           these features of the device type are not negotiated
#  far N COMMAND...         runs it on the far side
#  serve N                  starts net_traffic on the far side
#  traffic N KIND           verified traffic: datagrams, fragments, segments (UDP with
#                           UDP_SEGMENT), stream, stream6, streams (eight at once)
#  load N / load_ends_well  a verified stream that goes on until it is asked for; false
#                           if it stalled or data was wrong
#  statistic DEVICE NAME    of ethtool -S
#  ask NAME ARGUMENT...     prints what host_NAME of the suite answers
#  suspend_to LEVEL         suspend as far as this pm_test level
#  skbs                     socket buffers that are in use
#  nothing_is_lost BEFORE   there are hardly more in use than then
#  has_pools                receive buffers come from page pools
#  ends_without_pages       takes the driver from all devices; none of their receive
#                           buffers is in use any more
#  clear_log, logged PATTERN, no_fault
#                           as in blk-lib.sh

FAULTS='cut here|BUG[: ]|KASAN|INFO: |WARNING: |possible .* detected|bad unlock|is not a head|Unexpected TXQ|leak'
net_traffic=./net_traffic

# Not the one of busybox, which its shell prefers
ip() { /bin/ip "$@"; }

clear_log() { dmesg -c >>/tmp/log; }
logged() { dmesg | grep -q "$1"; }

# kmemleak says at boot that it is there.
no_fault()
{
	clear_log
	! grep -v "leak detector initialized" /tmp/log | grep -A 60 -E "$FAULTS" && no_leak
}

bed_words() { echo "$beds" | cut -d, -f "$1"; }
bed_is() { case -$(bed_words "$2")- in *-$1-*) ;; *) return 1 ;; esac; }

# says N WORD BIT: both or neither of the devices have the feature
says()
{
	local side

	for side in a b; do
		if bed_is "$2" "$1"; then
			has_feature "$(bed_dir "$1" $side)" "$3" || return
		else
			refuse has_feature "$(bed_dir "$1" $side)" "$3" || return
		fi
	done
}

bed_is_what_it_says()
{
	says "$1" packed 34 && says "$1" i 28 && says "$1" e 29 && says "$1" d 33 &&
		refuse says "$1" legacy 32
}

bed_numbers() { seq 1 "$(echo "$beds" | awk -F, '{ print NF }')"; }
bed_dir() { eval "echo \$dir_$1_$2"; }
far() { local n=$1; shift; ip netns exec "far$n" "$@"; }

# Only once: later they may have other names, or none.
find_beds()
{
	local path n side

	for path in /sys/class/net/*/address; do
		side=$(sed -n 's/^52:54:00:00:0\([1-9]\):01$/\1_a/p
			s/^52:54:00:00:0\([1-9]\):02$/\1_b/p' "$path")
		[ -z "$side" ] || eval "dir_$side=$(virtio_of "${path%/address}/device")"
	done
	mkdir -p /run
	for n in $(bed_numbers); do
		ip netns add "far$n" && far "$n" ip link set lo up
	done
}

# The name that the kernel gave to the device of this directory
netdev_of() { ls "$1/net"; }

# side N DEVICE NUMBER MTU COMMAND...: COMMAND is the one that acts in its name space
side_up()
{
	local n=$1 dev=$2 number=$3 mtu=$4
	shift 4

	"$@" ip addr add "10.$n.0.$number/24" dev "$dev" &&
	"$@" ip addr add "fd00:$n::$number/64" dev "$dev" nodad &&
	"$@" ip link set "$dev" mtu "$mtu" up
}

bed_up()
{
	local n=$1 mtu=${2:-1500}

	ip link set "$(netdev_of "$(bed_dir "$n" a)")" name "n$n" &&
	ip link set "$(netdev_of "$(bed_dir "$n" b)")" name "f$n" netns "far$n" &&
	side_up "$n" "n$n" 1 "$mtu" && side_up "$n" "f$n" 2 "$mtu" far "$n" &&
	wait_for 10 quiet ping -c 1 -W 1 "10.$n.0.2"
}

driver_name=${other_driver:-virtio_net}
driver=/sys/bus/virtio/drivers/$driver_name
servers=

bed_off()
{
	local side dir

	for side in a b; do
		dir=$(bed_dir "$1" $side)
		echo "${dir##*/}" >$driver/unbind || return
	done
}

# The filter stays with the device.
filter()
{
	local debug=/sys/kernel/debug/virtio/${1##*/} bit
	shift

	echo 1 >"$debug/filter_features_clear" || return
	for bit; do
		echo "$bit" >"$debug/filter_feature_add" || return
	done
}

bed_bind()
{
	local n=$1 side dir
	shift

	for side in a b; do
		dir=$(bed_dir "$n" $side)
		filter "$dir" "$@" && echo "${dir##*/}" >$driver/bind || return
	done
}

# By its path, as a shell that runs a function in the background keeps the output open,
# and who runs the test waits for its end.
serve()
{
	/bin/ip netns exec "far$1" $net_traffic serve >/dev/console 2>&1 3>&- &
	servers="$servers $!"
}

transfer() { timeout -s KILL $((60 * patience)) $net_traffic "$@"; }

# Enough flows that each of a few queues gets one
streams()
{
	local pids= pid failed=0 i

	for i in 1 2 3 4 5 6 7 8; do
		transfer tcp "$1" 1 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || failed=1
	done
	return $failed
}

traffic()
{
	local n=$1

	case $2 in
	datagrams) transfer udp "10.$n.0.2" 500 1472 ;;
	fragments) transfer udp "10.$n.0.2" 100 30000 ;;
	segments) transfer gso "10.$n.0.2" 500 1400 ;;
	stream) transfer tcp "10.$n.0.2" 4 ;;
	stream6) transfer tcp "fd00:$n::2" 2 ;;
	streams) streams "10.$n.0.2" ;;
	*) return 1 ;;
	esac
}

load()
{
	$net_traffic tcp "10.$1.0.2" 1000000 >&2 &
	load=$!
}

# A stall is noticed by the program, after 10 s.
load_ends_well()
{
	kill -0 "$load" 2>/dev/null || return 1
	kill "$load"
	wait "$load"
	return 0
}

statistic() { ethtool -S "$1" | awk -v name="$2:" '$1 == name { print $2 }'; }

ask()
{
	local answer

	ask_host "$@" >&3
	read -r -t 30 answer <&4 && echo "$answer"
}

suspend_to() { echo "$1" >/sys/power/pm_test && echo mem >/sys/power/state; }

# Slabs that are only kept do not count.
skbs()
{
	echo 1 >/sys/kernel/slab/skbuff_head_cache/shrink
	awk '$1 == "skbuff_head_cache" { print $2 }' /proc/slabinfo
}

nothing_is_lost()
{
	local now

	sleep 1
	now=$(skbs)
	echo "$1 before, $now now"
	[ $((now - $1)) -lt 2000 ]
}

pools()
{
	local n

	./net_qstats
	for n in $(bed_numbers); do
		far "$n" ./net_qstats
	done
}

has_pools() { pools | grep -q has; }

# What was read on another CPU than it had come to waits there for the next packet.
packet_on_each_cpu()
{
	local mask

	for mask in 1 2; do
		quiet taskset $mask ping -c 1 -W 1 127.0.0.1 || return
	done
}

# Fragments of what has not come as a whole are kept for 30 s; and the kernel looks once
# in a second if the last page of a pool has come back.
ends_without_pages()
{
	local dir

	# what sockets have not read
	kill $servers
	for dir in $driver/virtio*; do
		echo "${dir##*/}" >$driver/unbind || return
	done
	packet_on_each_cpu || return
	wait_for 40 refuse has_pools || { pools; return 1; }
}

needs_host
needs_that "pairs of devices with a wire between them" [ -n "${beds:-}" ]
needs ethtool ./net_traffic ./net_qstats
exec 3>&1
stty -F /dev/ttyS2 raw -echo 115200
exec 4</dev/ttyS2
[ -z "${other_driver:-}" ] || load_module "$other_driver"
find_beds
