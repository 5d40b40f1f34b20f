// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in pieces, as after a long time of work: most of it is free, but of each
 * large page a part is in use, so that nobody gets one.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

/* The smallest of the pages that are missing then has 8 others in it. */
#define ORDER	3

static bool pieces;
static LIST_HEAD(kept);

/* The driver may take from what is kept for those who can't wait, and so do we. */
static void take_apart(void)
{
	struct page *page;
	unsigned int i;

	while ((page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, ORDER))) {
		split_page(page, ORDER);
		list_add(&page->lru, &kept);
		for (i = 1; i < 1 << ORDER; i++)
			__free_page(page + i);
	}
}

static void put_together(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &kept, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static int pieces_set(const char *value, const struct kernel_param *kp)
{
	int err = param_set_bool(value, kp);

	if (!err && pieces)
		take_apart();
	else if (!err)
		put_together();
	return err;
}

static const struct kernel_param_ops pieces_ops = {
	.set = pieces_set,
	.get = param_get_bool,
};
module_param_cb(pieces, &pieces_ops, &pieces, 0644);
MODULE_PARM_DESC(pieces, "leave no large page; until this is 0 again");
