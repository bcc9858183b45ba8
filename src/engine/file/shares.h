/* SPDX-License-Identifier: MIT */
/* Shares out the descriptors of the process in a run. */
#pragma once

#include "engine/file/copy_run.h"

#define LULL_MOST_JOBS 256u

/*
 * Raises the limit of descriptors, and sets tree->open_levels and tree->single_syncs.
 * Returns how many of the wanted jobs there are descriptors for, at least 1. *ret_tasks
 * is how many files may wait while open, at least 1.
 */
unsigned int lull_shares_of_descriptors(struct lull_copy_run *tree, unsigned int wanted,
					unsigned int *ret_tasks);
