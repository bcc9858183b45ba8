// SPDX-License-Identifier: MIT
/* The files that are cloned together: see clones.h. */
#include "engine/clone/clones.h"

void lull_clones_init(struct lull_clones *clones, const struct lull_options *options)
{
	*clones = (struct lull_clones){ .options = options };
	clones->freeze.jobs = clones->jobs;
	(void)pthread_mutex_init(&clones->freeze.lock, NULL);
}

void lull_clones_done(struct lull_clones *clones)
{
	lull_set_record_done(&clones->shared);
	lull_checkpoint_done(&clones->run);
	(void)pthread_mutex_destroy(&clones->freeze.lock);
}

enum lull_outcome lull_clones_blame(struct lull_clones *clones, struct lull_job *job,
				    enum lull_outcome outcome)
{
	if (outcome != LULL_OK && !clones->culprit)
		clones->culprit = job;
	return outcome;
}

enum lull_outcome lull_clones_each(struct lull_clones *clones,
				   enum lull_outcome (*step)(struct lull_job *job))
{
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < clones->n && outcome == LULL_OK; i++)
		outcome = lull_clones_blame(clones, clones->jobs[i],
					    step(clones->jobs[i]));
	return outcome;
}
