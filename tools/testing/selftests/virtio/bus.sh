#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The bus, tested by the KUnit suites in bus_kunit/. They run when the module is
# loaded; debugfs has what each of them found, unmixed with the kernel's messages:
# KTAP, indented by four blanks, which becomes this test's own lines here.

. /tests/lib.sh

module=/tests/virtio_bus_test.ko
results=/sys/kernel/debug/kunit

# words NUMBER NAME_OF_A_CASE: without the number and the underscores
words() { echo "${1#* }" | tr _ ' '; }

# convert SUITE <KTAP; "seen" counts the results
convert()
{
	while IFS= read -r line; do
		case $line in
		'    ok '*' # SKIP '*)
			line=${line#    ok }
			skip "$1: $(words "${line%% # SKIP *}")" "${line#* # SKIP }" ;;
		'    ok '*)	ok "$1: $(words "${line#    ok }")" ;;
		'    not ok '*)	not_ok "$1: $(words "${line#    not ok }")" ;;
		'    1..'*)	planned=${line#    1..}; continue ;;
		'    '*)	echo "# ${line#    }"; continue ;;
		*)		continue ;;
		esac
		seen=$((seen + 1))
	done
}

run_suite()
{
	seen=0 planned=none
	convert "bus $1" <"$results/virtio_bus_$1/results"
	check "bus $1: all cases ran ($planned)" [ "$seen" = "$planned" ]
}

warnings() { dmesg | grep -cE 'WARNING|BUG|blocked for more'; }

check "the module with the tests is loaded" insmod $module
for suite in features binding changes power sysfs; do
	run_suite $suite
done
check "a driver that does not reset its device is named in a warning" \
	sh -c "dmesg | grep 'driver virtio_bus_test did not reset the device'"
check "a bad feature table is named" \
	sh -c "dmesg | grep 'driver virtio_bus_test has a bad feature table'"
check "the module is unloaded" timeout 20 rmmod virtio_bus_test
check "the kernel found no other fault" [ "$(warnings)" = 1 ]
plan
