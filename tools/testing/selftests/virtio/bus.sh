#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The bus, tested by its KUnit suites as a module.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./kunit.sh

needs_module virtio_bus_test
needs_kunit
before=$(warnings)
check "the module with the tests is loaded" load_module virtio_bus_test
for suite in features binding changes power sysfs gone; do
	kunit_suite virtio_bus_$suite "bus $suite"
done
check "a driver that does not reset its device is named in a warning" \
	sh -c "dmesg | grep 'driver virtio_bus_test did not reset the device'"
check "a bad feature table is named" \
	sh -c "dmesg | grep 'driver virtio_bus_test has a bad feature table'"
check "the module is unloaded" timeout 20 rmmod virtio_bus_test
check "the kernel found no other fault" [ "$(warnings)" = $((before + 1)) ]
plan
