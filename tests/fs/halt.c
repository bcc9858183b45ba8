// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: the process is told to end, by SIGTERM, with its first read at $HALT_AT
 * or after it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t pread64(int fd, void *buffer, size_t size, off64_t off)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);
	const char *at = getenv("HALT_AT");

	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "pread64");
	if (at && off >= atoll(at)) {
		(void)unsetenv("HALT_AT");
		(void)kill(getpid(), SIGTERM);
	}
	return real(fd, buffer, size, off);
}
