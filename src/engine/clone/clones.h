/* SPDX-License-Identifier: MIT */
/* One clone, or several of one moment. */
#pragma once

#include "engine/base/job.h"
#include "engine/clone/set_record.h"

/*
 * What is cloned together: one freeze for all, one checkpoint, and all are published or
 * none. A clone by itself is a set of one. What only one can do (methods without a hook,
 * refresh, generations, in place) is for a set of one alone.
 */
struct lull_clones {
	const struct lull_options *options;
	struct lull_job *jobs[LULL_CHECKPOINT_MOST]; /* in the order of the command */
	unsigned int n;
	struct lull_freeze freeze;
	struct lull_set_record shared; /* unused by a set of one */
	/* of a checkpoint that was found: what it says of the run */
	struct lull_checkpoint run;
	bool whole;               /* found whole: only names are missing */
	struct lull_job *culprit; /* whose failure is reported; NULL: nobody's */
};

/* Prepares an empty one, which must not move from then on; jobs and n are for the caller
   to fill. */
void lull_clones_init(struct lull_clones *clones, const struct lull_options *options);

/* Frees what lull_clones_init() and lull_conduct() have made; the jobs are the
   caller's. */
void lull_clones_done(struct lull_clones *clones);

/* Takes a step with all, in the order of the command, up to the first failure. */
enum lull_outcome lull_clones_each(struct lull_clones *clones,
				   enum lull_outcome (*step)(struct lull_job *job));

/* Notes whose failure is reported, the first time only. Returns outcome. */
enum lull_outcome lull_clones_blame(struct lull_clones *clones, struct lull_job *job,
				    enum lull_outcome outcome);
