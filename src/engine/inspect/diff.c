// SPDX-License-Identifier: MIT
/* Reports the ranges in which two files may differ: see lull_diff() and changes.h. */
#include "engine/clone/generation_name.h"
#include "engine/clone/job_init.h"
#include "engine/inspect/changes.h"

static enum lull_outcome tell_all(struct lull_changes *changes,
				  const struct lull_observer *observer,
				  struct lull_difference *found)
{
	for (;;) {
		struct lull_change change;
		enum lull_outcome outcome = lull_changes_next(changes, &change);

		found->extents = changes->extents + changes->plan.extents;
		found->read_bytes = changes->read_bytes;
		if (outcome != LULL_OK || change.len == 0)
			return outcome;
		found->ranges++;
		if (change.zero)
			found->zero_bytes += change.len;
		else
			found->data_bytes += change.len;
		observer->change(observer->ctx, &change);
	}
}

static enum lull_outcome compare(struct lull_pair *pair, struct lull_changes *changes,
				 const struct lull_observer *observer,
				 struct lull_difference *found)
{
	bool exact = pair->job->options->diff_by == LULL_DIFF_EXACT;
	enum lull_outcome outcome = lull_pair_open(pair);

	if (outcome == LULL_OK)
		outcome = lull_pair_take(pair);
	if (outcome != LULL_OK)
		return outcome;
	found->old_size = pair->reference[0].size;
	found->new_size = pair->reference[1].size;
	outcome = lull_changes_open(changes, pair, exact);
	if (outcome == LULL_OK)
		outcome = tell_all(changes, observer, found);
	if (outcome == LULL_OK)
		outcome = lull_pair_unchanged(pair);
	if (outcome == LULL_OK &&
	    (found->ranges > 0 || found->old_size != found->new_size))
		outcome = LULL_DIFFERENT;
	return outcome;
}

enum lull_outcome lull_diff(const struct lull_options *options, const char *old_file,
			    const char *new_file, const struct lull_observer *observer,
			    struct lull_difference *ret_difference)
{
	struct lull_result result;
	struct lull_job job;
	struct lull_changes changes = { 0 };
	_cleanup_free_ char *older = NULL;
	_cleanup_free_ char *newer = NULL;
	enum lull_outcome outcome;
	struct lull_pair pair;

	*ret_difference = (struct lull_difference){ 0 };
	lull_job_look(&job, options, observer, old_file, new_file, &result);
	outcome = lull_generation_resolve(&job, new_file, new_file, &newer);
	if (outcome == LULL_OK)
		outcome = lull_generation_resolve(&job, old_file, newer, &older);
	if (outcome == LULL_OK) {
		lull_pair_init(&pair, &job, older, newer);
		outcome = compare(&pair, &changes, observer, ret_difference);
		lull_changes_close(&changes);
		lull_pair_close(&pair);
	}
	ret_difference->elapsed_ns = lull_job_looked(&job, &ret_difference->failure);
	return outcome;
}

void lull_difference_done(struct lull_difference *difference)
{
	lull_failure_done(&difference->failure);
	*difference = (struct lull_difference){ 0 };
}
