/* SPDX-License-Identifier: MIT */
/* A clone that may become a copy of bytes, with checkpoints, progress and resume. */
#pragma once

#include "engine/base/job.h"

/* True if what failed was the clone, and options allow a copy instead; then the failure
   is forgotten, and result->not_cloned has it. */
bool lull_copy_may_help(struct lull_job *job);

/* The bytes of this job are copied from now on. */
void lull_copy_choose(struct lull_job *job);

/* True for a file that is copied before a checkpoint would pay. */
bool lull_copy_is_short(const struct lull_job *job);

/* Copies all of it, without a checkpoint. *ret_torn: somebody wrote to the source
   meanwhile, in each of several tries (watch.h). */
enum lull_outcome lull_copy_whole(struct lull_job *job, bool *ret_torn);

/* Copies [start, end of the source), and records a checkpoint every checkpoint
   interval. */
enum lull_outcome lull_copy_pass(struct lull_job *job, uint64_t start);
