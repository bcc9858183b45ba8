/* SPDX-License-Identifier: MIT */
/* One walk over the source that makes the destination equal to it, in bounded calls. */
#pragma once

#include "engine/base/job.h"
#include "plan/batch.h"

/*
 * Clones [start, end of the source) in the job's mode. Records a checkpoint every
 * checkpoint interval. Whatever the outcome, progress->offset is what has been reached.
 * An error of a call that a changed source explains is left to the caller's comparison:
 * *ret_changed.
 */
enum lull_outcome lull_pass_run(struct lull_job *job, uint64_t start, bool *ret_changed);

/* The whole file in one call, if its weight promises to stay within the budget. */
bool lull_pass_fits_one_call(struct lull_job *job);

/* All of job->src in one call, which is a copy of one instant. written: somebody
   writes. */
enum lull_outcome lull_pass_whole(struct lull_job *job, bool written);

/* Lets the calls of a clone from job->src go across its holes, at what they cost
   there. */
void lull_pass_cross_holes(const struct lull_job *job, struct lull_batch *batch);
