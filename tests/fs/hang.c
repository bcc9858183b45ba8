// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: clone call number $HANG_AT, or with HANG_AT=sync the first
 * fdatasync(2), hangs as on a device that stands still: it makes $HANG_FILE and does not
 * come back, whatever signals come, until that is gone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static void hang(void)
{
	const char *file = getenv("HANG_FILE");
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	(void)close(fd);
	while (access(file, F_OK) == 0)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, void *);
	static int calls;
	const char *at = getenv("HANG_AT");
	va_list args;
	void *arg;

	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "ioctl");
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (at && (request == FICLONERANGE || request == FICLONE) && ++calls == atoi(at))
		hang();
	return real(fd, request, arg);
}

int fdatasync(int fd)
{
	static int (*real)(int);
	static int hung;
	const char *at = getenv("HANG_AT");

	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "fdatasync");
	if (at && strcmp(at, "sync") == 0 && !hung) {
		hung = 1;
		hang();
	}
	return real(fd);
}
