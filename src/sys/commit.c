// SPDX-License-Identifier: MIT
/* Files and the disk: see commit.h. */
#include "sys/commit.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
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

int lull_commit_start(int fd, uint64_t *ret_commit)
{
	__u64 commit;

	if (ioctl(fd, BTRFS_IOC_START_SYNC, &commit) < 0)
		return -errno;
	*ret_commit = commit;
	return 0;
}

int lull_commit_wait(int fd, uint64_t commit)
{
	__u64 number = commit;

	return ioctl(fd, BTRFS_IOC_WAIT_SYNC, &number) < 0 ? -errno : 0;
}
