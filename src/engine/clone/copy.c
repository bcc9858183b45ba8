// SPDX-License-Identifier: MIT
/*
 * INVARIANT: EIO, ENOSPC, EDQUOT and ENOMEM of a clone call never lead to a copy.
 */
#include "engine/clone/copy.h"

#include "engine/clone/byte_copy.h"
#include "engine/clone/freeze.h"
#include "engine/clone/record.h"
#include "engine/clone/refresh.h"
#include "engine/clone/start.h"
#include "engine/clone/watch.h"
#include "sys/clock.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <string.h>

/* Even a slow disk copies this much in about a second. */
#define SHORT_COPY (64u << 20)

/* Returns true if an older clone has been changed in part, which a copy would not
   complete. */
static bool has_changed_older(const struct lull_job *job)
{
	return job->options->refresh && (job->result->failure.stage != LULL_STAGE_PROBE ||
					 job->checkpoint.refresh);
}

bool lull_copy_may_help(struct lull_job *job)
{
	struct lull_failure *failure = &job->result->failure;
	bool refused = failure->stage == LULL_STAGE_PROBE ||
		       (failure->stage == LULL_STAGE_CLONE &&
			job->progress->bytes_cloned == 0);

	if (job->options->cp.reflink != LULL_REFLINK_AUTO || !refused || job->copies ||
	    has_changed_older(job) || lull_bytes_is_terminal(failure->err) ||
	    failure->cause == LULL_CAUSE_FULL || failure->cause == LULL_CAUSE_QUOTA)
		return false;
	job->result->not_cloned = failure->err;
	job->result->not_cloned_cause = failure->cause;
	free(failure->path);
	free(failure->path2);
	*failure = (struct lull_failure){ 0 };
	return true;
}

void lull_copy_choose(struct lull_job *job)
{
	job->copies = true;
	lull_refresh_forgo(job);
	/* If the file system cannot clone, it cannot drain by a clone either. */
	lull_close(&job->dest.scratch);
}

static bool fill(const struct lull_job *job, struct lull_byte_copy *ret_copying)
{
	const struct lull_cp *cp = &job->options->cp;
	struct stat st;

	if (fstat(job->src, &st) < 0)
		return false;
	*ret_copying = (struct lull_byte_copy){
		.src = job->src,
		.dest = job->dest.fd,
		.sparse = cp->sparse,
		.may_share = cp->reflink == LULL_REFLINK_AUTO,
		.has_holes = st.st_blocks < st.st_size / 512,
		.src_seeks = true,
		.dest_seeks = true,
	};
	return true;
}

static enum lull_outcome copy_failed(struct lull_job *job,
				     const struct lull_byte_copy *copying, int r)
{
	enum lull_stage stage = copying->side == LULL_BYTES_READ ? LULL_STAGE_COPY_READ
				: copying->side == LULL_BYTES_WRITE
					? LULL_STAGE_COPY_WRITE
					: LULL_STAGE_COPY;

	return lull_fail_between(job, stage,
				 lull_clone_classify(-r, -1, job->dest.fd, 0, 0), r,
				 job->progress->dest, job->source);
}

bool lull_copy_is_short(const struct lull_job *job)
{
	struct stat st;

	return fstat(job->src, &st) == 0 && (uint64_t)st.st_blocks * 512 <= SHORT_COPY;
}

/* ---- a copy with checkpoints ---- */

struct pass {
	struct lull_job *job;
	struct lull_byte_copy copying;
	uint64_t recorded_at; /* CLOCK_MONOTONIC */
	bool records;
	enum lull_outcome outcome; /* why it stopped */
};

static bool step(void *ctx, uint64_t off)
{
	struct pass *p = ctx;
	struct lull_job *job = p->job;

	job->progress->offset = off;
	job->progress->bytes_copied = p->copying.copied;
	lull_tell(job);
	p->outcome = lull_freeze_check(job);
	if (p->outcome == LULL_OK && lull_should_stop(job))
		p->outcome = LULL_INTERRUPTED;
	if (p->outcome == LULL_OK && p->records &&
	    lull_clock_now() - p->recorded_at >= job->options->checkpoint_interval_ns) {
		p->outcome = lull_record_offset(job, off);
		p->recorded_at = lull_clock_now();
	}
	return p->outcome == LULL_OK;
}

static enum lull_outcome run(struct lull_job *job, uint64_t start, uint64_t size,
			     bool records)
{
	struct pass p = { .job = job,
			  .records = records,
			  .recorded_at = lull_clock_now() };
	int r;

	if (!fill(job, &p.copying))
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno, job->source);
	p.copying.step = step;
	p.copying.ctx = &p;
	job->progress->passes++;
	job->progress->offset = start;
	/* Holes are not written, so what an earlier attempt left after start must be
	   removed. */
	if (ftruncate(job->dest.fd, (off_t)start) < 0)
		return lull_fail_errno(job, LULL_STAGE_RESIZE, errno,
				       job->progress->dest);
	r = lull_byte_copy_run(&p.copying, start, size);
	lull_byte_copy_done(&p.copying);
	job->progress->bytes_copied = p.copying.copied;
	if (r < 0)
		return copy_failed(job, &p.copying, r);
	if (r > 0)
		return p.outcome;
	job->progress->offset = size;
	return LULL_OK;
}

enum lull_outcome lull_copy_pass(struct lull_job *job, uint64_t start)
{
	return run(job, start, job->reference.size, true);
}

static enum lull_outcome run_whole(void *ctx)
{
	struct lull_job *job = ctx;
	struct stat st;

	if (fstat(job->src, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno, job->source);
	job->progress->size = (uint64_t)st.st_size;
	job->checkpoint.dest_size = (uint64_t)st.st_size;
	return run(job, 0, (uint64_t)st.st_size, false);
}

enum lull_outcome lull_copy_whole(struct lull_job *job, bool *ret_torn)
{
	enum lull_outcome outcome = lull_start_prepare(job);
	struct lull_watched w;

	job->progress->method = LULL_METHOD_COPY;
	if (outcome != LULL_OK)
		return outcome;
	w = lull_watch(job->src, job->options->on_writers, true, run_whole, job);
	if (w.err < 0)
		return lull_fail_errno(job, LULL_STAGE_FLUSH, w.err, job->source);
	*ret_torn = w.torn;
	return w.outcome;
}
