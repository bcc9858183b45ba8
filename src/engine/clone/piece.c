// SPDX-License-Identifier: MIT
/* The loop of a pass, without checkpoints and progress: see piece.h. */
#include "engine/clone/piece.h"

#include "engine/base/rest.h"
#include "engine/clone/pass.h"
#include "plan/batch.h"
#include "plan/pace.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/ficlone.h"

#include <errno.h>

static int next_range(void *ctx, struct lull_range *ret_range)
{
	return lull_plan_next(ctx, ret_range);
}

static int clone_plan(struct lull_job *job, int fd, struct lull_plan *plan,
		      uint64_t max_extents, uint64_t max_ns, struct lull_piece *piece)
{
	uint64_t since = lull_clock_now();
	struct lull_range_source ranges = { .next = next_range, .ctx = plan };
	struct lull_batch batch;
	struct lull_pace pace;
	struct lull_request request;
	int r;

	lull_batch_init(&batch, job->dest.fs.block, &ranges);
	lull_pass_cross_holes(job, &batch);
	lull_pace_init(&pace, job->options->latency_budget_ns, job->options->duty_cycle);
	while ((r = lull_batch_next(&batch, lull_pace_advise(&pace), &request)) > 0) {
		uint64_t before, took;

		if (lull_should_stop(job))
			return -ECANCELED;
		before = lull_clock_now();
		lull_tell_call(job, LULL_CALL_CLONE);
		r = lull_clone_range(job->src, fd, request.off, request.len);
		lull_tell_call(job, LULL_CALL_NONE);
		if (r < 0)
			return r;
		took = lull_clock_now() - before;
		lull_pace_observe(&pace, request.weight, took);
		lull_rest(&pace);
		piece->ns += took;
		piece->extents += request.extents;
		piece->end = request.off + request.len;
		if (piece->extents >= max_extents || lull_clock_now() - since >= max_ns)
			return 0;
	}
	return r;
}

int lull_piece_clone(struct lull_job *job, int fd, uint64_t from, uint64_t to,
		     uint64_t max_extents, uint64_t max_ns, struct lull_piece *ret_piece)
{
	struct lull_piece piece = { .end = from };
	struct lull_extmap *map;
	struct lull_cursor cursor;
	struct lull_plan plan;
	int r = lull_extmap_open(job->src, LULL_EXTMAP_AUTO, from, to, &map);

	if (r < 0)
		return r;
	cursor = lull_extmap_cursor(map);
	lull_plan_init(&plan, LULL_PLAN_FRESH, from, to, job->dest.fs.block, &cursor,
		       NULL);
	r = clone_plan(job, fd, &plan, max_extents, max_ns, &piece);
	lull_extmap_close(map);
	if (r == 0)
		*ret_piece = piece;
	return r;
}
