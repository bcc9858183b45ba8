/* SPDX-License-Identifier: MIT */
/* Locks the sources of a freeze, because the thaw of one run would end the freeze of
   another. */
#pragma once

#include "engine/base/job.h"

/*
 * Locks all sources of job->freeze or none, so that two runs cannot wait for each other.
 * Waits for up to options->lock_wait_ns, then returns LULL_BUSY.
 */
enum lull_outcome lull_freeze_lock(struct lull_job *job);

/* Unlocks all of them. */
void lull_freeze_unlock(const struct lull_freeze *freeze);
