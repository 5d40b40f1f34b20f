# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# SCSI hosts for guests, and what a guest's test asks the machine that runs it to
# do with them. After scripts/vm.sh:
#
#  scsi_initramfs             the guest's user space with sg3_utils
#  scsi_host NAME LUNS OPTIONS
#                             a virtio-scsi device with disks over several targets; a
#                             disk's serial number is NAME-TARGET-LUN
#  scsi_cd NAME               a CD on that host, with the same data as disk NAME-0-0
#  scsi_pluggable NAME OPTIONS
#                             a host with one disk behind a port, to pull it out
#
# They add to SCSI_OPTIONS, which are for vm_start. In the guest, "# host" with:
#
#  add HOST TARGET LUN        plug a disk of 8 MiB in, with that serial number
#  del HOST TARGET LUN        pull it out
#  resize HOST TARGET LUN MB  of a disk that was there from the start
#  hold / release HOST TARGET LUN
#                             let its requests wait for an hour; let them go on
#  unplug / plug NAME OPTIONS a pluggable host
#  wakeup                     the guest, once it sleeps

SCSI_OPTIONS=()
SCSI_PORTS=0
SCSI_SIZE=16
SCSI_TOOLS=(sg_inq sg_readcap sg_vpd sg_luns sg_unmap sg_write_same sg_reset sg_raw)

scsi_initramfs()
{
	local tool options=()

	for tool in "${SCSI_TOOLS[@]}"; do
		options+=(--program "$tool")
	done
	vm_userspace scsi "${options[@]}"
}

# scsi_disk NAME HOST TARGET LUN
scsi_disk()
{
	vm_disk "$1" "$SCSI_SIZE"
	SCSI_OPTIONS+=(-drive "$VM_DISK,discard=unmap"
		-device "scsi-hd,bus=$2.0,drive=$1,scsi-id=$3,lun=$4,serial=$1")
}

scsi_host()
{
	local name=$1 luns=$2 i

	SCSI_OPTIONS+=(-device "virtio-scsi-pci,id=$name,$3,disable-legacy=on")
	for ((i = 0; i < luns; i++)); do
		scsi_disk "$name-$((i % 3))-$((i / 3))" "$name" $((i % 3)) $((i / 3))
	done
}

scsi_cd()
{
	local data=$VM_SCRATCH/$1-0-0.img

	head -c "${SCSI_SIZE}M" /dev/urandom >"$data"
	SCSI_OPTIONS+=(-drive "file=$data.iso,if=none,id=$1-cd,format=raw,readonly=on,media=cdrom"
		-device "scsi-cd,bus=$1.0,drive=$1-cd,scsi-id=6")
	cp "$data" "$data.iso"
}

scsi_pluggable()
{
	vm_disk "$1-0-0" "$SCSI_SIZE"
	SCSI_PORTS=$((SCSI_PORTS + 1))
	SCSI_OPTIONS+=(-device "pcie-root-port,id=port-$1,chassis=$SCSI_PORTS,slot=$SCSI_PORTS"
		-blockdev "raw,node-name=$1-0-0,file.driver=file,file.filename=$VM_SCRATCH/$1-0-0.img"
		-device "virtio-scsi-pci,id=$1,bus=port-$1,$2"
		-device "scsi-hd,id=disk-$1,bus=$1.0,drive=$1-0-0,serial=$1-0-0")
}

host_add()
{
	local name=$1-$2-$3

	vm_disk "$name" 8
	qmp blockdev-add "\"driver\":\"raw\",\"node-name\":\"$name\",\"file\":{\"driver\":\"file\",\"filename\":\"$VM_SCRATCH/$name.img\"}" &&
	qmp device_add "\"driver\":\"scsi-hd\",\"id\":\"$name\",\"bus\":\"$1.0\",\"drive\":\"$name\",\"scsi-id\":$2,\"lun\":$3,\"serial\":\"$name\""
}

host_del() { qmp device_del "\"id\":\"$1-$2-$3\""; }
host_resize() { qmp block_resize "\"device\":\"$1-$2-$3\",\"size\":$(($4 << 20))"; }

# One request an hour of its own
scsi_limit()
{
	qmp block_set_io_throttle "\"device\":\"$1\",\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"iops_rd\":0,\"iops_wr\":0,$2"
}

host_hold() { scsi_limit "$1-$2-$3" '"iops":1,"iops_size":512'; }
host_release() { scsi_limit "$1-$2-$3" '"iops":0'; }

host_unplug() { qmp device_del "\"id\":\"$1\""; }

host_plug()
{
	local tries=100

	# the guest is done with it before QEMU is
	while qmp qom-list "\"path\":\"/machine/peripheral/$1\"" 2>/dev/null; do
		((--tries)) || return 1
		sleep 0.2
	done
	qmp device_add "\"driver\":\"virtio-scsi-pci\",\"id\":\"$1\",\"bus\":\"port-$1\",\"packed\":\"${2#packed=}\"" &&
	qmp device_add "\"driver\":\"scsi-hd\",\"id\":\"disk-$1\",\"bus\":\"$1.0\",\"drive\":\"$1-0-0\",\"serial\":\"$1-0-0\""
}

host_wakeup() { vm_wakeup 30; }
