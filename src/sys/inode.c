// SPDX-License-Identifier: MIT
/* Inode properties by ioctl. */
#include "sys/inode.h"

#include "sys/child.h"
#include "sys/opening.h"
#include "sys/traits.h"

#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000 /* since 5.8; earlier it is never set */
#endif

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x200000 /* since 5.8 */
#endif

/* As many links as the kernel follows. */
#define MOST_LINKS 40

static bool unknown_here(int err)
{
	return err == ENOTTY || err == EOPNOTSUPP || err == ENOSYS || err == EINVAL;
}

int lull_inode_look(int fd, struct stat *ret)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH,
		  STATX_BASIC_STATS & ~(STATX_ATIME | STATX_MTIME | STATX_CTIME),
		  &st) < 0)
		return -errno;
	*ret = (struct stat){
		.st_dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.st_ino = st.stx_ino,
		.st_mode = st.stx_mode,
		.st_nlink = st.stx_nlink,
		.st_uid = st.stx_uid,
		.st_gid = st.stx_gid,
		.st_rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor),
		.st_size = (off_t)st.stx_size,
		.st_blksize = st.stx_blksize,
		.st_blocks = (blkcnt_t)st.stx_blocks,
	};
	return 0;
}

bool lull_inode_is_nocow(int fd)
{
	int flags = 0;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & FS_NOCOW_FL;
}

bool lull_inode_is_immutable(int dir, const char *name)
{
	struct statx st;

	return statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
	       st.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

bool lull_inode_is_of_other_project(int dir, const char *head, const char *name)
{
	_cleanup_close_ int above = openat(dir, head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fsxattr wanted = { 0 }, has = { 0 };

	if (above < 0 || ioctl(above, FS_IOC_FSGETXATTR, &wanted) < 0 ||
	    !(wanted.fsx_xflags & FS_XFLAG_PROJINHERIT))
		return false;

	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | LULL_OPEN_WARILY);

	return fd >= 0 && ioctl(fd, FS_IOC_FSGETXATTR, &has) == 0 &&
	       has.fsx_projid != wanted.fsx_projid;
}

bool lull_inode_only_grows(int dir, const char *path)
{
	struct statx st;

	return statx(dir, path, 0, STATX_TYPE, &st) == 0 &&
	       st.stx_attributes & STATX_ATTR_APPEND;
}

bool lull_inode_is_open_file_link(const char *path)
{
	char now[PATH_MAX], next[PATH_MAX], to[PATH_MAX];

	if (strlen(path) >= sizeof(now))
		return false;
	strcpy(now, path);
	for (int i = 0; i < MOST_LINKS; i++) {
		_cleanup_close_ int fd = open(now, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		const char *slash = strrchr(now, '/');
		int head = slash ? (int)(slash - now) + 1 : 0;
		struct statfs fs;
		ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", to, sizeof(to) - 1);

		if (n < 0 || fstatfs(fd, &fs) < 0)
			return false;
		to[n] = '\0';
		/* /proc/self leads to a directory. Links to open files are in "fd". */
		if (fs.f_type == PROC_SUPER_MAGIC && head > 4 &&
		    strncmp(now + head - 4, "/fd/", 4) == 0)
			return true;
		if (*to == '/')
			head = 0;
		if (snprintf(next, sizeof(next), "%.*s%s", head, now, to) >=
		    (int)sizeof(next))
			return false;
		strcpy(now, next);
	}
	return false;
}

bool lull_inode_is_mounted_on(int dir, const char *name)
{
	struct statx st;

	return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) ==
		       0 &&
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int inherit_nocow(int src, int dest)
{
	int from = 0, to = 0;

	if (ioctl(src, FS_IOC_GETFLAGS, &from) < 0 ||
	    ioctl(dest, FS_IOC_GETFLAGS, &to) < 0)
		return unknown_here(errno) ? 0 : -errno;
	if ((from & FS_NOCOW_FL) == (to & FS_NOCOW_FL))
		return 0;
	/* On Btrfs, NOCOW excludes compression, which the new file may have inherited
	   from its directory, and one cannot be changed to the other in one step. */
	if (from & FS_NOCOW_FL && to & (FS_COMPR_FL | FS_NOCOMP_FL)) {
		to &= ~(FS_COMPR_FL | FS_NOCOMP_FL);
		if (ioctl(dest, FS_IOC_SETFLAGS, &to) < 0)
			return -errno;
	}
	to = (to & ~FS_NOCOW_FL) | (from & FS_NOCOW_FL);
	return ioctl(dest, FS_IOC_SETFLAGS, &to) < 0 ? -errno : 0;
}

/*
 * Puts dest on the device of src. XFS clones within the data device or within the
 * realtime device. A directory with rtinherit puts files on the realtime device. An empty
 * file can be moved to the other device. If that fails, the clone will fail too, and
 * report why.
 */
static void inherit_realtime(int dest, const struct fsxattr *from, struct fsxattr *to)
{
	struct fsxattr wanted = *to;

	if (!((from->fsx_xflags ^ to->fsx_xflags) & FS_XFLAG_REALTIME))
		return;
	wanted.fsx_xflags ^= FS_XFLAG_REALTIME;
	if (ioctl(dest, FS_IOC_FSSETXATTR, &wanted) == 0)
		*to = wanted;
}

static int inherit_cowextsize(int dest, const struct fsxattr *from, struct fsxattr *to)
{
	if (!(from->fsx_xflags & FS_XFLAG_COWEXTSIZE) ||
	    (to->fsx_xflags & FS_XFLAG_COWEXTSIZE &&
	     from->fsx_cowextsize == to->fsx_cowextsize))
		return 0;
	to->fsx_xflags |= FS_XFLAG_COWEXTSIZE;
	to->fsx_cowextsize = from->fsx_cowextsize;
	return ioctl(dest, FS_IOC_FSSETXATTR, to) < 0 ? -errno : 0;
}

/* Copies the two properties that only XFS has. */
static int inherit_of_xfs(int src, int dest)
{
	struct fsxattr from = { 0 }, to = { 0 };

	if (ioctl(src, FS_IOC_FSGETXATTR, &from) < 0 ||
	    ioctl(dest, FS_IOC_FSGETXATTR, &to) < 0)
		return unknown_here(errno) ? 0 : -errno;
	inherit_realtime(dest, &from, &to);
	return inherit_cowextsize(dest, &from, &to);
}

int lull_inode_inherit(int src, int dest, uint32_t traits)
{
	int r = traits & LULL_TRAIT_LACKS_NOCOW ? 0 : inherit_nocow(src, dest);

	return r < 0 || traits & LULL_TRAIT_LACKS_COWEXTSIZE ? r
							     : inherit_of_xfs(src, dest);
}

int lull_inode_block_size(int fd, uint64_t *ret_size)
{
	int size = 0;

	if (ioctl(fd, FIGETBSZ, &size) < 0)
		return -errno;
	if (size < 512 || (size & (size - 1)) != 0)
		return -EUCLEAN;
	*ret_size = (uint64_t)size;
	return 0;
}

bool lull_inode_is_realtime(int fd)
{
	struct fsxattr attr = { 0 };

	return ioctl(fd, FS_IOC_FSGETXATTR, &attr) == 0 &&
	       attr.fsx_xflags & FS_XFLAG_REALTIME;
}

bool lull_inode_is_dax(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	       st.stx_attributes & STATX_ATTR_DAX;
}

bool lull_inode_has_cowextsize(int fd)
{
	struct fsxattr attr = { 0 };

	return ioctl(fd, FS_IOC_FSGETXATTR, &attr) == 0 &&
	       attr.fsx_xflags & FS_XFLAG_COWEXTSIZE;
}

uint64_t lull_inode_extents(int fd)
{
	struct fsxattr attr = { 0 };

	return ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0 ? 0 : attr.fsx_nextents;
}

bool lull_inode_has_data(int fd, uint64_t from)
{
	return lseek(fd, (off_t)from, SEEK_DATA) >= 0 || errno != ENXIO;
}

enum lull_inode_use lull_inode_use(int fd)
{
	static const int kinds[] = { F_WRLCK, F_RDLCK };

	/* A child that is being forked may still have files open that this process has
	   closed. */
	lull_child_settle();
	/* If another process opens the file during the lease, this process gets a signal.
	   The default is SIGIO, which would end it. */
	(void)fcntl(fd, F_SETSIG, SIGURG);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (fcntl(fd, F_SETLEASE, kinds[i]) == 0) {
			(void)fcntl(fd, F_SETLEASE, F_UNLCK);
			return kinds[i] == F_WRLCK ? LULL_INODE_UNUSED : LULL_INODE_READ;
		}
		if (errno != EAGAIN)
			return LULL_INODE_UNKNOWN;
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			break;
	}
	return LULL_INODE_WRITTEN;
}

int lull_inode_read_generation(int fd, uint64_t *ret_generation)
{
	/* The kernel writes an int for most file systems, although the interface says
	   long. */
	unsigned long generation = 0;

	if (ioctl(fd, FS_IOC_GETVERSION, &generation) < 0) {
		/* SMB and FUSE return other errors instead of ENOTTY. */
		if (errno != ENOTTY && errno != EOPNOTSUPP && errno != EINVAL &&
		    errno != ENOSYS)
			return -errno;
		if (ioctl(fd, FS_IOC_GETVERSION, &generation) < 0)
			generation = 0;
	}
	*ret_generation = generation & 0xffffffffUL;
	return 0;
}

uint64_t lull_inode_generation(int fd)
{
	uint64_t generation = 0;

	return lull_inode_read_generation(fd, &generation) < 0 ? 0 : generation;
}

bool lull_inode_is_named(int fd, int dir, const char *name)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 &&
	       fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       SAME_INODE(&opened, &named);
}

bool lull_inode_is_at(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
	       SAME_INODE(&opened, &named);
}
