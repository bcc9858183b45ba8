/* SPDX-License-Identifier: MIT */
/* One clone, or several of one point in time. */
#pragma once

#include "engine/base/job.h"
#include "engine/clone/set_record.h"

/*
 * What is cloned together: there is one freeze and one checkpoint for all, and all are
 * published or none. A clone by itself is a set of one. Methods without a hook, refresh,
 * generations and writing in place are only for a set of one.
 */
struct lull_clones {
	const struct lull_options *options;
	struct lull_job *jobs[LULL_CHECKPOINT_MOST]; /* in the order of the command */
	unsigned int n;
	struct lull_freeze freeze;
	struct lull_set_record shared; /* unused by a set of one */
	/* what a checkpoint that was found says about the run */
	struct lull_checkpoint run;
	/* an earlier run completed it: only the renames are left */
	bool whole;
	struct lull_job *culprit; /* whose failure is reported; NULL: nobody's */
};

/* Initializes an empty set. It must not be moved after this. The caller fills in jobs and
   n. */
void lull_clones_init(struct lull_clones *clones, const struct lull_options *options);

/* Frees what lull_clones_init() and lull_conduct() have made. The jobs stay the
   caller's. */
void lull_clones_done(struct lull_clones *clones);

/* Calls step for each job, in the order of the command, until one fails. */
enum lull_outcome lull_clones_each(struct lull_clones *clones,
				   enum lull_outcome (*step)(struct lull_job *job));

/* Remembers job as the one whose failure is reported, unless there is one already. Does
   nothing with LULL_OK. Returns outcome. */
enum lull_outcome lull_clones_blame(struct lull_clones *clones, struct lull_job *job,
				    enum lull_outcome outcome);
