/* SPDX-License-Identifier: MIT */
/* A clone that may become a copy of the bytes, with checkpoints, progress and resume. */
#pragma once

#include "engine/base/job.h"

/* Returns true if the clone itself failed and options allow a copy instead. Then it moves
   the failure to result->not_cloned. */
bool lull_copy_may_help(struct lull_job *job);

/* Makes the job copy the bytes from now on. */
void lull_copy_choose(struct lull_job *job);

/* Returns true if the file is too small for a checkpoint to pay. */
bool lull_copy_is_short(const struct lull_job *job);

/* Copies the whole file without a checkpoint. *ret_torn: the source was written to during
   each of several attempts (watch.h). */
enum lull_outcome lull_copy_whole(struct lull_job *job, bool *ret_torn);

/* Copies the source from start to its end, and writes a checkpoint each checkpoint
   interval. */
enum lull_outcome lull_copy_pass(struct lull_job *job, uint64_t start);
