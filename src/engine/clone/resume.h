/* SPDX-License-Identifier: MIT */
/* What becomes of the checkpoint and the temporary file that an earlier run has left. */
#pragma once

#include "engine/base/job.h"

/*
 * Reads the checkpoint, if there is one, and decides what becomes of it: job->resumed
 * says that it is continued. Refuses one that is not to be touched.
 */
enum lull_outcome lull_resume_find(struct lull_job *job);

/* Takes over a leftover temporary file when no checkpoint exists. */
enum lull_outcome lull_resume_take_leftover(struct lull_job *job);

/* Empties the file: what is in it belongs to a clone that is given up. */
enum lull_outcome lull_resume_start_over(struct lull_job *job);

/*
 * Where the source that is open is another file than the checkpoint speaks of: true if
 * the clone may be begun anew for it. That is so if it has taken the place of the other,
 * which another --resume would never find again, or with --restart, unless writers of the
 * other are still frozen.
 */
bool lull_resume_may_start_over(const struct lull_job *job);
