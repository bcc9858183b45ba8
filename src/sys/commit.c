// SPDX-License-Identifier: MIT
/* Files and the disk: see commit.h. */
#include "sys/commit.h"

#include <linux/magic.h>
#include <sys/vfs.h>

uint32_t lull_commit_fs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 ? 0 : (uint32_t)fs.f_type;
}

bool lull_commit_keeps_order(uint32_t fs)
{
	return fs == XFS_SUPER_MAGIC;
}

bool lull_commit_syncs_unnamed(uint32_t fs)
{
	return fs == XFS_SUPER_MAGIC || fs == EXT4_SUPER_MAGIC;
}

bool lull_commit_lists_acls(uint32_t fs)
{
	return fs == XFS_SUPER_MAGIC || fs == BTRFS_SUPER_MAGIC || fs == EXT4_SUPER_MAGIC;
}
