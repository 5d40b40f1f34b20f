# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for the suites
#
# Guests whose devices are other programs, which speak vhost-user. After scripts/lib.sh:
#
#  SOCKETS                a folder for sockets
#  start_back_end NAME SOCKET PROGRAM ARGUMENT...
#                         its output is in $DIR/NAME.log; returns when SOCKET is there.
#                         Sets STARTED_PID
#
# DIR is the folder of the run.

# Sockets have short names: a path of one may have 107 bytes, and BUILD is anywhere.
SOCKETS=$(mktemp -d /tmp/vhost-user.XXXXXX)
at_exit "rm -rf '$SOCKETS'"

start_back_end()
{
	local log=$DIR/$1.log socket=$2 deadline=$((SECONDS + 60))
	shift 2

	XDG_RUNTIME_DIR=$SOCKETS "$@" </dev/null >"$log" 2>&1 &
	STARTED_PID=$!
	at_exit "kill $STARTED_PID 2>/dev/null"
	until [[ -S $socket ]]; do
		if ((SECONDS >= deadline)) || ! kill -0 $STARTED_PID 2>/dev/null; then
			die "${1##*/} does not start: $(tail -n 1 "$log") (log: $log)"
		fi
		sleep 0.1
	done
}
