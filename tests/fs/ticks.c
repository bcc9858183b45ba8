// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: a kernel that stamps files by a clock of $TICK seconds (1000), as those
 * before Linux 6.13 do by one of 1 to 10 ms: all changes within a tick leave the same
 * time.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void coarsen(struct timespec *t)
{
	const char *text = getenv("TICK");
	long tick = text ? atol(text) : 1000;

	t->tv_sec -= t->tv_sec % tick;
	t->tv_nsec = 0;
}

int fstat64(int fd, struct stat64 *st)
{
	static int (*real)(int, struct stat64 *);
	int r;

	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "fstat64");
	r = real(fd, st);
	coarsen(&st->st_ctim);
	coarsen(&st->st_mtim);
	return r;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && clock == CLOCK_REALTIME_COARSE)
		coarsen(ret);
	return r;
}
