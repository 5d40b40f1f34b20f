/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Driver and device on one ring of NUM descriptors, and TOTAL buffers. The layout
 * is in split.pml and packed.pml, which include this, and define what the two
 * sides do with the ring; who waits when is common to both.
 *
 * Spin finds a lost wake-up as a state in which all processes wait, and the rest
 * as failed assertions: a descriptor read before it was written, a used element
 * read before it was written, a buffer used twice, a ring overrun.
 *
 * WITHOUT names a barrier or what else to leave out: names.pml.
 */
byte added;		/* the driver's next buffer */
byte public;		/* the first one that the device was not shown */
byte taken;		/* the next buffer that comes back */
byte seen;		/* the device's next buffer */
byte used;		/* the next buffer that the device uses */
byte batch_end;		/* the driver is in a batch that ends before this */
bool kicked;
bool interrupted;

/*
 * How one side asks to be told of n and of what follows, or of nothing; and what
 * the other side, which went from old to new, makes of it. FLAGS: without event
 * index.
 */
#ifdef FLAGS
#define ASK(n)		0
#define DENY(n)		1
#define wants(event, new, old)	((event) == 0)
#else
#define ASK(n)		(n)
#define DENY(n)		(((n) - 1) & 255)
#define wants(event, new, old) \
	((((new) - (event) - 1) & 255) < (((new) - (old)) & 255))
#endif

/*
 * So many may be used before the driver hears of it, at most. What it has added and
 * not published does not count, as it may well wait before it does.
 */
#ifdef FLAGS
#define delay()		0
#else
#define delay()		(((KEEP(PUBLIC_ONLY) -> public : added) - taken) * 3 / 4)
#endif

/* Take a used buffer, if there is one: virtqueue_get_buf() */
inline get_buf(got)
{
	got = false;
	if
	:: taken < batch_end -> got = true
	:: else ->
		load_early(DRIVER, USED_AT(taken), value, early);
		if
		:: is_used(taken) ->
			if
			:: KEEP(GET_RMB) -> early = false
			:: else
			fi;
			if
			:: early
			:: else -> value = load(DRIVER, USED_AT(taken))
			fi;
			/* the last of a batch that begins here, and in flight */
			assert(value >= taken && value < added);
			batch_end = value + 1;
			got = true
		:: else
		fi
	fi;
	if
	:: got -> taken++
	:: else
	fi;
	value = 0;
	early = false
}

proctype driver()
{
	byte value, old, wait;
	bool early, got;

	do
	:: taken == TOTAL -> break
	:: added < TOTAL && added - taken < NUM ->
		/* virtqueue_add_*() */
		add_buffer(public, added);
		added++
	:: added > public ->
		/* A batch: virtqueue_kick_prepare() */
		if
		:: KEEP(PUBLISH_WMB) -> barrier(DRIVER)
		:: else
		fi;
		publish(public, added);
		old = public;
		public = added;
		if
		:: KEEP(KICK_MB) -> barrier(DRIVER)
		:: else
		fi;
		if
		:: wants(load(DRIVER, AVAIL_EVENT), added, old) ->
			kicked = true
		:: else
		fi;
		old = 0
	:: taken < public ->
		get_buf(got);
		if
		:: got
		:: else ->
			/* virtqueue_enable_cb(), or _delayed(): ask, look again, wait */
			if
			:: wait = 0
			:: wait = delay()
			fi;
			store(DRIVER, USED_EVENT, ASK(taken + wait));
			if
			:: KEEP(POLL_MB) -> barrier(DRIVER)
			:: else
			fi;
			if
			:: KEEP(POLL_AGAIN) && too_late(taken, wait)
			:: else -> atomic { interrupted -> interrupted = false }
			fi;
			/* virtqueue_disable_cb() */
			store(DRIVER, USED_EVENT, DENY(taken));
			wait = 0
		fi;
		got = false
	od
}

/* Take an available buffer, if there is one. */
inline pop(got)
{
	got = false;
	load_early(DEVICE, AVAIL_AT(seen), value, early);
	if
	:: is_available(seen) ->
		if
		:: KEEP(DEVICE_RMB) -> early = false
		:: else
		fi;
		if
		:: early
		:: else -> value = load(DEVICE, AVAIL_AT(seen))
		fi;
		assert(value == seen);
		seen++;
		got = true
	:: else
	fi;
	value = 0;
	early = false
}

proctype device()
{
	byte value, old;
	bool early, got;

	do
	:: used == TOTAL -> break
	:: used < seen ->
		/* A batch, in order: one used element for all that were seen,
		 * or for some of them
		 */
		old = used;
		do
		:: used < seen -> used++
		:: used > old -> break
		od;
		store(DEVICE, USED_AT(old), used - 1);
		if
		:: KEEP(DEVICE_WMB) -> barrier(DEVICE)
		:: else
		fi;
		put_used(old, used);
		if
		:: KEEP(DEVICE_IRQ_MB) -> barrier(DEVICE)
		:: else
		fi;
		if
		:: wants(load(DEVICE, USED_EVENT), used, old) ->
			interrupted = true
		:: else
		fi;
		old = 0
	:: seen < TOTAL ->
		pop(got);
		if
		:: got || used < seen
		:: else ->
			store(DEVICE, AVAIL_EVENT, ASK(seen));
			if
			:: KEEP(DEVICE_KICK_MB) -> barrier(DEVICE)
			:: else
			fi;
			if
			:: KEEP(DEVICE_AGAIN) && is_available(seen)
			:: else -> atomic { kicked -> kicked = false }
			fi;
			store(DEVICE, AVAIL_EVENT, DENY(seen))
		fi;
		got = false
	od
}

init {
	atomic {
		run commit(DRIVER);
		run commit(DEVICE);
		run driver();
		run device()
	}
}
