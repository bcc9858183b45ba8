// SPDX-License-Identifier: MIT
/* Reads clocks and sleeps. */
#include "sys/clock.h"

#include "util/macros.h"

#include <time.h>

/* Twice the tick of the slowest clock, HZ=100. */
#define LONGEST_TICK_NS (20 * NSEC_PER_MSEC)

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

bool lull_clock_has_passed(int64_t time_ns)
{
	int64_t ahead = time_ns - lull_clock_coarse();

	return ahead < 0 || ahead >= (int64_t)LONGEST_TICK_NS;
}

void lull_clock_pass(int64_t time_ns)
{
	while (!lull_clock_has_passed(time_ns))
		lull_clock_sleep(NSEC_PER_MSEC);
}

void lull_clock_sleep(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (long)(ns % NSEC_PER_SEC),
	};

	(void)nanosleep(&t, NULL);
}
