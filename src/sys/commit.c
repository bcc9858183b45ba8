// SPDX-License-Identifier: MIT
/* Files and the disk: see commit.h. */
#include "sys/commit.h"

#include <linux/magic.h>
#include <sys/vfs.h>

bool lull_commit_keeps_order(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == XFS_SUPER_MAGIC;
}

bool lull_commit_syncs_unnamed(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == XFS_SUPER_MAGIC || fs.f_type == EXT4_SUPER_MAGIC);
}
