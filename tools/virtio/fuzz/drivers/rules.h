/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TOOLS_VIRTIO_FUZZ_RULES_H
#define TOOLS_VIRTIO_FUZZ_RULES_H
/* Rules in the place of the fuzzer's input: see rules.c. */
#include "host.h"

/*
 * Does target_rule() end, with nothing wrong, on a device that host_create() makes of
 * these bytes?
 */
bool rule_holds(u8 ring, u8 size, u8 features);
/* Prints how many rules there are, and returns the status of the program. */
int rules_end(size_t num, unsigned int failed);

/* The target's: does what the rule is about, with a driver that is bound. */
void target_rule(void);

#endif
