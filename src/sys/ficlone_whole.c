// SPDX-License-Identifier: MIT
/* Clones a whole file in one call, although its size may change: see ficlone_whole.h. */
#include "sys/ficlone_whole.h"

#include "sys/ficlone.h"
#include "sys/tripwire.h"

#include <errno.h>
#include <sys/stat.h>

/* How often the size of a file may change during the call. */
#define TRIES 20

/*
 * Clones the size that is known before the call, if it does not change. Returns 1 if it
 * may have changed. A size that ends with a whole block can also be cloned from a file
 * that is longer at that moment, and shorter again at the check. A partial block at the
 * end can be cloned only if it is the end of src.
 */
static int clone_known_size(int src, int dest, uint64_t block, uint64_t *ret_size)
{
	struct stat before, after;
	bool blind;
	int r = lull_tripwire_stat(src, &before, &blind);

	if (r < 0)
		return r;
	if (blind)
		return 1;
	if (ftruncate(dest, before.st_size) < 0)
		return -errno;
	if (before.st_size > 0)
		r = lull_clone_range(src, dest, 0, (uint64_t)before.st_size);
	if (fstat(src, &after) < 0)
		return -errno;
	if (after.st_size != before.st_size)
		return 1;
	if ((uint64_t)before.st_size % block == 0 &&
	    (after.st_ctim.tv_sec != before.st_ctim.tv_sec ||
	     after.st_ctim.tv_nsec != before.st_ctim.tv_nsec))
		return 1;
	*ret_size = (uint64_t)before.st_size;
	return r;
}

/*
 * Clones to the end of src, wherever that is when the locks are held. First makes dest a
 * little shorter than src, so that its size afterwards is that of src during the call.
 */
static int clone_to_the_end(int src, int dest, uint64_t block, bool last,
			    uint64_t *ret_size)
{
	struct stat st, after;
	off_t low;
	int r;

	if (fstat(src, &st) < 0)
		return -errno;
	low = st.st_size > 0 ? (st.st_size - 1) & ~(off_t)(block - 1) : 0;
	if (ftruncate(dest, low) < 0)
		return -errno;
	r = lull_clone_to_end(src, dest);
	/* src has not shrunk: the two files do not match. */
	if (r == -EINVAL && last && fstat(src, &after) == 0 &&
	    after.st_size == st.st_size)
		return r;
	if (r < 0)
		return r == -EINVAL ? 1 : r;
	if (fstat(dest, &st) < 0)
		return -errno;
	*ret_size = (uint64_t)st.st_size;
	if (st.st_size > low)
		return 0;
	/* src has shrunk; or XFS before 6.13 gave up half-way and reported success. */
	return low > 0 || fstat(src, &st) < 0 || st.st_size > 0;
}

int lull_clone_whole(int src, int dest, uint64_t block, bool written, uint64_t *ret_size)
{
	int r = written ? 1 : clone_known_size(src, dest, block, ret_size);

	for (int i = 0; r > 0 && i < TRIES; i++)
		r = clone_to_the_end(src, dest, block, i == TRIES - 1, ret_size);
	return r > 0 ? -EAGAIN : r;
}
