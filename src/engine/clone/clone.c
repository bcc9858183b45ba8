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
#include "engine/clone/clone.h"

#include "engine/base/job.h"
#include "engine/clone/claim.h"
#include "engine/clone/copy.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/job_init.h"
#include "engine/clone/methods.h"
#include "engine/clone/pass.h"
#include "engine/clone/record.h"
#include "engine/clone/refresh.h"
#include "engine/clone/resume.h"
#include "engine/clone/rotation.h"
#include "engine/clone/shrink.h"
#include "engine/clone/start.h"
#include "sys/clock.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>

static enum lull_outcome sync_failed(struct lull_job *job, enum lull_stage stage, int r)
{
	return lull_fail(job, stage, lull_clone_classify(-r, -1, job->dest.fd, 0, 0), r, job->dest.path);
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
	r = job->rotation ? lull_rotation_publish(job) : lull_dest_publish(job);
	if (r < 0)
		return sync_failed(job, LULL_STAGE_PUBLISH, r);
	/* The checkpoint of a failed thaw stays: lullcp --recover needs it. */
	if (job->freeze->thaw_failed) {
		job->result->kept = true;
		return LULL_THAW_FAILED;
	}
	if (job->recorded)
		lull_record_remove(job);
	if (job->dest.in_place && (r = lull_dest_remove(&job->dest)) < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
	return LULL_OK;
}

/*
 * Empties a file that will be removed, as long as nobody wants this run to end; the kernel
 * frees the rest in one go.
 */
static void give_up(struct lull_job *job, int fd)
{
	enum lull_outcome outcome = lull_shrink(job, fd, 0);

	(void)outcome;
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
	/* The next run goes on with it. */
	if (job->discarding) {
		job->result->kept = job->recorded;
		return;
	}
	if (job->recorded && ((resumable && begun) || job->freeze->thaw_failed)) {
		lull_record_reached(job);
		(void)lull_record_save(job);
		job->result->kept = resumable && begun;
		if (job->dest.in_place)
			lull_warn(job, LULL_WARNING_IN_PLACE, 0, job->dest.path);
		return;
	}
	if (job->recorded)
		lull_record_remove(job);
	if (job->dest.in_place && job->dest.fd >= 0) {
		if (!job->dest.exists) {
			give_up(job, job->dest.fd);
			(void)unlinkat(job->dest.dir, job->dest.name, 0);
		} else if (job->emptied) {
			lull_warn(job, LULL_WARNING_IN_PLACE, 0, job->dest.path);
		}
	}
	if (lull_dest_is_there(&job->dest))
		give_up(job, job->dest.lock);
	r = lull_dest_remove(&job->dest);
	if (r < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
}

static enum lull_outcome copy_file(struct lull_job *job)
{
	enum lull_outcome outcome = LULL_OK;
	bool torn;

	lull_copy_choose(job);
	if (!job->freeze->hook && !job->had_content && lull_copy_is_short(job)) {
		outcome = lull_copy_whole(job, &torn);
		return outcome == LULL_OK && torn ? lull_method_torn(job) : outcome;
	}
	if (!job->resumed)
		outcome = lull_record_begin(job);
	if (outcome != LULL_OK)
		return outcome;
	return job->freeze->hook ? lull_method_frozen(job) : lull_method_copy(job);
}

static enum lull_outcome clone_file(struct lull_job *job)
{
	enum lull_outcome outcome;
	int r;

	/* First of all what is dirty: the map tells the truth after it, and no call has to write
	   it out while it holds the locks. */
	r = lull_flush_source(job);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r, job->source);
	if (!job->freeze->hook && !job->had_content && lull_clone_is_atomic(job->src) &&
	    lull_pass_fits_one_call(job))
		return lull_method_single(job);
	outcome = lull_start_probe(job);
	if (outcome == LULL_OK && !job->resumed)
		outcome = lull_record_begin(job);
	if (outcome != LULL_OK)
		return outcome;
	return job->freeze->hook ? lull_method_frozen(job) : lull_method_unfrozen(job);
}

static enum lull_outcome run(struct lull_job *job, const char *path)
{
	enum lull_outcome outcome = lull_claim_open(job, path);

	/* A hook that cannot be understood must be heard of before anything is made. */
	if (outcome == LULL_OK)
		outcome = lull_freeze_prepare(job);
	if (outcome == LULL_OK)
		outcome = lull_claim_lock(job);
	if (outcome != LULL_OK)
		return outcome;
	if (job->rotation)
		outcome = lull_rotation_open(job);
	if (outcome == LULL_OK)
		outcome = lull_resume_find(job);
	if (outcome == LULL_OK && job->rotation)
		outcome = lull_rotation_name(job);
	if (outcome == LULL_OK && !job->freeze->hook)
		outcome = lull_freeze_prepare(job);
	if (outcome == LULL_OK && job->options->refresh && !job->resumed)
		outcome = lull_refresh_open(job);
	if (outcome == LULL_OK && job->options->cp.reflink == LULL_REFLINK_NEVER)
		outcome = copy_file(job);
	else if (outcome == LULL_OK)
		outcome = clone_file(job);
	if (outcome == LULL_FAILED && lull_copy_may_help(job))
		outcome = copy_file(job);
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
	struct lull_job job, *jobs[] = { &job };
	struct lull_freeze freeze = {
		.jobs = jobs,
		.n_jobs = 1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	bool room = lull_job_init(&job, options, observer, place, source, dest, ret_result);
	enum lull_outcome outcome;

	job.freeze = &freeze;
	lull_identity_run_id(ret_result->run_id);
	outcome = room ? run(&job, dest)
		       : lull_fail(&job, LULL_STAGE_NONE, LULL_CAUSE_ERRNO, ENOMEM, source);
	settle(&job, outcome);
	/* The keeper goes by what the job holds, and has files open that the rotation is about. */
	lull_freeze_done(&freeze);
	if (outcome == LULL_OK && job.rotation)
		lull_rotation_finish(&job);
	job.progress->elapsed_ns = lull_clock_now() - job.started;
	lull_rotation_done(job.rotation);
	lull_job_done(&job);
	return outcome;
}
