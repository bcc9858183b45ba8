// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: what the environment says happens to clone calls.
 *
 *   CLONE_ERRNO=N        they fail with this errno
 *   CLONE_ERRNO_EVERY=N  but only those from a source whose inode number N divides
 *   CLONE_ERRNO_AFTER=N  but only those after the first N
 *   CLONE_DELAY_US=N     each waits so long before, or, with
 *   CLONE_SEED=N         for a random time up to that
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static void wait_before(void)
{
	static unsigned long long state;
	unsigned long long most = number("CLONE_DELAY_US"), seed = number("CLONE_SEED"),
			   at;

	if (most == 0)
		return;
	/* Threads share it: then the order in which they come adds to the chance. */
	at = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED) + seed;
	at = (at ^ (at >> 30)) * 0xbf58476d1ce4e5b9ULL;
	(void)usleep((unsigned int)(seed ? (at >> 33) % most : most));
}

static int fails(int src)
{
	static unsigned long calls;
	unsigned long every = number("CLONE_ERRNO_EVERY");
	struct stat st;

	return number("CLONE_ERRNO") &&
	       __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) >
		       number("CLONE_ERRNO_AFTER") &&
	       (every == 0 || (fstat(src, &st) == 0 && st.st_ino % every == 0));
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, void *);
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	*(void **)(&next) = dlsym(RTLD_NEXT, "ioctl");
	if (request == FICLONE || request == FICLONERANGE) {
		wait_before();
		if (fails(request == FICLONE
				  ? (int)(long)arg
				  : (int)((struct file_clone_range *)arg)->src_fd)) {
			errno = (int)number("CLONE_ERRNO");
			return -1;
		}
	}
	return next(fd, request, arg);
}
