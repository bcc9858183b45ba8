// SPDX-License-Identifier: MIT
/* Initializes and frees jobs: see job_init.h. */
#include "engine/clone/job_init.h"

#include "engine/clone/dest.h"
#include "sys/clock.h"

#include <stdlib.h>

void lull_job_look(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result)
{
	*result = (struct lull_result){ .progress = { .source = source, .dest = dest } };
	*job = (struct lull_job){
		.options = options,
		.observer = observer,
		.result = result,
		.progress = &result->progress,
		.started = lull_clock_now(),
		.source = source,
		.src = -1,
		.live = -1,
		.base = -1,
		.base_dir = -1,
	};
	lull_dest_init(&job->dest);
}

bool lull_job_init(struct lull_job *job, const struct lull_options *options,
		   const struct lull_observer *observer, const char *source,
		   const char *dest, struct lull_result *result)
{
	lull_job_look(job, options, observer, source, dest, result);
	result->progress.budget_ns = options->latency_budget_ns;
	result->progress.hist = result->hist = calloc(1, sizeof(struct lull_hist));
	return result->hist != NULL;
}

void lull_job_done(struct lull_job *job)
{
	lull_checkpoint_done(&job->checkpoint);
	lull_dest_done(&job->dest);
	free(job->source_path);
	free(job->base_path);
	free(job->no_snapshot.path);
	lull_close(&job->base);
	lull_close(&job->base_dir);
	lull_close(&job->src);
}

uint64_t lull_job_looked(struct lull_job *job, struct lull_failure *ret_failure)
{
	uint64_t elapsed = lull_clock_now() - job->started;

	lull_job_done(job);
	*ret_failure = job->result->failure;
	job->result->failure = (struct lull_failure){ 0 };
	lull_result_done(job->result);
	return elapsed;
}
