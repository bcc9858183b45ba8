// SPDX-License-Identifier: MIT
/*
 * Only one fork happens at a time, and it ends when the child has closed what it must not
 * have. So whoever asks which files are in use has to wait only for that. The parent sees
 * it by end of file of a pipe, which also comes if the child dies.
 */
#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

/* The end of the descriptors to check. Those of the program have the lowest free numbers,
   and it has at most some ten thousand (queue.c). Above are only those with which it was
   started. */
#define HIGHEST 32768u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_among(int fd, const int *keep, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (keep[i] == fd)
			return true;
	}
	return false;
}

/* Runs in the child. Uses only system calls, and not /proc, which may be missing. Closes
   last when all others are closed. */
static void close_others(const int *keep, size_t n, int last)
{
	struct rlimit limit;
	unsigned int end = HIGHEST;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		end = (unsigned int)MIN(limit.rlim_cur, (rlim_t)HIGHEST);
	for (int fd = STDERR_FILENO + 1; fd < (int)end; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && flags & FD_CLOEXEC && fd != last &&
		    !is_among(fd, keep, n))
			(void)close(fd);
	}
	(void)close(last);
}

pid_t lull_child_fork(const int *keep, size_t n)
{
	int closed[2];
	char none;
	pid_t pid;

	(void)pthread_mutex_lock(&lock);
	if (pipe2(closed, O_CLOEXEC) < 0) {
		pid = -errno;
		(void)pthread_mutex_unlock(&lock);
		return pid;
	}
	pid = fork();
	if (pid == 0) {
		close_others(keep, n, closed[1]);
		/* The child has only one thread, a copy of the one that holds the
		   lock. */
		(void)pthread_mutex_unlock(&lock);
		return 0;
	}
	if (pid < 0)
		pid = -errno;
	(void)close(closed[1]);
	while (pid > 0 && read(closed[0], &none, 1) < 0 && errno == EINTR)
		;
	(void)close(closed[0]);
	(void)pthread_mutex_unlock(&lock);
	return pid;
}

void lull_child_settle(void)
{
	(void)pthread_mutex_lock(&lock);
	(void)pthread_mutex_unlock(&lock);
}
