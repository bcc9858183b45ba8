/* SPDX-License-Identifier: MIT */
/*
 * Cutting a file down without one long transaction.
 *
 * Freeing an extent costs what cloning it did. A file of ten million extents, given to
 * unlink(2) or to one ftruncate(2), keeps the log of its file system busy for minutes,
 * and every writer who needs space in that log waits, whatever file it is.
 */
#pragma once

#include "engine/base/job.h"

/*
 * Makes fd, a file of the destination's file system, no longer than size, from its end
 * on, in steps that each take no more than the latency budget, with the rests of the duty
 * cycle between them. A file that is no longer than that stays as it is.
 *
 * LULL_OK; LULL_INTERRUPTED or LULL_STOPPED (the freeze is over) with the file somewhere
 * between; LULL_FAILED.
 */
enum lull_outcome lull_shrink(struct lull_job *job, int fd, uint64_t size) _must_check_;

/* Makes the file that is written size bytes long, in that way where it is longer. The
   outcomes are the same. */
enum lull_outcome lull_shrink_or_grow(struct lull_job *job, uint64_t size) _must_check_;
