#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own tests for drivers of network devices, on the near side of a bed. They
# are Python, so the root of the host is here, to be read only.

cd "$(dirname "$0")" && . ./lib.sh || exit
. ./net-lib.sh

host=/tmp/host
mkdir $host
needs_that "the root of the host as a 9p share" mount -t 9p -o trans=virtio,ro host $host
needs_that "the path of the kernel's tests on it" [ -d "$host/${selftests:-}" ]

for dir in proc sys dev run tmp; do
	mount -o rbind /$dir $host/$dir
done

# kselftest NAME: what it prints is not for who counts ours
kselftest()
{
	chroot $host env PYTHONDONTWRITEBYTECODE=1 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		NETIF=n1 python3 "$selftests/drivers/net/$1" >/tmp/kselftest 2>&1
	set -- $?
	sed 's/^/: /' /tmp/kselftest
	return "$1"
}

check "the devices answer" bed_up 1
for name in queues.py stats.py; do
	check "kselftest drivers/net/$name" kselftest $name
done
check "the kernel has found no fault in itself" no_fault
plan
