#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What an administrator sees and changes, on devices that are at work: texts of
# ethtool, channels, rings, MTU, VLANs, offloads, CPUs that go, suspend, announcements,
# unbind and unplug. What the device knows is asked from QEMU.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

# Beds by what they are for; the last one can be unplugged.
SPLIT=1 PACKED=2 PLUGGED=3

### what is shown

pairs() { seq 0 $(($1 - 1)); }

# The names of statistics, in their order, with this many pairs
names()
{
	local rx="drops xdp_packets xdp_tx xdp_redirects xdp_drops kicks"
	local tx="xdp_tx xdp_tx_drops kicks tx_timeouts" name pair

	for name in $rx; do echo "rx_$name"; done
	for name in $tx; do echo "tx_$name"; done
	for pair in $(pairs "$1"); do
		for name in $rx; do echo "rx${pair}_$name"; done
	done
	for pair in $(pairs "$1"); do
		for name in $tx; do echo "tx${pair}_$name"; done
	done
}

statistics_have_their_names()
{
	ethtool -S "$1" | sed -n 's/^ *\([a-z0-9_]*\): [0-9]*$/\1/p' >/tmp/names
	names "$2" | diff - /tmp/names
}

# shows OPTION DEVICE: the lines on standard input are among what ethtool prints
shows()
{
	local line
	ethtool "$1" "$2" | tr -s '\t ' ' ' | sed 's/^ //; s/ $//' >/tmp/shown
	while read -r line; do
		grep -qxF "$line" /tmp/shown ||
			{ echo "not there: $line"; cat /tmp/shown; return 1; }
	done
}

shows_driver()
{
	shows -i "$1" <<-END
		driver: virtio_net
		version: 1.0.0
		supports-statistics: yes
		supports-test: no
		supports-register-dump: no
		supports-priv-flags: no
	END
}

shows_features()
{
	shows -k "$1" <<-END
		rx-checksumming: on [fixed]
		tx-checksumming: on
		tx-checksum-ip-generic: on
		scatter-gather: on
		tx-scatter-gather: on
		tcp-segmentation-offload: on
		tx-tcp-segmentation: on
		tx-tcp-ecn-segmentation: on
		tx-tcp6-segmentation: on
		generic-segmentation-offload: on
		generic-receive-offload: on
		large-receive-offload: off [fixed]
		rx-vlan-offload: off [fixed]
		tx-vlan-offload: off [fixed]
		highdma: on [fixed]
		rx-vlan-filter: on [fixed]
		tx-gso-robust: on [fixed]
		tx-udp-segmentation: off [fixed]
		rx-gro-hw: on
	END
}

# ethtool prints the greatest values first, then those in use
shows_channels() { [ "$(ethtool -l "$1" | awk '/^Combined:/ { print $2 }' | xargs)" = "$2" ]; }
shows_rings() { [ "$(ethtool -g "$1" | awk '/^[RT]X:/ { print $2 }' | xargs)" = "$2" ]; }

shows_coalescing()
{
	shows -c "$1" <<-END
		Adaptive RX: off TX: n/a
		rx-usecs: 0
		rx-frames: 1
		tx-usecs: 0
		tx-frames: 1
		tx-usecs-irq: n/a
		CQE mode RX: n/a TX: n/a
	END
}

shows_parameters()
{
	local path=/sys/module/$driver_name/parameters

	[ "$(cat $path/napi_weight $path/csum $path/gso $path/napi_tx | xargs)" = "64 Y Y Y" ] &&
	[ "$(cat /sys/class/net/n1/queues/rx-0/virtio_net/mergeable_rx_buffer_size)" -ge 1518 ]
}

has_interrupts()
{
	local dir=$(bed_dir "$1" a) queue

	for queue in config input.0 output.0 input.3 output.3; do
		grep -q " ${dir##*/}-$queue\$" /proc/interrupts ||
			{ echo "no ${dir##*/}-$queue"; return 1; }
	done
}

shown()
{
	local dev=n$1

	check "$dev: ethtool shows the driver" shows_driver $dev
	check "$dev: and the features" shows_features $dev
	check "$dev: and 4 pairs of queues, one in use for each CPU" shows_channels $dev "4 2"
	check "$dev: and the rings" shows_rings $dev "256 256 256 256"
	check "$dev: and coalescing" shows_coalescing $dev
	check "$dev: and statistics by their names" statistics_have_their_names $dev 2
	check "$dev: interrupts have their names" has_interrupts "$1"
	check "$dev: has a random address only if the device has none" \
		[ "$(cat /sys/class/net/$dev/addr_assign_type)" = 0 ]
}

### what is changed under load

# repeat COUNT COMMAND...: the command gets the number of the round
repeat()
{
	local i=0 rounds=$1
	shift

	while [ $i -lt "$rounds" ]; do
		"$@" $i || { echo "round $i: $* failed"; return 1; }
		i=$((i + 1))
	done
}

change_channels() { ethtool -L "$1" combined $((1 + $2 % 4)); }
change_rings() { ethtool -G "$1" rx $((64 << $2 % 3)) tx $((64 << ($2 + 1) % 3)); }
change_mtu() { ip link set "$1" mtu $((1500 - $2 % 2 * 200)); }
change_gro() { ethtool -K "$1" rx-gro-hw $([ $(($2 % 2)) = 0 ] && echo off || echo on); }

change_vlan()
{
	ip link add link "$1" name v$2 type vlan id $((100 + $2)) &&
		ip link set v$2 up && ip link del v$2
}

change_promisc() { ip link set "$1" promisc $([ $(($2 % 2)) = 0 ] && echo on || echo off); }
change_offloads() { ethtool -K "$1" tso $([ $(($2 % 2)) = 0 ] && echo off || echo on); }

change_cpu()
{
	echo 0 >/sys/devices/system/cpu/cpu1/online && usleep 100000 &&
		echo 1 >/sys/devices/system/cpu/cpu1/online
}

changed_under_load()
{
	local n=$1 what

	load "$n"
	for what in channels rings mtu gro vlan promisc offloads cpu; do
		check "n$n: $what change under load" repeat $rounds change_$what n$n
	done
	sleep 1
	check "n$n: the data was right all the time" load_ends_well
	ethtool -L n$n combined 4
	ethtool -G n$n rx 256 tx 256
	check "n$n: datagrams come back the same" traffic "$n" datagrams
	check "n$n: no wrong value is taken: 0 pairs, 5 pairs, a ring of 512" \
		refuse quiet ethtool -L n$n combined 0
	check "n$n: nor 5 pairs" refuse quiet ethtool -L n$n combined 5
	check "n$n: nor a ring of 512" refuse quiet ethtool -G n$n rx 512
	check "n$n: nor one that holds no packet" refuse quiet ethtool -G n$n tx 16
}

### suspend

# The device's filter, one member on each line
filter_of() { ask rx_filter "near$1" | sed 's/, "/\n"/g' | tr -d '[]{}' | sort; }

set_up_state()
{
	local n=$1

	ip link set n$n down
	ip link set n$n address 52:54:00:aa:0$n:01 || return
	ip link set n$n up
	ip addr add 10.$n.0.1/24 dev n$n
	ip addr add fd00:$n::1/64 dev n$n nodad
	ip link add link n$n name n$n.5 type vlan id 5 && ip link set n$n.5 up &&
	ip link add link n$n name n$n.2000 type vlan id 2000 && ip link set n$n.2000 up &&
	ip link set n$n allmulticast on &&
	ip maddr add 01:00:5e:00:11:22 dev n$n &&
	ethtool -L n$n combined 2 && ethtool -G n$n rx 128 tx 64 &&
	ethtool -K n$n rx-gro-hw off || return
	wait_for 10 quiet ping -c 1 -W 1 "10.$n.0.2"
}

state_of()
{
	cat "/sys/class/net/n$1/address"
	ethtool -l n$1
	ethtool -g n$1
	ethtool -c n$1
	ethtool -k n$1
	ethtool -x n$1
	filter_of "$1"
}

counters_of() { awk -F'[: ]+' -v dev="n$1" '$2 == dev { print $4, $12 }' /proc/net/dev; }

# counters N BEFORE: they do not go back
counters_go_on()
{
	set -- $(counters_of "$1") $2
	echo "$*"
	[ "$1" -ge "$3" ] && [ "$2" -ge "$4" ]
}

state_is_kept()
{
	state_of "$1" >/tmp/after
	diff "/tmp/before-$1" /tmp/after
}

suspended()
{
	local n what=$1 counters
	shift

	for n in $SPLIT $PACKED; do
		state_of $n >/tmp/before-$n
		eval "counters_$n=\"$(counters_of $n)\""
		grep -q 2000 /tmp/before-$n || not_ok "n$n: the device has the VLANs"
	done
	load $SPLIT
	check "suspend, $what" "$@"
	check "suspend, $what: a stream goes on after it" load_ends_well
	for n in $SPLIT $PACKED; do
		check "suspend, $what: n$n and its device are as before" state_is_kept $n
		eval "counters=\$counters_$n"
		check "suspend, $what: n$n counts on" counters_go_on $n "$counters"
		check "suspend, $what: n$n: datagrams come back the same" traffic $n datagrams
	done
}

sleep_for_real()
{
	echo none >/sys/power/pm_test
	ask wakeup >/tmp/woken &
	sleep 1
	echo mem >/sys/power/state && wait_for 20 [ -s /tmp/woken ]
}

### announcements, unbind, unplug

flap()
{
	ip link set n$PACKED down && ip link set n$PACKED up
}

# The host goes on with it until the links are done
announced_until_flapped() { ask announce 2 >/tmp/announced && [ -e /tmp/flapped ]; }

announced()
{
	{ repeat $((10 * rounds)) flap && echo yes >/tmp/flapped; } &
	check "links go up and down while the host wants them announced" \
		wait_for $((5 + rounds / 4)) announced_until_flapped
	check "they were announced" [ -s /tmp/announced ]
	side_up $PACKED n$PACKED 1 1500
	check "and the link works after it" wait_for 20 quiet ping -c 1 -W 1 10.$PACKED.0.2
}

link_is() { [ "$(cat "/sys/class/net/n$1/carrier")" = "$2" ]; }

link_follows()
{
	ask link near$1 off && wait_for 10 link_is $1 0 &&
		ask link near$1 on && wait_for 10 link_is $1 1
}

rebound_under_load()
{
	local i

	for i in 1 2 3; do
		load $SPLIT
		sleep 1
		bed_off $SPLIT || return
		kill $load
		bed_bind $SPLIT "$@" && bed_up $SPLIT || return
	done
}

is_gone() { ! [ -e "$(bed_dir $PLUGGED a)" ]; }

unplugged()
{
	load $PLUGGED
	sleep 1
	ask unplug near$PLUGGED && wait_for 30 is_gone
	kill $load
}

# In orphan mode senders do not wait for the device, and a packet's token says so.
orphans()
{
	local flood

	echo N >/sys/module/$driver_name/parameters/napi_tx
	check "napi_tx=0: the driver takes the devices" rebound_under_load
	load $SPLIT
	NET_PORT=9 $net_traffic send 10.$SPLIT.0.2 100000000 64 &
	flood=$!
	check "napi_tx=0: rings change under load" repeat $((4 * rounds)) change_rings n$SPLIT
	kill $flood
	check "napi_tx=0: the data was right all the time" load_ends_well
	echo Y >/sys/module/$driver_name/parameters/napi_tx
	check "napi_tx=1 again: the driver takes the devices" rebound_under_load
}

no_control()
{
	check "no control queue, though offloads are offered: the driver takes the devices" \
		rebound_under_load 17 18 19 20 21 22 23
	quiet ethtool -K n$SPLIT rx-gro-hw off
	check "and GRO_HW is refused or changed, without harm" traffic $SPLIT datagrams
}

suspends()
{
	for n in $SPLIT $PACKED; do
		check "n$n: gets an address, VLANs, channels, rings and offloads of its own" \
			set_up_state $n
	done
	suspended "devices only" suspend_to devices
	suspended "all but CPUs" suspend_to platform
	suspended "to memory" sleep_for_real
}

rebound()
{
	check "the carrier follows the host's link" link_follows $PACKED
	check "the driver is taken and given back under load" rebound_under_load
}

changes()
{
	changed_under_load $SPLIT
	changed_under_load $PACKED
}

texts()
{
	check "parameters are there" shows_parameters
	shown $SPLIT
	shown $PACKED
}

# 6.12's pciehp takes its locks in two orders then. Lockdep says so, and nothing more after
# that: so what it has said of all before is looked at first.
unplugs()
{
	check "up to here, the kernel has found no fault in itself" no_fault
	FAULTS='cut here|BUG[: ]|KASAN|is not a head|Unexpected TXQ|leak'
	check "a device is unplugged under load" unplugged
}

: "${rounds:=3}"
before=$(skbs)
for n in $(bed_numbers); do
	check "bed $n ($(bed_words $n)): the devices answer" bed_up $n
	check "bed $n ($(bed_words $n)): is what it says" bed_is_what_it_says $n
	serve $n
done
for part in texts changes suspends rebound no_control orphans unplugs announced; do
	if wanted $part; then
		$part
	fi
done
check "nothing is lost" nothing_is_lost "$before"
check "receive buffers come from page pools" has_pools
check "without the driver no page of them is in use" ends_without_pages
check "the kernel has found no fault in itself" no_fault
plan
