// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: the $RENAME_AT-th rename to a name that is not hidden, which is how a
 * clone is published, fails ($RENAME_DO=fail) or is where the process is killed (before,
 * after).
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	static int count;
	const char *at = getenv("RENAME_AT"), *what = getenv("RENAME_DO");
	int (*next)(int, const char *, int, const char *);
	int r;

	*(void **)(&next) = dlsym(RTLD_NEXT, "renameat");
	if (!at || !what || to[0] == '.' || ++count != atoi(at))
		return next(from_dir, from, to_dir, to);
	if (strcmp(what, "fail") == 0) {
		errno = EIO;
		return -1;
	}
	if (strcmp(what, "before") == 0)
		(void)raise(SIGKILL);
	r = next(from_dir, from, to_dir, to);
	(void)raise(SIGKILL);
	return r;
}
