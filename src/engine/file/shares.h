/* SPDX-License-Identifier: MIT */
/* How the descriptors that a process may have are shared out in a run. */
#pragma once

#include "engine/file/copy_run.h"

#define LULL_MOST_JOBS 256u

/*
 * Raises the limit, sets tree->open_levels and tree->single_syncs, and returns how many
 * of the wanted jobs there are descriptors for (at least 1). *ret_tasks: files that may
 * wait open, at least 1.
 */
unsigned int lull_shares_of_descriptors(struct lull_copy_run *tree, unsigned int wanted,
					unsigned int *ret_tasks);
