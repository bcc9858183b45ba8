// SPDX-License-Identifier: MIT
/* Renames without replacing anything: see rename_free.h. */
#include "sys/rename_free.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int lull_rename_free(int dir, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* Some file systems, such as NFS, do not support this. */
	if (errno != EINVAL)
		return -errno;
	if (linkat(dir, from, dir, to, 0) == 0) {
		(void)unlinkat(dir, from, 0);
		return 0;
	}
	if (errno != EPERM && errno != EOPNOTSUPP)
		return -errno;
	if (fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}
