// SPDX-License-Identifier: MIT
/*
 * Descriptors are reliable: /proc/PID/fd leads to the inode that is open, whatever
 * happened to its name. Where they cannot be seen (a process of another user or outside
 * this PID namespace), the callers use QEMU's locks instead, which are on the inode as
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* From block/file-posix.c of QEMU: a process that may write has locked this byte. */
#define WRITE_LOCK 101

bool peer_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Stats /proc/PID/WHAT, or /proc/PID/WHAT/REST if rest is not NULL. */
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

/* Resolves symbolic links as the process would: below its root. */
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
	static const char *const own[] = { "/dev/fd/", "/proc/self/fd/" };

	if (process <= 0)
		return -ESRCH;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (strncmp(path, own[i], strlen(own[i])) == 0)
			return stat_in(process, "fd", path + strlen(own[i]), ret_st);
	}
	return path[0] == '/' ? stat_below_root(process, path, ret_st)
			      : stat_in(process, "cwd", path, ret_st);
}

/*
 * Reads device, inode and type of a descriptor's file from the kernel's cache, because
 * the server of its file system (FUSE, NFS) may not answer. Returns 0 or -errno.
 */
static int stat_descriptor(int dir, const char *name, struct stat *ret_st)
{
	struct statx stx;

	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO | STATX_TYPE,
		  &stx) < 0)
		return -errno;
	*ret_st = (struct stat){
		.st_dev = makedev(stx.stx_dev_major, stx.stx_dev_minor),
		.st_ino = stx.stx_ino,
		.st_mode = stx.stx_mode,
		.st_rdev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor),
	};
	return 0;
}

/* Calls see with each descriptor and its file until it returns false. Returns 1 if it
   did, 0 if not, or -errno. */
static int walk(pid_t process,
		bool (*see)(void *ctx, int dir, const char *fd, const struct stat *st),
		void *ctx)
{
	struct dirent *entry;
	char name[64];
	DIR *dir;
	int r = 0;

	if (process <= 0)
		return -ESRCH;
	(void)snprintf(name, sizeof(name), "/proc/%d/fd", (int)process);
	dir = opendir(name);
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		struct stat st;

		/* skip a descriptor that was closed in the meantime */
		r = entry->d_name[0] != '.' &&
		    stat_descriptor(dirfd(dir), entry->d_name, &st) == 0 &&
		    !see(ctx, dirfd(dir), entry->d_name, &st);
	}
	(void)closedir(dir);
	return r;
}

struct count {
	const struct stat *file;
	int n;
};

static bool count_it(void *ctx, int dir, const char *fd, const struct stat *st)
{
	struct count *count = ctx;

	(void)dir;
	(void)fd;
	if (count->n < INT_MAX && peer_same_file(st, count->file))
		count->n++;
	return true;
}

int peer_holds(pid_t process, const struct stat *file)
{
	struct count count = { .file = file };
	int r = walk(process, count_it, &count);

	return r < 0 ? r : count.n;
}

struct search {
	pid_t process;
	const char *path;
	const struct stat *file;
	char *found;
};

static bool is_replaced(void *ctx, int dir, const char *fd, const struct stat *st)
{
	static const char gone[] = " (deleted)";
	struct search *search = ctx;
	char name[64], target[PATH_MAX];
	size_t len = strlen(search->path);
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%.16s", (int)search->process, fd);
	n = readlinkat(dir, fd, target, sizeof(target) - 1);
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
	struct search search = { .process = process, .path = path, .file = file };

	return walk(process, is_replaced, &search) < 0 ? NULL : search.found;
}

/* The link of a descriptor in /proc is writable if the file is open for writing. */
static bool is_no_writer(void *ctx, int dir, const char *fd, const struct stat *st)
{
	const struct stat *file = ctx;
	struct stat link;

	return !peer_same_file(st, file) ||
	       fstatat(dir, fd, &link, AT_SYMLINK_NOFOLLOW) < 0 ||
	       !(link.st_mode & S_IWUSR);
}

bool peer_writes(pid_t process, const struct stat *file)
{
	return walk(process, is_no_writer, (void *)(uintptr_t)file) > 0;
}

/* Reads the first line of a small file, without its newline. */
static bool read_line(const char *path, char *line, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

	if (n < 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static char *describe_process(pid_t process)
{
	char path[64], name[64], *text = NULL;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)process);
	if (!read_line(path, name, sizeof(name)))
		name[0] = '\0';
	return asprintf(&text, "process %d (%s)", (int)process, name) < 0 ? NULL : text;
}

static char *find_process(pid_t but, const struct stat *file)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		pid_t process = (pid_t)strtol(entry->d_name, NULL, 10);

		if (process > 0 && process != but && process != getpid() &&
		    walk(process, is_no_writer, (void *)(uintptr_t)file) > 0)
			found = describe_process(process);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* Decodes a mount point from mountinfo, which has spaces and the like in octal. */
static void decode(char *text)
{
	char *to = text;
	unsigned int byte;

	for (; *text; to++) {
		if (text[0] == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*to = (char)byte;
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

static size_t below(const char *path, const char *mount_point)
{
	size_t len = strlen(mount_point);

	if (strcmp(mount_point, "/") == 0)
		return 1;
	return strncmp(path, mount_point, len) == 0 && (!path[len] || path[len] == '/')
		       ? len
		       : 0;
}

/*
 * Returns false if the table of mounts shows that path cannot lead to file. A stat(2) of
 * path may hang for ever if the server of its file system (FUSE, NFS) does not answer;
 * the server of file itself does answer.
 */
static bool may_be(const char *path, const struct stat *file)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0, longest = 0;
	bool may = true;

	while (table && getline(&line, &room, table) > 0) {
		unsigned int major, minor;
		char *type = strstr(line, " - ");
		_cleanup_free_ char *at = NULL;
		size_t len;

		if (!type ||
		    sscanf(line, "%*d %*d %u:%u %*s %ms", &major, &minor, &at) != 3)
			continue;
		decode(at);
		len = below(path, at);
		if (len == 0 || len < longest)
			continue;
		longest = len;
		/* btrfs and overlayfs may give a file another device than the mount
		   has */
		may = makedev(major, minor) == file->st_dev ||
		      strncmp(type, " - btrfs ", 9) == 0 ||
		      strncmp(type, " - overlay ", 11) == 0;
	}
	if (table)
		(void)fclose(table);
	return may;
}

static char *find_loop(const struct stat *file)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		char path[512], line[PATH_MAX];
		struct stat st = { 0 };

		if (strncmp(entry->d_name, "loop", 4) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file",
			       entry->d_name);
		if (!read_line(path, line, sizeof(line)) || !may_be(line, file) ||
		    stat_descriptor(AT_FDCWD, line, &st) < 0 ||
		    !peer_same_file(&st, file))
			continue;
		(void)snprintf(path, sizeof(path), "/sys/block/%s/ro", entry->d_name);
		if ((!read_line(path, line, sizeof(line)) || strcmp(line, "1") != 0) &&
		    asprintf(&found, "/dev/%s", entry->d_name) < 0)
			found = NULL;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

char *peer_other_writer(pid_t process, const struct stat *file)
{
	char *found = find_process(process, file);

	return found ? found : find_loop(file);
}

/* Checks len bytes from start; 0 means to the end of the file. */
static int is_locked(const char *path, off_t start, off_t len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = start,
		.l_len = len,
	};

	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

int peer_locks(const char *path)
{
	return is_locked(path, 0, 0);
}

int peer_locks_writes(const char *path)
{
	return is_locked(path, WRITE_LOCK, 1);
}
