# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for the suites
#
# Guests whose devices are other programs, which speak vhost-user. After scripts/lib.sh:
#
#  SOCKETS                a folder for sockets: a back end listens on back..., a proxy on
#                         front...
#  start_back_end NAME SOCKET PROGRAM ARGUMENT...
#                         its output is in $DIR/NAME.log; returns when SOCKET is there.
#                         Sets STARTED_PID
#  start_proxy PORT BIT...
#                         a front end on frontPORT, for the back end on backPORT without
#                         these features
#  start_uml NAME FOLDER INITRD OPTION...
#                         a guest of scripts/uml from build/FOLDER: its console is in
#                         $DIR/consoleNAME, its second serial line in $DIR/resultsNAME.
#                         Sets UML_PID
#
# DIR is the folder of the run. A guest has UML_MEM, as a file in UML_MEM_IN or DIR, and
# runs no longer than GUEST_SECONDS.

GUEST_SECONDS=150 UML_MEM=96M

# Feature bits of the virtio specification
INDIRECT=28 EVENT_IDX=29 PACKED=34 IN_ORDER=35
# The control queue of a network and what needs it: DPDK offers it and never serves it.
CONTROL="17 18 19 20 21 22 23"

# Sockets have short names: a path of one may have 107 bytes, and BUILD is anywhere.
SOCKETS=$(mktemp -d /tmp/vhost-user.XXXXXX)
at_exit "rm -rf '$SOCKETS'"

start_back_end()
{
	local log=$DIR/$1.log socket=$2 deadline=$((SECONDS + 60))
	shift 2

	# should nobody be left to end it
	XDG_RUNTIME_DIR=$SOCKETS timeout -k 5 600 "$@" </dev/null >"$log" 2>&1 &
	STARTED_PID=$!
	at_exit "kill $STARTED_PID 2>/dev/null"
	until [[ -S $socket ]]; do
		if ((SECONDS >= deadline)) || ! kill -0 $STARTED_PID 2>/dev/null; then
			die "${1##*/} does not start: $(tail -n 1 "$log") (log: $log)"
		fi
		sleep 0.1
	done
}

start_proxy()
{
	local port=$1
	shift

	start_back_end "proxy$port" "$SOCKETS/front$port" "$TOP/scripts/vhost-user-proxy" \
		"$SOCKETS/front$port" "$SOCKETS/back$port" "$@"
}

start_uml()
{
	local name=$1 folder=$2 initrd=$3
	shift 3

	# the guest's memory is a file in TMPDIR, which the back ends map
	TMPDIR=${UML_MEM_IN:-$DIR} timeout -s KILL $GUEST_SECONDS "$BUILD/$folder/linux" \
		mem="$UML_MEM" initrd="$initrd" uml_dir="$DIR/" umid="guest$name" \
		con=null con0=null,fd:1 ssl=null ssl1=null,fd:3 panic=-1 noreboot quiet \
		"$@" </dev/null >"$DIR/console$name" 2>&1 3>"$DIR/results$name" &
	UML_PID=$!
	at_exit "kill $UML_PID 2>/dev/null"
}
