# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for vm.sh
#
# Guests on other machines. After scripts/vm.sh:
#
#  machine_build NAME         the kernel of scripts/config/machines/NAME.config, and its
#                             user space
#  machine_userspace NAME COMPILER
#                             a user space of one program, which verifies data on all
#                             devices at the same time: machine_init.c, see there;
#                             COMPILER is what its name has before "gcc"
#  machine_add DRIVER TRANSPORT LAYOUT GENERATION ADDRESSES [DEVICE-OPTION]...
#                             gives the next guest one more device: blk, scsi or net;
#                             pci, mmio or ccw; split or packed; modern or legacy;
#                             physical, dma, iommu or intel-iommu
#  machine_run LABEL QEMU-OPTION...
#                             boots with these devices. Each has to be there, with
#                             rings as asked for, and none besides. Then there are none
#                             for the next guest
#  machine_compare LABEL      what is said above, of a guest that was given devices in
#                             another way, each with its row in MACHINE_WANTED

MACHINE_OPTIONS=()
MACHINE_WANTED=()
# that program knows the console only
VM_LINES=1
# many devices at once, on CPUs that are emulated
VM_TIMEOUT=600

machine_build()
{
	local config=$TOP/scripts/config/machines/$1.config

	# its CPUs are emulated in any case
	ACCEL=tcg
	"$TOP/scripts/kernel" --machine "$1" || exit
	VM_KERNEL=$BUILD/$1/$(sed -n 's/^# image: //p' "$config")
	machine_userspace "$1" "$(sed -n 's/^# compiler: //p' "$config")"
}

machine_userspace()
{
	local name=$1 compiler=$2 programs=$BUILD/$1-programs program

	mkdir -p "$programs"
	for program in machine_init net_traffic; do
		"${compiler}gcc" -O2 -Wall -Wextra -static -o "$programs/$program" \
			"$TOP/tools/testing/selftests/virtio/$program.c" ||
			die "$program does not compile for $name"
	done
	"$TOP/scripts/initramfs" --name "$name" --only "$programs/machine_init" \
		--file "$programs/net_traffic:/net_traffic" || exit
	VM_INITRD=$BUILD/$name.cpio
}

# What QEMU calls it, and how it is told the ring
machine_device()
{
	local driver=$1 transport=$2 layout=$3 generation=$4 addresses=$5

	printf '%s' "virtio-$driver-${transport/mmio/device}"
	[[ $layout == split ]] || printf ',packed=on'
	[[ $addresses == physical ]] || printf ',iommu_platform=on'
	case $transport-$generation in
	pci-modern) printf ',disable-legacy=on' ;;
	pci-legacy) printf ',disable-modern=on,disable-legacy=off' ;;
	ccw-legacy) printf ',max_revision=0' ;;
	esac
}

machine_add()
{
	local id=d$((${#MACHINE_WANTED[@]} + 1)) device net options
	device=$(machine_device "$@"),id=$id
	# what is asked for has the last word
	options=$(printf ',%s' "${@:6}")
	options=${options%,}

	[[ $1 == net ]] || vm_disk "$id" 8
	case $1 in
	blk)
		MACHINE_OPTIONS+=(-drive "$VM_DISK"
				  -device "$device,drive=$id,num-queues=$VM_CPUS$options") ;;
	scsi)
		MACHINE_OPTIONS+=(-device "$device,num_queues=$VM_CPUS$options"
				  -drive "$VM_DISK" -device "scsi-hd,bus=$id.0,drive=$id") ;;
	net)
		net=10.0.${id#d}
		[[ $2 != pci ]] || device+=,romfile=
		device+=,mac=52:54:00:00:00:$(printf %02x "${id#d}")
		MACHINE_OPTIONS+=(-netdev "user,id=$id,net=$net.0/24,restrict=on,guestfwd=tcp:$net.100:7-cmd:cat"
				  -device "$device,netdev=$id$options") ;;
	esac
	MACHINE_WANTED+=("$(IFS='|'; echo "${*:1:5}")")
}

machine_run()
{
	local label=$1
	shift

	vm_run "machine-$label" "machine=$label" "$@" "${MACHINE_OPTIONS[@]}"
	machine_compare "$label"
}

machine_compare()
{
	local name="$1: the devices are those that were asked for" differ

	differ=$(diff <(printf '%s\n' "${MACHINE_WANTED[@]}" | sort) \
		<(printf '%s\n' "${VM_ROWS[@]}" | sort)) || true
	if [[ -n $differ ]]; then
		printf '%s\n' "$differ" | sed 's/^/# /'
		echo "not ok - $name"
		exit 1
	fi
	echo "ok - $name"
	MACHINE_OPTIONS=() MACHINE_WANTED=()
}
