// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worked example of Documentation/virtio/example.rst: a read of one sector, with
 * the bytes that are in memory after each step. What this prints has to be in that
 * page, line by line: scripts/test.d/23-conformance compares the two.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "queue.h"

#ifndef STOCK
enum { HEADER, DATA, STATUS, ELEMENTS };

static const char *const names[] = { "header", "data", "status" };
static const u32 lengths[] = { 16, 512, 1 };

static struct tq *tq;
static struct req *req;

/* Groups of so many bytes as the fields have */
static void show_bytes(u64 addr, const char *fields)
{
	for (; *fields; fields++) {
		const u8 *bytes = device_read(&tq->dq, addr, *fields - '0');
		unsigned int i;

		printf(" ");
		for (i = 0; i < *fields - '0'; i++)
			printf(" %02x", bytes[i]);
		addr += *fields - '0';
	}
	printf("\n");
}

static void show(const char *what, u64 addr, const char *fields)
{
	printf("  %-14s", what);
	show_bytes(addr, fields);
}

/* With the name of what an address points to, as it differs in each run */
static void show_desc(unsigned int i, const char *fields)
{
	u64 at = tq->dq.desc + 16 * i, addr;
	const char *name = "0";
	unsigned int n;

	memcpy(&addr, device_read(&tq->dq, at, sizeof(addr)), sizeof(addr));
	for (n = 0; n < ELEMENTS; n++) {
		if (le64toh(addr) == virt_to_phys(req->elem[n].data))
			name = names[n];
	}
	printf("  descriptor %u    %-22s", i, name);
	show_bytes(at + sizeof(addr), fields);
}

static void show_split(const char *when)
{
	unsigned int i;

	printf("  split, %s\n", when);
	for (i = 0; i < tq->dq.num; i++)
		show_desc(i, "422");
	show("available ring", tq->dq.driver, "222222");
	show("used ring", tq->dq.device, "2244");
}

static void show_packed(const char *when)
{
	unsigned int i;

	printf("  packed, %s\n", when);
	for (i = 0; i < tq->dq.num; i++)
		show_desc(i, "422");
	show("driver's", tq->dq.driver, "22");
	show("device's", tq->dq.device, "22");
}

/* The buffer of a block request that reads a sector */
static struct req *new_read(void)
{
	struct req *read = req_new(1, 2, 1);
	unsigned int n;

	for (n = 0; n < ELEMENTS; n++) {
		free(read->elem[n].data);
		read->elem[n].len = lengths[n];
		read->elem[n].data = calloc(1, lengths[n]);
	}
	read->in_len = lengths[DATA] + lengths[STATUS];
	free(read->written);
	read->written = malloc(read->in_len + 1);
	return read;
}

static void example(const struct tq_config *config)
{
	void (*show_all)(const char *when) = config->packed ? show_packed : show_split;

	tq = tq_new(config);
	req = new_read();
	check(!tq_add(tq, req, HOW_PTR), "no room");
	show_all("built");
	tq_kick(tq);
	show_all("published");
	check(tq_pop(tq), "not there");
	tq_use(tq, 0, req->in_len);
	show_all("used");
	check(tq_get(tq), "not back");
	tq_delete(tq);
}
#endif

void example_tests(void)
{
#ifndef STOCK
	struct tq_config config = { .num = 4 };

	test_add(example, &config, "example: split");
	config.packed = true;
	test_add(example, &config, "example: packed");
#endif
}
