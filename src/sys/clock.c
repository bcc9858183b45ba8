// SPDX-License-Identifier: MIT
/* Reads clocks and sleeps. */
#include "sys/clock.h"

#include "util/macros.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t); /* cannot fail for these ids */
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t lull_clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t lull_clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t lull_clock_coarse(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME_COARSE);
}

void lull_clock_sleep(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	(void)nanosleep(&t, NULL);
}
