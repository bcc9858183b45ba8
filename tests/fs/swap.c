// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: between the look at an entry named "victim" and its opening, the entry
 * is exchanged for a symbolic link to where $SWAP_TARGET says, or for the file
 * $SWAP_FILE. Once a process.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void swap(int dir, const char *name)
{
	static int done;
	const char *target = getenv("SWAP_TARGET"), *file = getenv("SWAP_FILE");
	const char *slash = strrchr(name, '/');

	if (done || (!target && !file) || strcmp(slash ? slash + 1 : name, "victim") != 0)
		return;
	done = 1;
	if (file) {
		if (renameat(AT_FDCWD, file, dir, name) < 0)
			_exit(99);
		return;
	}
	if (renameat(dir, name, dir, "away") < 0 || symlinkat(target, dir, name) < 0)
		_exit(99);
}

static int open_next(int dir, const char *name, int flags, mode_t mode)
{
	int (*next)(int, const char *, int, ...);

	*(void **)(&next) = dlsym(RTLD_NEXT, "openat64");
	swap(dir, name);
	return next(dir, name, flags, mode);
}

/* With 64-bit offsets this is openat64(), and so it is in lullcp. */
int openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_next(dir, name, flags, mode);
}
