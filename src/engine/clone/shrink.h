/* SPDX-License-Identifier: MIT */
/*
 * Truncates a file without one long transaction.
 *
 * Freeing an extent costs as much as cloning it. To remove a file of ten million extents
 * with unlink(2) or one ftruncate(2) keeps the log of its file system busy for minutes.
 * Every writer who needs space in that log waits, whatever file it writes to.
 */
#pragma once

#include "engine/base/job.h"

/*
 * Truncates fd, a file on the destination's file system, to size, from its end. Each step
 * takes no more than the latency budget, with the rests of the duty cycle between the
 * steps. Does nothing to a file that is no longer than size.
 *
 * Returns LULL_OK, or LULL_INTERRUPTED or LULL_STOPPED (the freeze is over) with the file
 * truncated in part, or LULL_FAILED.
 */
enum lull_outcome lull_shrink(struct lull_job *job, int fd, uint64_t size) _must_check_;

/* Makes the file that is written size bytes long. If it is longer, truncates it like
   lull_shrink(), with the same outcomes. */
enum lull_outcome lull_shrink_or_grow(struct lull_job *job, uint64_t size) _must_check_;
