#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The ring core in a program, with this kernel's vhost as the device: our own
# virtio_test, then the base's, which sends 1048576 buffers in each run.

cd "$(dirname "$0")" && . ./lib.sh || exit

needs ./virtio_test ./base_virtio_test
needs_module vhost_test

# Its results become this test's own lines.
own_results()
{
	while IFS= read -r line; do
		case $line in
		'ok '*)		ok "${line#* - }" ;;
		'not ok '*)	not_ok "${line#* - }" ;;
		'1..'*)		planned=${line#1..} ;;
		*)		echo "$line" >&2 ;;
		esac
	done
}

base_test()
{
	start=$(now)
	timeout 100 ./base_virtio_test "$@" 2>/tmp/base.log
	status=$?
	echo "# $* $(seconds_since "$start") s" >&2
	cat /tmp/base.log >&2
	[ $status = 0 ] && grep 'completed=0x100000$' /tmp/base.log
}

check "vhost's test device is loaded" load_module vhost_test
check "its file is there" wait_for 5 test -c /dev/vhost-test
before=$(results) planned=none start=$(now)
timeout 150 ./virtio_test >/tmp/own
echo "# own tests: $(seconds_since "$start") s"
own_results </tmp/own
check "virtio_test: all tests ran ($planned)" [ $(($(results) - before)) = "$planned" ]
for options in \
	"--batch=256" \
	"--batch=random --delayed-interrupt" \
	"--batch=random --no-event-idx --no-virtio-1" \
	"--batch=random --reset=1000"; do
	# shellcheck disable=SC2086 # a list of words
	check "base: virtio_test $options" base_test $options
done
check "vhost's test device is unloaded" timeout 20 rmmod vhost_test
check "the kernel found no fault" sh -c "! dmesg | grep -E 'WARNING|BUG|blocked for more'"
plan
