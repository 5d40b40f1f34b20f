# SPDX-License-Identifier: GPL-2.0-only
#
# For the tests with devices on the vDPA bus, after lib.sh and blk-lib.sh:
#
#  virtio_device_of NAME   the virtio device of the vDPA device of this name
#  is_driven NAME          has it a driver?
#  has_disk NAME           is its disk there?
#  disk_of NAME            how that is called
#  netdev_of NAME          and its network device
#  remove NAME WHERE       the device, and what it was in $WHERE

virtio_device_of() { readlink -f "/sys/bus/vdpa/devices/$1"/virtio[0-9]*; }
is_driven() { [ -e "$(virtio_device_of "$1")/driver" ]; }
disk_of() { basename "$(virtio_device_of "$1")"/block/*; }
netdev_of() { basename "$(virtio_device_of "$1")"/net/*; }
has_disk() { [ -e "/sys/block/$(disk_of "$1")/queue" ]; }
remove() { vdpa dev del "$1" && [ ! -e "/sys/bus/vdpa/devices/$1" ] && [ ! -e "$2" ]; }
