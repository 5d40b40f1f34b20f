# SPDX-License-Identifier: GPL-2.0-only
#
# What the Makefiles in and below tools/virtio share. They are included from their own
# folders, after TOP, the root of the tree, was set.
#
#  ring          the ring core's files without ".c": drivers/virtio/Makefile's list
#  tree          a kernel tree: headers that compile in user space, vringh.c
#  device_headers  compiler flags for the header of the device's side, whose files are
#                those of the kernel's own tests
#  tree_headers  the same for these headers, and for ours
#  BASE          the 6.12 tree with the ring and the drivers that ours are compared with
#  BUILD         where everything built goes
#  can_compare   BASE's ring is stock's, not ours
#
# In a kernel tree that has our files, that tree serves, and BUILD is below
# tools/virtio; a comparison wants BASE=DIR. In our repository both are in build/.

in_tree := $(wildcard $(TOP)/include/linux/kconfig.h)

# The top Makefile exports them empty when they were not given.
override BUILD := $(or $(BUILD),$(if $(in_tree),$(TOP)/tools/virtio/build,$(TOP)/build))
override BASE := $(or $(BASE),$(if $(in_tree),$(TOP),$(BUILD)/base))

ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifeq ($(wildcard $(BASE)/include/linux/virtio.h),)
$(error no kernel source in $(BASE): run scripts/base, or set BASE=DIR)
endif
endif

# It defines lists, and no rules.
include $(TOP)/drivers/virtio/Makefile
ring	:= $(virtio-ring-y:.o=)
$(if $(ring),,$(error drivers/virtio/Makefile has no list of the ring core's files))

tree	:= $(if $(in_tree),$(TOP),$(BASE))
can_compare := $(if $(wildcard $(BASE)/drivers/virtio/virtqueue.c),,yes)
# For a Makefile that is all about the comparison
define need_stock
$(if $(can_compare)$(filter clean,$(MAKECMDGOALS)),,$(error $(BASE) has our virtio: set BASE=DIR, an untouched 6.12 tree))
endef
vpath device%.c $(TOP)/drivers/virtio/tests
vpath ring%.c $(TOP)/drivers/virtio/tests
device_headers := -iquote $(TOP)/drivers/virtio/tests
tree_headers := $(device_headers) $(if $(in_tree),,-I$(TOP)/include) -I$(tree)/tools/include \
	-I$(tree)/include -I$(tree)/include/uapi
