// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: the process is killed where it gives a file the $NAME_AT-th name that
 * is not hidden, by a link or a rename: $NAME_DO=before or after. With $NAME_DO=take
 * somebody else's file gets the name just before.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void take(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, "theirs", 6) != 6)
		abort();
	(void)close(fd);
}

static bool is_the_one(int dir, const char *name)
{
	static int count;
	const char *at = getenv("NAME_AT"), *what = getenv("NAME_DO");

	if (!at || !what || name[0] == '.' || ++count != atoi(at))
		return false;
	if (strcmp(what, "before") == 0)
		(void)raise(SIGKILL);
	if (strcmp(what, "take") == 0) {
		take(dir, name);
		return false;
	}
	return true;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	int (*next)(int, const char *, int, const char *, int);
	bool last = is_the_one(to_dir, to);
	int r;

	*(void **)(&next) = dlsym(RTLD_NEXT, "linkat");
	r = next(from_dir, from, to_dir, to, flags);
	if (last)
		(void)raise(SIGKILL);
	return r;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int (*next)(int, const char *, int, const char *);
	bool last = is_the_one(to_dir, to);
	int r;

	*(void **)(&next) = dlsym(RTLD_NEXT, "renameat");
	r = next(from_dir, from, to_dir, to);
	if (last)
		(void)raise(SIGKILL);
	return r;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned int flags)
{
	int (*next)(int, const char *, int, const char *, unsigned int);
	bool last = is_the_one(to_dir, to);
	int r;

	*(void **)(&next) = dlsym(RTLD_NEXT, "renameat2");
	r = next(from_dir, from, to_dir, to, flags);
	if (last)
		(void)raise(SIGKILL);
	return r;
}
