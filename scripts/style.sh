# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# scripts/style.sh: for scripts/check, which looks at our files, and scripts/series-check,
# which looks at patches.

# Types of findings that don't apply to a file, and why:
#  MACRO_ARG_REUSE   the macros are lvalues, or use each argument in one branch
#  ..._PRECEDENCE    the argument is a part of a name
#  VOLATILE          the file is compiled for user space too, where READ_ONCE() is a
#                    point at which a test's device acts
#  MEMORY_BARRIER    the file defines the barriers: users say what they pair with
#  ...MACRO, ..._LINE, ..._ALIGNMENT  in headers of events macros are everywhere
#  CAMELCASE         the names are the kernel's or those of libFuzzer
# In user space, what is about other headers of the kernel, or about not taking
# a kernel down, and words in a test's messages that happen to be its name; in
# stand-ins for kernel headers, what their names look like.
ignored_types()
{
	local user=AVOID_BUG,BIT_MACRO,EMBEDDED_FUNCTION_NAME,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE

	case $1 in
	include/uapi/linux/virtio_ring.h) echo MACRO_ARG_REUSE ;;
	include/trace/events/virtio.h)
		echo COMPLEX_MACRO,MULTISTATEMENT_MACRO_USE_DO_WHILE,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
	include/linux/virtio_ring.h) echo MACRO_ARG_REUSE,MEMORY_BARRIER ;;
	drivers/scsi/virtio_scsi.c|tools/testing/selftests/virtio/test_modules/scsi_starve/*)
		echo CAMELCASE ;;
	drivers/virtio/tests/device.c) echo VOLATILE ;;
	drivers/virtio/virtio_ring_ops.h) echo COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE ;;
	tools/virtio/include/*|tools/virtio/threads/include/*|tools/virtio/vringh/linux/*|\
	tools/virtio/shim.h|tools/virtio/bench/kernel.h)
		echo "$user,COMPLEX_MACRO,DATA_RACE,EXPORT_SYMBOL,IS_ENABLED_CONFIG,MACRO_ARG_PRECEDENCE,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,MEMORY_BARRIER,NEW_TYPEDEFS,PRINTK_WITHOUT_KERN_LEVEL" ;;
	tools/virtio/fuzz/drivers/shims.h|tools/virtio/fuzz/drivers/block.h|\
	tools/virtio/fuzz/drivers/net.h|tools/virtio/fuzz/drivers/scsi.h)
		echo "$user,CAMELCASE,COMPLEX_MACRO,MACRO_ARG_PRECEDENCE,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,NEW_TYPEDEFS" ;;
	tools/virtio/fuzz/*.c|tools/virtio/fuzz/drivers/midlayer.h) echo "$user,CAMELCASE" ;;
	tools/*) echo "$user" ;;
	esac
}
