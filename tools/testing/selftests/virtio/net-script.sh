#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The network driver on a device that follows a script: see test_modules/net_script/.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./blk-lib.sh	# what the kernel has said

needs ethtool ip ping
needs_module net_script
needs_that "a machine without an eth0: the scripted device is that" [ ! -e /sys/class/net/eth0 ]
needs_that "a machine whose network devices keep their names" [ ! -e /run/udev/control ]

script=/sys/module/net_script/parameters
driver=/sys/bus/virtio/drivers/${other_driver:-virtio_net}
dev=eth0

# Not the one of busybox, which its shell prefers
ip() { /bin/ip "$@"; }
# statistic DEVICE NAME
statistic() { ethtool -S "$1" | awk -v name="$2:" '$1 == name { print $2 }'; }

# bits NUMBER...
bits()
{
	local bit mask=0

	for bit in "$@"; do
		mask=$((mask | 1 << bit))
	done
	printf '0x%x' $mask
}

# By the numbers of the specification
plain="5 16"
control="2 17 18 19 21 23"
guest_offloads="1 7 8"
host_offloads="0 11 12"
merged=15
pairs=22
ring_reset=40
statistics=50
moderation="52 53"
hashes="57 60"

# load FEATURES [PARAMETER=VALUE...]
load()
{
	local features=$(bits $1)

	shift
	clear_log
	load_module net_script features=$features "$@" && wait_for 20 test -e /sys/class/net/$dev
}

up() { ip addr add 10.0.0.1/24 dev $dev && ip link set $dev up && wait_for 10 has_carrier; }
has_carrier() { [ "$(cat /sys/class/net/$dev/carrier)" = 1 ]; }
no_carrier() { refuse has_carrier; }
unload() { timeout 30 rmmod net_script; }
tell() { echo "$2" >"$script/$1"; }
counter() { cat /sys/class/net/$dev/statistics/$1; }

# equal WHAT WANTED
equal() { [ "$1" = "$2" ] || { echo "got: '$1', wanted: '$2'"; return 1; }; }

# pings [OPTION...]: all of five come back
pings()
{
	ping -q -c 5 -i 0.05 -W 3 "$@" 10.0.0.9 >/tmp/pings 2>&1
	cat /tmp/pings
	grep -q ' 0% packet loss' /tmp/pings
}

# load_pings [OPTION...]: one at a time for as long as there is a way, or until $pinging
# is killed. Busybox knows no flood.
load_pings()
{
	ping -q -c 1000000 "$@" 10.0.0.9 >/dev/null 2>&1 &
	pinging=$!
}

# sends_commands NAME PATTERN COMMAND...: these commands come, in this order
sends_commands()
{
	local name=$1 expected=$2

	shift 2
	tell commands ''
	check "$name: succeeds" "$@"
	check "$name: is what the device is told" told "$expected"
}

told() { wait_for 2 commands_are "$1" || { cat $script/commands; return 1; }; }
commands_are() { case "$(echo $(cat $script/commands))" in $1) ;; *) return 1 ;; esac; }

# refused NAME COMMAND SHOWN_BY COMMAND...: the driver says so, and keeps what it had
refused()
{
	local name=$1 code=$2 shown=$3 before

	shift 3
	before=$($shown 2>&1)
	tell refuse "$code"
	check "$name refused by the device: an error" refuse "$@"
	tell refuse ''
	check "$name refused by the device: nothing has changed" equal "$($shown 2>&1)" "$before"
}

# shown_by ETHTOOL-OPTION: what ethtool shows
shown_by() { ethtool $1 $dev; }
mac_address() { cat /sys/class/net/$dev/address; }
vlans() { ip link show type vlan; }

#
# What the device is told
#

# The stack's own multicast group is one of them.
groups='0[1-9]000000*01005e000001*'

test_filters()
{
	sends_commands "up" "*1/0 00000000$groups 0/0 00 0/1 00" up
	sends_commands "promiscuous" "1/0 00000000$groups 0/0 01 0/1 00" ip link set $dev promisc on
	tell refuse 1/0
	sends_commands "lists are refused: receive more" \
		"1/0 00000000$groups 0/0 00 0/1 01" ip link set $dev promisc off
	tell refuse ''
	sends_commands "MAC address" "1/1 020000000005" ip link set $dev address 02:00:00:00:00:05
	refused "MAC address" 1/1 mac_address ip link set $dev address 02:00:00:00:00:06
	if ! [ -e /proc/net/vlan ]; then
		skip "VLANs" "this kernel has none"
		return
	fi
	sends_commands "VLAN added" "2/0 0500" ip link add link $dev name vlan5 type vlan id 5
	sends_commands "VLAN deleted" "2/1 0500" ip link del vlan5
	refused "VLAN" 2/0 vlans ip link add link $dev name vlan6 type vlan id 6
}

gro_hw() { ethtool -k $dev | awk '$1 == "rx-gro-hw:" { print $2 }'; }

test_offloads()
{
	sends_commands "GRO_HW off" "5/0 0200000000000000" ethtool -K $dev rx-gro-hw off
	refused "GRO_HW on" 5/0 gro_hw ethtool -K $dev rx-gro-hw on
	# the stack remembers that it was asked for
	ethtool -K $dev rx-gro-hw off
	sends_commands "GRO_HW on" "5/0 8201000000000000" ethtool -K $dev rx-gro-hw on
}

# rss TYPES TABLE PAIRS KEY: the command
rss()
{
	echo "4/1 $1 0700 0000 $2 $3 28 $4" | awk '{
		printf "%s ", $1
		for (i = 2; i <= NF; i++)
			printf "%s", $i
		print ""
	}'
}

hash_key() { ethtool -x $dev | awk 'seen { gsub(":", ""); print; exit } /hash key/ { seen = 1 }'; }

test_hash()
{
	local key=$(hash_key) other=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728
	local table=00000100000001000000010000000100

	sends_commands "one channel" "$(rss 3f000000 00000000000000000000000000000000 0100 $key)" \
		ethtool -L $dev combined 1
	refused "channels" 4/1 "shown_by -l" ethtool -L $dev combined 2
	sends_commands "two channels" "$(rss 3f000000 $table 0200 $key)" ethtool -L $dev combined 2
	sends_commands "hash fields" "$(rss 3b000000 $table 0200 $key)" \
		ethtool -N $dev rx-flow-hash udp4 sd
	check "hash fields: are shown" \
		sh -c "ethtool -n $dev rx-flow-hash udp4 | grep -q 'IP DA' &&
			! ethtool -n $dev rx-flow-hash udp4 | grep -q L4"
	check "hash fields: of other flows are as they were" \
		sh -c "ethtool -n $dev rx-flow-hash tcp4 | grep -q 'L4 bytes 2'"
	refused "hash fields" 4/1 hash_fields set_hash_fields
	sends_commands "hash fields back" "$(rss 3f000000 $table 0200 $key)" \
		ethtool -N $dev rx-flow-hash udp4 sdfn
	refused "hash key" 4/1 "shown_by -x" ethtool -X $dev hkey "$(colons $other)"
	sends_commands "hash key" "$(rss 3f000000 $table 0200 $other)" \
		ethtool -X $dev hkey "$(colons $other)"
	refused "table" 4/1 "shown_by -x" ethtool -X $dev weight 1 3
	sends_commands "table" "$(rss 3f000000 00000000010001000100010001000100 0200 $other)" \
		ethtool -X $dev weight 1 3
	check "table: is shown" equal \
		"$(ethtool -x $dev | awk '$1 == "0:" { print $2 $3 $4 $5 $6 $7 $8 $9 }')" 00111111
	check "table: a channel in use can't go" refuse ethtool -L $dev combined 1
	sends_commands "table: default" "$(rss 3f000000 $table 0200 $other)" ethtool -X $dev default
}

# QEMU 7.2 is no device for this: packets for a queue without buffers wait there for a
# kick of another queue.
test_hash_at_work()
{
	local i

	load_pings -A
	for i in $(seq 10); do
		ethtool -X $dev weight 1 3 && ethtool -K $dev rxhash on &&
			ethtool -L $dev combined 2 && ethtool -X $dev default &&
			ethtool -L $dev combined 1 && ethtool -K $dev rxhash off ||
			{ i=failed; break; }
		ethtool -L $dev combined 2
	done
	check "table, channels and hash change at work" [ $i = 10 ]
	check "table, channels and hash change at work: it was at work" kill $pinging
	wait
	check "table, channels and hash change at work: afterwards all is well" pings
}

hash_fields() { ethtool -n $dev rx-flow-hash udp6; }
# ethtool succeeds though it has printed an error
set_hash_fields() { ! ethtool -N $dev rx-flow-hash udp6 sd 2>&1 | grep -q Cannot; }
colons() { echo $1 | sed 's/../&:/g; s/:$//'; }

coalescing() { ethtool -c $dev; ethtool -Q $dev queue_mask 0x3 --show-coalesce; }

set_queue_moderation()
{
	! ethtool -Q $dev queue_mask 0x2 --coalesce tx-usecs 6 2>&1 | grep -q Cannot
}

test_moderation()
{
	sends_commands "moderation" "6/0 0300000004000000 6/1 0100000002000000" \
		ethtool -C $dev rx-frames 1 rx-usecs 2 tx-frames 3 tx-usecs 4
	refused "moderation" 6/0 coalescing ethtool -C $dev tx-usecs 7
	tell refuse 6/1
	sends_commands "moderation: the receive queues refuse" \
		"6/0 0300000008000000 6/1 0900000002000000 6/0 0300000004000000 6/1 0100000002000000" \
		refuse ethtool -C $dev rx-frames 9 tx-usecs 8
	tell refuse ''
	sends_commands "moderation of a queue" \
		"6/2 030000000300000005000000 6/2 020000000600000002000000" \
		ethtool -Q $dev queue_mask 0x2 --coalesce tx-usecs 5 rx-frames 6
	refused "moderation of a queue" 6/2 coalescing set_queue_moderation
	sends_commands "ring sizes: queues get their moderation again" \
		"6/2 010000000300000004000000 6/2 030000000300000005000000 6/2 000000000100000002000000 6/2 020000000600000002000000" \
		ethtool -G $dev tx 32 rx 32
	check "ring sizes: traffic" pings
	check "adaptive moderation" ethtool -C $dev adaptive-rx on
	check "adaptive moderation: traffic" pings
	check "adaptive moderation: off" ethtool -C $dev adaptive-rx off
	refused "NAPI mode, which can't change now" 6/9 coalescing ethtool -C $dev tx-frames 0
}

#
# Statistics of the device
#

le()
{
	printf "%0$(($1 * 2))x" $2 | sed 's/../& /g' |
		awk '{ for (i = NF; i; i--) printf "%s", $i }'
}

# record TYPE VQ SIZE BYTES...: as many numbers of 8 bytes, beginning with 1001, as there is room
record()
{
	printf '%s' "$(le 1 $1)00$(le 2 $2)0000$(le 2 $3)"
	for i in $(seq 1 $((($3 - 8) / 8))); do
		le 8 $((1000 + i))
	done
}

# bad_record NAME HEX [PARAMETER=VALUE]: nothing of it is believed
bad_record()
{
	tell stats "$2"
	check "statistics: $1: ethtool shows all it showed" \
		equal "$(ethtool -S $dev | wc -l)" $lines
	check "statistics: $1: nothing of it" equal "$(statistic $dev rx0_hw_packets)" 0
}

has_statistic() { ethtool -S $dev | grep -q "$1:"; }

# Of the first record of a receive queue: packets is the second number after the header
test_statistics()
{
	local lines good=$(record 0 0 56)

	tell stats "$good"
	check "statistics: a good record is shown" equal "$(statistic $dev rx0_hw_packets)" 1002
	check "statistics: the control queue's have names" has_statistic cq_hw_command_num
	lines=$(ethtool -S $dev | wc -l)
	bad_record "size 0" "0000000000000000$good"
	bad_record "size 7" "0000000007000000$good"
	bad_record "a record that ends too early" "$(echo $good | cut -c 1-40)"
	bad_record "a record that is longer than the reply" \
		"$(echo $good | sed 's/^\(............\)..../\1ffff/')"
	bad_record "a record of a shorter size" "$(record 0 0 48)"
	bad_record "a record of a longer size" "$(record 0 0 64)"
	bad_record "of another queue" "$(record 0 2 56)"
	bad_record "of queue 65535" "$(record 0 65535 56)"
	bad_record "of a send queue" "$(record 16 0 56)"
	bad_record "of a type that is none" "$(record 200 0 56)"
	bad_record "half a header" "000000"
	bad_record "nothing" ""
	tell written 0
	bad_record "a reply of no bytes" "$good"
	tell written -1
	tell silent 1
	bad_record "no status" "$good"
	tell silent 0
	tell stats "$(record 200 0 16)$good"
	check "statistics: a good record after one of an unknown type is shown" \
		equal "$(statistic $dev rx0_hw_packets)" 1002
	tell stats ''
}

# All that the device says is about a queue that is not there.
test_no_such_queue()
{
	check "statistics of no such queue: loaded" load "$plain $control $statistics" stats_cap=1
	tell stats "$(record 0 65534 56)"
	check "statistics of no such queue: nothing of it" \
		equal "$(statistic $dev rx0_hw_packets)" 0
	check "statistics of no such queue: unloaded" unload
}

#
# Packets
#

# bad_packet NAME COUNTER COMMAND...: with this from the device a packet is dropped and counted
bad_packet()
{
	local name=$1 what=$2 before=$(counter $2)

	shift 2
	"$@"
	check "packets: $name: dropped" refuse quiet ping -q -c 1 -W 1 10.0.0.9
	check "packets: $name: counted in $what" [ "$(counter $what)" -gt $before ]
}

# The others of its buffers are no packets.
test_rest()
{
	local errors=$(counter rx_length_errors) packets=$(counter rx_packets)

	# so that no other packet comes
	ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:99 dev $dev nud permanent
	tell split 300
	tell longer -270
	quiet ping -q -c 1 -W 1 -s 1000 10.0.0.9
	check "packets: whose first buffer is too short: are dropped as a whole" \
		equal "$(($(counter rx_length_errors) - errors)) $(($(counter rx_packets) - packets))" \
		"1 1"
	ip neigh del 10.0.0.9 dev $dev
}

# what follows one with a bad number of buffers
all_is_well()
{
	tell num_buffers -1
	tell longer 0
	tell split 100000
	tell flags 0
	tell gso_type 0
	check "packets: $1: afterwards all is well" pings -s 1400
}

test_packets()
{
	check "packets: come back" pings
	check "packets: the header is empty" \
		equal "$(cut -d' ' -f1 $script/sent)" 0000000000000000000000000000000000000000
	check "packets: header and data are one element" equal "$(wc -w <$script/sent)" 2
	tell split 100
	check "packets: in buffers of 100 bytes" pings -s 1400
	tell split 1000
	# a ring of 32 has room for two such packets
	check "packets: in buffers of 1000 bytes, fragmented" pings -s 8000
	tell split 1
	check "packets: in buffers of 1 byte: dropped" refuse quiet ping -q -c 1 -W 1 10.0.0.9
	all_is_well "in buffers of 1 byte"
	tell num_buffers 0
	check "packets: of 0 buffers have one" pings
	bad_packet "of 3 buffers, of which 1 came" rx_length_errors tell num_buffers 3
	bad_packet "of 65535 buffers" rx_length_errors tell num_buffers 65535
	all_is_well "more buffers than there are"
	bad_packet "without a header" rx_length_errors tell longer -100
	bad_packet "with half a header" rx_length_errors tell longer -92
	test_rest
	all_is_well "too short"
	bad_packet "of an unknown segmentation" rx_frame_errors tell gso_type 9
	tell gso_type 0
	bad_packet "with a checksum far behind" rx_frame_errors \
		sh -c "echo 1 >$script/flags; echo 60000 >$script/csum_start"
	tell csum_start 0
	all_is_well "bad offloads"
	tell flags 2
	check "packets: whose checksum the device has seen" pings
	tell flags 0
}

# For the device to cut, with the exact length of the headers (VIRTIO_NET_F_GUEST_HDRLEN)
test_segments()
{
	check "segments: on" ethtool -K $dev tx-udp-segmentation on
	check "segments: are sent" ./net_segments 10.0.0.9 3000 1000
	check "segments: their header" \
		wait_for 2 header_is "01052a00e803220006000000 0000000000000000"
	check "segments: whose data is next to the headers: are sent" ./net_segments $dev 3000 900
	check "segments: whose data is next to the headers: their header" \
		wait_for 2 header_begins 01052a00840322000600
	check "segments: off" ethtool -K $dev tx-udp-segmentation off
}

header_begins() { equal "$(cut -c "1-${#1}" $script/sent)" "$1"; }
header_is() { equal "$(cut -d' ' -f1 $script/sent)" "$(echo $1 | tr -d ' ')"; }

pktgen=/proc/net/pktgen

generator_is_set()
{
	local line

	echo rem_device_all >$pktgen/kpktgend_0 &&
		echo "add_device $dev" >$pktgen/kpktgend_0 || return
	for line in "count 4" "burst 4" "pkt_size 100" "dst_mac 02:00:00:00:00:99"; do
		echo "$line" >$pktgen/$dev || return
	done
}

# The last packet of a batch finds no memory: the others are sent all the same.
test_batch()
{
	local before=$(cat $script/sent_count)

	if ! [ -e $pktgen ]; then
		skip "batch: without its last packet" "this kernel has no pktgen"
		return
	fi
	check "batch: the generator is set" generator_is_set
	tell room 3
	echo start >$pktgen/pgctrl
	check "batch: without its last packet" wait_for 2 sent_are $((before + 3))
	tell room -1
	echo rem_device_all >$pktgen/kpktgend_0
	check "batch: afterwards all is well" pings
}

sent_are() { [ "$(cat $script/sent_count)" = "$1" ] || { cat $script/sent_count; return 1; }; }

# The device does not give back what was sent.
test_timeout()
{
	local before=$(statistic $dev tx_tx_timeouts)

	tell hold_sent 1
	ping -q -c 40 -i 0.2 -W 1 10.0.0.9 >/dev/null 2>&1 &
	check "timeout: noticed" wait_for 20 timeouts_above $before
	tell hold_sent 0
	wait
	check "timeout: afterwards all is well" wait_for 10 pings
}

starts_are() { equal "$(cat $script/starts)" $1; }

# reset_by NAME COMMAND...: the whole device is reset, and has what it had
reset_by()
{
	local name=$1 before

	shift
	ethtool -L $dev combined 1 && ethtool -K $dev rx-gro-hw off &&
		ethtool -C $dev adaptive-rx on tx-usecs 9
	before=$(settings)
	tell commands ''
	tell without_rtnl 0
	check "$name" "$@"
	check "$name: the device is reset" wait_for 20 starts_are 2
	check "$name: afterwards all is well" wait_for 10 pings
	check "$name: the driver has what it had" equal "$(settings)" "$before"
	check "$name: and so has the device" told "*4/0 0100*5/0 0200000000000000*6/0*09000000*"
	check "$name: queues come and go under RTNL" equal "$(cat $script/without_rtnl)" 0
}

settings() { ethtool -l $dev; ethtool -g $dev; ethtool -k $dev; ethtool -c $dev; }

# A queue that can't be reset by itself
stalls()
{
	tell hold_sent 1
	ping -q -c 30 -i 0.2 -W 1 10.0.0.9 >/dev/null 2>&1 &
	wait_for 20 starts_are 2
	tell hold_sent 0
	wait
	logged "asks for a reset of the device"
}

timeouts_above() { [ "$(statistic $dev tx_tx_timeouts)" -gt $1 ]; }

test_announce()
{
	local i

	sends_commands "announce" "3/0" tell net_status 3
	check "announce: is over" equal "$(cat $script/net_status)" 1
	for i in $(seq 20); do
		tell net_status 3
		ip link set $dev down
		tell net_status 3
		ip link set $dev up
	done
	check "announce: while the link goes down and up" wait_for 10 pings
	tell net_status 0
	check "link: down" wait_for 5 no_carrier
	tell net_status 1
	check "link: up" wait_for 5 has_carrier
}

# A command is answered when nobody waits any more.
test_late()
{
	local start=$(now)

	ip link set $dev promisc off
	tell hold 1/1
	ip link set $dev address 02:00:00:00:00:07 2>/tmp/late &
	sleep 2
	check "late: packets come and go meanwhile" pings
	wait $!
	check "late: the command fails" [ $? != 0 ]
	check "late: after a minute" [ $(($(now) - start)) -ge 5900 ]
	check "late: is reported" logged "no answer to control command 1/1"
	start=$(now)
	check "late: the next one fails" refuse ethtool -L $dev combined 1
	check "late: the next one fails at once" [ $(($(now) - start)) -lt 300 ]
	tell hold ''
	tell commands ''
	tell late 1
	check "late: then the device is told all again" wait_for 10 told_again
	check "late: commands work" ip link set $dev address 02:00:00:00:00:08
	check "late: packets come and go" pings
}

told_again()
{
	grep -q '^4/1' $script/commands && grep -q '^5/0' $script/commands &&
		grep -q '^1/1 020000000005' $script/commands
}

test_lost()
{
	local start=$(now) setter

	tell hold 1/1
	ip link set $dev address 02:00:00:00:00:09 2>/dev/null &
	setter=$!
	sleep 1
	tell lose 1
	wait $setter
	check "lost: who waits for an answer is told" [ $? != 0 ]
	check "lost: at once" [ $(($(now) - start)) -lt 1000 ]
	ping -q -c 3 -W 1 10.0.0.9 >/dev/null 2>&1
	check "lost: no carrier" wait_for 5 no_carrier
	check "lost: unloaded in time" unload
}

#
# Devices
#

everything="$plain $control $guest_offloads $host_offloads $merged $pairs $ring_reset $statistics $moderation $hashes 56 59 63"
at_once="filters offloads hash hash_at_work moderation statistics packets segments
	announce batch timeout late lost"

any_wanted()
{
	local part

	for part in "$@"; do
		wanted $part && return
	done
	return 1
}

# One after the other, on one device, which is gone with the last of them
test_everything()
{
	local part

	check "a device with all features" load "$everything" pairs=2 queue_size=64 \
		stats_cap=$((0x100000000 | 0xf | 0xf << 16)) reflect=1
	check "a device with all features: is told what is wanted" cat $script/commands
	wanted filters || check "up" up
	for part in $at_once; do
		! wanted $part || test_$part
	done
	wanted lost || check "a device with all features: unloaded" unload
}

test_rings()
{
	local size

	for size in 1 2 4 8 16 18 19 32; do
		check "rings of $size: loaded" \
			load "$plain $control 0 $merged" queue_size=$size reflect=1
		check "rings of $size: up" up
		check "rings of $size: packets" pings -s 100
		check "rings of $size: longer packets" pings -s 1400
		check "rings of $size: unloaded" unload
	done
}

bad_lengths()
{
	bad_packet "longer than its buffer" rx_length_errors tell longer 100000
	bad_packet "in 18 pages, which the stack can't be told" rx_length_errors \
		tell longer $((73000 - 110))
	tell longer 0
}

test_kinds()
{
	local kind

	for kind in "small:5 0 17" "big:5 0 17 1 7 8" "mergeable:5 0 17 15" \
		    "no control queue:5 0 15"; do
		check "${kind%:*}: loaded" load "${kind#*:}" queue_size=64 reflect=1
		check "${kind%:*}: up" up
		check "${kind%:*}: packets" pings -s 1400
		[ "${kind%:*}" != big ] || bad_lengths
		tell fail_start 3
		ping -q -c 50 -i 0.02 10.0.0.9 >/dev/null 2>&1
		tell fail_start 0
		tell fail_add 5
		ping -q -c 50 -i 0.02 10.0.0.9 >/dev/null 2>&1
		tell fail_add 0
		check "${kind%:*}: packets, after times without memory" wait_for 5 pings
		check "${kind%:*}: unloaded" unload
	done
}

test_rss_without_mq()
{
	check "RSS without MQ: loaded" load "$plain $control $hashes" pairs=2
	sends_commands "RSS without MQ: channels" "4/1 *" ethtool -L $dev combined 1
	check "RSS without MQ: unloaded" unload
}

test_keys()
{
	local size

	for size in 0 1 39 40 52 53 255; do
		check "a hash key of $size bytes: loaded" \
			load "$plain $control $hashes" rss_max_key_size=$size
		[ $size = 0 ] ||
			check "a hash key of $size bytes: at most 52 are used" \
				equal "$(($(hash_key | wc -c) / 2))" $((size > 52 ? 52 : size))
		check "a hash key of $size bytes: unloaded" unload
	done
}

test_tables()
{
	local size

	for size in 0 1 7 128 65535; do
		check "a table of $size entries: loaded" load "$plain $control $hashes $pairs" rss_table=$size pairs=4
		check "a table of $size entries: up" up
		check "a table of $size entries: unloaded" unload
	done
}

# A device that has fewer queues than it says; 64 KiB of its table are what might be lost.
test_failed_probe()
{
	local before

	check "a probe that fails: loaded" load_module net_script \
		features=$(bits $plain $control $hashes $pairs) pairs=5 rss_table=32768
	probes_fail 10
	before=$(free_memory)
	check "a probe that fails: 200 times more" probes_fail 200
	check "a probe that fails: there is no device" refuse test -e /sys/class/net/$dev
	check "a probe that fails: it keeps no memory" is_less_than 6400 $((before - $(free_memory)))
	check "a probe that fails: unloaded" unload
}

# All is there when the stack refuses it; and maps for its four send queues take three
# objects of this size each time.
test_unwanted()
{
	local before

	check "unwanted: loaded" load_module net_script features=$(bits $plain $control $pairs) \
		pairs=4 unwanted=1
	probes_fail 10
	before=$(objects_of_64)
	check "unwanted: 200 times more" probes_fail 200
	check "unwanted: there is no device" refuse test -e /sys/class/net/$dev
	check "unwanted: no maps are left" is_less_than 300 $(($(objects_of_64) - before))
	tell unwanted 0
	echo virtio0 >"$driver/bind"
	check "unwanted: wanted at last" wait_for 20 test -e /sys/class/net/$dev
	check "unwanted: unloaded" unload
}

# Those that wait for a grace period do not count, nor those that are only kept.
objects_of_64()
{
	sleep 6
	echo 1 >/sys/kernel/slab/kmalloc-64/shrink
	awk '$1 == "kmalloc-64" { print $2 }' /proc/slabinfo
}

probes_fail()
{
	local i

	for i in $(seq $1); do
		! echo virtio0 2>/dev/null >"$driver/bind" || return
	done
}

is_less_than() { echo "$2"; [ "$2" -lt "$1" ]; }
free_memory() { awk '$1 == "MemFree:" { print $2 }' /proc/meminfo; }

# reset_and_unload NAME COMMAND...
reset_and_unload()
{
	local name=$1

	check "$name: loaded" load "$plain $control $guest_offloads $merged $pairs $moderation" pairs=2 queue_size=32 reflect=1
	check "$name: up" up
	reset_by "$@"
	load_pings -A
	sleep 1
	check "$name: packets come and go" kill -0 $pinging
	check "$name: unloaded, at work and with adaptive moderation" unload
	wait
}

test_stall() { reset_and_unload "a send queue stalls" stalls; }

# The bus gives up a device that is reset too often in a row.
test_long_stall()
{
	local before

	check "a long stall: loaded" load "$plain" queue_size=32 reflect=1
	check "a long stall: up" up
	before=$(statistic $dev tx_tx_timeouts)
	tell hold_sent 1
	load_pings -i 0.1
	check "a long stall: noticed again and again" wait_for 120 timeouts_above $((before + 6))
	tell hold_sent 0
	kill $pinging
	wait
	check "a long stall: the device was reset" wait_for 30 logged "reset, and works again"
	check "a long stall: afterwards all is well" wait_for 10 pings
	check "a long stall: unloaded" unload
}

test_wish() { reset_and_unload "the device asks for a reset" tell needs_reset 1; }
test_suspend() { reset_and_unload "the device is suspended" tell suspend 1; }

unbind() { echo virtio0 >"$driver/unbind"; }

# Moderation is there as long as the interface, as anybody may ask for it.
test_removal()
{
	check "removal: loaded" load "$plain $control $moderation"
	check "removal: up" up
	check "removal: unbound" unbind
	check "removal: moderation was there to the end" equal "$(cat $script/profiles)" 1
	check "removal: unloaded" unload
}

# asks NAME REPORT ANSWER FEATURE...: a program for XDP asks the driver for hashes
asks()
{
	local name="hashes for a program, $1" report=$2 answer=$3

	shift 3
	check "$name: loaded" load "$plain $control $merged $*" reflect=1 \
		hash_value=0x12345678 hash_report=$report
	check "$name: up" up
	check "$name: rxhash is on" ethtool -K $dev rxhash on
	check "$name: attached" tell program 1
	check "$name: packets" pings
	check "$name: it is told so" equal "$(cat $script/asked)" "$answer"
	check "$name: detached" tell program 0
	check "$name: unloaded" unload
}

# channels_are NUMBER
channels_are()
{
	equal "$(ethtool -l $dev | awk '$1 == "Combined:" { n = $2 } END { print n }')" $1
}

# The guest has two CPUs, and XDP a send queue for each.
test_program_queues()
{
	check "a program's queues: loaded" load "$plain $control $merged $pairs" pairs=4 reflect=1
	check "a program's queues: up" up
	check "a program's queues: one pair without it" ethtool -L $dev combined 1
	check "a program's queues: attached" tell program 1
	check "a program's queues: are there" channels_are 3
	tell refuse 4/0
	check "a program's queues: detached" tell program 0
	tell refuse ''
	check "a program's queues: stay, if the device does not take them back" channels_are 3
	check "a program's queues: another number is set" ethtool -L $dev combined 2
	check "a program's queues: they are forgotten" channels_are 2
	check "a program's queues: packets" pings
	check "a program's queues: unloaded" unload
}

# The type is XDP_RSS_TYPE_L4_IPV4_TCP, the errors are ENODATA and EOPNOTSUPP.
test_program()
{
	if ! [ -e /proc/sys/kernel/unprivileged_bpf_disabled ]; then
		skip "programs" "this kernel has no BPF"
		return
	fi
	test_program_queues
	asks "known" 2 "0x12345678 0x19" 57 60
	asks "unknown" 200 -61 57 60
	asks "not reported" 2 -95 60
}

# qstat QUEUE COUNTER: what netlink has of it; "all -" is the device
qstat()
{
	./net_qstats $dev | awk -v queue="$1" -v name="$2" '
		$1 " " $2 == queue {
			for (i = 3; i < NF; i += 2)
				if ($i == name)
					print $(i + 1)
		}'
}

# The device that is used is eth0 still; it sends by the other one.
test_standby()
{
	check "standby: loaded" load "$plain $control 62" queue_size=64 reflect=1
	check "standby: is there" wait_for 5 test -e /sys/class/net/eth1/master
	check "standby: is one of failover" \
		equal "$(basename "$(readlink /sys/class/net/eth1/master)")" $dev
	check "standby: says what it is" equal "$(cat /sys/class/net/eth1/phys_port_name)" sby
	check "standby: up" up
	check "standby: packets" pings
	check "standby: unloaded" unload
	check "standby: nothing is left" refuse test -e /sys/class/net/$dev
	check "standby without an address: loaded" load "16 $control 62"
	check "standby without an address: is none" refuse test -e /sys/class/net/eth1
	check "standby without an address: unloaded" unload
}

test_queue_stats()
{
	local sent received

	check "queue statistics: loaded" \
		load "$plain $control $merged $pairs" pairs=2 queue_size=64 reflect=1
	check "queue statistics: up" up
	check "queue statistics: traffic" pings
	sent=$(($(qstat "tx 0" tx-packets) + $(qstat "tx 1" tx-packets)))
	received=$(($(qstat "rx 0" rx-bytes) + $(qstat "rx 1" rx-bytes)))
	check "queue statistics: of the device" \
		equal "$(qstat "all -" tx-packets)" "$(counter tx_packets)"
	check "queue statistics: of its queues" equal $sent "$(counter tx_packets)"
	check "queue statistics: bytes received" equal $received "$(counter rx_bytes)"
	check "queue statistics: memory was there" equal "$(qstat "all -" rx-alloc-fail)" 0
	check "queue statistics: no counter that the device does not have" \
		equal "$(qstat "rx 0" rx-csum-bad)" ""
	check "queue statistics: unloaded" unload
}

test_pieces()
{
	local kind name

	for kind in "small:5 0 17 22" "big:5 0 17 22 1 7 8" "mergeable:5 0 17 22 15"; do
		name="memory in pieces, ${kind%:*}"
		check "$name: loaded" load "${kind#*:}" pairs=4 queue_size=2048 reflect=1
		tell pieces 1
		check "$name: up" up
		check "$name: packets" pings -s 1400
		check "$name: longer packets" pings -s 8000
		check "$name: all buffers are there" equal "$(qstat "all -" rx-alloc-fail)" 0
		tell pieces 0
		check "$name: unloaded" unload
	done
}

sysctl -qw net.ipv6.conf.default.disable_ipv6=1
# another driver than the kernel's, which is not to be there then
[ -z "${other_driver:-}" ] || check "the driver $other_driver is loaded" load_module "$other_driver"
! any_wanted $at_once || test_everything
for part in no_such_queue rings kinds rss_without_mq keys tables failed_probe unwanted \
	    stall long_stall wish suspend removal standby queue_stats pieces program; do
	! wanted $part || test_$part
done
check "the kernel found no fault" no_fault
plan
