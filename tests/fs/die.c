// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: the process kills itself before the call number $DIE_AT of those that
 * change a file system; with $DIE_DO=stop it stops there. Those of a program that lives
 * to its end are written to $DIE_COUNT. $DIE_WRITES=1: writes of data count as well.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls;

static void step(void)
{
	const char *at = getenv("DIE_AT"), *what = getenv("DIE_DO");

	if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) == (at ? atol(at) : -1))
		(void)raise(what && strcmp(what, "stop") == 0 ? SIGSTOP : SIGKILL);
}

static __attribute__((destructor)) void count(void)
{
	const char *name = getenv("DIE_COUNT");
	FILE *out = name ? fopen(name, "w") : NULL;

	if (out) {
		(void)fprintf(out, "%ld\n", calls);
		(void)fclose(out);
	}
}

#define NEXT(name, type, arguments, ...)            \
	type(*next) arguments;                      \
                                                    \
	step();                                     \
	*(void **)(&next) = dlsym(RTLD_NEXT, name); \
	return next(__VA_ARGS__)

int renameat(int a, const char *from, int b, const char *to)
{
	NEXT("renameat", int, (int, const char *, int, const char *), a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned int flags)
{
	NEXT("renameat2", int, (int, const char *, int, const char *, unsigned int), a,
	     from, b, to, flags);
}

int unlinkat(int dir, const char *name, int flags)
{
	NEXT("unlinkat", int, (int, const char *, int), dir, name, flags);
}

int fsync(int fd)
{
	NEXT("fsync", int, (int), fd);
}

int fdatasync(int fd)
{
	NEXT("fdatasync", int, (int), fd);
}

int fchmod(int fd, mode_t mode)
{
	NEXT("fchmod", int, (int, mode_t), fd, mode);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	ssize_t (*next)(int, const void *, size_t, off_t);

	if (getenv("DIE_WRITES"))
		step();
	*(void **)(&next) = dlsym(RTLD_NEXT, "pwrite64");
	return next(fd, data, len, at);
}

/* As lullcp calls it, with 64-bit offsets. */
int ftruncate64(int fd, off_t size);
int ftruncate64(int fd, off_t size)
{
	NEXT("ftruncate64", int, (int, off_t), fd, size);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	NEXT("write", ssize_t, (int, const void *, size_t), fd, buf, len);
}
