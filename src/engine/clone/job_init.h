/* SPDX-License-Identifier: MIT */
/* A job begins, and ends. */
#pragma once

#include "engine/base/job.h"

/*
 * A job that has done nothing yet, and its result; the strings outlive the job. False
 * without memory.
 */
bool lull_job_init(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result);

/* The same of one that clones nothing, and so measures no calls. dest may be NULL. */
void lull_job_look(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result);

/* Closes and frees what the job holds, but for its result. A keeper must have ended. */
void lull_job_done(struct lull_job *job);

/* The same of one that clones nothing, with its result; *ret_failure takes over what that
   has to say. Returns for how many ns it ran. */
uint64_t lull_job_looked(struct lull_job *job, struct lull_failure *ret_failure);
