# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # much is for vm.sh and the suites
#
# Guests of the block driver's suites. After scripts/vm.sh:
#
#  blk_kernel                 builds the guest's kernel, and what modules need of it
#  blk_module NAME FILE...    builds the module NAME (the first FILE is its Kbuild)
#                             against that kernel, in build/NAME
#
# With BLK_DEBUG=yes in the environment the kernel is one that looks for faults of
# its own (scripts/config/debug.config), virtqueues check how drivers call them, and
# guests, which are slow then, have more time.

BLK_GUEST=guest
BLK_KERNEL_OPTIONS=()
BLK_APPEND=
if [[ ${BLK_DEBUG:-} == yes ]]; then
	BLK_GUEST=guest-debug
	BLK_KERNEL_OPTIONS=(--name guest-debug --add "$TOP/scripts/config/debug.config" CFLAGS_virtqueue.o=-DDEBUG)
	BLK_APPEND="patience=4 log_buf_len=4M"
	VM_MEM=1536
	VM_TIMEOUT=2400
fi

blk_kernel()
{
	"$TOP/scripts/kernel" "${BLK_KERNEL_OPTIONS[@]}" bzImage modules_prepare || exit
	VM_KERNEL=$BUILD/$BLK_GUEST/arch/x86/boot/bzImage
}

# Kbuild writes next to the sources, so these are links in a folder of our own.
blk_module()
{
	local log=$LOGS/$1.log cc=gcc dir=$BUILD/$1
	shift

	want_packages ccache && cc="ccache gcc"
	rm -rf "$dir"
	mkdir "$dir"
	ln -st "$dir" "$@"
	logged "building the module" "$log" '^  [A-Z]' 300 \
		make -L -C "$OVERLAY" O="$BUILD/$BLK_GUEST" CC="$cc" M="$dir" W=1 \
		KBUILD_EXTRA_SYMBOLS="$BUILD/$BLK_GUEST/vmlinux.symvers" \
		KBUILD_BUILD_TIMESTAMP=2025-01-01 modules ||
		die "the module does not build: $(grep -m 1 -E 'error:|undefined' "$log" || tail -n 1 "$log") (log: $log)"
}
