// SPDX-License-Identifier: GPL-2.0-only
/*
 * net_qstats DEVICE: what the kernel tells of a network device by its netlink family
 * "netdev". A line for the whole device, "all - rx-packets ...", and one for each
 * queue, "rx 0 rx-packets ...", with those counters that there are.
 *
 * net_qstats: the page pools of all devices of this network name space, a line for each:
 * its number, "of" and the device's number, "has" and how many of its pages are in use.
 * Those that their device has left but still have pages are loopback's.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is used of <linux/netdev.h>, which older headers lack */
#define FAMILY			"netdev"
#define PAGE_POOL_GET		5
#define QSTATS_GET		12
#define SCOPE_QUEUE		1
#define TYPE_RX			0

enum {
	IFINDEX		= 1,
	QUEUE_TYPE	= 2,
	QUEUE_ID	= 3,
	SCOPE		= 4,
	RX_PACKETS	= 8,
	RX_BYTES	= 9,
	TX_PACKETS	= 10,
	TX_BYTES	= 11,
	RX_ALLOC_FAIL	= 12,
	RX_HW_DROPS	= 13,
	RX_CSUM_BAD	= 18,
	TX_HW_DROPS	= 24,
	TX_STOP		= 33,
	TX_WAKE		= 34,
	MAX		= TX_WAKE,
};

enum {
	POOL_ID		= 1,
	POOL_IFINDEX	= 2,
	POOL_INFLIGHT	= 4,
};

static const char *const counters[MAX + 1] = {
	[RX_PACKETS] = "rx-packets",
	[RX_BYTES] = "rx-bytes",
	[RX_ALLOC_FAIL] = "rx-alloc-fail",
	[RX_HW_DROPS] = "rx-hw-drops",
	[RX_CSUM_BAD] = "rx-csum-bad",
	[TX_PACKETS] = "tx-packets",
	[TX_BYTES] = "tx-bytes",
	[TX_STOP] = "tx-stop",
	[TX_WAKE] = "tx-wake",
	[TX_HW_DROPS] = "tx-hw-drops",
};

struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	uint8_t attributes[16384];
};

static struct message message;
static int fd;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void begin(uint16_t family, uint8_t command, uint16_t flags)
{
	memset(&message, 0, sizeof(message));
	message.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	message.nl.nlmsg_type = family;
	message.nl.nlmsg_flags = NLM_F_REQUEST | flags;
	message.genl.cmd = command;
	message.genl.version = 1;
}

static void put(uint16_t type, const void *data, uint16_t len)
{
	struct nlattr *a = (void *)&message + NLMSG_ALIGN(message.nl.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy(a + 1, data, len);
	message.nl.nlmsg_len = NLMSG_ALIGN(message.nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/* Pointers to the attributes by type, up to @max, that are in @len bytes at @a */
static void parse(const struct nlattr *a, int len, const struct nlattr **by_type, int max)
{
	memset(by_type, 0, (max + 1) * sizeof(*by_type));
	while (len >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len) {
		if ((a->nla_type & NLA_TYPE_MASK) <= max)
			by_type[a->nla_type & NLA_TYPE_MASK] = a;
		len -= NLA_ALIGN(a->nla_len);
		a = (void *)a + NLA_ALIGN(a->nla_len);
	}
}

static uint64_t number(const struct nlattr *a)
{
	uint64_t wide;
	uint32_t narrow;

	if (a->nla_len == NLA_HDRLEN + sizeof(wide)) {
		memcpy(&wide, a + 1, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, a + 1, sizeof(narrow));
	return narrow;
}

static void print_counters(const struct nlattr **by_type)
{
	const struct nlattr *type = by_type[QUEUE_TYPE];
	int i;

	if (type)
		printf("%s %u", number(type) == TYPE_RX ? "rx" : "tx",
		       (unsigned int)number(by_type[QUEUE_ID]));
	else
		printf("all -");
	for (i = 0; i <= MAX; i++)
		if (counters[i] && by_type[i])
			printf(" %s %llu", counters[i],
			       (unsigned long long)number(by_type[i]));
	putchar('\n');
}

static void print_pool(const struct nlattr **by_type)
{
	printf("%u of %u has %llu\n", (unsigned int)number(by_type[POOL_ID]),
	       by_type[POOL_IFINDEX] ? (unsigned int)number(by_type[POOL_IFINDEX]) : 1,
	       (unsigned long long)number(by_type[POOL_INFLIGHT]));
}

static uint16_t find_family(void)
{
	const struct nlattr *by_type[CTRL_ATTR_MAX + 1];
	uint16_t id;

	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, FAMILY, sizeof(FAMILY));
	if (send(fd, &message, message.nl.nlmsg_len, 0) < 0 ||
	    recv(fd, &message, sizeof(message), 0) < 0)
		die("netlink");
	parse((void *)message.attributes, message.nl.nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN),
	      by_type, CTRL_ATTR_MAX);
	if (message.nl.nlmsg_type != GENL_ID_CTRL || !by_type[CTRL_ATTR_FAMILY_ID]) {
		fprintf(stderr, "net_qstats: this kernel has no such family\n");
		exit(1);
	}
	memcpy(&id, by_type[CTRL_ATTR_FAMILY_ID] + 1, sizeof(id));
	return id;
}

/* Returns 0 after the last of them. */
static int print_all(const struct nlmsghdr *nl, int len,
		     void (*print)(const struct nlattr **))
{
	const struct nlattr *by_type[MAX + 1];

	for (; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
		if (nl->nlmsg_type == NLMSG_DONE)
			return 0;
		if (nl->nlmsg_type == NLMSG_ERROR) {
			fprintf(stderr, "net_qstats: the kernel refused\n");
			exit(1);
		}
		parse(NLMSG_DATA(nl) + GENL_HDRLEN, nl->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN),
		      by_type, MAX);
		print(by_type);
	}
	return 1;
}

/* What "begin" began, with its attributes */
static void dump(void (*print)(const struct nlattr **))
{
	int len;

	if (send(fd, &message, message.nl.nlmsg_len, 0) < 0)
		die("netlink");
	do {
		len = recv(fd, &message, sizeof(message), 0);
		if (len < 0)
			die("netlink");
	} while (print_all(&message.nl, len, print));
}

static void dump_counters(uint16_t family, uint32_t ifindex, uint32_t scope)
{
	begin(family, QSTATS_GET, NLM_F_DUMP);
	put(IFINDEX, &ifindex, sizeof(ifindex));
	if (scope)
		put(SCOPE, &scope, sizeof(scope));
	dump(print_counters);
}

int main(int argc, char **argv)
{
	uint32_t ifindex = argc == 2 ? if_nametoindex(argv[1]) : 0;
	uint16_t family;

	if (argc > 2 || (argc == 2 && !ifindex)) {
		fprintf(stderr, "usage: net_qstats [DEVICE]\n");
		return 2;
	}
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0)
		die("socket");
	family = find_family();
	if (ifindex) {
		dump_counters(family, ifindex, 0);
		dump_counters(family, ifindex, SCOPE_QUEUE);
	} else {
		begin(family, PAGE_POOL_GET, NLM_F_DUMP);
		dump(print_pool);
	}
	return 0;
}
