// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The order of steps of a clone, and what is left behind at each way out:
 *
 *   1. open the source, resolve the destination, match them     nothing
 *   2. lock (creates the temporary file), find a checkpoint     nothing new
 *   3. flush the source, probe with one block                   nothing new
 *   4. one call, if the file fits one                           nothing new
 *   5. record; freeze; reference; pass; compare; thaw           temporary file + checkpoint
 *   6. sync, record "complete", mode                            the same, publishable
 *   7. rename, sync the directory, remove the checkpoint        the new DEST
 *
 * "nothing new" is an empty temporary file at the worst, which the next run takes over.
 *
 * INVARIANTS
 *  1. DEST's name changes hands in step 7 only, by one rename.
 *  2. Step 6 is reached only if the comparison held, or one call did it all.
 *  3. What can be resumed is kept (signal, stop, a source that was written to); what failed
 *     is removed, unless it was there before this run.
 */
#include "engine/clone.h"
#include "engine/copy.h"
#include "engine/dest.h"
#include "engine/freeze.h"
#include "engine/job.h"
#include "engine/methods.h"
#include "engine/pass.h"
#include "engine/record.h"
#include "engine/refresh.h"
#include "engine/source.h"
#include "engine/start.h"
#include "sys/clock.h"
#include "sys/clone.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>

/* How often to look whether the lock is free. */
#define LOCK_LOOK_NS (50 * NSEC_PER_MSEC)

static enum lull_outcome take_lock(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	uint64_t since = lull_clock_now();

	for (;;) {
		int r = lull_dest_lock(dest);

		if (r == 0)
			return LULL_OK;
		if (r == -EEXIST)
			return lull_fail(job, LULL_STAGE_LOCK, LULL_CAUSE_TEMPORARY_IN_THE_WAY, 0,
					 dest->temporary);
		if (r != -EWOULDBLOCK)
			return lull_fail(job, LULL_STAGE_CREATE,
					 lull_clone_classify(-r, -1, -1, 0, 0), r,
					 job->progress->dest);
		if (lull_clock_now() - since >= job->options->lock_wait_ns)
			return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK, LULL_CAUSE_ERRNO, 0,
					job->progress->dest);
		if (lull_should_stop(job))
			return LULL_INTERRUPTED;
		lull_tell(job);
		lull_clock_sleep(LOCK_LOOK_NS);
	}
}

static enum lull_outcome sync_failed(struct lull_job *job, enum lull_stage stage, int r)
{
	return lull_fail(job, stage, lull_clone_classify(-r, -1, -1, 0, 0), r, job->dest.path);
}

/* Steps 6 and 7. */
static enum lull_outcome publish(struct lull_job *job)
{
	int r = lull_dest_finish(job);

	if (r < 0)
		return sync_failed(job, LULL_STAGE_SYNC, r);
	if (job->recorded && job->checkpoint.phase != LULL_PHASE_COMPLETE &&
	    !job->options->no_sync) {
		job->checkpoint.phase = LULL_PHASE_COMPLETE;
		job->checkpoint.offset = job->checkpoint.dest_size;

		enum lull_outcome outcome = lull_record_save(job);

		if (outcome != LULL_OK)
			return outcome;
	}
	r = lull_dest_publish(job);
	if (r < 0)
		return sync_failed(job, LULL_STAGE_PUBLISH, r);
	/* The checkpoint of a failed thaw stays: lullcp --recover needs it. */
	if (job->thaw_failed) {
		job->result->kept = true;
		return LULL_THAW_FAILED;
	}
	if (job->recorded)
		lull_record_remove(job);
	if (job->dest.in_place && (r = lull_dest_remove(&job->dest)) < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
	return LULL_OK;
}

/* Invariant 3. */
static void settle(struct lull_job *job, enum lull_outcome outcome)
{
	struct lull_checkpoint *c = &job->checkpoint;
	bool resumable = outcome == LULL_STOPPED || outcome == LULL_INTERRUPTED ||
			 outcome == LULL_WRITTEN || job->had_content || job->adopted;
	bool begun = c->has_reference || job->adopted;
	int r;

	if (job->result->published || job->dest.lock < 0)
		return;
	if (!job->owned) {
		if (job->dest.created)
			(void)lull_dest_remove(&job->dest);
		if (job->dest.in_place && job->dest.fd >= 0 && !job->dest.exists)
			(void)unlinkat(job->dest.dir, job->dest.name, 0);
		return;
	}
	if (job->recorded && ((resumable && begun) || job->thaw_failed)) {
		bool whole = c->phase == LULL_PHASE_COMPLETE;
		bool durable = fdatasync(job->dest.fd) == 0;

		if (durable && !whole && lull_reference_equal(&c->reference, &job->reference) &&
		    job->progress->offset > c->offset)
			c->offset = job->progress->offset;
		(void)lull_record_save(job);
		job->result->kept = resumable && begun;
		if (job->dest.in_place)
			lull_warn(job, LULL_WARNING_IN_PLACE, 0, job->dest.path);
		return;
	}
	if (job->recorded)
		lull_record_remove(job);
	if (job->dest.in_place && job->dest.fd >= 0) {
		if (!job->dest.exists)
			(void)unlinkat(job->dest.dir, job->dest.name, 0);
		else if (job->emptied)
			lull_warn(job, LULL_WARNING_IN_PLACE, 0, job->dest.path);
	}
	r = lull_dest_remove(&job->dest);
	if (r < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
}

/* Another lullcp may have published DEST since the caller has looked; a rename takes nothing
   from anybody else then. */
static bool may_be_replaced(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	return !job->options->in_place &&
	       (!dest->exists || (dest->old.st_uid == geteuid() && dest->old.st_nlink == 1));
}

/* What the path leads to is what the caller has opened and looked at. */
static bool is_in_place(const struct lull_job *job)
{
	const struct lull_place *place = job->place;
	struct stat wanted, found;
	bool same = (place->old >= 0) == job->dest.exists &&
		    (place->old < 0 ||
		     (fstat(place->old, &wanted) == 0 && wanted.st_ino == job->dest.old.st_ino &&
		      wanted.st_dev == job->dest.old.st_dev));

	if (!same && !may_be_replaced(job))
		return false;
	return place->dir < 0 ||
	       (fstatat(place->dir, "", &wanted, AT_EMPTY_PATH) == 0 &&
		fstat(job->dest.dir, &found) == 0 && wanted.st_ino == found.st_ino &&
		wanted.st_dev == found.st_dev);
}

static enum lull_outcome resolve(struct lull_job *job, const char *path)
{
	struct lull_dest *dest = &job->dest;
	enum lull_stage stage;
	enum lull_cause cause;
	int r = lull_dest_resolve(dest, path, job->options->checkpoint, &stage, &cause);

	if (r < 0)
		return lull_fail(job, stage, cause, r,
				 stage == LULL_STAGE_CHECKPOINT && job->options->checkpoint
					 ? job->options->checkpoint
					 : path);
	if (job->place && !is_in_place(job))
		return lull_fail(job, LULL_STAGE_CREATE, LULL_CAUSE_ERRNO, ESTALE, path);
	job->result->dest = strdup(dest->path);
	dest->in_place = job->options->in_place;
	if (dest->exists && dest->old.st_nlink > 1 && !dest->in_place) {
		dest->in_place = true;
		lull_warn(job, LULL_WARNING_HARD_LINKS, 0, path);
	}
	return LULL_OK;
}

static enum lull_outcome copy(struct lull_job *job)
{
	enum lull_outcome outcome = LULL_OK;

	job->copies = true;
	/* A file system that cannot clone cannot drain by a clone either. */
	if (job->dest.scratch >= 0)
		(void)close(job->dest.scratch);
	job->dest.scratch = -1;
	if (!job->hook && !job->had_content && lull_copy_is_short(job))
		return lull_copy_whole(job);
	if (!job->resumed)
		outcome = lull_record_begin(job);
	if (outcome != LULL_OK)
		return outcome;
	return job->hook ? lull_method_frozen(job) : lull_method_copy(job);
}

static enum lull_outcome clone(struct lull_job *job)
{
	enum lull_outcome outcome;
	int r;

	/* First of all what is dirty: the map tells the truth after it, and no call has to write
	   it out while it holds the locks. */
	r = lull_tripwire_flush(job->src);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r, job->source);
	if (!job->hook && !job->had_content && lull_pass_fits_one_call(job))
		return lull_method_single(job);
	outcome = lull_start_probe(job);
	if (outcome == LULL_OK && !job->resumed)
		outcome = lull_record_begin(job);
	if (outcome != LULL_OK)
		return outcome;
	return job->hook ? lull_method_frozen(job) : lull_method_unfrozen(job);
}

static enum lull_outcome run(struct lull_job *job, const char *path)
{
	enum lull_outcome outcome = lull_source_open(job);

	if (outcome == LULL_OK)
		outcome = resolve(job, path);
	if (outcome == LULL_OK)
		outcome = lull_source_match(job);
	/* A hook that cannot be understood must be heard of before anything is made. */
	if (outcome == LULL_OK)
		outcome = lull_freeze_prepare(job);
	if (outcome == LULL_OK)
		outcome = take_lock(job);
	if (outcome != LULL_OK)
		return outcome;

	int r = lull_dest_open(&job->dest);

	if (r == -EWOULDBLOCK)
		return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK, LULL_CAUSE_ERRNO, 0, path);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CREATE, lull_clone_classify(-r, -1, -1, 0, 0), r,
				 path);
	outcome = lull_record_find(job);
	if (outcome == LULL_OK && !job->hook)
		outcome = lull_freeze_prepare(job);
	if (outcome == LULL_OK && job->options->refresh && !job->resumed)
		outcome = lull_refresh_open(job);
	if (outcome == LULL_OK && job->options->cp.reflink == LULL_REFLINK_NEVER)
		outcome = copy(job);
	else if (outcome == LULL_OK)
		outcome = clone(job);
	if (outcome == LULL_FAILED && lull_copy_may_help(job))
		outcome = copy(job);
	if (outcome == LULL_OK)
		outcome = publish(job);
	return outcome;
}

enum lull_outcome lull_clone(const struct lull_options *options, const char *source,
			     const char *dest, const struct lull_observer *observer,
			     struct lull_result *ret_result)
{
	return lull_clone_at(options, source, dest, NULL, observer, ret_result);
}

enum lull_outcome lull_clone_at(const struct lull_options *options, const char *source,
				const char *dest, const struct lull_place *place,
				const struct lull_observer *observer,
				struct lull_result *ret_result)
{
	struct lull_job job = {
		.options = options,
		.observer = observer,
		.result = ret_result,
		.progress = &ret_result->progress,
		.started = lull_clock_now(),
		.place = place,
		.source = source,
		.src = -1,
		.live = -1,
		.base = -1,
		.base_dir = -1,
	};
	enum lull_outcome outcome;

	*ret_result = (struct lull_result){
		.progress = {
			.source = source,
			.dest = dest,
			.budget_ns = options->latency_budget_ns,
		},
		.hist = calloc(1, sizeof(struct lull_hist)),
	};
	job.progress->hist = ret_result->hist;
	lull_dest_init(&job.dest);
	lull_identity_run_id(ret_result->run_id);

	outcome = ret_result->hist ? run(&job, dest)
				   : lull_fail(&job, LULL_STAGE_NONE, LULL_CAUSE_ERRNO, ENOMEM,
					       source);
	settle(&job, outcome);
	job.progress->elapsed_ns = lull_clock_now() - job.started;

	lull_keeper_free(job.keeper);
	lull_hook_free(job.hook);
	lull_checkpoint_done(&job.checkpoint);
	lull_dest_done(&job.dest);
	free(job.source_path);
	free(job.base_path);
	if (job.base >= 0)
		(void)close(job.base);
	if (job.base_dir >= 0)
		(void)close(job.base_dir);
	if (job.src >= 0)
		(void)close(job.src);
	return outcome;
}
