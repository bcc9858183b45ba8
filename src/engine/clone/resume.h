/* SPDX-License-Identifier: MIT */
/* Takes over the checkpoint and the temporary file of an earlier run. */
#pragma once

#include "engine/base/job.h"

/*
 * Reads the checkpoint, if there is one, and decides what to do with it. job->resumed:
 * the clone continues. Refuses a checkpoint that must not be touched.
 */
enum lull_outcome lull_resume_find(struct lull_job *job);

/* Takes over a leftover temporary file when no checkpoint exists. */
enum lull_outcome lull_resume_take_leftover(struct lull_job *job);

/* Empties the file of a clone that is given up. */
enum lull_outcome lull_resume_start_over(struct lull_job *job);

/*
 * Returns true if the clone may begin again although the open source is not the file that
 * the checkpoint is about. That is so if it has taken the other's place, because no
 * --resume would ever find the other again. It is also so with --restart, unless the
 * writers of the other are still frozen.
 */
bool lull_resume_may_start_over(const struct lull_job *job);
