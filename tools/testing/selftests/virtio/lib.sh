# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests that run in a guest (a POSIX shell with "local"). A test prints TAP by
# the helpers of kselftest on its standard output, and ends with what they make of the
# results. What a guest lacks for a test is looked for at its head, and named when the
# test is skipped.
#
#  needs PROGRAM...        programs
#  needs_module NAME...    modules of test_modules/, or of the kernel's tree
#  needs_host              a host that does what "# host NAME ARGS" asks for
#  ask_host NAME ARGS...   asks it
#  needs_that WHAT COMMAND...  what else there has to be: COMMAND succeeds
#  load_module NAME [PARAMETER=VALUE]...
#  check NAME COMMAND...   ok when COMMAND succeeds, else not ok
#  ok NAME / not_ok NAME / skip NAME REASON
#  wanted NAME             is it among those of only=NAME,NAME on the kernel's command line?
#                          Without that, all are
#  results                 how many there were so far
#  plan                    the last call: prints how many there were, and ends the test
#  virtio_by_driver NAME   the first virtio device that this driver is bound to
#  virtio_of PATH          the virtio device that a sysfs path belongs to
#  has_feature DIR BIT     DIR negotiated this feature
#  ring_layout DIR         split or packed
#  ring_features DIR       names of the ring features that DIR negotiated
#  row NAME DIR BYTES VERIFIED RATE   one line of the host's table
#  wait_for SECONDS COMMAND...        try COMMAND until it succeeds, $patience times as long
#  no_leak                 nothing was allocated and forgotten, where kmemleak looks for it
#  leaks                   what no_leak asks for: all that kmemleak has found
#  bounce_buffers          how many are in use, of 2 KiB each
#  now / seconds_since T   uptime in hundredths of a second; at least 0.01
#  quiet COMMAND...        COMMAND, without what it prints
#  refuse COMMAND...       true if it fails
#
# $patience says how many times longer all may take in a kernel that is slow.
#
# A runner waits for all that have the test's output open: what may outlive the test
# must not be among them.

. ../kselftest/ktap_helpers.sh
: "${patience:=1}"
ktap_print_header

ok()	  { ktap_test_pass "$*"; }
not_ok()  { ktap_test_fail "$*"; }
skip()	  { ktap_test_skip "$1: $2"; }
results() { echo $((KTAP_TESTNO - 1)); }
plan()	  { ktap_set_plan $((KTAP_TESTNO - 1)); ktap_finished; }

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

quiet() { "$@" >/dev/null 2>&1; }
refuse() { ! "$@"; }
wanted() { case ",${only:-$1}," in *",$1,"*) ;; *) return 1 ;; esac; }

missing()
{
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

needs_that()
{
	local what=$1

	shift
	"$@" >/dev/null 2>&1 || missing "needs $what"
}

needs()
{
	local program

	for program in "$@"; do
		needs_that "the program $program" command -v "$program"
	done
}

has_module() { [ -e "test_modules/$1.ko" ] || modprobe -n "$1"; }

needs_module()
{
	local name

	needs_that "root" [ "$(id -u)" = 0 ]
	for name in "$@"; do
		needs_that "the module $name" has_module "$name"
	done
}

load_module()
{
	local name=$1

	shift
	if [ -e "test_modules/$name.ko" ]; then
		insmod "test_modules/$name.ko" "$@"
	else
		modprobe "$name" "$@"
	fi
}

# Without perl a runner has sed put "# " before each line, and that may hold a line back
# until the next one comes.
ask_host() { echo "# host $*"; echo "#"; }

needs_host() { needs_that "a host that helps, as in scripts/test.d" [ "${virtio_host:-}" = yes ]; }

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

# A test leaves out here what it knows that the base loses.
leaks() { cat /sys/kernel/debug/kmemleak; }

# Only what nothing points to in two scans is a leak, and nothing that is young.
no_leak()
{
	local file=/sys/kernel/debug/kmemleak

	[ -e $file ] || return 0
	sleep 6
	echo scan >$file && echo scan >$file || return
	! leaks | grep .
}

bounce_buffers() { cat /sys/kernel/debug/swiotlb/io_tlb_used; }

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
	local tries=$(($1 * 10 * patience))

	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
