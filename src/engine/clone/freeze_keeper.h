/* SPDX-License-Identifier: MIT */
/*
 * The keeper of a freeze or of a snapshot: what it holds of the jobs, and what it writes
 * down when the main process is gone.
 */
#pragma once

#include "engine/base/job.h"

/* Starts that of a freeze, whose sources are named. 0 or -errno. */
int lull_freeze_keeper_start(struct lull_job *job) _must_check_;

/*
 * Starts one for a run without a hook, that deletes the snapshot should this process be
 * killed.
 */
enum lull_outcome lull_freeze_keeper_guard(struct lull_job *job);
