# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For suites written in bash, after scripts/lib.sh:
#
#  check NAME COMMAND...       a TAP line: ok when COMMAND succeeds
#  refuses NAME TEXT COMMAND...
#                              ok when COMMAND fails and its last line, the only one
#                              that begins with "error: ", contains TEXT
#  skip NAME REASON
#  tap_result ok|"not ok" NAME the line alone, of what was found otherwise
#  plan                        the last call; false if something was not ok
#  suites NAME...              runs these suites; what they find gets their names, and the
#                              result is false if one has failed
#  numbered                    a filter for the lines of several programs: their numbers
#                              and plans become those of one

TAP_COUNT=0
TAP_FAILED=

tap_result()
{
	[[ $1 == ok ]] || TAP_FAILED=yes
	printf '%s %d - %s\n' "$1" $((++TAP_COUNT)) "$2"
}

check()
{
	local name=$1
	shift

	# a subshell: a command that dies ends itself only
	if ("$@"); then
		tap_result ok "$name"
	else
		tap_result "not ok" "$name"
	fi
}

refuses()
{
	local name=$1 text=$2 output status=0
	shift 2

	output=$("$@" 2>&1 </dev/null) || status=$?
	printf '%s\n' "$output"
	if ((status)) && [[ $(grep -c '^error: ' <<<"$output") == 1 ]] &&
	   [[ ${output##*$'\n'} == 'error: '*"$text"* ]]; then
		tap_result ok "$name"
	else
		tap_result "not ok" "$name"
	fi
}

skip() { printf 'ok %d - %s # SKIP %s\n' $((++TAP_COUNT)) "$1" "$2"; }

plan()
{
	printf '1..%d\n' "$TAP_COUNT"
	[[ -z $TAP_FAILED ]]
}

suites()
{
	local suite failed=

	for suite; do
		say "$suite"
		"$TOP/scripts/test.d/$suite" | sed -uE "s/^((not )?ok [0-9]+ - )/\1$suite: /" ||
			failed=yes
	done
	[[ -z $failed ]]
}

numbered()
{
	awk '/^TAP version|^1\.\./ { next }
	     /^(not )?ok / { sub(/ok ?[0-9]*( - )?/, "ok " ++n " - ") }
	     { print; fflush() } END { print "1.." n + 0 }'
}
