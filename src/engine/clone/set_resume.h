/* SPDX-License-Identifier: MIT */
/* Takes over what an earlier run has left of a set. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Finds the checkpoint of the set, thaws what it says is frozen, and decides what to do.
 * set->whole: only the renames are left. job->resumed: the clone continues. Refuses what
 * must not be touched. The destinations must be locked.
 */
enum lull_outcome lull_set_resume(struct lull_clones *set);

/* Copies to each job's checkpoint what the found one said about the run, above all a
   freeze that was left in force. Returns false without memory. */
bool lull_set_keep_run(struct lull_clones *set);
