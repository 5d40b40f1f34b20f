// SPDX-License-Identifier: GPL-2.0-only
/*
 * The input, and the moments at which the device acts.
 */
#include "fuzz.h"

static const u8 *front;
static const u8 *back;

/* Points that a call has left, and those until the device acts again */
static unsigned int points_left;
static unsigned int countdown;

void input_set(const u8 *data, size_t size)
{
	front = data;
	back = data + size;
	countdown = 0;
}

bool input_ended(void)
{
	return front == back;
}

u8 driver_byte(void)
{
	return front < back ? *front++ : 0;
}

u8 device_byte(void)
{
	return front < back ? *--back : 0;
}

/*
 * Work is bounded by what the driver asks for, never by what the device wrote:
 * a call that has more points than it needs goes round and round.
 */
static void at_point(void)
{
	check(points_left--, "a call does not end");
	if (input_ended() || countdown--)
		return;
	shim.point = NULL;
	liar_act();
	countdown = device_byte() % 32;
	shim.point = at_point;
}

void call_begin(unsigned int points)
{
	points_left = 100 + points;
	shim.point = at_point;
}

void call_end(void)
{
	shim.point = NULL;
}
