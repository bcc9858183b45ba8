/* SPDX-License-Identifier: MIT */
/* Bringing an older clone up to date: it becomes the file that is written. */
#pragma once

#include "engine/base/job.h"

/*
 * Opens and locks the older clone that options->refresh speaks of: options->base, or DEST
 * itself. Nothing is changed yet. Without one (DEST does not exist), and where somebody
 * has it open, it warns, and the run is a clone in full; a DEST that is open for writing
 * is refused. Not for a run that goes on with a begun refresh.
 */
enum lull_outcome lull_refresh_open(struct lull_job *job);

/*
 * Gives the older clone the temporary name, durably: from here on nobody takes it for a
 * good one. If somebody has opened it since, or it cannot be renamed to there (EXDEV), it
 * is left as it was with a warning: job->state stays what it was, and the clone is made
 * in full. Recorded before, so that a crash at any moment leaves either the old name or a
 * refresh that --resume finishes.
 */
enum lull_outcome lull_refresh_adopt(struct lull_job *job);
