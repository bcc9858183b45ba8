/* SPDX-License-Identifier: MIT */
/* What an earlier run has left of a set, and what becomes of it. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Finds the checkpoint of the set, thaws what it says is frozen, and decides: set->whole
 * says that only names are missing, a job's resumed that its clone goes on. Refuses what
 * is not to be touched. The destinations must be locked.
 */
enum lull_outcome lull_set_resume(struct lull_clones *set);

/* Gives each job's checkpoint what the one that was found said of the run, a freeze that
   was kept above all. False without memory. */
bool lull_set_keep_run(struct lull_clones *set);
