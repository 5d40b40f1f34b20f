# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests of the SCSI driver (busybox sh), after lib.sh.
#
#  timeout SECONDS COMMAND...  as the program, but $patience times as long
#  mark                      from here on
#  said PATTERN              has the kernel said this, since the last mark?
#  said_once PATTERN         and in one line only?
#  never_said PATTERN        has it not?
#  refuse COMMAND...         false if this succeeds
#  no_fault [PATTERN]        it has found no fault in itself, no leak, and never said PATTERN

marks=0
FAULTS='cut here|WARNING: |BUG[: ]|KASAN|INFO: trying|possible .* detected|bad unlock'
FAULTS="$FAULTS|blocked for more"

timeout()
{
	local seconds=$1

	shift
	command timeout $((seconds * patience)) "$@"
}

mark() { marks=$((marks + 1)); echo "mark $marks" >/dev/kmsg; }
since_mark() { dmesg | sed "1,/mark $marks\$/d"; }
said() { since_mark | grep -qE "$1"; }
said_once() { [ "$(since_mark | grep -cE "$1")" = 1 ]; }

never_said() { ! said "$1"; }

no_fault()
{
	! dmesg | grep -A 60 -E "$FAULTS${1:+|$1}" && no_leak
}
