// SPDX-License-Identifier: MIT
/* Locks each source of a freeze: see freeze_lock.h. */
#include "engine/clone/freeze_lock.h"

#include "engine/base/lock_wait.h"
#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/source_lock.h"

#include <sys/stat.h>

/* Returns true if an earlier job has the same source. A second lock on it would conflict
   with our own. */
static bool is_repeated(const struct lull_freeze *freeze, unsigned int i)
{
	struct stat st, other;

	if (fstat(freeze->jobs[i]->src, &st) < 0)
		return false;
	for (unsigned int k = 0; k < i; k++) {
		if (fstat(freeze->jobs[k]->src, &other) == 0 && SAME_INODE(&other, &st))
			return true;
	}
	return false;
}

static void unlock_first(const struct lull_freeze *freeze, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		lull_source_unlock(freeze->jobs[i]->src);
}

void lull_freeze_unlock(const struct lull_freeze *freeze)
{
	unlock_first(freeze, freeze->n_jobs);
}

enum lull_outcome lull_freeze_lock(struct lull_job *job)
{
	const struct lull_freeze *freeze = job->freeze;
	struct lull_lock_wait wait = lull_lock_wait_begin(job->options);

	for (;;) {
		enum lull_outcome outcome;
		unsigned int i = 0;

		while (i < freeze->n_jobs &&
		       (is_repeated(freeze, i) ||
			lull_source_lock(freeze->jobs[i]->src) == 0))
			i++;
		if (i == freeze->n_jobs)
			return LULL_OK;
		unlock_first(freeze, i);
		outcome = lull_lock_wait_rest(&wait, job, NULL, freeze->jobs[i]->src);
		if (outcome == LULL_BUSY)
			return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK,
					LULL_CAUSE_SOURCE_FROZEN, 0,
					freeze->jobs[i]->source
						? freeze->jobs[i]->source
						: freeze->jobs[i]->checkpoint.source);
		if (outcome != LULL_OK)
			return outcome;
	}
}
