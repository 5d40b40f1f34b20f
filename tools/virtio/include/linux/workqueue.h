/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H
/*
 * One queue for all work, which waits until work_run() is called. Delayed work
 * waits until time_passes() is.
 */
#include <linux/types.h>

struct work_struct {
	void (*fn)(struct work_struct *work);
	bool queued;
	unsigned int disabled;
	struct work_struct *next;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct;

#define HZ			100
#define INIT_WORK(w, f)		(*(w) = (struct work_struct) { .fn = (f) })
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define system_wq		NULL
#define system_freezable_wq	NULL

bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool flush_work(struct work_struct *work);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *work);
bool disable_work_sync(struct work_struct *work);

bool work_waits(void);
/* Run the next work: false if there is none. */
bool work_step(void);
/* Run work until there is none: false if it does not end. */
bool work_run(void);
/* Run all delayed work once. */
void time_passes(void);

#endif
