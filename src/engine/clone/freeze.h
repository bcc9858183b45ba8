/* SPDX-License-Identifier: MIT */
/*
 * Freeze and thaw as the engine sees them: hook, keeper and checkpoint together. A freeze
 * is of all jobs of job->freeze, whichever of them is given; of those that share a
 * checkpoint it is the first.
 */
#pragma once

#include "engine/base/job.h"

/* Locks the sources for a freeze. Thaws one that was kept, if it has ended by itself.
   Notes in the checkpoints what a thaw of this one needs. */
enum lull_outcome lull_freeze_claim(struct lull_job *job);

/*
 * Freezes the writers of claimed sources, or takes over a freeze that was kept. Records
 * it before, so that not even a power failure can hide a freeze.
 */
enum lull_outcome lull_freeze_begin(struct lull_job *job);

/* Right after that: waits for writes on their way, which shows as well that the file
   system itself is not frozen. */
enum lull_outcome lull_freeze_drain(struct lull_job *job);

/* LULL_OK while the writers are frozen. Jobs in threads may ask side by side. */
enum lull_outcome lull_freeze_check(struct lull_job *job);

/*
 * Thaws, if writers are frozen. A failure is noted in freeze->thaw_failed and returns
 * LULL_THAW_FAILED; whatever the caller had achieved stands.
 */
enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result);

/* Leaves the writers frozen for a later run (--keep-frozen). */
void lull_freeze_keep(struct lull_job *job);

/* Thaws what the checkpoint of an earlier run says is frozen, and records it. */
enum lull_outcome lull_freeze_undo(struct lull_job *job);

/* Ends the keeper, which thaws first if that is owed still, and frees what the freeze
   holds. */
void lull_freeze_done(struct lull_freeze *freeze);
