# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests that run in a guest (busybox sh). A test prints TAP lines on its
# standard output; anything for a human goes to standard error.
#
#  check NAME COMMAND...   ok when COMMAND succeeds, else not ok
#  ok NAME / not_ok NAME / skip NAME REASON
#  virtio_by_driver NAME   the first virtio device that this driver is bound to
#  plan                    the last call: prints how many there were
#  virtio_of PATH          the virtio device that a sysfs path belongs to
#  has_feature DIR BIT     DIR negotiated this feature
#  ring_layout DIR         split or packed
#  ring_features DIR       names of the ring features that DIR negotiated
#  row NAME DIR BYTES VERIFIED RATE   one line of the host's table
#  wait_for SECONDS COMMAND...        try COMMAND until it succeeds
#  now / seconds_since T   uptime in hundredths of a second; at least 0.01

count=0

ok()	 { count=$((count + 1)); echo "ok $count - $*"; }
not_ok() { count=$((count + 1)); echo "not ok $count - $*"; }
skip()	 { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }
plan()	 { echo "1..$count"; }

check()
{
	local name=$1

	shift
	if "$@" >&2; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

virtio_of()
{
	local path

	path=$(readlink -f "$1")
	while [ "$path" != / ]; do
		case ${path##*/} in
		virtio[0-9]*) echo "$path"; return ;;
		esac
		path=${path%/*}
		[ -n "$path" ] || return 1
	done
	return 1
}

# The first virtio device bound to this driver.
virtio_by_driver()
{
	local dir

	for dir in "/sys/bus/virtio/drivers/$1"/virtio*; do
		[ -e "$dir/features" ] && readlink -f "$dir" && return
	done
	return 1
}

# The file is a string of 64 digits, bit 0 first.
has_feature()
{
	[ "$(cut -c $(($2 + 1)) "$1/features")" = 1 ]
}

ring_layout()
{
	if has_feature "$1" 34; then echo packed; else echo split; fi
}

# Feature bits 24 and 27 to 41 of the specification's section 6, and 2.
ring_features()
{
	local pair names=

	for pair in 24:NOTIFY_ON_EMPTY 27:ANY_LAYOUT 28:INDIRECT_DESC 29:EVENT_IDX \
		    32:VERSION_1 33:ACCESS_PLATFORM 34:RING_PACKED 35:IN_ORDER \
		    36:ORDER_PLATFORM 37:SR_IOV 38:NOTIFICATION_DATA \
		    39:NOTIF_CONFIG_DATA 40:RING_RESET 41:ADMIN_VQ; do
		has_feature "$1" "${pair%%:*}" && names="$names ${pair#*:}"
	done
	echo "${names# }"
}

row()
{
	echo "# row $1|$(ring_layout "$2")|$(ring_features "$2")|$3|$4|$5"
}

now()
{
	tr -d . </proc/uptime | cut -d' ' -f1
}

seconds_since()
{
	awk -v from="$1" -v to="$(now)" 'BEGIN { d = to - from; if (d < 1) d = 1; print d / 100 }'
}

# per_second COUNT SECONDS
per_second()
{
	awk -v n="$1" -v s="$2" 'BEGIN { printf "%d\n", n / s }'
}

wait_for()
{
	local tries=$(($1 * 10))

	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}
