// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. No byte of the older clone changes before it has the temporary name, except in a
 *     refresh in place.
 *  2. No byte changes while somebody else has the older clone open: a reader, a loop
 *     device or a mapping keeps the bytes that it opened. A lease shows this. It is taken
 *     once before any file is made, and once when only the caller and root can still open
 *     the file.
 *  3. Once its bytes change, no failure removes it: it is a user's file, and --resume
 *     finishes it.
 */
#include "engine/clone/refresh.h"

#include "engine/base/lock_wait.h"
#include "engine/base/place.h"
#include "engine/clone/claim.h"
#include "engine/clone/difference.h"
#include "engine/clone/record.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/source_lock.h"
#include "util/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* How many places to compare for shared extents, and how many extents in each. */
#define PLACES       8
#define EXTENTS_EACH 64

/* Returns the path of the clone that is refreshed, as the user gave it. */
static const char *older(const struct lull_job *job)
{
	return job->options->base ? job->options->base : job->progress->dest;
}

static enum lull_outcome refuse(struct lull_job *job, enum lull_cause cause, int err)
{
	return lull_fail(job, LULL_STAGE_BASE, cause, err, older(job));
}

/* Locks the older clone. Another lullcp may be using it up. One that has published it
   holds the lock until it ends. */
static enum lull_outcome lock(struct lull_job *job, int fd)
{
	struct lull_lock_wait wait = lull_lock_wait_begin(job->options);

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		enum lull_outcome outcome;

		if (errno != EWOULDBLOCK)
			return refuse(job, LULL_CAUSE_ERRNO, errno);
		outcome = lull_lock_wait_rest(&wait, job, &job->dest, fd);
		if (outcome == LULL_BUSY && job->options->base)
			return refuse(job, LULL_CAUSE_IN_USE, EWOULDBLOCK);
		if (outcome == LULL_BUSY)
			return lull_claim_busy(job);
		if (outcome != LULL_OK)
			return outcome;
	}
	return LULL_OK;
}

static enum lull_outcome judge(struct lull_job *job, int fd)
{
	struct stat st, source;

	if (fstat(fd, &st) < 0 || fstat(job->src, &source) < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	if (!S_ISREG(st.st_mode))
		return refuse(job, LULL_CAUSE_NOT_REGULAR, EINVAL);
	if (SAME_INODE(&st, &source))
		return lull_fail_between(job, LULL_STAGE_BASE, LULL_CAUSE_SAME_FILE, 0,
					 older(job), job->source);
	if (st.st_nlink > 1)
		return refuse(job, LULL_CAUSE_HARD_LINKS, 0);
	/* The NOCOW flag cannot be changed while the file has any data. */
	if (lull_inode_is_nocow(fd) != lull_inode_is_nocow(job->src))
		return refuse(job, LULL_CAUSE_NOCOW_MISMATCH, EINVAL);
	return lock(job, fd);
}

/* Finds the directory and the name of the older clone, with links resolved. */
static int locate(struct lull_job *job)
{
	const char *path = job->options->base ? job->options->base : job->dest.path;
	struct stat meant, found;

	job->base_path = realpath(path, NULL);
	if (!job->base_path)
		return -errno;
	job->base_name = lull_path_last(job->base_path);
	job->base_dir = lull_open_parent(job->base_path, O_RDONLY);
	if (job->base_dir < 0)
		return job->base_dir;
	/* See leads_back() in dest.c. */
	if (stat(path, &meant) == 0 &&
	    fstatat(job->base_dir, job->base_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !SAME_INODE(&meant, &found))
		return -ESTALE;
	return 0;
}

/* Returns true if none of the compared extents is shared with the source. */
static bool shares_nothing(struct lull_job *job, int fd)
{
	struct stat st;
	bool looked = false;

	if (fstat(fd, &st) < 0)
		return false;
	for (unsigned int i = 0; i < PLACES; i++) {
		uint64_t size = (uint64_t)st.st_size, different = 0;
		struct lull_maps maps = {
			.a = job->src,
			.b = fd,
			.from = size / PLACES * i & ~(job->dest.fs.block - 1),
			.to = size,
			.block = job->dest.fs.block,
		};
		struct lull_range range;
		int r = lull_maps_open(&maps);

		while (r == 0 && maps.plan.extents < EXTENTS_EACH &&
		       lull_plan_next(&maps.plan, &range) > 0) {
			/* The place of a compressed or inline extent proves nothing. */
			if (maps.plan.s.flags & LULL_EXTENT_OPAQUE)
				r = -ENODATA;
			different++;
		}
		lull_maps_close(&maps);
		if (r < 0 || maps.plan.extents > different)
			return false;
		looked = looked || maps.plan.extents > 0;
	}
	return looked;
}

static void warn_spared(struct lull_job *job, int why)
{
	lull_warn(job,
		  job->rotation ? LULL_WARNING_GENERATION_SPARED
				: LULL_WARNING_BASE_SPARED,
		  why, job->base_path);
}

/* Returns the errno that explains why a file in use must not be changed, or 0 if nobody
   uses it. */
static int why_not(enum lull_inode_use use)
{
	return use == LULL_INODE_UNUSED ? 0 : use == LULL_INODE_UNKNOWN ? EPERM : EBUSY;
}

static bool are_one(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && SAME_INODE(&st_a, &st_b);
}

/*
 * If DEST itself is refreshed, the caller has it open for writing too, so no lease can be
 * taken. This replaces the caller's descriptor by one with O_PATH, which does not count
 * as open.
 */
static void let_go(struct lull_job *job, int fd)
{
	int old = job->place ? job->place->old : -1;
	_cleanup_close_ int named = -1;

	if (old < 0 || !are_one(fd, old))
		return;
	named = openat(job->base_dir, job->base_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (named >= 0 && are_one(named, old))
		job->let_go = dup3(named, old, O_CLOEXEC) >= 0;
}

/* Undoes let_go(), because the clone will be a new file: the caller then takes over
   attributes from the old one. */
static void take_again(struct lull_job *job)
{
	_cleanup_close_ int fd = -1;

	if (!job->let_go)
		return;
	job->let_go = false;
	fd = openat(job->base_dir, job->base_name, O_WRONLY | LULL_OPEN_WARILY);
	if (fd >= 0 && are_one(fd, job->place->old))
		(void)dup3(fd, job->place->old, O_CLOEXEC);
}

/* Decides whether fd, which must be open only for reading, may be refreshed. *ret_spared:
   it is left alone, and a full clone is made. */
static enum lull_outcome judge_use(struct lull_job *job, int fd, bool *ret_spared)
{
	enum lull_inode_use use;

	let_go(job, fd);
	use = lull_inode_use(fd);
	/* A program that writes to DEST would go on with a file that has lost its name.
	   Another lullcp that waits for the lock of DEST has it open as well, but does
	   not write. */
	if (use == LULL_INODE_WRITTEN && !job->options->base &&
	    lull_source_is_written(fd))
		return refuse(job, LULL_CAUSE_OPEN_FOR_WRITING, EBUSY);
	*ret_spared = use != LULL_INODE_UNUSED;
	if (*ret_spared) {
		take_again(job);
		warn_spared(job, why_not(use));
	}
	return LULL_OK;
}

static enum lull_outcome open_base(struct lull_job *job, int access, int *ret_fd)
{
	_cleanup_close_ int fd = openat(job->base_dir, job->base_name,
					access | LULL_OPEN_WARILY);
	enum lull_outcome outcome;

	if (fd < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	outcome = judge(job, fd);
	if (outcome == LULL_OK)
		*ret_fd = lull_steal_fd(&fd);
	return outcome;
}

enum lull_outcome lull_refresh_open(struct lull_job *job)
{
	enum lull_outcome outcome;
	bool spared = false;
	int r;

	if (!job->options->base && !job->dest.exists) {
		lull_warn(job, LULL_WARNING_NO_BASE, 0, job->progress->dest);
		return LULL_OK;
	}
	if (job->dest.in_place || job->dest.target >= 0) {
		/* DEST keeps its name, and its contents until the exchange. */
		int dest = job->dest.in_place ? job->dest.fd : job->dest.target;

		/* Check this before DEST gets the size of the source. */
		if (lull_inode_is_nocow(job->src) != lull_inode_is_nocow(dest))
			return lull_fail(job, LULL_STAGE_PROBE, LULL_CAUSE_NOCOW_MISMATCH,
					 EINVAL, job->progress->dest);
		job->refresh_in_place = job->dest.in_place;
		if (shares_nothing(job, dest))
			lull_warn(job, LULL_WARNING_NOT_A_CLONE, 0, job->progress->dest);
		return LULL_OK;
	}
	r = locate(job);
	if (r == -ENOENT && job->base_used_up) {
		lull_warn(job, LULL_WARNING_NO_BASE, 0, job->options->base);
		return LULL_OK;
	}
	if (r < 0)
		return refuse(job,
			      r == -ESTALE ? LULL_CAUSE_PATH_ELSEWHERE : LULL_CAUSE_ERRNO,
			      r);

	_cleanup_close_ int fd = -1;

	outcome = open_base(job, O_RDONLY, &fd);
	if (outcome == LULL_OK)
		outcome = judge_use(job, fd, &spared);
	if (outcome != LULL_OK || spared)
		return outcome;
	/* The lease tells readers from writers only without this descriptor. Close it
	   first, because it holds the lock. */
	lull_close(&fd);
	outcome = open_base(job, O_RDWR, &fd);
	if (outcome != LULL_OK)
		return outcome;
	if (shares_nothing(job, fd))
		lull_warn(job, LULL_WARNING_NOT_A_CLONE, 0, older(job));
	job->base = lull_steal_fd(&fd);
	return LULL_OK;
}

void lull_refresh_forgo(struct lull_job *job)
{
	job->refresh_in_place = false;
	if (job->base < 0)
		return;
	if (job->options->base)
		warn_spared(job, EOPNOTSUPP);
	lull_close(&job->base);
	take_again(job);
}

/* Leaves the older clone alone at the last moment. A full clone is made, in the file that
   has been the lock. */
static enum lull_outcome spare(struct lull_job *job, int why)
{
	struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	warn_spared(job, why);
	lull_close(&job->base);
	take_again(job);
	if (fstat(job->dest.fd, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_DEST, errno, job->dest.path);
	c->refresh = c->used_up = false;
	c->dest_inode = st.st_ino;
	c->dest_generation = lull_inode_generation(job->dest.fd);
	return lull_record_save(job);
}

/* Makes the older clone a temporary file, which must be the caller's: resume refuses one
   of somebody else. Its mode keeps others from opening it from now on, because its bytes
   will change. */
static int take(struct lull_job *job)
{
	struct stat st;

	if (fstat(job->base, &st) < 0 ||
	    (st.st_uid != geteuid() && fchown(job->base, geteuid(), getegid()) < 0))
		return -errno;
	return fchmod(job->base, 0600) < 0 ? -errno : 0;
}

/* Restores owner and mode as they are recorded. A run that was cut off here may have
   changed them. */
static void give_back(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	if (c->owner != geteuid() && fchown(job->base, c->owner, c->group) < 0)
		lull_warn(job, LULL_WARNING_OWNER_LOST, errno, job->base_path);
	else
		(void)fchmod(job->base, c->mode);
}

enum lull_outcome lull_refresh_adopt(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	int r, why;

	errno = ESTALE;
	if (!lull_inode_is_named(job->base, job->base_dir, job->base_name))
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	/* Do this before the rename: if it is forbidden, nothing else may happen. */
	r = take(job);
	why = r < 0 ? 0 : why_not(lull_inode_use(job->base));
	/* The older clone replaces the empty file that has been the lock. */
	if (r == 0 && why == 0 &&
	    renameat(job->base_dir, job->base_name, dest->dir, dest->temporary) < 0) {
		r = -errno;
		/* It is on another file system, or on XFS in another project (chattr
		   +P). */
		if (r == -EXDEV)
			why = EXDEV;
	}
	if (r < 0 || why != 0) {
		give_back(job);
		return why != 0 ? spare(job, why) : refuse(job, LULL_CAUSE_ERRNO, r);
	}
	(void)close(dest->lock);
	dest->lock = job->base;
	dest->fd = job->base;
	dest->created = false;
	job->base = -1;
	job->state = LULL_JOB_ADOPTED;
	if (fsync(dest->dir) < 0 || fsync(job->base_dir) < 0)
		return lull_fail_errno(job, LULL_STAGE_SYNC, errno, dest->path);
	return LULL_OK;
}
