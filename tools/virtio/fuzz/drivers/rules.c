// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver has to do, rule by rule. Each is one input of the fuzzer's, in a process
 * of its own: so one that fails says nothing of the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "rules.h"

static bool was_run;

/* The rest of the input, which is read from both ends, was for the device. */
void target_step(u8 op)
{
	call_end();
	while (!input_ended())
		driver_byte();
	was_run = true;
	target_rule();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

bool rule_holds(u8 ring, u8 size, u8 features)
{
	static u8 input[1 << 16];
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		input[0] = ring;
		input[1] = size;
		input[2] = features;
		LLVMFuzzerTestOneInput(input, sizeof(input));
		exit(!was_run);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

int rules_end(size_t num, unsigned int failed)
{
	printf("%zu rules, %u failed\n", num, failed);
	return !!failed;
}
