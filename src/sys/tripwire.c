// SPDX-License-Identifier: MIT
/* Drains, flushes and takes a reference: see tripwire.h for what that proves. */
#include "sys/tripwire.h"

#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* A hook may return a moment too early. A file that is written all the time never
   settles. */
#define ATTEMPTS 3

static int64_t ctime_of(const struct stat *st)
{
	return st->st_ctim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_ctim.tv_nsec;
}

int lull_tripwire_stat(int fd, struct stat *ret, bool *ret_blind)
{
	/* Read the clock before the file: a change after this has a later time. */
	int64_t coarse = lull_clock_coarse();

	if (fstat(fd, ret) < 0)
		return -errno;
	*ret_blind = ctime_of(ret) >= coarse;
	return 0;
}

int lull_tripwire_look(int fd, struct lull_reference *ret_reference)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_reference = (struct lull_reference){
		.inode = st.st_ino,
		.generation = lull_inode_generation(fd),
		.size = (uint64_t)st.st_size,
		.mtime_ns = st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC +
			    st.st_mtim.tv_nsec,
		.ctime_ns = ctime_of(&st),
	};
	return 0;
}

int lull_tripwire_look_late(int fd, struct lull_reference *ret_reference)
{
	int r = lull_tripwire_look(fd, ret_reference);

	/* Another change within the tick of the last one would not be noticed. */
	if (r == 0)
		lull_clock_pass(ret_reference->ctime_ns);
	return r;
}

bool lull_reference_equal(const struct lull_reference *a, const struct lull_reference *b)
{
	return a->ctime_ns != LULL_NO_CTIME && a->inode == b->inode &&
	       a->generation == b->generation && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

int lull_tripwire_flush(int fd)
{
	const unsigned int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				 SYNC_FILE_RANGE_WAIT_AFTER;

	if (sync_file_range(fd, 0, 0, all) < 0)
		return -errno;

	struct fiemap map = { .fm_length = 1, .fm_flags = FIEMAP_FLAG_SYNC };

	while (ioctl(fd, FS_IOC_FIEMAP, &map) < 0) {
		/* Without FIEMAP nothing relies on the map, and the clone itself
		   flushes. */
		if (errno == EOPNOTSUPP || errno == ENOTTY || errno == ENOSYS)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int lull_tripwire_drain(int src, int scratch, uint64_t block, uint64_t size)
{
	if (size == 0 || scratch < 0)
		return 0;
	return lull_clone_range(src, scratch, 0, MIN(block, size));
}

int lull_tripwire_take(int src, int scratch, uint64_t block,
		       struct lull_reference *ret_reference)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct lull_reference before = { 0 }, after = { 0 };
		int r = lull_tripwire_look_late(src, &before);

		if (r < 0)
			return r;
		r = lull_tripwire_drain(src, scratch, block, before.size);
		/* A source that shrinks below a block at this moment is being written
		   to. */
		if (r == -EINVAL && lull_tripwire_look(src, &after) == 0 &&
		    after.size != before.size)
			continue;
		if (r == 0)
			r = lull_tripwire_flush(src);
		if (r == 0)
			r = lull_tripwire_look(src, &after);
		if (r < 0)
			return r;
		if (lull_reference_equal(&before, &after)) {
			*ret_reference = after;
			return 0;
		}
	}
	return -EBUSY;
}
