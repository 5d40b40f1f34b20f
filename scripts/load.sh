# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # LOAD_OPTIONS is for the suites
#
# Devices of a guest in which all three drivers are at work at once. After scripts/vm.sh:
#
#  load_disks [OPTIONS]      adds a disk and a SCSI disk for each layout to the array
#                            LOAD_OPTIONS, with these options for the two devices
#
# What the guest does with them is in load-lib.sh of tools/testing/selftests/virtio.

LOAD_OPTIONS=()

load_disks()
{
	local packed ring

	for packed in off on; do
		ring=packed=$packed,disable-legacy=on${1:+,$1}
		vm_disk "blk-$packed" 16
		LOAD_OPTIONS+=(-drive "$VM_DISK" -device "virtio-blk-pci,drive=blk-$packed,$ring")
		vm_disk "lun-$packed" 16
		LOAD_OPTIONS+=(-device "virtio-scsi-pci,id=scsi-$packed,$ring"
			       -drive "$VM_DISK"
			       -device "scsi-hd,bus=scsi-$packed.0,drive=lun-$packed")
	done
}
