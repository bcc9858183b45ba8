/* SPDX-License-Identifier: MIT */
/* The locks of the sources of a freeze: the thaw of one run would end the freeze of
   another. */
#pragma once

#include "engine/base/job.h"

/*
 * Locks the sources of job->freeze: all or none, so that two that wait for each other's
 * do not wait for ever. Waits for options->lock_wait_ns; LULL_BUSY after that.
 */
enum lull_outcome lull_freeze_lock(struct lull_job *job);

/* Unlocks all of them. */
void lull_freeze_unlock(const struct lull_freeze *freeze);
