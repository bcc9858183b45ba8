// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: a program that maps a source stores into it beside each call that
 * clones from it, at the one point where Linux before 5.13 lets it with Btrfs and every
 * kernel lets it with a call that is over: so that the times of the source change, by a
 * fault, and only by that.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Not into what cannot be written to, a snapshot perhaps. */
static void store(int src)
{
	char path[64];
	volatile char *map;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", src);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		_exit(99);
	(*map)++;
	munmap((void *)map, 1);
	close(fd);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	struct file_clone_range *range;
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "ioctl");
	range = arg;
	r = real(fd, request, arg);
	if (request == FICLONERANGE && range->src_fd != fd)
		store((int)range->src_fd);
	return r;
}
