/* SPDX-License-Identifier: MIT */
/*
 * The keeper of a freeze or of a snapshot: which descriptors of the jobs it holds, and
 * what it records when the main process is gone.
 */
#pragma once

#include "engine/base/job.h"

/* Starts the keeper of a freeze. freeze->sources must be set. Returns 0 or -errno. */
int lull_freeze_keeper_start(struct lull_job *job) _must_check_;

/*
 * Starts a keeper for a run without a hook. It deletes the snapshot if this process is
 * killed.
 */
enum lull_outcome lull_freeze_keeper_guard(struct lull_job *job);
