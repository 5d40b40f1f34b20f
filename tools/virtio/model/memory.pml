/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that two processes share, weakly ordered. A store waits in its process
 * until it is committed, in whatever order; a process sees its own stores. A
 * barrier waits for all stores of its process: that is more than a write barrier
 * does, but the store behind it waits again, so whatever follows that one may pass.
 * A load may be done early: see load_early().
 */
#define DRIVER	0
#define DEVICE	1

byte memory[LOCS];
byte waiting[2 * LOCS];		/* stores of the driver, of the device */
bool stored[2 * LOCS];
byte stores[2];			/* how many wait */

inline store(who, at, what)
{
	atomic {
		if
		:: stored[(who) * LOCS + (at)]
		:: else ->
			stored[(who) * LOCS + (at)] = true;
			stores[who]++
		fi;
		waiting[(who) * LOCS + (at)] = what
	}
}

#define load(who, at) \
	(stored[(who) * LOCS + (at)] -> waiting[(who) * LOCS + (at)] : memory[at])

#define barrier(who)	(stores[who] == 0)

/* What a load that isn't kept back by a read barrier may have seen: now or later */
inline load_early(who, at, value, early)
{
	atomic {
		if
		:: early = true; value = load(who, at)
		:: early = false
		fi
	}
}

proctype commit(byte who)
{
	byte at;
end:	do
	:: atomic {
		stores[who] > 0 ->
		select(at : 0 .. LOCS - 1);
		if
		:: stored[who * LOCS + at] ->
			memory[at] = waiting[who * LOCS + at];
			stored[who * LOCS + at] = false;
			waiting[who * LOCS + at] = 0;
			stores[who]--
		:: else
		fi;
		at = 0
	   }
	od
}

/* A barrier, or what else is named, unless the model is made without it */
#define KEEP(name)	(WITHOUT != name)
