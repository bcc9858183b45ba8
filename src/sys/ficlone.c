// SPDX-License-Identifier: MIT
/* Makes the clone call, and interprets its errors. Nothing else does. */
#include "sys/ficlone.h"

#include "sys/inode.h"
#include "sys/kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* How often a call may be interrupted. */
#define TRIES 20

/* Returns 0 or -errno, but never -EINTR: an interruption is not a failure of the call. */
static int clone(int dest, unsigned long request, struct file_clone_range *range)
{
	for (int i = 0; i < TRIES; i++) {
		if (ioctl(dest, request, range) == 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int lull_clone_range(int src, int dest, uint64_t off, uint64_t len)
{
	struct file_clone_range range = {
		.src_fd = src,
		.src_offset = off,
		.src_length = len,
		.dest_offset = off,
	};

	assert(len > 0);
	return clone(dest, FICLONERANGE, &range);
}

int lull_clone_empty(int src, int dest)
{
	return ioctl(dest, FICLONE, src) < 0 ? -errno : 0;
}

static bool is_on_btrfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC;
}

int lull_clone_try(int src, int dest, uint64_t size, uint64_t block)
{
	struct file_clone_range range = { .src_fd = src, .src_length = MIN(size, block) };
	struct stat st;

	if (fstat(dest, &st) < 0)
		return -errno;
	range.dest_offset = ((uint64_t)st.st_size + block - 1) & ~(block - 1);
	assert(size > 0);
	/*
	 * Btrfs may keep a file that is smaller than a block in its tree. If such an
	 * extent is cloned to past the end of dest, a page there is dirty. On a mount
	 * with flushoncommit, a commit waits for that page while the page waits for the
	 * commit, for ever (until b48c980b6a7e, 2026). So make dest long enough first.
	 */
	if (size >= block || !is_on_btrfs(dest))
		return clone(dest, FICLONERANGE, &range);

	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, st.st_mtim };
	int r;

	if (ftruncate(dest, (off_t)(range.dest_offset + range.src_length)) < 0)
		return -errno;
	r = clone(dest, FICLONERANGE, &range);
	if (r < 0 && ftruncate(dest, st.st_size) == 0)
		(void)futimens(dest, times);
	return r;
}

int lull_clone_own_block(int fd, uint64_t block)
{
	struct file_clone_range range = {
		.src_fd = fd,
		.src_length = block,
		.dest_offset = block,
	};

	return clone(fd, FICLONERANGE, &range);
}

bool lull_clone_is_atomic(int fd)
{
	struct statfs fs;

	return lull_kernel_version() >= KERNEL_VERSION(5, 13, 0) ||
	       (fstatfs(fd, &fs) == 0 && fs.f_type == XFS_SUPER_MAGIC);
}

int lull_clone_to_end(int src, int dest)
{
	struct file_clone_range range = { .src_fd = src };

	return clone(dest, FICLONERANGE, &range);
}

int lull_clone_punch(int fd, uint64_t off, uint64_t len)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	while (fallocate(fd, mode, (off_t)off, (off_t)len) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Returns true if there is too little space for the range, which XFS before 6.13 reports
   as EINVAL. */
static bool looks_full(int dest, uint64_t len)
{
	struct statfs fs;

	if (fstatfs(dest, &fs) < 0)
		return false;

	/* A clone needs only metadata, but whole extents are reserved. */
	uint64_t room = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;

	return room < MIN(len, 64ULL << 20);
}

bool lull_clone_is_over_limit(uint64_t end)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       end > limit.rlim_cur;
}

static bool is_fixed(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	       st.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

enum lull_cause lull_clone_classify(int err, int src, int dest, uint64_t off,
				    uint64_t len)
{
	uint64_t block;
	struct stat st;

	switch (err) {
	case EXDEV: /* two superblocks; before 5.18 also two mounts of one superblock */
		return LULL_CAUSE_OTHER_FILE_SYSTEM;
	case EOPNOTSUPP: /* ext4, tmpfs, XFS with reflink=0, OCFS2, NFS without CLONE */
	case ENOTTY:     /* file systems and kernels without the call */
	case ENOSYS:
		return LULL_CAUSE_NO_REFLINK;
	case ETXTBSY: /* generic_remap_checks(): an active swap file on either side */
		return LULL_CAUSE_SWAP_FILE;
	case EPERM: /* IS_IMMUTABLE(dest), a filter of a container */
		return src < 0 || is_fixed(dest) ? LULL_CAUSE_IMMUTABLE
						 : LULL_CAUSE_FORBIDDEN;
	/* a security policy or a filter; for another call, the permissions of a file */
	case EACCES:
		return src < 0 ? LULL_CAUSE_ERRNO : LULL_CAUSE_FORBIDDEN;
	/* Btrfs: quota of a subvolume; else each cloned block counts for dest's owner */
	case EDQUOT:
		return is_on_btrfs(dest) ? LULL_CAUSE_SUBVOLUME_QUOTA : LULL_CAUSE_QUOTA;
	case ENOSPC:
		return LULL_CAUSE_FULL;
	case EFBIG:
		return LULL_CAUSE_FILE_SIZE_LIMIT;
	case EROFS:
		return LULL_CAUSE_READ_ONLY;
	case EINVAL:
		/* The range is past the end of src, which has shrunk; or src has grown,
		   so that a partial block is in its middle. */
		if (fstat(src, &st) == 0 && off + len > (uint64_t)st.st_size)
			return LULL_CAUSE_SIZE_CHANGED;
		if (lull_clone_is_over_limit(off + len))
			return LULL_CAUSE_FILE_SIZE_LIMIT;
		if (src >= 0 && lull_inode_is_nocow(src) != lull_inode_is_nocow(dest))
			return LULL_CAUSE_NOCOW_MISMATCH;
		if (src >= 0 &&
		    lull_inode_is_realtime(src) != lull_inode_is_realtime(dest))
			return LULL_CAUSE_REALTIME_MISMATCH;
		if (src >= 0 && lull_inode_is_dax(src) != lull_inode_is_dax(dest))
			return LULL_CAUSE_DAX_MISMATCH;
		if (looks_full(dest, len))
			return LULL_CAUSE_FULL;
		if (fstat(src, &st) == 0 && off + len < (uint64_t)st.st_size &&
		    lull_inode_block_size(dest, &block) == 0 && (off + len) % block != 0)
			return LULL_CAUSE_SIZE_CHANGED;
		/* Whether a file has checksums cannot be seen from outside. */
		return src >= 0 && is_on_btrfs(dest) ? LULL_CAUSE_DATASUM_MISMATCH
						     : LULL_CAUSE_ERRNO;
	default:
		return LULL_CAUSE_ERRNO;
	}
}
