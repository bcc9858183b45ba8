/* SPDX-License-Identifier: MIT */
/*
 * Freeze and thaw as the engine sees them: hook, keeper and checkpoint together. A freeze
 * is of all jobs of job->freeze, whichever of them is given; of those that share a
 * checkpoint it is the first.
 */
#pragma once

#include "engine/base/job.h"

/* Parses the command of a hook, and looks whether it can be started. *ret_hook is to be
   freed, unless it could not be parsed: then it is left alone. */
enum lull_outcome lull_freeze_parse(struct lull_job *job, const char *text,
				    struct lull_hook **ret_hook);

/* Understands the hook of the options or of the checkpoint; LULL_OK without one. */
enum lull_outcome lull_freeze_prepare(struct lull_job *job);

/*
 * Freezes the writers, or takes over a freeze that was kept. Records it before, so that
 * not even a power failure can hide a freeze. Then drains, to see that the file system
 * itself is not frozen.
 */
enum lull_outcome lull_freeze_begin(struct lull_job *job);

/*
 * Starts a keeper for a run without a hook, that deletes the snapshot should this process
 * be killed.
 */
enum lull_outcome lull_freeze_guard(struct lull_job *job);

/* LULL_OK while the writers are frozen. Jobs in threads may ask side by side. */
enum lull_outcome lull_freeze_check(struct lull_job *job);

/*
 * Thaws, if writers are frozen. A failure is noted in freeze->thaw_failed and gives
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
