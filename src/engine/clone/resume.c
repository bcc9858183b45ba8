// SPDX-License-Identifier: MIT
/* Takes over what an earlier run has left: see resume.h. */
#include "engine/clone/resume.h"

#include "engine/clone/claim.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/record.h"
#include "engine/clone/set_record.h"
#include "engine/clone/shrink.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/swap.h"
#include "engine/clone/untouched.h"
#include "store/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static enum lull_outcome refuse(struct lull_job *job, enum lull_cause cause)
{
	return lull_fail(job, LULL_STAGE_CHECKPOINT, cause, 0, job->dest.checkpoint_path);
}

/* Empties the temporary file of a clone that is given up. */
static enum lull_outcome discard(struct lull_job *job)
{
	enum lull_outcome outcome;

	job->state = LULL_JOB_DISCARDING;
	outcome = lull_shrink(job, job->dest.lock, 0);
	if (outcome != LULL_OK)
		return outcome;
	job->state = LULL_JOB_EMPTY;
	job->dest.lock_was_empty = true;
	return LULL_OK;
}

/* Records a clone that has not begun. Keeps the record that writers are frozen. */
static enum lull_outcome record_anew(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint, was = *c;
	enum lull_outcome outcome;

	*c = (struct lull_checkpoint){ 0 };
	outcome = lull_record_begin(job);
	if (was.frozen)
		lull_checkpoint_move_freeze(&was, c);
	lull_checkpoint_done(&was);
	return outcome == LULL_OK ? lull_record_save(job) : outcome;
}

bool lull_resume_may_start_over(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	/* The thaw hook gets the source by its name. */
	return strcmp(c->source, job->source_path) == 0 ||
	       (job->options->restart && !c->frozen);
}

enum lull_outcome lull_resume_start_over(struct lull_job *job)
{
	enum lull_outcome outcome = LULL_OK;

	job->state = LULL_JOB_EMPTY;
	job->claimed = 0;
	job->base_used_up = job->checkpoint.used_up;
	/* A file that is written in place is emptied when the clone begins. */
	if (!job->dest.in_place && !job->dest.lock_was_empty) {
		/* First record that nothing is cloned. If the run ended half-way, the old
		   offset would cover what is no longer there. */
		outcome = record_anew(job);
		if (outcome == LULL_OK)
			outcome = discard(job);
	}
	lull_checkpoint_done(&job->checkpoint);
	return outcome;
}

enum lull_outcome lull_resume_take_leftover(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	/* This may be a part of a clone by one call, which makes no checkpoint. A cron
	   line with --resume must get on. Without either option the file is left
	   alone. */
	if (!dest->lock_was_empty && !job->options->restart && !job->options->resume)
		return lull_fail(job, LULL_STAGE_CHECKPOINT,
				 LULL_CAUSE_TEMPORARY_IN_THE_WAY, 0, dest->temporary);
	job->state = LULL_JOB_EMPTY;
	return dest->lock_was_empty ? LULL_OK : discard(job);
}

/*
 * Returns true if the checkpoint is about this DEST. A checkpoint beside DEST has its
 * name and is in its directory, wherever that is mounted now. A checkpoint elsewhere must
 * contain the path.
 */
static bool same_dest(const struct lull_job *job)
{
	const char *was = job->checkpoint.dest;
	const char *name = strrchr(was, '/');

	if (job->options->checkpoint || !name)
		return strcmp(was, job->dest.path) == 0;
	return strcmp(name + 1, job->dest.name) == 0;
}

/* Returns true if the clone was published and only the checkpoint was not removed. */
static bool published_already(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_dest *dest = &job->dest;

	/* Do not use dest->old: another run may have published while this one waited for
	   the lock. */
	return c->phase == LULL_PHASE_COMPLETE && !c->frozen && c->temporary &&
	       same_dest(job) && strcmp(c->dest_fs, dest->fs.uuid) == 0 &&
	       lull_record_is_file(c, dest->dir, dest->name);
}

/*
 * Decides whether DEST is written in place, which depends on the number of its names, and
 * that may have changed. A clone that was begun in place continues there, because DEST
 * holds half of it. A clone that was begun in a temporary file begins again in DEST if
 * that has several names now.
 */
static enum lull_outcome match_place(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct lull_dest *dest = &job->dest;
	int r;

	if ((c->temporary == NULL) == dest->in_place)
		return LULL_OK;
	if (dest->in_place && job->options->in_place)
		return refuse(job, LULL_CAUSE_CHECKPOINT_FOREIGN);
	/* Another file that has taken DEST's name since is replaced like any other. */
	if (dest->in_place || !lull_record_is_file(c, dest->dir, dest->name))
		return LULL_OK;
	lull_swap_forgo(dest);
	r = lull_dest_open(dest);
	if (r == -EWOULDBLOCK)
		return lull_claim_busy(job);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_CREATE, r, dest->path) : LULL_OK;
}

/* Loads the checkpoint. If there is none, or none that counts, takes over the temporary
   file. */
static enum lull_outcome load(struct lull_job *job, bool *ret_found)
{
	const struct lull_dest *dest = &job->dest;
	int r = lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint,
				     &job->checkpoint);

	*ret_found = false;
	if (r == -ENOTUNIQ)
		r = lull_set_record_judge_pointer(job, r);
	if (dest->checkpoint_dir < 0)
		r = -ENOENT;
	if (r == -ENOENT)
		return lull_resume_take_leftover(job);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
				 dest->checkpoint_path);
	job->recorded = true;
	if (published_already(job)) {
		job->base_used_up = job->checkpoint.used_up;
		lull_record_remove(job);
		lull_checkpoint_done(&job->checkpoint);
		return lull_resume_take_leftover(job);
	}
	*ret_found = true;
	return LULL_OK;
}

/* Checks that the checkpoint is about this clone, and that the user wants to use it. */
static enum lull_outcome judge(struct lull_job *job, bool file_is_ours, bool replaced)
{
	const struct lull_options *options = job->options;

	if (job->checkpoint.dated != (job->rotation != NULL) ||
	    (replaced && !lull_resume_may_start_over(job)) ||
	    (!file_is_ours && !same_dest(job)))
		return refuse(job, LULL_CAUSE_CHECKPOINT_FOREIGN);
	if (!options->resume && !options->restart)
		return refuse(job, LULL_CAUSE_CHECKPOINT_EXISTS);
	return LULL_OK;
}

/* Thaws, unless the freeze continues, and deletes a snapshot. */
static enum lull_outcome end_freeze_and_snapshot(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	enum lull_outcome outcome = LULL_OK;

	if (c->frozen && !(job->options->resume && c->kept_frozen))
		outcome = lull_freeze_undo(job);
	return outcome == LULL_OK && c->snapshot ? lull_snapshot_undo(job) : outcome;
}

static enum lull_outcome give_up(struct lull_job *job, bool replaced)
{
	if (job->checkpoint.kept_frozen) {
		enum lull_outcome outcome = lull_freeze_undo(job);

		if (outcome != LULL_OK)
			return outcome;
	}
	if (!job->options->restart && replaced)
		lull_warn(job, LULL_WARNING_SOURCE_REPLACED, 0, job->source);
	else if (!job->options->restart)
		lull_warn(job, LULL_WARNING_FILL_LOST, 0, job->dest.path);
	return lull_resume_start_over(job);
}

static enum lull_outcome go_on(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	job->resumed = true;
	job->state = c->has_reference || c->refresh ? LULL_JOB_FOUND : LULL_JOB_EMPTY;
	/* Nothing was cloned yet, so the file has what an earlier run did not finish
	   discarding. */
	if (job->state == LULL_JOB_EMPTY && !job->dest.in_place &&
	    !job->dest.lock_was_empty)
		return discard(job);
	return LULL_OK;
}

enum lull_outcome lull_resume_find(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_options *options = job->options;
	bool found, file_is_ours, replaced;
	enum lull_outcome outcome = load(job, &found);

	if (!found)
		return outcome;
	outcome = match_place(job);
	if (outcome != LULL_OK)
		return outcome;
	file_is_ours = lull_record_same_file(job);
	replaced = !lull_record_same_source(job);
	outcome = judge(job, file_is_ours, replaced);
	if (outcome != LULL_OK)
		return outcome;
	if (file_is_ours)
		lull_untouched_judge(job);
	memcpy(job->result->run_id, c->run_id, sizeof(c->run_id));
	outcome = end_freeze_and_snapshot(job);
	if (outcome != LULL_OK)
		return outcome;
	/* The run was cut off before the older clone got the temporary name, so it is
	   still where it was. The checkpoint still has its owner. */
	if (c->refresh && !file_is_ours && options->refresh && !job->dest.in_place) {
		job->state = LULL_JOB_EMPTY;
		return LULL_OK;
	}
	return options->restart || !file_is_ours || replaced ? give_up(job, replaced)
							     : go_on(job);
}
