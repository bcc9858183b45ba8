/* SPDX-License-Identifier: MIT */
/*
 * Plans ahead of the clone, in a thread: the walk over the extent map costs 6-12 % of the
 * clone's own time on XFS, which runs both at once since 6.7.
 */
#pragma once

#include "plan/batch.h"
#include "plan/plan.h"

#include <stdint.h>

struct lull_walker;

/*
 * Starts to walk plan, which the walker copies and whose cursors it alone uses from now
 * on. 0 or -errno.
 */
int lull_walker_start(const struct lull_plan *plan, struct lull_walker **ret_walker);

/* The planned ranges, for a batch; waits for the thread where it must. */
struct lull_range_source lull_walker_source(struct lull_walker *walker);

/* Extents of the source seen so far. */
uint64_t lull_walker_extents(const struct lull_walker *walker);

/* Stops the thread, at the end of the kernel call it is in, and frees. NULL is fine. */
void lull_walker_stop(struct lull_walker *walker);
