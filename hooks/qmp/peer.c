// SPDX-License-Identifier: MIT
/*
 * Descriptors are the truth: /proc/PID/fd leads to the inode that is open, whatever
 * became of its name. Where they cannot be seen (another user's process, one outside of
 * this PID namespace) the callers fall back on QEMU's locks, which are on the inode as
 * well.
 */
#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

bool peer_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* /proc/PID/WHAT, then a slash and the rest unless that is NULL. */
static int stat_in(pid_t process, const char *what, const char *rest, struct stat *ret_st)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "/proc/%d/%s%s%s", (int)process, what, rest ? "/" : "",
		     rest ? rest : "") < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return stat(name, ret_st) < 0 ? -errno : 0;
}

/* Its links are followed as the process would follow them: they stay below its root. */
static int stat_below_root(pid_t process, const char *path, struct stat *ret_st)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT,
	};
	char name[64];
	_cleanup_close_ int root = -1;
	_cleanup_close_ int fd = -1;

	(void)snprintf(name, sizeof(name), "/proc/%d/root", (int)process);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -ESRCH;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
		return stat_in(process, "root", path, ret_st);
	if (fd < 0)
		return -errno;
	return fstat(fd, ret_st) < 0 ? -errno : 0;
}

int peer_stat(pid_t process, const char *path, struct stat *ret_st)
{
	static const char *const own[] = {"/dev/fd/", "/proc/self/fd/"};

	if (process <= 0)
		return -ESRCH;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (strncmp(path, own[i], strlen(own[i])) == 0)
			return stat_in(process, "fd", path + strlen(own[i]), ret_st);
	}
	return path[0] == '/' ? stat_below_root(process, path, ret_st)
			      : stat_in(process, "cwd", path, ret_st);
}

/* Calls see with each descriptor and its file until it returns false. */
static int walk(pid_t process,
		bool (*see)(void *ctx, const char *fd, const struct stat *st), void *ctx)
{
	struct dirent *entry;
	char name[64];
	DIR *dir;

	if (process <= 0)
		return -ESRCH;
	(void)snprintf(name, sizeof(name), "/proc/%d/fd", (int)process);
	dir = opendir(name);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct stat st;

		/* one that was closed meanwhile is not open */
		if (entry->d_name[0] != '.' &&
		    fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    !see(ctx, entry->d_name, &st))
			break;
	}
	(void)closedir(dir);
	return 0;
}

struct count {
	const struct stat *file;
	int n;
};

static bool count_it(void *ctx, const char *fd, const struct stat *st)
{
	struct count *count = ctx;

	(void)fd;
	if (count->n < INT_MAX && peer_same_file(st, count->file))
		count->n++;
	return true;
}

int peer_holds(pid_t process, const struct stat *file)
{
	struct count count = {.file = file};
	int r = walk(process, count_it, &count);

	return r < 0 ? r : count.n;
}

struct search {
	pid_t process;
	const char *path;
	const struct stat *file;
	char *found;
};

static bool is_replaced(void *ctx, const char *fd, const struct stat *st)
{
	static const char gone[] = " (deleted)";
	struct search *search = ctx;
	char name[64], target[PATH_MAX];
	size_t len = strlen(search->path);
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%.16s", (int)search->process, fd);
	n = readlink(name, target, sizeof(target) - 1);
	if (n < 0 || !S_ISREG(st->st_mode) || peer_same_file(st, search->file))
		return true;
	target[n] = '\0';
	if (strncmp(target, search->path, len) != 0 ||
	    (target[len] && strcmp(target + len, gone) != 0))
		return true;
	search->found = strdup(name);
	return false;
}

char *peer_replaced(pid_t process, const char *path, const struct stat *file)
{
	struct search search = {.process = process, .path = path, .file = file};

	return walk(process, is_replaced, &search) < 0 ? NULL : search.found;
}

int peer_locks(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}
