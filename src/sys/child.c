// SPDX-License-Identifier: MIT
/*
 * One fork at a time, and until its child has closed what is not for it: whoever asks
 * what is in use waits for that alone. The end of file of a pipe tells that it has, or
 * has died.
 */
#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

/* Descriptors of the program have the lowest free numbers, and it has some ten thousand
   at the most (queue.c): beyond are those alone that it was started with. */
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

/* In the child: only system calls. Not through /proc, which may be missing. last
   goes when all others have gone. */
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
		/* It is the only thread, and the copy of the one that holds it. */
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
