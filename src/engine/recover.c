// SPDX-License-Identifier: MIT
/* What can be asked of an interrupted clone: where it stands, and to thaw its writers. */
#include "engine/dest.h"
#include "engine/freeze.h"
#include "engine/job.h"
#include "engine/record.h"
#include "engine/snapshot.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A checkpoint of --keep: that of the name, whatever bears it, such as a link to the latest
   generation. */
static bool open_dated(struct lull_job *job, const char *path)
{
	struct lull_dest *dest = &job->dest;
	enum lull_stage stage;
	enum lull_cause cause;

	if (lull_dest_resolve_name(dest, path, job->options->checkpoint, &stage, &cause) == 0 &&
	    lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint, &job->checkpoint) == 0 &&
	    job->checkpoint.dated)
		return true;
	lull_checkpoint_done(&job->checkpoint);
	lull_dest_done(dest);
	return false;
}

static enum lull_outcome open_record(struct lull_job *job, const char *path)
{
	struct lull_dest *dest = &job->dest;
	enum lull_stage stage;
	enum lull_cause cause;
	int r;

	if (open_dated(job, path))
		return LULL_OK;
	r = lull_dest_resolve(dest, path, job->options->checkpoint, &stage, &cause);
	if (r < 0)
		return lull_fail(job, stage, cause, r, path);
	r = lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint, &job->checkpoint);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
				 dest->checkpoint_path);
	if (strcmp(job->checkpoint.dest, dest->path) != 0 && job->options->checkpoint)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_CHECKPOINT_FOREIGN, 0,
				 dest->checkpoint_path);
	return LULL_OK;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void report(const struct lull_job *job, struct lull_report *ret_report)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	ret_report->source = copy(c->source);
	ret_report->dest = copy(c->dest);
	ret_report->checkpoint = copy(job->dest.checkpoint_path);
	ret_report->temporary = copy(c->temporary);
	ret_report->hook = copy(c->hook);
	memcpy(ret_report->run_id, c->run_id, sizeof(c->run_id));
	ret_report->method = (enum lull_method)c->method;
	ret_report->size = c->dest_size;
	ret_report->offset = c->offset;
	ret_report->pass = c->pass;
	/* Whole and still waiting for its name; a failed thaw leaves a checkpoint behind
	   after that. */
	ret_report->complete =
		c->phase == LULL_PHASE_COMPLETE &&
		(!c->temporary || faccessat(job->dest.dir, c->temporary, F_OK, 0) == 0);
	ret_report->frozen = c->frozen;
	ret_report->kept_frozen = c->kept_frozen;
	ret_report->frozen_since = c->frozen_since;
	ret_report->updated = c->updated;
	ret_report->running = lull_dest_is_locked(&job->dest);
}

static void close_job(struct lull_job *job, struct lull_result *result,
		      struct lull_report *ret_report)
{
	lull_checkpoint_done(&job->checkpoint);
	lull_dest_done(&job->dest);
	/* The report takes over what the failure owns. */
	ret_report->failure = result->failure;
	result->failure = (struct lull_failure){ 0 };
	lull_result_done(result);
}

enum lull_outcome lull_status(const struct lull_options *options, const char *dest,
			      struct lull_report *ret_report)
{
	struct lull_result result = { 0 };
	struct lull_job job = { .options = options, .result = &result, .src = -1 };
	enum lull_outcome outcome;

	*ret_report = (struct lull_report){ 0 };
	lull_dest_init(&job.dest);
	outcome = open_record(&job, dest);
	if (outcome == LULL_OK)
		report(&job, ret_report);
	close_job(&job, &result, ret_report);
	return outcome;
}

static enum lull_outcome lock_and_thaw(struct lull_job *job, const char *path,
				       struct lull_report *ret_report)
{
	enum lull_outcome outcome;
	int r = lull_dest_lock(&job->dest);

	if (r == -EWOULDBLOCK)
		return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK, LULL_CAUSE_ERRNO, 0, path);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_LOCK, LULL_CAUSE_ERRNO, r, path);

	/* Again, now that nobody can change it. */
	lull_checkpoint_done(&job->checkpoint);
	r = lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint,
				 &job->checkpoint);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
				 job->dest.checkpoint_path);
	report(job, ret_report);
	ret_report->running = false;
	memcpy(job->result->run_id, job->checkpoint.run_id, sizeof(job->result->run_id));
	outcome = job->checkpoint.frozen ? lull_freeze_undo(job) : LULL_OK;
	if (outcome == LULL_OK && job->checkpoint.snapshot)
		outcome = lull_snapshot_undo(job);

	/* Where the lock was only made to be taken, nothing is left of it; and where a failed
	   thaw was all that remained of a run, nothing is left of that either. */
	if (job->dest.lock_was_empty && !job->checkpoint.frozen) {
		struct stat st;

		if (fstat(job->dest.lock, &st) == 0 &&
		    (st.st_ino != job->checkpoint.dest_inode || !job->checkpoint.has_reference)) {
			(void)lull_dest_remove(&job->dest);
			if (job->checkpoint.temporary)
				lull_record_remove(job);
		}
	}
	return outcome;
}

enum lull_outcome lull_recover(const struct lull_options *options, const char *dest,
			       const struct lull_observer *observer,
			       struct lull_report *ret_report)
{
	struct lull_result result = { 0 };
	struct lull_job job = {
		.options = options,
		.observer = observer,
		.result = &result,
		.progress = &result.progress,
		.started = lull_clock_now(),
		.src = -1,
	};
	enum lull_outcome outcome;

	*ret_report = (struct lull_report){ 0 };
	lull_dest_init(&job.dest);
	outcome = open_record(&job, dest);
	if (outcome == LULL_OK)
		outcome = lock_and_thaw(&job, dest, ret_report);
	close_job(&job, &result, ret_report);
	return outcome;
}
