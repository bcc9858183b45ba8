// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * If a set was complete, each of its clones is identified by its inode. It has its
 * temporary name, or the name of its destination, or cannot be found:
 *
 *     all have their names              done: what is left of the checkpoint goes
 *     some or none, the rest waits      --resume gives the rest their names; --restart
 *                                       only if none has one
 *     any is nowhere, or changed        all are cloned again, of one new moment
 *
 * If a set was not complete, each clone continues by itself, and a new freeze makes them
 * point-in-time again.
 */
#include "engine/clone/set_resume.h"

#include "engine/clone/freeze.h"
#include "engine/clone/record.h"
#include "engine/clone/resume.h"
#include "engine/clone/untouched.h"

#include <errno.h>
#include <string.h>

static enum lull_outcome refuse(struct lull_clones *set, struct lull_job *job,
				enum lull_cause cause, int err)
{
	return lull_clones_blame(set, job,
				 lull_fail(job, LULL_STAGE_CHECKPOINT, cause, err,
					   job->dest.checkpoint_path));
}

/* Takes over the temporary files if nothing is recorded. */
static enum lull_outcome take_all(struct lull_clones *set)
{
	return lull_clones_each(set, lull_resume_take_leftover);
}

static enum lull_outcome start_all_over(struct lull_clones *set)
{
	return lull_clones_each(set, lull_resume_start_over);
}

/* Returns true if dest is the clone. */
static bool has_its_name(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_dest *dest = &job->dest;

	return c->phase == LULL_PHASE_COMPLETE && dest->exists &&
	       strcmp(c->dest_fs, dest->fs.uuid) == 0 &&
	       lull_record_is_file(c, dest->dir, dest->name);
}

static unsigned int count_named(const struct lull_clones *set)
{
	unsigned int named = 0;

	for (unsigned int i = 0; i < set->n; i++)
		named += has_its_name(set->jobs[i]);
	return named;
}

static enum lull_outcome forget_published(struct lull_clones *set)
{
	lull_set_record_remove(set->jobs, set->n);
	for (unsigned int i = 0; i < set->n; i++)
		lull_checkpoint_done(&set->jobs[i]->checkpoint);
	return take_all(set);
}

/* Shows a clone of an earlier run as complete: only the rename is left. */
static void show_as_whole(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	job->state = has_its_name(job) ? LULL_JOB_NAMED : LULL_JOB_WHOLE;
	job->resumed = true;
	job->progress->method = c->method;
	job->progress->size = job->progress->offset = job->progress->resumed_at =
		c->dest_size;
}

/* Continues with a set that was complete: see DESIGN. */
static enum lull_outcome go_on_publishing(struct lull_clones *set)
{
	const struct lull_options *options = set->options;
	unsigned int named = count_named(set), lost = 0;

	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_job *job = set->jobs[i];

		bool there = lull_record_same_file(job);

		if (has_its_name(job) || (there && lull_untouched_is(job)))
			continue;
		lost++;
		if (!options->restart)
			lull_warn(job,
				  there ? LULL_WARNING_FILL_CHANGED
					: LULL_WARNING_FILL_LOST,
				  0, job->dest.path);
	}
	if (lost == 0 && options->resume) {
		set->whole = true;
		for (unsigned int i = 0; i < set->n; i++)
			show_as_whole(set->jobs[i]);
		return LULL_OK;
	}
	if (lost == 0 && named > 0)
		return refuse(set, set->jobs[0], LULL_CAUSE_PARTLY_PUBLISHED, 0);
	return start_all_over(set);
}

static enum lull_outcome go_on_with(struct lull_job *job)
{
	if (!lull_record_same_file(job)) {
		lull_warn(job, LULL_WARNING_FILL_LOST, 0, job->dest.path);
		return lull_resume_start_over(job);
	}
	lull_untouched_judge(job);
	job->resumed = true;
	job->state = job->checkpoint.has_reference ? LULL_JOB_FOUND : LULL_JOB_EMPTY;
	return LULL_OK;
}

static enum lull_outcome go_on_cloning(struct lull_clones *set)
{
	return set->options->restart ? start_all_over(set)
				     : lull_clones_each(set, go_on_with);
}

bool lull_set_keep_run(struct lull_clones *set)
{
	int r = 0;

	for (unsigned int i = 0; i < set->n && r == 0; i++)
		r = lull_checkpoint_copy_freeze(&set->run, &set->jobs[i]->checkpoint);
	return r == 0;
}

static enum lull_outcome take_found(struct lull_clones *set)
{
	const struct lull_options *options = set->options;
	struct lull_job *first = set->jobs[0];
	const struct lull_checkpoint *c = &first->checkpoint;
	struct lull_job *replaced = NULL;
	enum lull_outcome outcome;

	if (count_named(set) == set->n && !c->frozen)
		return forget_published(set);
	for (unsigned int i = 0; i < set->n; i++) {
		if (lull_record_same_source(set->jobs[i]))
			continue;
		if (!lull_resume_may_start_over(set->jobs[i]))
			return refuse(set, set->jobs[i], LULL_CAUSE_CHECKPOINT_FOREIGN,
				      0);
		replaced = set->jobs[i];
	}
	if (!options->resume && !options->restart)
		return refuse(set, first, LULL_CAUSE_CHECKPOINT_EXISTS, 0);
	for (unsigned int i = 0; i < set->n; i++)
		memcpy(set->jobs[i]->result->run_id, c->run_id, sizeof(c->run_id));
	if (c->frozen && !(options->resume && c->kept_frozen)) {
		outcome = lull_freeze_undo(first);
		if (outcome != LULL_OK)
			return lull_clones_blame(set, first, outcome);
	}
	if (count_named(set) == set->n)
		return forget_published(set);
	if (lull_checkpoint_copy_freeze(c, &set->run) < 0)
		return refuse(set, first, LULL_CAUSE_ERRNO, ENOMEM);
	/* Complete clones are of the time of the freeze, whatever the sources are now. */
	if (c->phase == LULL_PHASE_COMPLETE) {
		outcome = go_on_publishing(set);
	} else if (replaced) {
		if (!options->restart)
			lull_warn(replaced, LULL_WARNING_SOURCE_REPLACED, 0,
				  replaced->source);
		outcome = start_all_over(set);
	} else {
		outcome = go_on_cloning(set);
	}
	if (outcome != LULL_OK)
		return outcome;
	return lull_set_keep_run(set) ? LULL_OK
				      : refuse(set, first, LULL_CAUSE_ERRNO, ENOMEM);
}

enum lull_outcome lull_set_resume(struct lull_clones *set)
{
	struct lull_job *job;
	int r = lull_set_record_load(set->jobs, set->n, &job);

	if (r < 0 && r != -ENOENT)
		return refuse(set, job,
			      r == -ENOTUNIQ ? LULL_CAUSE_CHECKPOINT_FOREIGN
					     : lull_record_cause(r),
			      r);
	if (lull_set_record_init(&set->shared, set->jobs, set->n) < 0)
		return refuse(set, set->jobs[0], LULL_CAUSE_ERRNO, ENOMEM);
	return r == 0 ? take_found(set) : take_all(set);
}
