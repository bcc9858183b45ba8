/* SPDX-License-Identifier: MIT */
/* Brings an older clone up to date: it becomes the file that is written. */
#pragma once

#include "engine/base/job.h"

/*
 * Opens and locks the older clone of a refresh: options->base, or DEST itself. Changes
 * nothing yet. Warns and makes the run a full clone if there is none (DEST does not
 * exist), or if somebody has it open. Refuses a DEST that is open for writing. Must not
 * be called if the run resumes a refresh.
 */
enum lull_outcome lull_refresh_open(struct lull_job *job);

/*
 * Gives the older clone the temporary name, durably, so that nobody takes it for a valid
 * clone any more. If somebody has opened it meanwhile, or if it cannot be renamed to
 * there (EXDEV), leaves it as it was and warns: job->state does not change, and a full
 * clone is made. The refresh must be recorded before. Then a crash leaves either the old
 * name or a refresh that --resume finishes.
 */
enum lull_outcome lull_refresh_adopt(struct lull_job *job);

/*
 * Gives up the refresh, because the data is copied and shares nothing with the older
 * clone. That stays as it is. The run makes a new file, or writes in place as without
 * --refresh. Must not be called after lull_refresh_adopt().
 */
void lull_refresh_forgo(struct lull_job *job);
