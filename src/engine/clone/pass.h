/* SPDX-License-Identifier: MIT */
/* Walks over the source once and makes the destination equal to it, in bounded calls. */
#pragma once

#include "engine/base/job.h"
#include "plan/batch.h"

/*
 * Clones the source from start to its end, in the mode of the job. Writes a checkpoint
 * each checkpoint interval. On any outcome, progress->offset says how far it came. Sets
 * *ret_changed if it stopped because the source has changed; the caller's comparison
 * reports that.
 */
enum lull_outcome lull_pass_run(struct lull_job *job, uint64_t start, bool *ret_changed);

/* Returns true if one call over the whole file is expected to stay within the budget. */
bool lull_pass_fits_one_call(struct lull_job *job);

/* Clones the whole of job->src in one call, which makes it a copy of one point in time.
   written: the source is being written to. */
enum lull_outcome lull_pass_whole(struct lull_job *job, bool written);

/* Lets the calls of a clone from job->src go across holes, at what that costs on its file
   system. */
void lull_pass_cross_holes(const struct lull_job *job, struct lull_batch *batch);
