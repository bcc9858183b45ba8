// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: a Btrfs that is slow to take a snapshot. A clone that holds off writers
 * meanwhile is over before it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <linux/btrfs.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, void *);
	va_list args;
	void *arg;

	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "ioctl");
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == BTRFS_IOC_SNAP_CREATE_V2)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
	return real(fd, request, arg);
}
