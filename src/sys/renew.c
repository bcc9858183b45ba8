// SPDX-License-Identifier: MIT
/* Makes a used inode like a new one: see renew.h. */
#include "sys/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* How often a list may grow between the two calls that read it. */
#define TRIES 10

/* The flags of chattr(1) that can be changed while a file has data. */
#define FLAGS  (FS_NOATIME_FL | FS_NODUMP_FL | FS_SYNC_FL | FS_COMPR_FL | FS_NOCOMP_FL)
#define XFLAGS (FS_XFLAG_NODEFRAG | FS_XFLAG_DAX | FS_XFLAG_COWEXTSIZE)

static bool unknown_here(int err)
{
	return err == ENOTTY || err == EOPNOTSUPP || err == ENOSYS || err == EINVAL;
}

static int renew_owner(int fd, int sample)
{
	struct stat st, like = { .st_uid = geteuid(), .st_gid = getegid() };

	if (fstat(fd, &st) < 0 || (sample >= 0 && fstat(sample, &like) < 0))
		return -errno;
	if (st.st_uid == like.st_uid && st.st_gid == like.st_gid)
		return 0;
	return fchown(fd, like.st_uid, like.st_gid) < 0 ? -errno : 0;
}

/* Reads the names of all attributes, each with its NUL, to be freed. Returns their length
   or -errno. */
static ssize_t list(int fd, char **ret_names)
{
	*ret_names = NULL;
	for (int i = 0; i < TRIES; i++) {
		ssize_t room = flistxattr(fd, NULL, 0), len;
		char *names;

		if (room <= 0)
			return room < 0 && errno != EOPNOTSUPP ? -errno : 0;
		names = malloc((size_t)room);
		if (!names)
			return -ENOMEM;
		len = flistxattr(fd, names, (size_t)room);
		if (len >= 0) {
			*ret_names = names;
			return len;
		}
		free(names);
		if (errno != ERANGE)
			return -errno;
	}
	return -ERANGE;
}

static int copy(int fd, int sample, const char *name)
{
	char value[XATTR_SIZE_MAX];
	ssize_t len = fgetxattr(sample, name, value, sizeof(value));

	if (len < 0)
		return errno == ENODATA ? 0 : -errno;
	return fsetxattr(fd, name, value, (size_t)len, 0) < 0 ? -errno : 0;
}

static bool is_label(const char *name)
{
	return strncmp(name, "security.", 9) == 0 &&
	       strcmp(name, "security.capability") != 0;
}

static int renew_xattrs(int fd, int sample)
{
	_cleanup_free_ char *old = NULL, *like = NULL;
	ssize_t n_old = list(fd, &old), n_like = sample < 0 ? 0 : list(sample, &like);

	if (n_old < 0 || n_like < 0)
		return (int)(n_old < 0 ? n_old : n_like);
	for (const char *name = old; name && name < old + n_old;
	     name += strlen(name) + 1) {
		/* Attributes of the sample are set below. The kernel may require a label,
		   so it stays. */
		if (sample >= 0 ? fgetxattr(sample, name, NULL, 0) >= 0 : is_label(name))
			continue;
		if (fremovexattr(fd, name) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return -errno;
	}
	for (const char *name = like; name && name < like + n_like;
	     name += strlen(name) + 1) {
		int r = copy(fd, sample, name);

		if (r < 0 && r != -EOPNOTSUPP)
			return r;
	}
	return 0;
}

static int renew_flags(int fd, int sample)
{
	int like = 0, flags = 0, wanted;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ||
	    (sample >= 0 && ioctl(sample, FS_IOC_GETFLAGS, &like) < 0))
		return unknown_here(errno) ? 0 : -errno;
	wanted = (flags & ~FLAGS) | (like & FLAGS);
	/* On Btrfs, these flags exclude each other. */
	if (wanted & FS_NOCOW_FL)
		wanted &= ~(FS_COMPR_FL | FS_NOCOMP_FL);
	if (wanted == flags || ioctl(fd, FS_IOC_SETFLAGS, &wanted) == 0)
		return 0;
	return unknown_here(errno) ? 0 : -errno;
}

static int renew_xflags(int fd, int sample)
{
	struct fsxattr like = { 0 }, wanted = { 0 }, was;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &wanted) < 0)
		return unknown_here(errno) ? 0 : -errno;
	was = wanted;
	like.fsx_projid = wanted.fsx_projid;
	if (sample >= 0 && ioctl(sample, FS_IOC_FSGETXATTR, &like) < 0)
		return unknown_here(errno) ? 0 : -errno;
	wanted.fsx_xflags = (wanted.fsx_xflags & ~XFLAGS) | (like.fsx_xflags & XFLAGS);
	wanted.fsx_cowextsize = like.fsx_xflags & FS_XFLAG_COWEXTSIZE
					? like.fsx_cowextsize
					: 0;
	wanted.fsx_projid = like.fsx_projid;
	if (wanted.fsx_xflags == was.fsx_xflags && wanted.fsx_projid == was.fsx_projid &&
	    wanted.fsx_cowextsize == was.fsx_cowextsize)
		return 0;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &wanted) == 0)
		return 0;
	return unknown_here(errno) ? 0 : -errno;
}

int lull_renew(int fd, int sample)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					   { .tv_nsec = UTIME_OMIT } };
	int r = renew_owner(fd, sample);

	if (r == 0)
		r = renew_xattrs(fd, sample);
	if (r == 0)
		r = renew_flags(fd, sample);
	if (r == 0)
		r = renew_xflags(fd, sample);
	if (r == 0 && futimens(fd, times) < 0)
		r = -errno;
	return r;
}
