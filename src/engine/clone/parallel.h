/* SPDX-License-Identifier: MIT */
/* Takes one step of several jobs side by side. */
#pragma once

#include "engine/base/job.h"

/*
 * Calls step for each of the n jobs, for up to width of them at a time, in threads if
 * width is more than one. The observer is called on the caller's thread: with the
 * progress of the first job that is running, and with warnings in the order of the jobs.
 *
 * The first job that fails stops the others. Returns its outcome with *ret_failed set, or
 * LULL_OK if all succeeded.
 */
enum lull_outcome lull_parallel_run(struct lull_job **jobs, unsigned int n,
				    unsigned int width,
				    enum lull_outcome (*step)(struct lull_job *job),
				    struct lull_job **ret_failed);
