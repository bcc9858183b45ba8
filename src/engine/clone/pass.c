// SPDX-License-Identifier: MIT
/*
 * The loop that lullcp exists for: advise, batch, clone, observe, rest.
 *
 * The extent map is walked between the calls, a window at a time. A thread that walks
 * ahead costs more than it saves. On XFS (6.18, 100,000 extents) it contends with the
 * clone for the locks of the refcount tree: that took 1.67 s, against 0.86 s without the
 * thread and 0.74 s for cp. On Btrfs the walk by tree search takes only 2 % of the
 * clone's time. Where extents are short, only a part of the map is read: see
 * plan/sample.h.
 *
 * INVARIANTS
 *  1. The pass checks between any two calls whether it must stop, so a stop takes at most
 *     one call and one rest.
 *  2. progress->offset moves past a range only after its call has returned 0.
 *  3. No call is made after the writers are thawed.
 */
#include "engine/clone/pass.h"

#include "engine/base/rest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/log_force.h"
#include "engine/clone/one_call.h"
#include "engine/clone/record.h"
#include "plan/batch.h"
#include "plan/pace.h"
#include "plan/sample.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/ficlone.h"
#include "sys/ficlone_whole.h"
#include "sys/inode.h"
#include "sys/subvolume.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>

/* If a file has more bytes of holes than this, do not clone them: XFS reserves space for
   a hole as for data. */
#define LARGE_HOLES (1ULL << 40)

/*
 * The widest hole that a call goes across. That saves 2 us a hole (one call, and one
 * punch if it is due). Up to some GiB, the length of a hole costs nothing. Longer holes
 * are few, and to leave them out costs one call each.
 */
#define WIDEST_HOLE (1ULL << 30)

/*
 * The least weight of a call that clones from a snapshot. Nobody waits for the locks of a
 * snapshot. Where writers fill a Btrfs, each transaction waits 20-80 ms for space,
 * however small it is. With compression, calls of one extent took 40 s for what calls of
 * this weight do in two.
 */
#define LEAST_FROM_SNAPSHOT 256

/* If a call had less than half of the expected extents, the next one gets at most twice
   the size: what follows may be as expected. */
#define LEAST_DENSER 0.5

/* How often to check that the source has not been written to. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

/* How often, and at which interval, to repeat a call that fails temporarily (EAGAIN,
   EINTR). */
#define TRIES            20
#define BETWEEN_TRIES_NS (5 * NSEC_PER_MSEC)

/* What a pass holds, in one struct so that one function can free it. */
struct pass {
	struct lull_job *job;
	struct lull_extmap *source_map;
	struct lull_extmap *dest_map;
	struct lull_sample sample;
	struct lull_plan plan;
	struct lull_pace pace;
	struct lull_batch batch;
	struct lull_log_force log_force;
	uint64_t recorded_at; /* CLOCK_MONOTONIC */
	uint64_t looked_at;
	uint64_t call_ns; /* spent in calls */
	uint64_t from;    /* offset at which the pass began */
	/* The number of extents of the destination, if the file system counts them and
	   all are from this pass; else 0. */
	uint64_t extents;
	bool counts;
	/* extents of the last sampled call for each expected extent, or 1 */
	double denser;
	bool changed;
};

void lull_pass_cross_holes(const struct lull_job *job, struct lull_batch *batch)
{
	lull_batch_cross_holes(batch, WIDEST_HOLE,
			       lull_subvolume_has_hole_items(job->src));
}

static int next_range(void *ctx, struct lull_range *ret_range)
{
	return lull_plan_next(ctx, ret_range);
}

/* Opens both maps in the same way, because another way may give another place for the
   same block. */
static int open_maps(struct pass *p, uint64_t start, uint64_t size)
{
	const struct lull_job *job = p->job;
	int r = lull_extmap_open(job->src, LULL_EXTMAP_AUTO, start, size, &p->source_map);

	if (r < 0 || job->mode != LULL_PLAN_COMPARE)
		return r;
	return lull_extmap_open(job->dest.fd, lull_extmap_kind(p->source_map), start,
				size, &p->dest_map);
}

/* Returns a cursor over the source's map, or over a sample of it if the whole walk is
   expensive. */
static struct lull_cursor source_cursor(struct pass *p, uint64_t size)
{
	const struct lull_job *job = p->job;
	struct lull_sample_map map = {
		.cursor = lull_extmap_cursor(p->source_map),
		.skip = lull_extmap_skip,
	};

	/* By tree search, the whole map costs only 2 % of the clone. */
	if (job->mode == LULL_PLAN_COMPARE ||
	    lull_extmap_kind(p->source_map) != LULL_EXTMAP_FIEMAP)
		return map.cursor;
	p->counts = job->mode == LULL_PLAN_FRESH && lull_inode_extents(job->src) > 0;
	if (p->counts)
		map.sparse_until = lull_extmap_sparse_until;
	lull_sample_init(&p->sample, &map, size, job->dest.fs.block);
	return lull_sample_cursor(&p->sample);
}

static enum lull_outcome open_pass(struct pass *p, uint64_t start)
{
	struct lull_job *job = p->job;
	const struct lull_options *options = job->options;
	const struct lull_range_source ranges = { .next = next_range, .ctx = &p->plan };
	uint64_t size = job->reference.size, block = job->dest.fs.block;
	struct lull_cursor source, dest = { 0 };
	int r = open_maps(p, start, size);

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_WALK, r, job->source);
	source = source_cursor(p, size);
	if (p->dest_map)
		dest = lull_extmap_cursor(p->dest_map);
	lull_plan_init(&p->plan, job->mode, start, size, block, &source,
		       p->dest_map ? &dest : NULL);
	lull_batch_init(&p->batch, block, &ranges);
	lull_pass_cross_holes(job, &p->batch);
	lull_pace_init(&p->pace, options->latency_budget_ns, options->duty_cycle);
	lull_log_force_init(&p->log_force, job);
	p->recorded_at = p->looked_at = lull_clock_now();
	return LULL_OK;
}

static void close_pass(struct pass *p)
{
	struct lull_progress *progress = p->job->progress;
	uint64_t exact = 0;

	/* Extents outside the sample are counted at the end, if the file system knows the
	   number. */
	if (p->sample.used && p->from == 0 && p->plan.pos >= p->plan.end)
		exact = lull_inode_extents(p->job->src);
	if (exact > 0) {
		progress->extents_cloned += exact - p->plan.extents;
		p->plan.extents = exact;
	}
	p->job->last_call_ns = p->call_ns;
	progress->extents = p->plan.extents;
	/* Several passes may have cloned the same range; it counts once. */
	progress->extents_cloned = MIN(progress->extents_cloned, progress->extents);
	progress->bytes_cloned = MIN(progress->bytes_cloned, progress->size);
	lull_extmap_close(p->source_map);
	lull_extmap_close(p->dest_map);
}

static bool source_changed(struct lull_job *job)
{
	struct lull_reference now;

	return lull_tripwire_look(job->src, &now) < 0 ||
	       !lull_reference_equal(&now, &job->reference);
}

static enum lull_outcome clone_failed(struct lull_job *job, int r, uint64_t off,
				      uint64_t len)
{
	struct lull_failure *failure = &job->result->failure;
	enum lull_cause cause = lull_clone_classify(-r, job->src, job->dest.fd, off, len);

	/* A call over the whole file has no range to report. */
	bool whole = off == 0 && len == job->progress->size;

	(void)lull_fail_between(job, whole ? LULL_STAGE_PROBE : LULL_STAGE_CLONE, cause,
				r, job->progress->dest, job->source);
	failure->off = off;
	failure->len = len;
	return LULL_FAILED;
}

static void count_call(struct lull_job *job, uint64_t ns)
{
	struct lull_progress *progress = job->progress;

	lull_hist_add(job->result->hist, ns);
	progress->calls++;
	if (ns > progress->budget_ns)
		progress->over_budget_calls++;
}

/* Makes one clone call, and repeats it on a temporary failure. *ret_ns is the duration of
   the last. Returns 0 or -errno. */
static int timed_clone(struct lull_job *job, uint64_t off, uint64_t len, uint64_t *ret_ns)
{
	int r = 0;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = lull_clock_now();

		lull_tell_call(job, LULL_CALL_CLONE);
		r = lull_clone_range(job->src, job->dest.fd, off, len);
		*ret_ns = lull_clock_now() - before;
		lull_tell_call(job, LULL_CALL_NONE);
		count_call(job, *ret_ns);
		if (r != -EAGAIN && r != -EINTR)
			break;
		lull_clock_sleep(BETWEEN_TRIES_NS);
	}
	return r;
}

/*
 * Returns the weight of a call that has been made. A wrong estimate must not look like a
 * change in the cost of an extent. If thirty times as many extents are expected as there
 * are, calls look cheap, and the next call whose extents are known takes 150 ms.
 */
static uint32_t weigh(struct pass *p, const struct lull_request *request)
{
	uint64_t before = p->extents, made;

	if (!p->counts)
		return request->weight;
	p->extents = lull_inode_extents(p->job->dest.fd);
	p->denser = 1;
	if (!request->sampled || p->extents <= before)
		return request->weight;
	made = MIN(p->extents - before, (uint64_t)LULL_PACE_MAX_WEIGHT);
	p->denser = MAX((double)made / request->weight, LEAST_DENSER);
	return (uint32_t)made;
}

/* Returns the largest estimated weight for the next call. */
static uint32_t limit_of(const struct pass *p)
{
	uint32_t limit = lull_pace_advise(&p->pace);

	if (p->job->live >= 0)
		limit = MAX(limit, LEAST_FROM_SNAPSHOT);
	return MAX((uint32_t)(limit / p->denser), 1u);
}

static enum lull_outcome punch(struct lull_job *job, const struct lull_request *request)
{
	int r;

	lull_tell_call(job, LULL_CALL_PUNCH);
	r = lull_clone_punch(job->dest.fd, request->off, request->len);
	lull_tell_call(job, LULL_CALL_NONE);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_PUNCH, r, job->dest.path)
		     : LULL_OK;
}

static enum lull_outcome clone_some(struct pass *p, const struct lull_request *request)
{
	struct lull_job *job = p->job;
	uint64_t ns = 0;
	int r = timed_clone(job, request->off, request->len, &ns);

	if (r == -EINVAL && source_changed(job)) {
		p->changed = true;
		return LULL_STOPPED;
	}
	if (r < 0)
		return clone_failed(job, r, request->off, request->len);
	lull_pace_observe(&p->pace, weigh(p, request), ns);
	p->call_ns += ns;
	job->progress->extents_cloned += request->extents;
	job->progress->bytes_cloned += request->len - request->holes;
	return LULL_OK;
}

static enum lull_outcome perform(struct pass *p, const struct lull_request *request)
{
	enum lull_outcome outcome = request->kind == LULL_RANGE_PUNCH
					    ? punch(p->job, request)
					    : clone_some(p, request);

	if (outcome == LULL_OK)
		p->job->progress->offset = request->off + request->len;
	return outcome;
}

static enum lull_outcome between_calls(struct pass *p)
{
	struct lull_job *job = p->job;
	uint64_t now;

	job->progress->extents = p->plan.extents;
	lull_tell(job);

	int r = lull_log_force_if_due(&p->log_force, job, &p->pace);

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_SYNC, r, job->dest.path);
	lull_rest(&p->pace);
	now = lull_clock_now();
	/* Find out soon, rather than at the end, that a frozen source was written to. */
	if ((job->stop_if_written || lull_is_frozen(job)) &&
	    now - p->looked_at >= LOOK_NS) {
		p->looked_at = now;
		if (source_changed(job)) {
			p->changed = true;
			return LULL_STOPPED;
		}
	}
	if (now - p->recorded_at >= job->options->checkpoint_interval_ns) {
		enum lull_outcome outcome = lull_record_offset(job,
							       job->progress->offset);

		p->recorded_at = lull_clock_now();
		lull_log_force_done(&p->log_force);
		return outcome;
	}
	return LULL_OK;
}

static enum lull_outcome run_pass(struct pass *p)
{
	struct lull_job *job = p->job;
	struct lull_request request;

	for (;;) {
		enum lull_outcome outcome = lull_freeze_check(job);

		if (outcome != LULL_OK)
			return outcome;
		if (lull_should_stop(job))
			return LULL_INTERRUPTED;

		int r = lull_batch_next(&p->batch, limit_of(p), &request);

		if (r == 0) {
			job->progress->offset = job->reference.size;
			return LULL_OK;
		}
		if (r < 0)
			return lull_fail_errno(job, LULL_STAGE_WALK, r, job->source);
		outcome = perform(p, &request);
		if (outcome == LULL_OK)
			outcome = between_calls(p);
		if (outcome != LULL_OK)
			return outcome;
	}
}

enum lull_outcome lull_pass_run(struct lull_job *job, uint64_t start, bool *ret_changed)
{
	struct pass p = { .job = job, .from = start, .denser = 1 };
	uint64_t before = lull_clock_now();
	enum lull_outcome outcome;

	job->progress->offset = start;
	job->progress->passes++;
	outcome = open_pass(&p, start);
	if (outcome == LULL_OK)
		outcome = run_pass(&p);
	close_pass(&p);
	job->last_pass_ns = lull_clock_now() - before;
	*ret_changed = p.changed;
	return outcome;
}

bool lull_pass_fits_one_call(struct lull_job *job)
{
	struct lull_one_call count;
	struct stat st;

	if (fstat(job->src, &st) < 0)
		return false;
	if (st.st_size == 0)
		return true;
	if (lull_one_call_count(job->src, (uint64_t)st.st_size, job->dest.fs.block,
				lull_one_call_weight(job->options->latency_budget_ns,
						     job->src_fs.magic),
				&count) < 0)
		return false;
	job->mapped_bytes = count.bytes;
	/* A file of nothing but holes needs no call. A hole of exabytes is expensive on
	   XFS, which reserves space for it. */
	if (!count.fits || count.weight == 0 ||
	    (uint64_t)st.st_size - count.bytes > LARGE_HOLES)
		return false;
	job->progress->extents = count.extents;
	return true;
}

enum lull_outcome lull_pass_whole(struct lull_job *job, bool written)
{
	struct lull_progress *progress = job->progress;
	uint64_t before = lull_clock_now(), size = 0;
	int r;

	lull_tell_call(job, LULL_CALL_CLONE);
	r = lull_clone_whole(job->src, job->dest.fd, job->dest.fs.block, written, &size);
	lull_tell_call(job, LULL_CALL_NONE);
	if (r < 0)
		return clone_failed(job, r, 0, progress->size);
	count_call(job, lull_clock_now() - before);
	progress->size = size;
	progress->offset = size;
	progress->passes++;
	/* After a pass these contain what the pass has cloned. */
	if (progress->extents_cloned == 0) {
		progress->bytes_cloned = MIN(job->mapped_bytes, size);
		progress->extents_cloned = progress->extents;
	}
	job->checkpoint.dest_size = size;
	return LULL_OK;
}
