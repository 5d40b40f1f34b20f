# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Boot library: run a guest under QEMU, follow its results, talk to it over QMP.
# A script that boots guests looks like this (scripts/run is a full example):
#
#	. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#	. "$TOP/scripts/vm.sh"
#	vm_kernel				# or with options of scripts/kernel
#	vm_userspace mytest			# or with options of scripts/initramfs
#	host_resize() { qmp block_resize '"device":"d0","size":'"$1"; }
#	vm_run mytest "run=mytest.sh layout=packed" -drive ... -device ...
#
# In the guest, /init mounts what is needed and has run_kselftest.sh run
# tools/testing/selftests/virtio/$run; every name=value of the second argument is
# in its environment. What it prints comes here line by line (through a second
# serial line, so kernel messages never mix with it) and is kept in $VM_DIR/results;
# the kernel's messages are in $VM_DIR/console.
#
#  TAP lines                 printed here as they come; count them with scripts/test
#  "# row a|b|..."           collected in the array VM_ROWS
#  "# host NAME ARGS"        calls your function host_NAME ARGS here
#  other lines               kept in the file only
#
#  vm_kernel [OPTION]...     build a kernel, and what modules need of it: VM_KERNEL
#  vm_userspace NAME [OPTION]...
#                            build a user space with the tests and their modules for
#                            VM_KERNEL: VM_INITRD, build/NAME.cpio
#  vm_module NAME FILE...    build one more module from these files and folders (one of them is
#                            Kbuild or Makefile), against VM_KERNEL, in a folder of this script;
#                            vm_userspace takes it along
#  vm_scratch                makes VM_SCRATCH, a folder of this run, gone when it ends
#  vm_disk ID MB             make an empty disk image, $VM_SCRATCH/ID.img; sets VM_DISK to the -drive option's
#                            value (if=none,id=ID); call it before vm_start
#  vm_run NAME APPEND QEMU-OPTION...
#                            vm_start and vm_finish; ends the script if that failed
#  vm_start NAME APPEND QEMU-OPTION...
#  vm_until REGEX SECONDS    follow the results until a line matches; false when none did
#  vm_finish                 follow the results to the end. True when the guest ended by
#                            itself and no "not ok" came; otherwise false after one line
#                            on standard error that says what happened and where the log is
#  vm_stop                   end the guest now
#  vm_plug TRIES MEMBERS     plug in the device that these JSON members describe, every half
#                            a second once more: the guest may be done with an earlier device
#                            of its name before QEMU is
#  vm_wakeup SECONDS         wake the guest up as soon as it sleeps; false if it does not
#  qmp COMMAND [MEMBERS]     run a QMP command with these JSON members of "arguments";
#                            its "return" is in QMP_REPLY; false, with the message, on error
#
# Set before vm_start to change it: VM_KERNEL (none: the guest's disk has a boot loader, and
# what the kernel is to be told), VM_INITRD, VM_MEM (MiB), VM_CPUS,
# VM_TIMEOUT (seconds for the whole guest), VM_APPEND (kernel options), VM_MACHINE,
# VM_TCG (single: all CPUs of an emulated guest take turns in one thread), VM_CONSOLE
# (the kernel's serial line), VM_LINES (1: results come through that one as well).
# ACCEL=tcg or ACCEL=kvm from the environment decides what QEMU runs on; without it
# KVM is used when this kernel really boots with it. VM_DIR is build/vm/NAME; QEMU
# runs in it, so sockets and files may be given to it by relative names.
#
# VM_VARIANT from the environment has any suite run with another kernel:
#
#  debug      one that looks for faults of its own (scripts/config/debug.config); virtqueues
#             check how drivers call them
#  races      one that looks for races in our files (scripts/config/races.config)
#  cfi        one by clang, which compares types at each indirect call (scripts/config/cfi.config)
#  protected  one whose DMA is that of an encrypted guest (scripts/config/unencrypted_dma.h)
#
# The first two are slow, so that guests have more memory and time: $patience in the guest
# says how many times longer all may take.

QEMU=${QEMU:-qemu-system-x86_64}
VM_GUEST=guest
VM_OPTIONS=()
VM_INITRD=$BUILD/guest.cpio
# A guest that hangs is sent an NMI, and panics with the stacks of its tasks on the
# console, which is to work when it hangs in resume; it has so many seconds for that.
VM_WITNESS="unknown_nmi_panic panic_print=1 no_console_suspend"
VM_LAST_WORDS=20
VM_MEM=768
VM_CPUS=2
VM_TIMEOUT=240
VM_SLOWER=1
VM_APPEND=
VM_MACHINE=q35
VM_TCG=multi
VM_CONSOLE=ttyS0
VM_LINES=2
VM_DIR=
VM_SCRATCH=
VM_MODULES=()
declare -A VM_LOCKED=()
VM_PID=
VM_ROWS=()
VM_FAILED=
VM_LINE=
QMP_REPLY=

# A lockup is one only if it is longer than what else the host has to do.
vm_is_slow()
{
	VM_MEM=1536
	VM_SLOWER=10
	VM_VARIANT_APPEND="patience=$(patience) log_buf_len=4M watchdog_thresh=60"
}

# For make: our files look for races with what they do, or with what is done to their
# data, and no other. By their path, as the kernel has more than one stats.c.
vm_races()
{
	local objects

	objects=$(our_objects | paste -sd ' ')
	# shellcheck disable=SC2016 # make expands it, for each object
	printf 'KCSAN_SANITIZE=$(if $(filter %s,$@),y,n)' "$objects"
}

VM_VARIANT_APPEND=
case ${VM_VARIANT:-} in
'') ;;
debug)
	VM_OPTIONS=(--add "$TOP/scripts/config/debug.config" CFLAGS_virtqueue.o=-DDEBUG)
	vm_is_slow
	# no user tracking: a stack of each call is more than a guest has memory for
	VM_VARIANT_APPEND+=" slab_debug=FZP" ;;
races)
	VM_OPTIONS=(--add "$TOP/scripts/config/races.config" "$(vm_races)")
	vm_is_slow ;;
cfi) VM_OPTIONS=(--add "$TOP/scripts/config/cfi.config" --clang 16) ;;
protected) VM_OPTIONS=("CFLAGS_direct.o=-include $TOP/scripts/config/unencrypted_dma.h") ;;
*) die "VM_VARIANT=$VM_VARIANT: give debug, races, cfi or protected" ;;
esac
[[ -z ${VM_VARIANT:-} ]] || VM_GUEST=guest-$VM_VARIANT
VM_KERNEL=$BUILD/$VM_GUEST/arch/x86/boot/bzImage

# Disks and the like of this run: another one at the same time has its own.
vm_scratch()
{
	[[ -z $VM_SCRATCH ]] || return 0
	mkdir -p "$BUILD/vm"
	VM_SCRATCH=$(mktemp -d "$BUILD/vm/scratch.XXXXXX")
	at_exit "rm -rf '$VM_SCRATCH'"
}

# One short line when KVM is there and does not work: boot the kernel without user
# space and look for its first message. Hosts exist where /dev/kvm opens and the
# first vCPU fails.
vm_choose_accel()
{
	local probe

	[[ -z ${ACCEL:-} ]] || return 0
	vm_scratch
	probe=$VM_SCRATCH/kvm-probe
	export ACCEL=tcg
	if [[ ! -w /dev/kvm ]]; then
		say "no usable /dev/kvm: running on TCG (emulated CPUs)"
		return
	fi
	# a shell of its own: it is the one that reports a QEMU that aborts
	(timeout -k 5 20 "$QEMU" -M q35 -accel kvm -cpu host -m 256 -nodefaults -no-user-config \
		-display none -serial "file:$probe" -kernel "$VM_KERNEL" -no-reboot \
		-append "console=ttyS0 panic=-1" || true) </dev/null >"$probe.qemu" 2>&1
	if grep -q 'Linux version' "$probe" 2>/dev/null; then
		ACCEL=kvm
	else
		say "/dev/kvm is there but no guest boots with it: running on TCG (emulated CPUs)"
	fi
	rm -f "$probe" "$probe.qemu"
}

vm_accel_options()
{
	case $ACCEL in
	kvm) echo "-accel kvm -cpu host" ;;
	tcg) echo "-accel tcg,thread=$VM_TCG" ;;
	*) die "ACCEL=$ACCEL: give kvm or tcg" ;;
	esac
}

vm_kernel()
{
	local name=$VM_GUEST stock= argument last=
	set -- --name "$name" "${VM_OPTIONS[@]}" "$@"

	for argument; do
		[[ $last != --name ]] || name=$argument
		[[ $argument != --stock ]] || stock=-stock
		last=$argument
	done
	need_packages qemu-system-x86
	"$TOP/scripts/kernel" "$@" bzImage modules_prepare || exit
	VM_KERNEL=$BUILD/$name$stock/arch/x86/boot/bzImage
}

# The folder of VM_KERNEL
vm_built() { printf '%s' "${VM_KERNEL%/arch/*}"; }

vm_userspace()
{
	local name=$1 file files=()
	shift

	for file in "${VM_MODULES[@]}"; do
		files+=(--file "$file:/tests/virtio/test_modules/${file##*/}")
	done
	"$TOP/scripts/initramfs" --name "$name" --modules "$(basename "$(vm_built)")" \
		"${files[@]}" "$@" || exit
	VM_INITRD=$BUILD/$name.cpio
}

# Kbuild writes next to the sources, so these are links in a folder of its own; and of this
# script's own, as a suite that runs beside it may want the same module.
vm_module()
{
	local name=${0##*/}-$1 log dir kernel
	log=$LOGS/$name.log dir=$BUILD/modules/$name
	kernel=$(vm_built)
	shift

	compiler_of "$kernel"
	lock "module-$name"
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -rst "$dir" "$@"
	logged "building the module ${dir##*/}" "$log" '^  [A-Z]' 600 \
		make -L -C "$OVERLAY" -j"$JOBS" O="$kernel" "${COMPILER[@]}" M="$dir" W=1 \
		KBUILD_EXTRA_SYMBOLS="$kernel/vmlinux.symvers" \
		KBUILD_BUILD_TIMESTAMP=2025-01-01 modules ||
		die "the module does not build: $(grep -m 1 -E 'error:|undefined' "$log" || tail -n 1 "$log") (log: $log)"
	VM_MODULES+=("$dir"/*.ko)
}

vm_disk()
{
	local file

	vm_scratch
	file=$VM_SCRATCH/$1.img
	rm -f "$file"
	truncate -s "$2M" "$file"
	VM_DISK="file=$file,if=none,id=$1,format=raw"
}

# QEMU before 8.1 leaves the barriers of a guest out when one thread runs all its CPUs, but
# devices have a thread of their own: a notification is lost now and then, unless the two
# take turns, on the CPU where this runs at the moment.
vm_turns()
{
	if [[ $ACCEL == tcg ]] && [[ $VM_TCG == single || $VM_CPUS == 1 ]]; then
		echo "taskset -c $(cut -d ' ' -f 39 /proc/self/stat)"
	fi
}

vm_start()
{
	local name=$1 append=$2 accel turns console=(-serial file:console) boot=()
	shift 2

	command -v "$QEMU" >/dev/null || die "$QEMU not found: apt install qemu-system-x86"
	if [[ -n $VM_KERNEL ]]; then
		[[ -f $VM_KERNEL ]] || die "$VM_KERNEL not found: run 'make kernel'"
		[[ -f $VM_INITRD ]] || die "$VM_INITRD not found: run scripts/initramfs"
		# no_timer_check: on a loaded host the emulated timer may miss the boot-time check
		boot=(-kernel "$VM_KERNEL" -initrd "$VM_INITRD"
			-append "console=$VM_CONSOLE panic=-1 quiet no_timer_check $VM_WITNESS virtio_host=yes $VM_VARIANT_APPEND $VM_APPEND $append")
	fi
	vm_choose_accel
	accel=$(vm_accel_options)
	turns=$(vm_turns)
	[[ -n ${VM_LOCKED[$name]:-} ]] || lock "vm-$name"
	VM_LOCKED[$name]=yes
	VM_DIR=$BUILD/vm/$name
	VM_ROWS=() VM_FAILED='' VM_LINE=''
	rm -rf "$VM_DIR"
	mkdir -p "$VM_DIR"
	: >"$VM_DIR/results"
	if ((VM_LINES == 1)); then
		console=()
		ln -s results "$VM_DIR/console"
	fi
	mkfifo "$VM_DIR/qmp.in" "$VM_DIR/qmp.out"
	# both ends open at once: no open() waits for QEMU
	exec {VM_QMP_IN}<>"$VM_DIR/qmp.in" {VM_QMP_OUT}<>"$VM_DIR/qmp.out"
	exec {VM_RESULTS}<"$VM_DIR/results"

	cd "$VM_DIR"
	VM_DEADLINE=$((SECONDS + VM_TIMEOUT * VM_SLOWER)) VM_HUNG=
	# shellcheck disable=SC2086 # accel and turns are lists of words
	$turns timeout -k 5 $((VM_TIMEOUT * VM_SLOWER + VM_LAST_WORDS)) "$QEMU" -M "$VM_MACHINE" $accel \
		-smp "$VM_CPUS" -m "$VM_MEM" -nodefaults -no-user-config -display none -no-reboot \
		"${console[@]}" -serial file:results \
		-chardev pipe,id=qmp,path=qmp -mon chardev=qmp,mode=control \
		"${boot[@]}" "$@" </dev/null >qemu.log 2>&1 &
	VM_PID=$!
	cd "$TOP"
	at_exit "kill $VM_PID 2>/dev/null"
	qmp qmp_capabilities ||
		die "QEMU does not start: $(tail -n 1 "$VM_DIR/qemu.log") (log: $VM_DIR/qemu.log)"
}

vm_running() { [[ -n $VM_PID ]] && kill -0 "$VM_PID" 2>/dev/null; }

# QEMU's answers and its events come on one line each.
qmp()
{
	local command=$1 members=${2:-} line deadline=$((SECONDS + 30))

	printf '{"execute":"%s","arguments":{%s}}\n' "$command" "$members" >&"$VM_QMP_IN"
	while ((SECONDS < deadline)) && vm_running; do
		IFS= read -r -t 1 line <&"$VM_QMP_OUT" || continue
		line=${line%$'\r'}
		printf '%s\n' "$line" >>"$VM_DIR/qmp.log"
		case $line in
		'{"return":'*)
			QMP_REPLY=${line#'{"return": '}
			QMP_REPLY=${QMP_REPLY%\}}
			return 0 ;;
		'{"error":'*)
			say "QMP $command: $line"
			return 1 ;;
		esac
	done
	say "QMP $command: no answer (guest's log: $VM_DIR/console)"
	return 1
}

vm_take_line()
{
	local line=${1%$'\r'} words

	# what a test prints, if kselftest runs it
	case $line in
	'# ok '*|'# not ok '*|'# # '*) line=${line#\# } ;;
	esac
	case $line in
	'# row '*) VM_ROWS+=("${line#\# row }") ;;
	'# host '*)
		read -r -a words <<<"${line#\# host }"
		"host_${words[0]}" "${words[@]:1}" || VM_FAILED="the host's part of '$line' failed" ;;
	'ok '*' selftests: '*) ;;
	'ok '*) printf '%s\n' "$line" ;;
	'not ok '*)
		printf '%s\n' "$line"
		VM_FAILED="a test failed" ;;
	esac
}

# Takes all complete lines that are there; the start of a line waits in VM_LINE.
vm_take_lines()
{
	local part

	while IFS= read -r part <&"$VM_RESULTS"; do
		part=$VM_LINE$part
		VM_LINE=
		vm_take_line "$part"
		[[ -n ${1:-} && $part =~ $1 ]] && return 0
	done
	VM_LINE+=$part
	return 1
}

vm_until()
{
	local deadline=$((SECONDS + $2))

	while ! vm_take_lines "$1"; do
		((SECONDS < deadline)) && vm_running || return 1
		sleep 0.1
	done
}

vm_stop()
{
	kill "$VM_PID" 2>/dev/null || true
	wait "$VM_PID" 2>/dev/null || true
}

vm_plug()
{
	local tries

	for ((tries = 0; tries < $1; tries++)); do
		qmp device_add "$2" 2>/dev/null && return
		sleep 0.5
	done
	return 1
}

vm_wakeup()
{
	local deadline=$((SECONDS + $1))

	until qmp query-status && [[ $QMP_REPLY == *suspended* ]]; do
		((SECONDS < deadline)) && vm_running || return 1
		sleep 0.1
	done
	qmp system_wakeup
}

# Has a guest that is not done in time print what all of its tasks wait for, and end.
vm_question_hung()
{
	[[ -z $VM_HUNG ]] && ((SECONDS >= VM_DEADLINE)) || return 0
	VM_HUNG=yes
	qmp inject-nmi || true
}

vm_finish()
{
	local status=0

	while vm_running; do
		vm_take_lines || sleep 0.1
		vm_question_hung
	done
	wait "$VM_PID" || status=$?
	vm_take_lines || true
	exec {VM_QMP_IN}>&- {VM_QMP_OUT}>&- {VM_RESULTS}<&-
	if [[ -n $VM_HUNG ]] || ((status == 124 || status == 137)); then
		VM_FAILED="the guest hung: not done after $((VM_TIMEOUT * VM_SLOWER)) s"
	elif ! grep -q '^# done' "$VM_DIR/results"; then
		VM_FAILED="the guest died: $(vm_last_words)"
	elif ! grep -q '^# done 0$' "$VM_DIR/results"; then
		: "${VM_FAILED:=its test ended with status $(sed -n 's/^# done //p' "$VM_DIR/results")}"
	elif grep -q '^ok 1 selftests: .* # SKIP' "$VM_DIR/results" && ! grep -q '^ok 2 ' "$VM_DIR/results"; then
		VM_FAILED="the test was skipped: $(sed -n 's/^# 1\.\.0 # SKIP //p' "$VM_DIR/results")"
	fi
	[[ -z $VM_FAILED ]] && return
	say "error: ${VM_DIR##*/}: $VM_FAILED (logs: $VM_DIR/console, results, qemu.log)"
	return 1
}

vm_run()
{
	vm_start "$@"
	vm_finish || exit 1
}

vm_last_words()
{
	grep -m 1 -aE 'Kernel panic|BUG:|Oops|general protection' "$VM_DIR/console" ||
		tail -n 1 "$VM_DIR/qemu.log" | grep . ||
		tail -n 1 "$VM_DIR/console"
}

# vm_devices PACKED: sets VM_DEVICES to one of each device of scripts/run and
# scripts/shell, with packed=on or off. The network has a service that echoes, at
# 10.0.2.100 port 7; the two console ports are the ends of one connection.
#
# Not two network devices on a hub: QEMU 7.2 loses kicks on packed rings with
# EVENT_IDX when a hub makes the sender wait (it asks for notifications, then takes
# more buffers and does not move the place it asked for).
vm_devices()
{
	local packed=packed=$1 blk scsi

	vm_disk blk0 64
	blk=$VM_DISK
	vm_disk scsi0 64
	scsi=$VM_DISK
	VM_DEVICES=(
		-drive "$blk" -device "virtio-blk-pci,drive=blk0,$packed"
		-drive "$scsi" -device "virtio-scsi-pci,id=scsi,$packed" -device "scsi-hd,bus=scsi.0,drive=scsi0"
		-netdev user,id=net0,restrict=on,guestfwd=tcp:10.0.2.100:7-cmd:cat
		-device "virtio-net-pci,netdev=net0,romfile=,$packed"
		-device "virtio-rng-pci,$packed"
		-device "virtio-serial-pci,$packed"
		-chardev socket,id=port1,path=ports,server=on,wait=off -chardev socket,id=port2,path=ports
		-device virtserialport,chardev=port1,nr=1 -device virtserialport,chardev=port2,nr=2
		-device "virtio-balloon-pci,$packed"
	)
}

# vm_verify NAME LAYOUT: boots a guest with these devices and split or packed rings,
# which moves data through each; VM_ROWS says what was verified. False as vm_finish is.
vm_verify()
{
	local packed=off

	[[ $2 == split ]] || packed=on
	vm_devices "$packed"
	vm_start "$1" "run=boot.sh layout=$2 memory=$VM_MEM" "${VM_DEVICES[@]}"
	vm_finish
}

# The guest asks for it in boot.sh.
host_balloon() { qmp balloon "\"value\":$(($1 * 1024 * 1024))"; }
