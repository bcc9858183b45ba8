/* SPDX-License-Identifier: MIT */
/*
 * The hook of a freeze, and what it is told. It is the hook of the options, or else that
 * of the checkpoint. The same hook thaws a freeze that an earlier run left in force.
 */
#pragma once

#include "engine/base/job.h"

/* Parses the command of a hook, and checks that it can be started. The caller frees
   *ret_hook. If the command cannot be parsed, *ret_hook is unchanged. */
enum lull_outcome lull_freeze_hook_parse(struct lull_job *job, const char *text,
					 struct lull_hook **ret_hook);

/*
 * Returns the hook to call for a job: that of the options, or else that of its
 * checkpoint. The caller frees it. Does not check that it can be started. Refuses a
 * command in the checkpoint that may be somebody else's.
 */
enum lull_outcome lull_freeze_hook_open(struct lull_job *job,
					struct lull_hook **ret_hook);

/* Returns the time limit of one call of the hook. */
uint64_t lull_freeze_hook_timeout(const struct lull_job *job);

/* Opens the hook of job->freeze, if there is one, and checks that it can be started. */
enum lull_outcome lull_freeze_hook_prepare(struct lull_job *job);

/* Returns what the hook is told about the run. freeze->sources must be set. */
struct lull_hook_facts lull_freeze_hook_facts(const struct lull_job *job);

/* Sets freeze->sources, in the order of the jobs, to their paths, or with recorded to
   those in the checkpoints. Returns false without memory. */
bool lull_freeze_hook_sources(struct lull_freeze *freeze, bool recorded) _must_check_;

/* Returns why a call of a hook failed; LULL_CAUSE_ERRNO if the status contains an
   errno. */
enum lull_cause lull_freeze_hook_cause(const struct lull_hook_status *status);

/* Reports how the hook failed. text is its command. Returns outcome. */
enum lull_outcome lull_freeze_hook_failed(struct lull_job *job, enum lull_outcome outcome,
					  const char *text,
					  const struct lull_hook_status *status);
