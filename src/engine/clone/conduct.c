// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The steps in order, and what is left if the run ends there. All files of the set take a
 * step before any takes the next:
 *
 *   1. open the sources, resolve the destinations, match them   nothing          claim.c
 *   2. lock (creates the temporary files), find a checkpoint    nothing new      resume.c
 *   3. flush the sources, probe with one block; record          nothing new      start.c
 *      one call, if the only file fits one: then step 6         nothing new
 *   4. passes while writers run, side by side                   temporary files  frozen.c
 *   5. freeze once; a reference of each; the passes, side by    and checkpoint
 *      side; each compared; thaw once
 *      what changes the clone: place.h
 *   6. make each what its DEST must be, sync it, record         the same,        dest.c
 *      "complete" for all in one step                           publishable
 *   7. rename one after the other, sync the directories,        the new DESTs
 *      remove the checkpoint. In place and whole: swap.h
 *
 * "nothing new" means at most empty temporary files, which the next run takes over.
 *
 * The states of the file that a job writes, and what the file has in it (enum
 * lull_job_state):
 *
 *   LOOKING     step 2  EMPTY       the temporary file is new, or an empty leftover
 *               step 2  DISCARDING  a leftover, or a clone that is given up
 *               step 2  FOUND       a clone that an earlier run began, and that goes on
 *               step 2  WHOLE       one that it completed: only names are missing
 *               step 2  NAMED       one that has its name already
 *   DISCARDING  step 2  EMPTY       all of it is gone
 *   EMPTY       step 4  ADOPTED     an older clone has become the file, to be refreshed,
 *                                   or DEST is it, in place
 *               step 4  BEGUN       the first clone call is next
 *   FOUND, ADOPTED, BEGUN and WHOLE keep their state when they get their name in step 7
 *
 * Every way out goes through settle(), which decides by the outcome and the states.
 *
 * INVARIANTS
 *  1. DEST's name changes hands only in step 7, by one rename. In a set, no name does
 *     before all clones are whole, on disk, and recorded as such.
 *  2. Step 6 is reached only if the references are equal, or one call cloned the whole
 *     file.
 *  3. A clone that can be resumed is kept (signal, stop, a source that was written to). A
 *     clone that failed is removed, unless it was there before this run. If one file of a
 *     set fails, all fail.
 *  4. No file system can rename several files at once. If a run is cut off in step 7,
 *     some DESTs are new and some are old. The checkpoint says so and stays until all are
 *     new, and --resume finishes the step.
 */
#include "engine/clone/conduct.h"

#include "engine/base/place.h"
#include "engine/clone/claim.h"
#include "engine/clone/copy.h"
#include "engine/clone/delta.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/freeze_hook.h"
#include "engine/clone/frozen.h"
#include "engine/clone/methods.h"
#include "engine/clone/pass.h"
#include "engine/clone/record.h"
#include "engine/clone/refresh.h"
#include "engine/clone/resume.h"
#include "engine/clone/rotation.h"
#include "engine/clone/set_resume.h"
#include "engine/clone/shrink.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/start.h"
#include "engine/clone/untouched.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static bool is_alone(const struct lull_clones *clones)
{
	return clones->n == 1;
}

/* ---- step 2 ---- */

static int by_path(const void *a, const void *b)
{
	const struct lull_job *const *x = a, *const *y = b;

	return strcmp((*x)->dest.path, (*y)->dest.path);
}

/*
 * Locks in the order of the absolute paths, whatever the order of the command. So two
 * runs whose sets overlap cannot each hold a lock that the other waits for.
 */
static enum lull_outcome lock(struct lull_clones *clones)
{
	struct lull_job *sorted[LULL_CHECKPOINT_MOST];
	enum lull_outcome outcome = LULL_OK;

	memcpy(sorted, clones->jobs, clones->n * sizeof(struct lull_job *));
	qsort(sorted, clones->n, sizeof(struct lull_job *), by_path);
	for (unsigned int i = 0; i < clones->n && outcome == LULL_OK; i++)
		outcome = lull_clones_blame(clones, sorted[i],
					    lull_claim_lock(sorted[i]));
	return outcome;
}

static enum lull_outcome prepare_hook(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];

	return clones->freeze.hook ? LULL_OK
				   : lull_clones_blame(clones, first,
						       lull_freeze_hook_prepare(first));
}

static enum lull_outcome find_one(struct lull_job *job)
{
	enum lull_outcome outcome = job->rotation ? lull_rotation_open(job) : LULL_OK;

	if (outcome == LULL_OK)
		outcome = lull_resume_find(job);
	if (outcome == LULL_OK)
		lull_snapshot_clear(job);
	/* This checkpoint belongs to a clone that was given up. A clone that will be
	   altered has none. */
	if (outcome == LULL_OK && job->recorded && lull_place_alters(job->place))
		lull_record_remove(job);
	return outcome == LULL_OK && job->rotation ? lull_rotation_name(job) : outcome;
}

/* Only a hook can make clones of several files point-in-time together. */
static enum lull_outcome demand_hook(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];

	if (is_alone(clones) || clones->freeze.hook)
		return LULL_OK;
	return lull_clones_blame(clones, first,
				 lull_fail(first, LULL_STAGE_HOOK,
					   LULL_CAUSE_HOOK_MISSING, 0,
					   first->dest.checkpoint_path));
}

static enum lull_outcome open_older(struct lull_job *job)
{
	return job->options->refresh && !job->resumed ? lull_refresh_open(job) : LULL_OK;
}

static enum lull_outcome find(struct lull_clones *clones)
{
	enum lull_outcome outcome = is_alone(clones) ? lull_clones_each(clones, find_one)
						     : lull_set_resume(clones);

	if (outcome != LULL_OK || clones->whole)
		return outcome;
	/* The checkpoint may name the hook of a freeze that was left in force. */
	outcome = prepare_hook(clones);
	if (outcome == LULL_OK)
		outcome = demand_hook(clones);
	return outcome == LULL_OK ? lull_clones_each(clones, open_older) : outcome;
}

/* ---- steps 3 to 5 ---- */

static enum lull_outcome begin(struct lull_job *job)
{
	enum lull_outcome outcome = job->copies ? LULL_OK : lull_start_probe(job);

	/* For a single file, make() calls lull_copy_may_help(). It then begins again,
	   because a single file may be copied without a checkpoint. */
	if (outcome == LULL_FAILED && job->shared && lull_copy_may_help(job)) {
		lull_copy_choose(job);
		outcome = LULL_OK;
	}
	return outcome == LULL_OK && !job->resumed ? lull_record_begin(job) : outcome;
}

/* Writes one checkpoint for all files, and a pointer to it where each file's own
   checkpoint would be. */
static enum lull_outcome record(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	enum lull_outcome outcome = LULL_OK;
	int r;

	if (is_alone(clones))
		return LULL_OK;
	if (!lull_set_keep_run(clones))
		outcome = lull_fail_errno(first, LULL_STAGE_CHECKPOINT, ENOMEM,
					  first->dest.checkpoint_path);
	if (outcome == LULL_OK)
		outcome = lull_record_save_all(clones->jobs, clones->n);
	if (outcome != LULL_OK)
		return lull_clones_blame(clones, first, outcome);
	r = lull_set_record_point(clones->jobs, clones->n, &first);
	return r == 0 ? LULL_OK
		      : lull_clones_blame(clones, first,
					  lull_fail_errno(first, LULL_STAGE_CHECKPOINT, r,
							  first->dest.checkpoint_path));
}

/* Writes out dirty pages first. After that the map is correct, and no call has to write
   them while it holds the locks. */
static enum lull_outcome flush(struct lull_job *job)
{
	int r = job->copies ? 0 : lull_flush_source(job);

	return r < 0 ? lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source) : LULL_OK;
}

/* Returns true if the file needs neither a checkpoint nor a freeze: one call clones it,
   or one short copy. */
static bool is_short(struct lull_job *job)
{
	if (job->freeze->hook || job->state == LULL_JOB_FOUND)
		return false;
	return job->copies
		       ? lull_copy_is_short(job)
		       : lull_clone_is_atomic(job->src) && lull_pass_fits_one_call(job);
}

static enum lull_outcome make_short(struct lull_job *job)
{
	enum lull_outcome outcome;
	bool torn;

	if (!job->copies)
		return lull_method_single(job);
	outcome = lull_copy_whole(job, &torn);
	return outcome == LULL_OK && torn ? lull_method_torn(job) : outcome;
}

static enum lull_outcome make_once(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	enum lull_outcome outcome = lull_clones_each(clones, flush);

	if (outcome == LULL_OK && is_alone(clones) && is_short(first))
		return lull_clones_blame(clones, first, make_short(first));
	if (outcome == LULL_OK && is_alone(clones) && !clones->freeze.hook &&
	    lull_delta_suits(first)) {
		bool done;

		outcome = lull_clones_blame(clones, first,
					    lull_delta_clone(first, &done));
		if (outcome != LULL_OK || done)
			return outcome;
	}
	if (outcome == LULL_OK)
		outcome = lull_clones_each(clones, begin);
	if (outcome == LULL_OK)
		outcome = record(clones);
	if (outcome != LULL_OK)
		return outcome;
	if (clones->freeze.hook)
		return lull_frozen_clone(clones);
	return lull_clones_blame(clones, first,
				 first->copies ? lull_method_copy(first)
					       : lull_method_unfrozen(first));
}

static enum lull_outcome make(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	enum lull_outcome outcome;

	for (unsigned int i = 0; i < clones->n; i++) {
		if (clones->options->cp.reflink == LULL_REFLINK_NEVER)
			lull_copy_choose(clones->jobs[i]);
	}
	outcome = make_once(clones);
	if (outcome != LULL_FAILED || !is_alone(clones) || !lull_copy_may_help(first))
		return outcome;
	lull_copy_choose(first);
	clones->culprit = NULL;
	return make_once(clones);
}

static enum lull_outcome alter(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	const struct lull_place *place = first->place;

	if (!is_alone(clones) || !lull_place_alters(place))
		return LULL_OK;
	return lull_clones_blame(clones, first, place->alter(first, place->ctx));
}

/* ---- steps 6 and 7 ---- */

static enum lull_outcome sync_failed(struct lull_clones *clones, struct lull_job *job,
				     enum lull_stage stage, int r)
{
	enum lull_cause cause = stage == LULL_STAGE_PUBLISH && job->result->published
					? LULL_CAUSE_NAME_UNSYNCED
					: lull_clone_classify(-r, -1, job->dest.fd, 0, 0);

	return lull_clones_blame(clones, job,
				 lull_fail(job, stage, cause, r, job->dest.path));
}

static enum lull_outcome complete(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];

	for (unsigned int i = 0; i < clones->n; i++) {
		int r = lull_dest_finish(clones->jobs[i]);

		if (r < 0)
			return sync_failed(clones, clones->jobs[i], LULL_STAGE_SYNC, r);
	}
	if (!first->recorded || first->checkpoint.phase == LULL_PHASE_COMPLETE ||
	    clones->options->no_sync)
		return LULL_OK;
	/* A later run that only has to rename must find the files in the state that is
	   recorded now. */
	for (unsigned int i = 0; i < clones->n && !is_alone(clones); i++)
		lull_untouched_settle(clones->jobs[i]->dest.fd);
	for (unsigned int i = 0; i < clones->n; i++) {
		struct lull_checkpoint *c = &clones->jobs[i]->checkpoint;

		c->phase = LULL_PHASE_COMPLETE;
		c->offset = c->dest_size;
	}
	return lull_clones_blame(clones, first,
				 lull_record_save_all(clones->jobs, clones->n));
}

static bool is_named(const struct lull_job *job)
{
	return job->state == LULL_JOB_NAMED || job->result->published;
}

static unsigned int count_named(const struct lull_clones *clones)
{
	unsigned int named = 0;

	for (unsigned int i = 0; i < clones->n; i++)
		named += is_named(clones->jobs[i]);
	return named;
}

static enum lull_outcome name_all(struct lull_clones *clones)
{
	int r = 0;

	/* Check what can be checked before the first rename, rather than fail half
	   way. */
	for (unsigned int i = 0; i < clones->n; i++) {
		if (!is_named(clones->jobs[i]))
			r = lull_dest_may_rename(clones->jobs[i]);
		if (r < 0)
			return sync_failed(clones, clones->jobs[i], LULL_STAGE_PUBLISH,
					   r);
	}
	for (unsigned int i = 0; i < clones->n; i++) {
		struct lull_job *job = clones->jobs[i];

		if (is_named(job)) {
			job->result->published = true;
			continue;
		}
		r = lull_dest_rename(job);
		if (r < 0 && count_named(clones) > 0)
			return lull_clones_blame(clones, job,
						 lull_fail(job, LULL_STAGE_PUBLISH,
							   LULL_CAUSE_PARTLY_PUBLISHED, r,
							   job->dest.path));
		if (r < 0)
			return sync_failed(clones, job, LULL_STAGE_PUBLISH, r);
	}
	for (unsigned int i = 0; i < clones->n && !clones->options->no_sync; i++) {
		if (fsync(clones->jobs[i]->dest.dir) < 0)
			return sync_failed(clones, clones->jobs[i], LULL_STAGE_PUBLISH,
					   -errno);
	}
	return LULL_OK;
}

static enum lull_outcome name_one(struct lull_clones *clones)
{
	struct lull_job *job = clones->jobs[0];
	int r = job->rotation ? lull_rotation_publish(job) : lull_dest_publish(job);

	if (r == -EBUSY && job->dest.target >= 0 && !job->result->published)
		return lull_clones_blame(clones, job,
					 lull_end(job, LULL_STOPPED, LULL_STAGE_PUBLISH,
						  LULL_CAUSE_DEST_CHANGED, r,
						  job->dest.path));
	return r < 0 ? sync_failed(clones, job, LULL_STAGE_PUBLISH, r) : LULL_OK;
}

static void forget_record(struct lull_clones *clones)
{
	if (is_alone(clones))
		lull_record_remove(clones->jobs[0]);
	else
		lull_set_record_remove(clones->jobs, clones->n);
}

static void remove_lock(struct lull_job *job)
{
	int r = lull_dest_remove(&job->dest);

	if (r < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
}

static enum lull_outcome publish(struct lull_clones *clones)
{
	enum lull_outcome outcome = is_alone(clones) ? name_one(clones)
						     : name_all(clones);

	if (outcome != LULL_OK)
		return outcome;
	/* After a failed thaw the checkpoint stays: lullcp --recover needs it. */
	if (clones->freeze.thaw_failed) {
		clones->jobs[0]->result->kept = true;
		return LULL_THAW_FAILED;
	}
	if (clones->jobs[0]->recorded)
		forget_record(clones);
	else
		lull_record_sweep(clones->jobs[0]);
	for (unsigned int i = 0; i < clones->n; i++) {
		const struct lull_dest *dest = &clones->jobs[i]->dest;

		/* This is only the lock, or the old contents of DEST. */
		if (dest->in_place || dest->target >= 0)
			remove_lock(clones->jobs[i]);
	}
	return LULL_OK;
}

/* ---- every way out: invariant 3 ---- */

/* Removes only what this run has made, because it could not take the file over. */
static void leave(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;

	if (dest->lock < 0)
		return;
	if (dest->created)
		(void)lull_dest_remove(dest);
	if (dest->in_place && !dest->exists && lull_dest_has_name(dest))
		(void)unlinkat(dest->dir, dest->name, 0);
}

/*
 * Empties a file that will be removed, in steps. If the run is asked to end meanwhile,
 * the kernel frees the rest at once when the name is removed.
 */
static void empty(struct lull_job *job, int fd)
{
	enum lull_outcome outcome = lull_shrink(job, fd, 0);

	(void)outcome;
}

static void give_up(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;

	/* If the file has its name, only a lock is left. If somebody has renamed the
	   file, it is theirs. */
	if (dest->in_place && !is_named(job) && lull_dest_has_name(dest)) {
		if (!dest->exists) {
			empty(job, dest->fd);
			(void)unlinkat(dest->dir, dest->name, 0);
		} else if (job->emptied) {
			lull_warn(job, LULL_WARNING_IN_PLACE, dest->no_target,
				  dest->path);
		}
	}
	if (lull_dest_is_there(dest))
		empty(job, dest->lock);
	remove_lock(job);
}

static bool any_is(const struct lull_clones *clones, enum lull_job_state state)
{
	for (unsigned int i = 0; i < clones->n; i++) {
		if (clones->jobs[i]->state == state)
			return true;
	}
	return false;
}

/* Returns true if another run can go on from what is there. */
static bool is_resumable(const struct lull_clones *clones, enum lull_outcome outcome)
{
	bool worth = outcome == LULL_STOPPED || outcome == LULL_INTERRUPTED ||
		     outcome == LULL_WRITTEN || any_is(clones, LULL_JOB_FOUND) ||
		     any_is(clones, LULL_JOB_ADOPTED) || clones->whole;
	bool begun = lull_frozen_has_begun(clones) || any_is(clones, LULL_JOB_ADOPTED) ||
		     clones->whole;

	return worth && begun && !lull_place_alters(clones->jobs[0]->place);
}

/* Returns true if DEST itself has become the temporary file, and this run leaves it
   so. */
static bool is_away(const struct lull_job *job)
{
	return job->checkpoint.refresh && !job->checkpoint.used_up && !job->rotation &&
	       (job->state == LULL_JOB_ADOPTED || job->state == LULL_JOB_FOUND);
}

static void keep(struct lull_clones *clones, bool resumable)
{
	for (unsigned int i = 0; i < clones->n; i++) {
		struct lull_job *job = clones->jobs[i];

		job->result->kept = job->result->kept || resumable || !is_alone(clones);
		if (!clones->whole && count_named(clones) == 0)
			lull_record_reached(job);
	}
	if (!clones->whole && count_named(clones) == 0)
		(void)lull_record_save_all(clones->jobs, clones->n);
	for (unsigned int i = 0; i < clones->n; i++) {
		struct lull_job *job = clones->jobs[i];

		/* A file that has its final name only holds the lock. */
		if (is_named(job))
			give_up(job);
		else if (job->dest.in_place)
			lull_warn(job, LULL_WARNING_IN_PLACE, job->dest.no_target,
				  job->dest.path);
		else if (is_away(job))
			lull_warn(job, LULL_WARNING_AWAY, 0, job->dest.path);
	}
}

static void settle(struct lull_clones *clones, enum lull_outcome outcome)
{
	struct lull_job *first = clones->jobs[0];
	bool resumable = is_resumable(clones, outcome);

	if (any_is(clones, LULL_JOB_LOOKING)) {
		for (unsigned int i = 0; i < clones->n; i++)
			leave(clones->jobs[i]);
		return;
	}
	if (outcome == LULL_OK) {
		for (unsigned int i = 0; i < clones->n; i++)
			give_up(clones->jobs[i]);
		return;
	}
	/* The next run continues with it. */
	if (any_is(clones, LULL_JOB_DISCARDING)) {
		for (unsigned int i = 0; i < clones->n; i++)
			clones->jobs[i]->result->kept = clones->jobs[i]->recorded;
		return;
	}
	if (first->recorded &&
	    (resumable || clones->freeze.thaw_failed || count_named(clones) > 0)) {
		keep(clones, resumable);
		return;
	}
	if (first->recorded)
		forget_record(clones);
	for (unsigned int i = 0; i < clones->n; i++)
		give_up(clones->jobs[i]);
}

/*
 * Ends a freeze that an earlier run left in force, once this run has taken the clone
 * over. Leaves it in force if this run may do that too, or if another run has frozen the
 * same source, which will thaw it.
 */
static enum lull_outcome end_kept_freeze(struct lull_clones *clones,
					 enum lull_outcome outcome)
{
	struct lull_job *first = clones->jobs[0];

	/* If there is a keeper, frozen.c has ended the freeze or left it in force. */
	if (outcome == LULL_OK || any_is(clones, LULL_JOB_LOOKING) ||
	    !first->checkpoint.frozen || clones->freeze.thaw_failed ||
	    clones->freeze.keeper)
		return outcome;
	if (outcome == LULL_BUSY ||
	    (outcome == LULL_INTERRUPTED && clones->options->keep_frozen)) {
		for (unsigned int i = 0; i < clones->n; i++)
			lull_warn(first, LULL_WARNING_LEFT_FROZEN, 0,
				  clones->jobs[i]->source);
		return outcome;
	}
	if (lull_freeze_undo(first) != LULL_OK)
		clones->culprit = first;
	return outcome;
}

/* Warns if the checkpoint says that writers are frozen. The hook cannot be called, and
   the checkpoint has not been read yet. */
static void look_for_frozen(struct lull_clones *clones)
{
	struct lull_checkpoint *of = NULL;
	unsigned int n = 0;

	if ((!clones->options->resume && !clones->options->restart) ||
	    lull_set_record_find(&clones->jobs[0]->dest, &of, &n) < 0)
		return;
	clones->freeze.thaw_failed = of[0].frozen;
	if (of[0].frozen)
		lull_warn(clones->jobs[0], LULL_WARNING_LEFT_FROZEN, 0,
			  clones->jobs[0]->source);
	lull_checkpoint_free(of, n);
}

/* ---- all steps ---- */

static enum lull_outcome conduct(struct lull_clones *clones)
{
	/* Report a hook that cannot be parsed before any file is made. */
	enum lull_outcome outcome = prepare_hook(clones);

	if (outcome != LULL_OK)
		look_for_frozen(clones);
	if (outcome == LULL_OK)
		outcome = lock(clones);
	if (outcome == LULL_OK)
		outcome = find(clones);
	if (outcome == LULL_OK && !clones->whole)
		outcome = make(clones);
	if (outcome == LULL_OK && !clones->whole)
		outcome = alter(clones);
	if (outcome == LULL_OK && !clones->whole)
		outcome = complete(clones);
	return outcome == LULL_OK ? publish(clones) : outcome;
}

enum lull_outcome lull_conduct(struct lull_clones *clones, enum lull_outcome opened)
{
	enum lull_outcome outcome = opened;

	clones->freeze.n_jobs = clones->n;
	if (opened == LULL_OK)
		outcome = end_kept_freeze(clones, conduct(clones));
	/* A failed thaw must be reported, whatever else has failed. */
	if (clones->freeze.thaw_failed)
		outcome = LULL_THAW_FAILED;
	settle(clones, outcome);
	return outcome;
}
