// SPDX-License-Identifier: MIT
/* Reports of the engine: failures, progress, warnings. */
#include "engine/base/job.h"

#include "engine/base/events.h"
#include "sys/clock.h"
#include "sys/tripwire.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

enum lull_outcome lull_end(struct lull_job *job, enum lull_outcome outcome,
			   enum lull_stage stage, enum lull_cause cause, int err,
			   const char *path)
{
	struct lull_failure *failure = &job->result->failure;

	if (failure->stage != LULL_STAGE_NONE)
		return outcome;
	*failure = (struct lull_failure){
		.stage = stage,
		.cause = cause,
		.err = abs(err),
		.path = path ? strdup(path) : NULL,
	};
	return outcome;
}

enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *path)
{
	return lull_end(job, LULL_FAILED, stage, cause, err, path);
}

enum lull_outcome lull_fail_between(struct lull_job *job, enum lull_stage stage,
				    enum lull_cause cause, int err, const char *path,
				    const char *path2)
{
	struct lull_failure *failure = &job->result->failure;
	bool first = failure->stage == LULL_STAGE_NONE;

	(void)lull_fail(job, stage, cause, err, path);
	if (first)
		failure->path2 = lull_text_copy(path2);
	return LULL_FAILED;
}

void lull_failure_done(struct lull_failure *failure)
{
	free(failure->path);
	free(failure->path2);
}

void lull_tell(struct lull_job *job)
{
	struct lull_progress *progress = job->progress;
	uint64_t now = lull_clock_now();

	progress->elapsed_ns = now - job->started;
	progress->frozen_ns = lull_is_frozen(job) ? now - job->freeze->started : 0;
	job->observer->progress(job->observer->ctx, progress);
}

void lull_tell_call(const struct lull_job *job, enum lull_call call)
{
	job->observer->call(job->observer->ctx, call);
}

int lull_flush_source(const struct lull_job *job)
{
	int r;

	lull_tell_call(job, LULL_CALL_FLUSH);
	r = lull_tripwire_flush(job->src);
	lull_tell_call(job, LULL_CALL_NONE);
	return r;
}

bool lull_is_frozen(const struct lull_job *job)
{
	return job->freeze && job->freeze->started != 0;
}

bool lull_should_stop(struct lull_job *job)
{
	return job->observer->should_stop(job->observer->ctx);
}

void lull_announce(struct lull_job *job, enum lull_method method, uint64_t ns)
{
	lull_events_say(job->observer, .kind = LULL_NOTE_WAIT, .method = method,
			.count = ns);
}

void lull_warn(struct lull_job *job, enum lull_warning warning, int err, const char *path)
{
	lull_events_warn(job->observer, warning, err, path);
}

struct lull_hold lull_progress_hold(const struct lull_progress *progress)
{
	const struct lull_hist *hist = progress->hist;

	if (!hist)
		return progress->hold;
	return (struct lull_hold){
		.p50 = lull_hist_permille(hist, 500),
		.p99 = lull_hist_permille(hist, 990),
		.p999 = lull_hist_permille(hist, 999),
		.max = hist->max,
	};
}

void lull_result_done(struct lull_result *result)
{
	lull_failure_done(&result->failure);
	free(result->dest);
	free(result->generation);
	free(result->hist);
	*result = (struct lull_result){ 0 };
}

void lull_verdict_done(struct lull_verdict *verdict)
{
	lull_failure_done(&verdict->failure);
	*verdict = (struct lull_verdict){ 0 };
}

void lull_report_done(struct lull_report *report)
{
	struct lull_report *next = report->next;

	lull_failure_done(&report->failure);
	free(report->source);
	free(report->dest);
	free(report->checkpoint);
	free(report->temporary);
	free(report->hook);
	*report = (struct lull_report){ 0 };
	while (next) {
		struct lull_report *after = next->next;

		next->next = NULL;
		lull_report_done(next);
		free(next);
		next = after;
	}
}
