/* SPDX-License-Identifier: MIT */
/* The steps before a pass: does cloning work here, and where does the pass begin. */
#pragma once

#include "engine/base/job.h"

/* One block into an unnamed file: shows whether cloning works here at all. */
enum lull_outcome lull_start_probe(struct lull_job *job);

/*
 * Prepares the file that is written for clones from the source, if no clone has begun in
 * it. It is the last step before the first clone: it ends the old contents of a file that
 * is written in place, or of an older clone that is refreshed.
 */
enum lull_outcome lull_start_prepare(struct lull_job *job);

/*
 * Chooses where the pass over job->src begins and in which mode, by the checkpoint and
 * job->reference; records that, and makes the file as long as the source.
 */
enum lull_outcome lull_start_pass(struct lull_job *job, uint64_t *ret_start);
