# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for vm.sh and the suites
#
# Guests of the block driver's suites. After scripts/vm.sh:
#
#  blk_disk SERIAL [DRIVE-OPTION]
#                             adds a disk to the array BLK_DISKS, QEMU's options; the
#                             number says what it is, see blk-lib.sh in
#                             tools/testing/selftests/virtio. Drives have the names that
#                             the guest gives to its disks

BLK_DISKS=()

# blk_has LETTER SERIAL: on or off
blk_has() { [[ -$2- == *-$1-* ]] && echo on || echo off; }

# The guest has them in the order of their slots; slot 3 and what is before it is
# QEMU's own. There is room for eight in each.
blk_disk()
{
	local serial=$1 queues=1 letters=abcdefghijklmnopqrstuvwxyz \
		number=$((${#BLK_DISKS[@]} / 4)) drive device

	drive=vd
	((number < 26)) || drive+=${letters:number / 26 - 1:1}
	drive+=${letters:number % 26:1}
	[[ $serial =~ -q([0-9]+) ]] && queues=${BASH_REMATCH[1]}
	vm_disk "$drive" 32
	device=virtio-blk-pci,drive=$drive,id=dev-$drive,serial=$serial,num-queues=$queues
	device+=,multifunction=on,addr=$(printf '%x.%x' $((4 + number / 8)) $((number % 8)))
	device+=,packed=$(blk_has packed "$serial"),indirect_desc=$(blk_has i "$serial")
	device+=,event_idx=$(blk_has e "$serial"),iommu_platform=$(blk_has d "$serial")
	device+=,disable-modern=$(blk_has legacy "$serial")
	[[ $serial == *-legacy* ]] || device+=,disable-legacy=on
	BLK_DISKS+=(-drive "$VM_DISK,discard=unmap,detect-zeroes=off${2:+,$2}" -device "$device")
}
