// SPDX-License-Identifier: MIT
/*
 * Mode 0700 is sufficient. If a directory has an access control list, even an inherited
 * one, the group bits of its mode are the mask of everything that the list grants to
 * others (acl(5)).
 */
#include "sys/private.h"

#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int lull_private_open(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP || errno == EACCES ? -EEXIST
									     : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return -EEXIST;
	return lull_steal_fd(&fd);
}

int lull_private_make(int dir, const char *name)
{
	/* Whoever may write to dir can have replaced it before it is opened. */
	return mkdirat(dir, name, 0700) < 0 ? -errno : lull_private_open(dir, name);
}

int lull_private_remove(int dir, const char *name, int fd)
{
	struct stat a, b;

	if (fstatat(dir, name, &a, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &b) < 0)
		return -errno;
	if (!SAME_INODE(&a, &b))
		return -ESTALE;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
