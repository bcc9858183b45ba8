/* SPDX-License-Identifier: MIT */
/* One step of several jobs, side by side. */
#pragma once

#include "engine/base/job.h"

/*
 * Takes the step with each of the n jobs, with up to width of them at a time, in threads
 * if that is more than one. The observer hears of it on the caller's thread: of the
 * progress of the first that is at work, and of warnings in the order of the jobs.
 *
 * The first that fails stops the others. Returns its outcome, with *ret_failed set;
 * LULL_OK if all succeeded.
 */
enum lull_outcome lull_parallel_run(struct lull_job **jobs, unsigned int n,
				    unsigned int width,
				    enum lull_outcome (*step)(struct lull_job *job),
				    struct lull_job **ret_failed);
