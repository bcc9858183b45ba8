/* SPDX-License-Identifier: MIT */
/*
 * The hook of a freeze: that of the options or, without one there, that of the
 * checkpoint, and what it is told. A freeze that an earlier run left is thawed by it as
 * well.
 */
#pragma once

#include "engine/base/job.h"

/* Parses the command of a hook, and looks whether it can be started. *ret_hook is to be
   freed, unless it could not be parsed: then it is left alone. */
enum lull_outcome lull_freeze_hook_parse(struct lull_job *job, const char *text,
					 struct lull_hook **ret_hook);

/*
 * The hook to call for a job, whose checkpoint names one if the options do not, to be
 * freed. Whether it can be started is not known yet. Refuses one that the checkpoint may
 * have from somebody else.
 */
enum lull_outcome lull_freeze_hook_open(struct lull_job *job,
					struct lull_hook **ret_hook);

/* The longest time for one call of it. */
uint64_t lull_freeze_hook_timeout(const struct lull_job *job);

/* Opens that of job->freeze, if there is one, and looks whether it can be started. */
enum lull_outcome lull_freeze_hook_prepare(struct lull_job *job);

/* What the hook is told of the run, whose sources are named. */
struct lull_hook_facts lull_freeze_hook_facts(const struct lull_job *job);

/* Sets freeze->sources, in the order of the jobs: as this run knows them, or as they are
   recorded. False without memory. */
bool lull_freeze_hook_sources(struct lull_freeze *freeze, bool recorded) _must_check_;

/* Why a call of a hook failed; LULL_CAUSE_ERRNO where the status has one. */
enum lull_cause lull_freeze_hook_cause(const struct lull_hook_status *status);

/* Says how the hook failed. text is its command. Returns outcome. */
enum lull_outcome lull_freeze_hook_failed(struct lull_job *job, enum lull_outcome outcome,
					  const char *text,
					  const struct lull_hook_status *status);
