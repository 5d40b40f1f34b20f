#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A test that never ends: the host must notice.

while :; do
	sleep 1000
done
