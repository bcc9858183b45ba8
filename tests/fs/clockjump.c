// SPDX-License-Identifier: MIT
/*
 * LD_PRELOAD: a wall clock that jumps, CLOCK_JUMP seconds back or forth at each second
 * look, and with CLOCK_LEAP a monotonic one that leaps on by so many seconds every
 * twentieth, as that of a guest does which was stopped. It never goes back: the kernel
 * does not let it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long setting(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static atomic_long looks, monotonic_looks;
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (r < 0)
		return r;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		ret->tv_sec += atomic_fetch_add(&looks, 1) % 2 ? setting("CLOCK_JUMP")
							       : -setting("CLOCK_JUMP");
	else
		ret->tv_sec += atomic_fetch_add(&monotonic_looks, 1) / 20 *
			       setting("CLOCK_LEAP");
	return 0;
}
