/* SPDX-License-Identifier: MIT */
/*
 * Freeze and thaw for the engine, with hook, keeper and checkpoint. A freeze is always of
 * all jobs of job->freeze, whichever of them is the argument. If they share a checkpoint,
 * the argument must be the first.
 */
#pragma once

#include "engine/base/job.h"

/* Locks the sources for a freeze. If a freeze was left in force but has ended by itself,
   calls the thaw hook for it. Notes in the checkpoints what a thaw of the new freeze
   needs. */
enum lull_outcome lull_freeze_claim(struct lull_job *job);

/*
 * Freezes the writers of sources that lull_freeze_claim() has locked, or takes over a
 * freeze that was left in force. Records the freeze first, so that not even a power
 * failure can hide it.
 */
enum lull_outcome lull_freeze_begin(struct lull_job *job);

/* Waits for writes that are in flight when the freeze begins. This also shows that the
   hook has not frozen the file system itself. */
enum lull_outcome lull_freeze_drain(struct lull_job *job);

/* Returns LULL_OK while the writers are frozen. Jobs in threads may call it at the same
   time. */
enum lull_outcome lull_freeze_check(struct lull_job *job);

/*
 * Thaws the writers if they are frozen. On failure sets freeze->thaw_failed and returns
 * LULL_THAW_FAILED; what the caller has achieved remains valid.
 */
enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result);

/* Leaves the writers frozen for a later run (--keep-frozen). */
void lull_freeze_keep(struct lull_job *job);

/* Thaws what the checkpoint of an earlier run says is frozen, and records that. */
enum lull_outcome lull_freeze_undo(struct lull_job *job);

/* Ends the keeper, which first thaws if that is still to be done, and frees what the
   freeze holds. */
void lull_freeze_done(struct lull_freeze *freeze);
