// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG that counts guest instructions by function.
 *
 * -plugin LIB,ranges=FILE		each line of FILE: FIRST LAST NAME (hex)
 *
 * The guest marks what is to be counted with no-ops that have an address of
 * their own (see load.c). Each second mark logs (-d plugin) all instructions,
 * then for each range that was used its instructions, and how often a block
 * began at its first address, which for a function is how often it was called:
 *
 *	bench all N
 *	bench count NAME N CALLS
 *	...
 *	bench stops
 *
 * A translation block never leaves the function that it starts in, so its
 * address tells whose all of its instructions are. One vCPU only.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "plugin_api.h"

#define INLINE_ADD	0
#define NO_REGISTERS	0
#define EXPORT		__attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define MAX_RANGES	8192
#define NAME_LENGTH	96

struct range {
	__u64 first;
	__u64 last;
	__u64 instructions;
	__u64 calls;
	char name[NAME_LENGTH];
};

static struct range ranges[MAX_RANGES];
static unsigned int range_count;
static __u64 all;

static void start(unsigned int vcpu, void *data)
{
	unsigned int i;

	all = 0;
	for (i = 0; i < range_count; i++) {
		ranges[i].instructions = 0;
		ranges[i].calls = 0;
	}
	qemu_plugin_outs("bench starts\n");
}

static void stop(unsigned int vcpu, void *data)
{
	char text[NAME_LENGTH + 64];
	unsigned int i;

	sprintf(text, "bench all %llu\n", (unsigned long long)all);
	qemu_plugin_outs(text);
	for (i = 0; i < range_count; i++) {
		if (!ranges[i].instructions)
			continue;
		sprintf(text, "bench count %s %llu %llu\n", ranges[i].name,
			(unsigned long long)ranges[i].instructions,
			(unsigned long long)ranges[i].calls);
		qemu_plugin_outs(text);
	}
	qemu_plugin_outs("bench stops\n");
}

/* nopl 0x56495230(%rax) starts, nopl 0x56495231(%rax) stops */
static void find_mark(struct qemu_plugin_insn *insn)
{
	static const __u8 mark[] = { 0x0f, 0x1f, 0x80, 0x30, 0x52, 0x49, 0x56 };
	__u8 bytes[sizeof(mark)];

	if (qemu_plugin_insn_size(insn) != sizeof(mark))
		return;
	memcpy(bytes, qemu_plugin_insn_data(insn), sizeof(bytes));
	bytes[3] &= ~1;
	if (memcmp(bytes, mark, sizeof(mark)))
		return;
	memcpy(bytes, qemu_plugin_insn_data(insn), sizeof(bytes));
	qemu_plugin_register_vcpu_insn_exec_cb(insn, bytes[3] & 1 ? stop : start,
					       NO_REGISTERS, NULL);
}

static struct range *range_of(__u64 address)
{
	unsigned int i;

	for (i = 0; i < range_count; i++)
		if (address >= ranges[i].first && address <= ranges[i].last)
			return &ranges[i];
	return NULL;
}

static void add_up(struct qemu_plugin_tb *tb, __u64 *counter, size_t n)
{
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, counter, n);
}

static void translated(__u64 id, struct qemu_plugin_tb *tb)
{
	__u64 address = qemu_plugin_tb_vaddr(tb);
	struct range *range = range_of(address);
	size_t n = qemu_plugin_tb_n_insns(tb);
	unsigned int i;

	add_up(tb, &all, n);
	if (range) {
		add_up(tb, &range->instructions, n);
		if (address == range->first)
			add_up(tb, &range->calls, 1);
	}
	for (i = 0; i < n; i++)
		find_mark(qemu_plugin_tb_get_insn(tb, i));
}

static int read_ranges(const char *file)
{
	FILE *in = fopen(file, "r");
	struct range range = {};

	if (!in)
		return -1;
	while (range_count < MAX_RANGES &&
	       fscanf(in, "%llx %llx %95s", &range.first, &range.last,
		      range.name) == 3)
		ranges[range_count++] = range;
	fclose(in);
	return 0;
}

EXPORT int qemu_plugin_install(__u64 id, const void *info, int argc,
			       char **argv)
{
	if (argc != 1 || strncmp(argv[0], "ranges=", 7) ||
	    read_ranges(argv[0] + 7)) {
		fprintf(stderr, "error: the plugin needs ranges=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
