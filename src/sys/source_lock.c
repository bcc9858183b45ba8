// SPDX-License-Identifier: MIT
/*
 * A writer may have locked the file for other reasons. The holder of a flock(2) is not
 * always known: /proc/locks names the process that took it, which may be gone, and on
 * Btrfs shows other device numbers. But it is known whether a lullcp has the file open.
 */
#include "sys/source_lock.h"

#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/process.h"
#include "util/macros.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* One lullcp may have closed the file since it was seen to be open for writing, and
   another may have opened it. */
#define LOOKS            5
#define BETWEEN_LOOKS_NS (5 * NSEC_PER_MSEC)

/* Returns 1 if a process has the file open, 0 if not, or -errno if that is not known. */
static int has_open(pid_t pid, const struct stat *file)
{
	_cleanup_list_ DIR *fds = NULL;
	struct dirent *entry;
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	if (!fds)
		return -errno;
	while ((entry = readdir(fds))) {
		if (fstatat(dirfd(fds), entry->d_name, &st, 0) == 0 &&
		    SAME_INODE(&st, file))
			return 1;
	}
	return 0;
}

/* Returns true if is() is true of any process and the file fd. */
static bool any(int fd,
		bool (*is)(const struct lull_process *process, const struct stat *file))
{
	_cleanup_list_ DIR *list = lull_process_list();
	struct lull_process process;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	while (lull_process_next(list, &process)) {
		if (is(&process, &st))
			return true;
	}
	return false;
}

/* Returns true if the process is another lullcp that has the file open. One of another
   user may have it open. */
static bool is_lullcp(const struct lull_process *process, const struct stat *file)
{
	int r;

	if (strncmp(process->name, "lullcp", strlen("lullcp")) != 0 ||
	    process->pid == getpid())
		return false;
	r = has_open(process->pid, file);
	return r > 0 || r == -EACCES;
}

/* Returns true if the process is a keeper that has the file open, but whose lullcp is
   gone: a running lullcp has everything open that its keeper has. */
static bool is_left_keeper(const struct lull_process *process, const struct stat *file)
{
	return strcmp(process->name, "lullcp-keeper") == 0 &&
	       has_open(process->pid, file) > 0 && has_open(process->parent, file) <= 0;
}

static bool is_with_lullcp(int fd)
{
	return any(fd, is_lullcp);
}

int lull_source_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	return is_with_lullcp(fd) ? -EWOULDBLOCK : 0;
}

bool lull_source_lock_is_left(int fd)
{
	return any(fd, is_left_keeper);
}

bool lull_source_is_written(int fd)
{
	for (int i = 0; i < LOOKS; i++) {
		if (i > 0)
			lull_clock_sleep(BETWEEN_LOOKS_NS);
		if (lull_inode_use(fd) != LULL_INODE_WRITTEN || is_with_lullcp(fd))
			return false;
	}
	return true;
}

void lull_source_unlock(int fd)
{
	(void)flock(fd, LOCK_UN);
}
