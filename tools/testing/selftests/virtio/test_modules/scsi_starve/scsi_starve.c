// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets a SCSI host when there is no memory: all that may be had is taken first,
 * so that nothing is left but the reserve for those who make memory free.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

static void hoard(struct list_head *pages)
{
	struct page *page;

	while ((page = alloc_page(GFP_ATOMIC | __GFP_NOWARN)))
		list_add(&page->lru, pages);
}

static void give_back(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru)
		__free_page(page);
}

/* As the mid-layer does, whose own way begins with an allocation */
static int reset_starving(struct Scsi_Host *shost, struct scsi_cmnd *sc)
{
	LIST_HEAD(pages);
	int ret;

	hoard(&pages);
	ret = shost->hostt->eh_host_reset_handler(sc);
	give_back(&pages);
	return ret == SUCCESS ? 0 : -EIO;
}

/* There must be no other I/O on this host. */
static int reset_set(const char *value, const struct kernel_param *kp)
{
	struct Scsi_Host *shost;
	struct scsi_cmnd *sc;
	unsigned short number;
	int err;

	err = kstrtou16(value, 0, &number);
	if (err)
		return err;
	shost = scsi_host_lookup(number);
	if (!shost)
		return -ENODEV;
	sc = kzalloc(sizeof(*sc), GFP_KERNEL);
	err = -ENOMEM;
	if (sc) {
		err = -ENODEV;
		sc->device = scsi_device_lookup(shost, 0, 0, 0);
	}
	if (sc && sc->device) {
		err = reset_starving(shost, sc);
		scsi_device_put(sc->device);
	}
	kfree(sc);
	scsi_host_put(shost);
	return err;
}

static const struct kernel_param_ops reset_ops = { .set = reset_set };
module_param_cb(reset, &reset_ops, NULL, 0200);
MODULE_PARM_DESC(reset, "the number of the host to reset");

MODULE_DESCRIPTION("Resets a SCSI host when there is no memory");
MODULE_LICENSE("GPL");
