// SPDX-License-Identifier: MIT
/* Rests between calls: see rest.h. */
#include "engine/base/rest.h"

#include "sys/clock.h"

void lull_rest(struct lull_pace *pace)
{
	uint64_t ns = lull_pace_rest(pace), since = lull_clock_now();

	if (ns == 0)
		return;
	lull_clock_sleep(ns);
	lull_pace_rested(pace, lull_clock_now() - since);
}

void lull_rest_after(uint64_t ns, unsigned int duty_cycle)
{
	lull_clock_sleep(ns * (100 - duty_cycle) / duty_cycle);
}
