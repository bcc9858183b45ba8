// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: what the environment says happens where two files exchange their
 * contents (XFS).
 *
 *   EXCHANGE_DO=before, after   the process is killed there
 *   EXCHANGE_DO=stop-before, stop-after   it is stopped there
 *   EXCHANGE_DO=write           somebody writes a byte to the start of $EXCHANGE_FILE
 *                               before
 *   EXCHANGE_OLD=1              the kernel knows no check for that, as before Linux 6.12;
 *                               then it is written to when it would be asked for one
 *   EXCHANGE_ERRNO=N            it fails with this errno
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned int number(unsigned long request)
{
	return _IOC_TYPE(request) == 'X' ? _IOC_NR(request) : 0;
}

static void act(const char *when)
{
	const char *what = getenv("EXCHANGE_DO"), *path = getenv("EXCHANGE_FILE");

	if (!what)
		return;
	if (strcmp(what, when) == 0)
		(void)raise(SIGKILL);
	if (strncmp(what, "stop-", 5) == 0 && strcmp(what + 5, when) == 0)
		(void)raise(SIGSTOP);
	if (strcmp(what, "write") == 0 && strcmp(when, "before") == 0 && path) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || pwrite(fd, "w", 1, 0) != 1)
			_exit(99);
		(void)close(fd);
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, void *);
	unsigned int n = number(request);
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	*(void **)(&next) = dlsym(RTLD_NEXT, "ioctl");
	if (getenv("EXCHANGE_OLD") && (n == 130 || n == 131)) {
		act("before");
		errno = ENOTTY;
		return -1;
	}
	if (n != 129 && n != 131)
		return next(fd, request, arg);
	if (!getenv("EXCHANGE_OLD"))
		act("before");
	if (getenv("EXCHANGE_ERRNO")) {
		errno = atoi(getenv("EXCHANGE_ERRNO"));
		return -1;
	}
	r = next(fd, request, arg);
	act("after");
	return r;
}
