/* SPDX-License-Identifier: MIT */
/* Initializes and frees jobs. */
#pragma once

#include "engine/base/job.h"

/*
 * Initializes a job and its result. The strings must outlive the job. Returns false
 * without memory.
 */
bool lull_job_init(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result);

/* As lull_job_init(), for a job that clones nothing and so measures no calls. dest may be
   NULL. */
void lull_job_look(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result);

/* Closes and frees what the job holds, except for its result. Its keeper must have
   ended. */
void lull_job_done(struct lull_job *job);

/* As lull_job_done(), for a job of lull_job_look(); also frees the result, and moves its
   failure to *ret_failure. Returns how long the job ran, in ns. */
uint64_t lull_job_looked(struct lull_job *job, struct lull_failure *ret_failure);
