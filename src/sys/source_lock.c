// SPDX-License-Identifier: MIT
/*
 * The writer of the file may have locked it for reasons of its own. Who holds a flock(2)
 * is not told in all cases (/proc/locks names who took it, which may be gone, and other
 * device numbers on Btrfs), but whether a lullcp has the file open.
 */
#include "sys/source_lock.h"

#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/process.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* One lullcp may have closed the file since it was seen to be written to, and another
   opened it. */
#define LOOKS            5
#define BETWEEN_LOOKS_NS (5 * NSEC_PER_MSEC)

struct wanted {
	struct stat st;
	bool found;
};

/* 1, 0, or -errno if it cannot be told. */
static int has_open(pid_t pid, const struct stat *file)
{
	struct dirent *entry;
	char path[64];
	DIR *fds;
	int found = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	if (!fds)
		return -errno;
	while (!found && (entry = readdir(fds))) {
		struct stat st;

		found = fstatat(dirfd(fds), entry->d_name, &st, 0) == 0 &&
			st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	}
	(void)closedir(fds);
	return found;
}

static bool see(void *ctx, const struct lull_process *process)
{
	struct wanted *wanted = ctx;
	int r;

	if (strncmp(process->name, "lullcp", strlen("lullcp")) != 0 ||
	    process->pid == getpid())
		return true;
	r = has_open(process->pid, &wanted->st);
	/* One of another user: it may. */
	wanted->found = r > 0 || r == -EACCES;
	return !wanted->found;
}

/* The process that forked a keeper has what the keeper has. */
static bool see_orphan(void *ctx, const struct lull_process *process)
{
	struct wanted *wanted = ctx;

	wanted->found = strcmp(process->name, "lullcp-keeper") == 0 &&
			has_open(process->pid, &wanted->st) > 0 &&
			has_open(process->parent, &wanted->st) <= 0;
	return !wanted->found;
}

/* Of another user: it may. */
static bool is_with_lullcp(int fd)
{
	struct wanted wanted = { 0 };

	if (fstat(fd, &wanted.st) < 0)
		return false;
	lull_process_walk(see, &wanted);
	return wanted.found;
}

int lull_source_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	return is_with_lullcp(fd) ? -EWOULDBLOCK : 0;
}

bool lull_source_lock_is_left(int fd)
{
	struct wanted wanted = { 0 };

	if (fstat(fd, &wanted.st) < 0)
		return false;
	lull_process_walk(see_orphan, &wanted);
	return wanted.found;
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
