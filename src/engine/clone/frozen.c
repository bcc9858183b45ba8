// SPDX-License-Identifier: MIT
/*
 * All references are taken before the first pass, and all are compared after the last. So
 * there is a time in which no source changed, and the clones are of one point in time.
 */
#include "engine/clone/frozen.h"

#include "engine/clone/freeze.h"
#include "engine/clone/methods.h"
#include "engine/clone/parallel.h"
#include "sys/clock.h"

#include <errno.h>

/* A pass over what is already cloned takes at most this part of the time of the first.
   The worst case is XFS without a reverse mapping tree, where the first pass is
   cheapest. */
#define REPEATED_PART 5

static enum lull_outcome side_by_side(struct lull_clones *clones,
				      enum lull_outcome (*step)(struct lull_job *job))
{
	struct lull_job *failed = NULL;
	enum lull_outcome outcome = lull_parallel_run(clones->jobs, clones->n,
						      clones->options->jobs, step,
						      &failed);

	return lull_clones_blame(clones, failed, outcome);
}

/* Estimates how long the frozen pass takes, in ns: as long as the last pass, if that was
   a repeated one. Does not include the hook, whose time is not known. */
static uint64_t estimate_pass(const struct lull_job *job)
{
	return job->progress->passes > 1 ? job->last_pass_ns
					 : job->last_pass_ns / REPEATED_PART;
}

/* Estimates how long all frozen passes take, in ns, with as many side by side as there
   are threads. */
static uint64_t estimate_freeze(const struct lull_clones *clones)
{
	uint64_t load[LULL_CHECKPOINT_MOST] = { 0 }, longest = 0;
	unsigned int width = MAX(1u, MIN(clones->options->jobs, clones->n));

	for (unsigned int i = 0; i < clones->n; i++) {
		unsigned int least = 0;

		/* Give the next one to the thread that is free first. */
		for (unsigned int k = 1; k < width; k++)
			least = load[k] < load[least] ? k : least;
		load[least] += estimate_pass(clones->jobs[i]);
		longest = MAX(longest, load[least]);
	}
	return longest;
}

/* Announces how long writers will wait. Stops if that is longer than max_freeze. */
static enum lull_outcome announce(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	uint64_t estimate = estimate_freeze(clones);
	uint64_t most = clones->options->max_freeze_ns;

	if (most == 0 || estimate <= most) {
		lull_announce(first, LULL_METHOD_FROZEN, estimate);
		return LULL_OK;
	}
	(void)lull_end(first, LULL_STOPPED, LULL_STAGE_HOOK, LULL_CAUSE_FREEZE_TOO_LONG,
		       0, first->source);
	first->result->failure.detail = (int)MIN(estimate / NSEC_PER_MSEC, INT32_MAX);
	return lull_clones_blame(clones, first, LULL_STOPPED);
}

static enum lull_outcome take_reference(struct lull_job *job)
{
	bool taken;
	enum lull_outcome outcome = lull_method_reference(job, &taken);

	return outcome == LULL_OK && !taken ? lull_method_written(job, LULL_CAUSE_WRITERS)
					    : outcome;
}

static enum lull_outcome pass(struct lull_job *job)
{
	bool held, whole;
	enum lull_outcome outcome = lull_method_pass(job, &held, &whole);

	return outcome == LULL_OK && !held ? lull_method_written(job, LULL_CAUSE_WRITERS)
					   : outcome;
}

static enum lull_outcome compare_reference(struct lull_job *job)
{
	struct lull_reference now;
	int r = lull_tripwire_look(job->src, &now);

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
	return lull_reference_equal(&now, &job->reference)
		       ? LULL_OK
		       : lull_method_written(job, LULL_CAUSE_WRITERS);
}

bool lull_frozen_has_begun(const struct lull_clones *clones)
{
	for (unsigned int i = 0; i < clones->n; i++) {
		if (clones->jobs[i]->checkpoint.has_reference)
			return true;
	}
	return false;
}

static const char *word_for(enum lull_outcome outcome)
{
	return outcome == LULL_OK            ? "ok"
	       : outcome == LULL_INTERRUPTED ? "interrupted"
					     : "failed";
}

/* Thaws, and returns outcome whether or not that works: the copies are complete either
   way. lull_conduct() reports a failed thaw after they are published. */
static enum lull_outcome thaw(struct lull_clones *clones, enum lull_outcome outcome)
{
	struct lull_job *first = clones->jobs[0];

	if (outcome == LULL_INTERRUPTED && clones->options->keep_frozen &&
	    lull_is_frozen(first) && lull_frozen_has_begun(clones)) {
		lull_freeze_keep(first);
		return outcome;
	}
	if (lull_freeze_end(first, word_for(outcome)) != LULL_OK)
		clones->culprit = first;
	return outcome;
}

enum lull_outcome lull_frozen_clone(struct lull_clones *clones)
{
	struct lull_job *first = clones->jobs[0];
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < clones->n; i++)
		clones->jobs[i]->progress->method = LULL_METHOD_FROZEN;
	/* Make no passes before the freeze if an earlier run left one in force: writers
	   would wait for them. */
	if (clones->options->live && !first->checkpoint.kept_frozen) {
		outcome = side_by_side(clones, lull_method_live);
		if (outcome == LULL_OK)
			outcome = announce(clones);
	}
	if (outcome == LULL_OK)
		outcome = lull_clones_blame(clones, first, lull_freeze_claim(first));
	if (outcome == LULL_OK)
		outcome = lull_clones_blame(clones, first, lull_freeze_begin(first));
	if (outcome == LULL_OK)
		outcome = lull_clones_blame(clones, first, lull_freeze_drain(first));
	if (outcome == LULL_OK)
		outcome = lull_clones_each(clones, take_reference);
	if (outcome == LULL_OK)
		outcome = side_by_side(clones, pass);
	if (outcome == LULL_OK)
		outcome = lull_clones_each(clones, compare_reference);
	/* The freeze may have ended between the last call and the comparison. */
	if (outcome == LULL_OK)
		outcome = lull_clones_blame(clones, first, lull_freeze_check(first));
	return thaw(clones, outcome);
}
