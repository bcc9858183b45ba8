/* SPDX-License-Identifier: MIT */
/* The steps before a pass: check that cloning works here, and decide where the pass
   begins. */
#pragma once

#include "engine/base/job.h"

/* Clones one block into an unnamed file, which shows whether cloning works here at
   all. */
enum lull_outcome lull_start_probe(struct lull_job *job);

/*
 * Prepares the file that is written for clones from the source, unless a clone has begun
 * in it. This is the last step before the first clone. The old contents of a file that is
 * written in place, or of an older clone that is refreshed, are lost here.
 */
enum lull_outcome lull_start_prepare(struct lull_job *job);

/*
 * Chooses where the pass over job->src begins and in which mode, by the checkpoint and
 * job->reference. Records that, and makes the file as long as the source.
 */
enum lull_outcome lull_start_pass(struct lull_job *job, uint64_t *ret_start);
