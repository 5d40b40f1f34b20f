// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG that counts guest instructions by address range.
 *
 * -plugin LIB,ranges=FILE		each line of FILE: FIRST LAST NAME (hex)
 *
 * The guest marks what is to be counted with no-ops that have an address of
 * their own (see load.c).  Each second mark logs one line (-d plugin):
 *
 *	bench counts: all N NAME N NAME N ...
 *
 * A translation block never leaves the function that it starts in, so its
 * address tells whose all of its instructions are.  One vCPU only.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "plugin_api.h"

#define INLINE_ADD	0
#define NO_REGISTERS	0
#define EXPORT		__attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define MAX_RANGES	256

struct range {
	__u64 first;
	__u64 last;
	struct group *group;
};

struct group {
	char name[32];
	__u64 count;
};

static struct range ranges[MAX_RANGES];
static struct group groups[MAX_RANGES];
static unsigned int range_count, group_count;
static __u64 all;

static struct group *group_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < group_count; i++)
		if (!strcmp(groups[i].name, name))
			return &groups[i];
	snprintf(groups[group_count].name, sizeof(groups->name), "%s", name);
	return &groups[group_count++];
}

static void start(unsigned int vcpu, void *data)
{
	unsigned int i;

	all = 0;
	for (i = 0; i < group_count; i++)
		groups[i].count = 0;
	qemu_plugin_outs("bench starts\n");
}

static void stop(unsigned int vcpu, void *data)
{
	char text[MAX_RANGES * 64];
	unsigned int i;
	int n;

	n = sprintf(text, "bench counts: all %llu", (unsigned long long)all);
	for (i = 0; i < group_count; i++)
		n += sprintf(text + n, " %s %llu", groups[i].name,
			     (unsigned long long)groups[i].count);
	sprintf(text + n, "\n");
	qemu_plugin_outs(text);
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

static void count_block(struct qemu_plugin_tb *tb, __u64 *counter, size_t n)
{
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, counter, n);
}

static void translated(__u64 id, struct qemu_plugin_tb *tb)
{
	__u64 address = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);
	unsigned int i;

	count_block(tb, &all, n);
	for (i = 0; i < range_count; i++)
		if (address >= ranges[i].first && address <= ranges[i].last)
			count_block(tb, &ranges[i].group->count, n);
	for (i = 0; i < n; i++)
		find_mark(qemu_plugin_tb_get_insn(tb, i));
}

static int read_ranges(const char *file)
{
	unsigned long long first, last;
	FILE *in = fopen(file, "r");
	char name[32];

	if (!in)
		return -1;
	while (range_count < MAX_RANGES &&
	       fscanf(in, "%llx %llx %31s", &first, &last, name) == 3) {
		ranges[range_count++] = (struct range) {
			first, last, group_named(name),
		};
	}
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
