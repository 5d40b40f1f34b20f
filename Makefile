# SPDX-License-Identifier: GPL-2.0-only
#
# A thin front of scripts/. "make help" lists the targets: a target with a
# comment after two hash marks is listed.
#
# BASE=DIR    lay over this 6.12 tree instead of Debian's
# CONFIG=FILE start the guest kernel from this configuration
# JOBS=N      parallel compile jobs (all CPUs)

export BASE CONFIG JOBS BUILD ACCEL
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help run shell test test-all check base overlay series kernel kernel-stock tools fuzz bench \
	bench-guest bench-native deb install-to series-check clean distclean

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
	while IFS='|' read -r target text; do printf '  make %-14s %s\n' "$$target" "$$text"; done

run:		## boot guests on split and packed rings, verify data on every device
	@scripts/run

shell:		## a guest with a shell on this terminal
	@scripts/shell

test:		## run the tests; ends with a line that counts them
	@scripts/test

test-all:	## the tests, and those that take long
	@scripts/test --all

check:		## static checks of our files; all users of virtio compile
	@scripts/check

# what a target needs that is no script of its own
need = bash -c '. scripts/lib.sh && need_packages "$$@"' _

tools:		## build and run the ring core's tests in user space
	@scripts/overlay
	@$(need) gcc make libc6-dev
	@$(MAKE) --no-print-directory -C tools/virtio test

fuzz:		## ring and drivers against lying devices, FUZZ_SECONDS (60) each
	@scripts/base
	@$(need) clang gcc make libc6-dev libclang-rt-14-dev
	@$(MAKE) --no-print-directory -C tools/virtio/fuzz fuzz
	@$(MAKE) --no-print-directory -C tools/virtio/fuzz/drivers fuzz

bench:		## measure the rings against stock's, in user space
	@scripts/bench

bench-guest:	## guest instructions for each request, ours against stock's
	@scripts/bench-guest

bench-native:	## time for each request without an emulator, ours against stock's
	@scripts/bench-native

base:		## fetch and unpack the base kernel source (once)
	@scripts/base

overlay:	## the base with our files in place, in build/overlay
	@scripts/overlay

series:		## our files as patches for git am, in build/series
	@scripts/series

series-check:	## each patch of the series compiles
	@scripts/series-check

kernel:		## build the small guest kernel with our virtio
	@scripts/kernel $(if $(CONFIG),--config $(CONFIG))

kernel-stock:	## the same kernel from the untouched base, to compare
	@scripts/kernel --stock $(if $(CONFIG),--config $(CONFIG))

deb:		## Debian packages of a kernel with our virtio (CONFIG=FILE, or Debian's own)
	@scripts/deb $(if $(CONFIG),--config $(CONFIG))

install-to:	## put our files into TREE=DIR, a 6.12 tree (UNDO=yes: take them out)
	@scripts/install-to $(if $(UNDO),--undo) "$(TREE)"

clean:		## remove what was built, keep the unpacked source
	find build -mindepth 1 -maxdepth 1 ! -name base -exec rm -rf {} +

distclean:	## remove everything that was built or unpacked
	rm -rf build
