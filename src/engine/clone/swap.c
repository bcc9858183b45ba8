// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. No byte of DEST changes before the one call that changes all of it. If the kernel
 *     crashes during the call, it finishes it from the log. If DEST becomes longer, its
 *     size changes before the call: see lengthen().
 *  2. What is exchanged is on disk before, unless the user does not want that.
 *  3. The temporary file is removed only after that. Until then, the checkpoint says that
 *     it is complete. A resumed run goes over it again, because the exchange has changed
 *     its ctime (untouched.h).
 */
#include "engine/clone/swap.h"

#include "engine/base/events.h"
#include "engine/base/place.h"
#include "engine/clone/difference.h"
#include "sys/inode.h"
#include "sys/opening.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <unistd.h>

static bool overflows(int src, int target)
{
	struct stat st_a, st_b;
	uint64_t block;

	return fstat(src, &st_a) < 0 || fstat(target, &st_b) < 0 ||
	       lull_inode_block_size(target, &block) < 0 ||
	       lull_tripwire_flush(src) < 0 || lull_tripwire_flush(target) < 0 ||
	       lull_difference_overflows(src, target,
					 (uint64_t)MAX(st_a.st_size, st_b.st_size),
					 block);
}

/* If the numbers of extents differ by more than this, writes have probably cut extents of
   one file. */
#define FEW_EXTENTS 6

bool lull_swap_fits(int src, int target, bool be_sure)
{
	uint64_t a, b;

	/* Dirty pages have no extents yet. */
	if (lull_tripwire_flush(src) < 0 || lull_tripwire_flush(target) < 0)
		return false;
	a = lull_inode_extents(src);
	b = lull_inode_extents(target);
	return (!be_sure && MAX(a, b) - MIN(a, b) <= FEW_EXTENTS) ||
	       !overflows(src, target);
}

bool lull_swap_part_fits(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	uint64_t size = job->reference.size, block = dest->fs.block;

	return lull_tripwire_flush(dest->lock) == 0 &&
	       lull_tripwire_flush(dest->target) == 0 &&
	       (!lull_difference_may_overflow(dest->lock, dest->target, size, block) ||
		!lull_difference_part_overflows(dest->lock, dest->target, size, block));
}

int lull_swap_obstacle(int src, int target)
{
	struct lull_xfs xfs;

	if (lull_identity_xfs(target, &xfs) < 0 || !xfs.exchanges)
		return EOPNOTSUPP;
	/* A file that is made beside target gets these flags from src. */
	return lull_inode_is_realtime(src) != lull_inode_is_realtime(target) ||
			       lull_inode_is_dax(src) != lull_inode_is_dax(target)
		       ? EINVAL
		       : 0;
}

void lull_swap_choose(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	_cleanup_close_ int fd = -1;
	struct stat st;

	/* A file that is replaced by a rename needs none of this. */
	if (!dest->in_place || !dest->exists || (job->place && job->place->replaces))
		return;
	dest->no_target = EOPNOTSUPP;
	if (dest->fs.magic != XFS_SUPER_MAGIC)
		return;
	fd = openat(dest->dir, dest->name, O_RDWR | LULL_OPEN_WARILY);
	if (fd < 0) {
		dest->no_target = errno;
		return;
	}
	if (fstat(fd, &st) < 0 || !SAME_INODE(&st, &dest->old))
		return;
	dest->no_target = lull_swap_obstacle(job->src, fd);
	if (dest->no_target == 0 && !lull_swap_fits(job->src, fd, job->options->restart))
		dest->no_target = EXFULL;
	if (dest->no_target != 0)
		return;
	dest->target = lull_steal_fd(&fd);
	dest->in_place = false;
}

/* Notes the state of DEST. From now on, nobody may change it. */
static int note_fresh(struct lull_dest *dest)
{
	int r = lull_tripwire_look_late(dest->target, &dest->before);

	if (r == 0)
		r = lull_exchange_sample(dest->target, &dest->fresh);
	return r == -ENOTTY ? 0 : r;
}

int lull_swap_begin(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	int r;

	if (dest->target < 0)
		return 0;
	if (flock(dest->target, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	r = lull_tripwire_flush(dest->target);
	return r < 0 ? r : note_fresh(dest);
}

void lull_swap_forgo(struct lull_dest *dest)
{
	lull_close(&dest->target);
	dest->in_place = true;
}

/* Returns true if nobody has changed DEST, as far as that can be told without the
   kernel's help. */
static bool is_untouched(const struct lull_dest *dest)
{
	struct lull_reference now;

	return lull_tripwire_look(dest->target, &now) == 0 &&
	       lull_reference_equal(&now, &dest->before);
}

static bool has_its_name(const struct lull_dest *dest)
{
	struct stat named;

	return fstatat(dest->dir, dest->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       SAME_INODE(&named, &dest->old);
}

/* Announces how long the call will take. */
static void announce(struct lull_job *job)
{
	if (job->options->cp.verbose)
		lull_events_say(job->observer, .kind = LULL_NOTE_EXCHANGE,
				.path = job->progress->dest,
				.count = lull_difference_exchange_ns(job));
}

/* Gives DEST the attributes that a clone into it would have given it. */
static int dress(struct lull_job *job)
{
	const struct lull_place *place = job->place;

	return place && place->dress
		       ? place->dress(place->file, job->dest.target, job->dest.dir, false)
		       : 0;
}

static uint64_t blocks(const struct lull_dest *dest, off_t size)
{
	return ((uint64_t)size + dest->fs.block - 1) / dest->fs.block;
}

/*
 * Makes DEST as long as the clone, with zeroes at the end. If the kernel crashes while
 * DEST gets blocks past its old end, it loses them. When it finishes the exchange from
 * the log, it uses the old size and frees what is past it (seen with Linux 6.18).
 */
static int lengthen(struct lull_dest *dest, off_t *ret_before)
{
	struct stat made, target;

	*ret_before = -1;
	if (fstat(dest->lock, &made) < 0 || fstat(dest->target, &target) < 0)
		return -errno;
	if (blocks(dest, made.st_size) <= blocks(dest, target.st_size))
		return 0;
	if (!is_untouched(dest))
		return -EBUSY;
	if (ftruncate(dest->target, made.st_size) < 0)
		return -errno;
	*ret_before = target.st_size;
	return note_fresh(dest);
}

/* Gives DEST its old length back after the exchange has failed, unless somebody has
   written past it. */
static void shorten(const struct lull_dest *dest, off_t before)
{
	uint64_t end = blocks(dest, before) * dest->fs.block;
	struct stat made, target;

	if (before >= 0 && fstat(dest->lock, &made) == 0 &&
	    fstat(dest->target, &target) == 0 && target.st_size == made.st_size &&
	    !lull_inode_has_data(dest->target, end))
		(void)!ftruncate(dest->target, before);
}

/* Returns true if the exchange could run out of reserved space. Reads the maps as they
   are now. */
static bool is_dangerous(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	return dest->partial ? !lull_swap_part_fits(job)
			     : overflows(dest->lock, dest->target);
}

int lull_swap_publish(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	unsigned int flags = (job->options->no_sync ? 0 : LULL_EXCHANGE_SYNC) |
			     (dest->partial ? LULL_EXCHANGE_WRITTEN : 0);
	off_t before;
	int r;

	if (!has_its_name(dest))
		return -ESTALE;
	if (is_dangerous(job))
		return -EXFULL;
	announce(job);
	if (!dest->fresh.known && !is_untouched(dest))
		return -EBUSY;
	r = lengthen(dest, &before);
	if (r < 0) {
		shorten(dest, before);
		return r;
	}
	lull_tell_call(job, LULL_CALL_EXCHANGE);
	r = lull_exchange(dest->lock, dest->target, &dest->fresh, flags);
	lull_tell_call(job, LULL_CALL_NONE);
	if (r < 0) {
		shorten(dest, before);
		return r;
	}
	job->result->published = true;
	r = dress(job);
	if (r == 0 && !job->options->no_sync && fsync(dest->target) < 0)
		r = -errno;
	return r;
}
