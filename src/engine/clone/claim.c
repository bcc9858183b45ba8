// SPDX-License-Identifier: MIT
/* Opens the files of two paths and takes the lock: see claim.h. */
#include "engine/clone/claim.h"

#include "engine/base/beside.h"
#include "engine/base/lock_wait.h"
#include "engine/base/place.h"
#include "engine/clone/dest.h"
#include "engine/clone/rotation.h"
#include "engine/clone/source.h"
#include "engine/clone/statehome.h"
#include "engine/clone/swap.h"
#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "util/path.h"

#include <errno.h>
#include <string.h>

enum lull_outcome lull_claim_busy(struct lull_job *job)
{
	return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK, LULL_CAUSE_ERRNO, 0,
			job->progress->dest);
}

/* Returns true if DEST may be replaced even if it is not the file that the caller has
   examined. Another lullcp may have published it since. A rename over a file of the
   caller's with one name takes nothing from anybody else. While the other lullcp renames,
   stat() finds the old file with no link. */
static bool may_be_replaced(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	return !job->options->in_place &&
	       (!dest->exists ||
		(dest->old.st_uid == geteuid() && dest->old.st_nlink <= 1));
}

/* Returns true if the path leads to the file that the caller has opened and examined. */
static bool is_in_place(const struct lull_job *job)
{
	const struct lull_place *place = job->place;
	struct stat wanted, found;
	bool same = (place->old >= 0) == job->dest.exists &&
		    (place->old < 0 || (fstat(place->old, &wanted) == 0 &&
					SAME_INODE(&wanted, &job->dest.old)));

	if (!same && !may_be_replaced(job))
		return false;
	return place->dir < 0 ||
	       (fstatat(place->dir, "", &wanted, AT_EMPTY_PATH) == 0 &&
		fstat(job->dest.dir, &found) == 0 && SAME_INODE(&wanted, &found));
}

/* Others may have put the state there, so it must not stop a run that does not need
   it. */
static void warn_of_passed_over(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	size_t n = job->rotation ? LULL_STATEHOME_SUFFIXES : 1;

	for (size_t i = job->options->checkpoint ? 1 : 0; i < n; i++) {
		_cleanup_free_ char *name = lull_beside(dest->name,
							lull_statehome_suffixes[i]);
		_cleanup_free_ char *path = name ? lull_path_beside(dest->path, name)
						 : NULL;

		if (lull_statehome_is_passed_over(dest, lull_statehome_suffixes[i]) &&
		    path)
			lull_warn(job, LULL_WARNING_STATE_PASSED_OVER, 0, path);
	}
}

/* Returns true if the path of the checkpoint is name in directory dir. */
static bool is_called(const struct lull_dest *dest, int dir, const char *name)
{
	struct stat here, there;

	return strcmp(dest->checkpoint, name) == 0 && fstat(dir, &here) == 0 &&
	       fstat(dest->checkpoint_dir, &there) == 0 && SAME_INODE(&here, &there);
}

/* Returns true if the path of the checkpoint is path. */
static bool is_at(const struct lull_dest *dest, const char *path)
{
	_cleanup_close_ int dir = lull_open_parent(path, O_PATH);

	return dir >= 0 && is_called(dest, dir, lull_path_last(path));
}

/* Returns the file that the checkpoint would overwrite, or NULL. */
static const char *lost_to_checkpoint(const struct lull_job *job, const char *path)
{
	const struct lull_dest *dest = &job->dest;
	_cleanup_free_ char *record = lull_beside(dest->name, ".lullcp-generations");
	const char *base = job->options->base;
	struct stat it, other;
	bool there = fstatat(dest->checkpoint_dir, dest->checkpoint, &it, 0) == 0;

	if (is_called(dest, dest->dir, dest->name) ||
	    (there && dest->exists && SAME_INODE(&it, &dest->old)))
		return path;
	if (there && fstat(job->src, &other) == 0 && SAME_INODE(&it, &other))
		return job->source;
	if (base && (is_at(dest, base) ||
		     (there && stat(base, &other) == 0 && SAME_INODE(&it, &other))))
		return base;
	if (is_called(dest, dest->dir, dest->temporary))
		return dest->temporary;
	if (is_called(dest, dest->dir, dest->snapshot))
		return dest->snapshot;
	if (record && is_called(dest, dest->dir, record))
		return "the record of generations";
	return NULL;
}

/* Runs before any file is made. */
static enum lull_outcome judge_checkpoint(struct lull_job *job, const char *path)
{
	const char *lost = job->options->checkpoint ? lost_to_checkpoint(job, path)
						    : NULL;

	return lost ? lull_fail_between(job, LULL_STAGE_CHECKPOINT,
					LULL_CAUSE_CHECKPOINT_IS_FILE, 0,
					job->options->checkpoint, lost)
		    : LULL_OK;
}

/* The run empties the file that has the name of the temporary file, and makes it the
   clone. So it must not be the source or the base. */
static enum lull_outcome judge_temporary(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	const char *base = job->options->base, *lost = NULL;
	struct stat temporary, other;

	if (fstatat(dest->dir, dest->temporary, &temporary, AT_SYMLINK_NOFOLLOW) < 0)
		return LULL_OK;
	if (fstat(job->src, &other) == 0 && SAME_INODE(&temporary, &other))
		lost = job->source;
	else if (base && stat(base, &other) == 0 && SAME_INODE(&temporary, &other))
		lost = base;
	return lost ? lull_fail_between(job, LULL_STAGE_STAT_DEST,
					LULL_CAUSE_TEMPORARY_IS_FILE, 0, lost,
					job->progress->dest)
		    : LULL_OK;
}

static void warn_of_sidecar(struct lull_job *job, enum lull_warning warning, int dir,
			    const char *path)
{
	const char *name = lull_path_last(path);
	_cleanup_free_ char *sidecar = lull_beside_sidecar(dir, name, name);
	_cleanup_free_ char *whole = sidecar ? lull_path_beside(path, sidecar) : NULL;

	if (whole)
		lull_warn(job, warning, 0, whole);
}

/* With a hook, the freeze takes care of a sidecar. The warning appears even with --quiet:
   otherwise nobody would notice that a nightly clone has stale data until they need
   it. */
static void warn_of_sidecars(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	_cleanup_close_ int dir = lull_open_parent(job->source_path, O_PATH);

	if (job->options->hook)
		return;
	if (dir >= 0)
		warn_of_sidecar(job, LULL_WARNING_SIDECAR, dir, job->source_path);
	if (dest->exists && !job->rotation)
		warn_of_sidecar(job, LULL_WARNING_SIDECAR_OLD, dest->dir, dest->path);
}

static enum lull_outcome resolve(struct lull_job *job, const char *path)
{
	struct lull_dest *dest = &job->dest;
	enum lull_stage stage;
	enum lull_cause cause;
	const struct lull_state_wish wish = {
		.checkpoint = job->options->checkpoint,
		.directory = job->options->state_directory,
		.make = true,
	};
	int r = job->rotation ? lull_dest_resolve_name(dest, path, &wish, &stage, &cause)
			      : lull_dest_resolve(dest, path, &wish, &stage, &cause);

	if (r < 0)
		return lull_fail(job, stage, cause, r,
				 stage == LULL_STAGE_CHECKPOINT &&
						 job->options->checkpoint
					 ? job->options->checkpoint
					 : path);
	if (job->place && !lull_place_alters(job->place) && !is_in_place(job))
		return lull_fail_errno(job, LULL_STAGE_CREATE, ESTALE, path);
	job->result->dest = strdup(dest->path);
	warn_of_passed_over(job);
	dest->in_place = job->options->in_place;
	if (dest->exists && dest->old.st_nlink > 1 && !dest->in_place &&
	    !(job->place && job->place->replaces)) {
		if (lull_place_alters(job->place))
			return lull_fail(job, LULL_STAGE_STAT_DEST,
					 LULL_CAUSE_ONLY_IN_PLACE, EMLINK, path);
		dest->in_place = true;
		lull_warn(job, LULL_WARNING_HARD_LINKS, 0, path);
	}
	lull_swap_choose(job);
	return LULL_OK;
}

enum lull_outcome lull_claim_open(struct lull_job *job, const char *path)
{
	enum lull_outcome outcome = lull_source_open(job);

	if (outcome == LULL_OK && lull_keep_any(&job->options->keep))
		outcome = lull_rotation_begin(job);
	if (outcome == LULL_OK)
		outcome = resolve(job, path);
	if (outcome == LULL_OK)
		outcome = judge_checkpoint(job, path);
	if (outcome == LULL_OK)
		outcome = judge_temporary(job);
	if (outcome == LULL_OK)
		warn_of_sidecars(job);
	return outcome == LULL_OK ? lull_source_match(job) : outcome;
}

static int lock_name(struct lull_job *job)
{
	return lull_dest_lock(&job->dest);
}

/*
 * A file that is written in place, or exchanged, is locked itself, because it may have
 * other names. This also waits for another lullcp that has just published DEST and has
 * not ended.
 */
static int lock_file(struct lull_job *job)
{
	int r = lull_dest_open(&job->dest);

	return r == 0 ? lull_swap_begin(job) : r;
}

/* Calls try until it returns something other than -EWOULDBLOCK, which means that another
   lullcp has the lock. */
static enum lull_outcome wait_for(struct lull_job *job, int (*try)(struct lull_job *job))
{
	struct lull_lock_wait wait = lull_lock_wait_begin(job->options);
	int r;

	while ((r = try(job)) == -EWOULDBLOCK) {
		enum lull_outcome outcome = lull_lock_wait_rest(&wait, job, &job->dest,
								-1);

		if (outcome != LULL_OK)
			return outcome == LULL_BUSY ? lull_claim_busy(job) : outcome;
	}
	if (r == -EEXIST)
		return lull_fail(job, LULL_STAGE_LOCK, LULL_CAUSE_TEMPORARY_IN_THE_WAY, 0,
				 job->dest.temporary);
	return r < 0 ? lull_fail(job, LULL_STAGE_CREATE,
				 lull_clone_classify(-r, -1, job->dest.dir, 0, 0), r,
				 job->progress->dest)
		     : LULL_OK;
}

enum lull_outcome lull_claim_lock(struct lull_job *job)
{
	enum lull_outcome outcome = wait_for(job, lock_name);

	if (outcome != LULL_OK)
		return outcome;
	/* DEST has another name while another run refreshes it, so look at it again.
	   Everything else must be as the caller saw it. */
	if (job->options->refresh && !job->rotation && !job->dest.in_place)
		lull_dest_look_again(&job->dest);
	return wait_for(job, lock_file);
}
