// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * Each range that differs is cloned into the temporary file, at the same offset. The
 * exchange skips holes of the temporary file. So where the source has a hole and DEST has
 * data, zeroes are written, and no clone call goes across a hole of the source. The
 * zeroes stay in DEST as blocks. Where both had a hole, DEST keeps it.
 *
 * This is sound because neither file may change in the meantime: the source's reference
 * is compared at the end, and the exchange fails if DEST has changed since before its map
 * was read.
 */
#include "engine/clone/delta.h"

#include "engine/base/rest.h"
#include "engine/clone/difference.h"
#include "engine/clone/methods.h"
#include "engine/clone/shrink.h"
#include "engine/clone/start.h"
#include "engine/clone/swap.h"
#include "plan/batch.h"
#include "plan/pace.h"
#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Gives up if more extents differ than this part of all, or than this number if that is
   larger. A full clone can be resumed; this cannot. */
#define WORTH_PART  4
#define WORTH_LEAST 64
/* The most zeroes to write in all, and in one call. */
#define MOST_ZEROES (64u << 20)
#define ZEROES      (1u << 20)
bool lull_delta_suits(const struct lull_job *job)
{
	struct stat src, target;

	return job->options->refresh && job->dest.target >= 0 && job->dest.fresh.known &&
	       !job->copies && !job->recorded && job->state == LULL_JOB_EMPTY &&
	       job->dest.lock_was_empty && fstat(job->src, &src) == 0 &&
	       fstat(job->dest.target, &target) == 0 && src.st_size == target.st_size &&
	       src.st_size > 0;
}

/* Writes zeroes to a range that is a hole in the source but not in DEST. */
static int write_zeroes(struct lull_job *job, uint64_t off, uint64_t len)
{
	_cleanup_free_ char *zeroes = calloc(1, ZEROES);

	if (!zeroes)
		return -ENOMEM;
	while (len > 0) {
		ssize_t n = pwrite(job->dest.fd, zeroes, MIN(len, (uint64_t)ZEROES),
				   (off_t)off);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			off += (uint64_t)n;
			len -= (uint64_t)n;
		}
		if (lull_should_stop(job))
			return -ECANCELED;
	}
	return 0;
}

static int clone_part(struct lull_job *job, struct lull_pace *pace,
		      const struct lull_request *request)
{
	struct lull_progress *progress = job->progress;
	uint64_t before = lull_clock_now(), took;
	int r;

	lull_tell_call(job, LULL_CALL_CLONE);
	r = lull_clone_range(job->src, job->dest.fd, request->off, request->len);
	lull_tell_call(job, LULL_CALL_NONE);
	if (r < 0)
		return r;
	took = lull_clock_now() - before;
	lull_hist_add(job->result->hist, took);
	lull_pace_observe(pace, request->weight, took);
	progress->calls++;
	progress->over_budget_calls += took > progress->budget_ns;
	progress->extents_cloned += request->extents;
	progress->bytes_cloned += request->len;
	return 0;
}

static int next_range(void *ctx, struct lull_range *ret_range)
{
	return lull_plan_next(ctx, ret_range);
}

static int fill_from(struct lull_job *job, struct lull_plan *plan)
{
	struct lull_range_source ranges = { .next = next_range, .ctx = plan };
	uint64_t most = MAX(lull_inode_extents(job->src) / WORTH_PART, WORTH_LEAST);
	uint64_t zeroes = 0;
	struct lull_request request;
	struct lull_batch batch;
	struct lull_pace pace;
	int r;

	lull_batch_init(&batch, job->dest.fs.block, &ranges);
	lull_pace_init(&pace, job->options->latency_budget_ns, job->options->duty_cycle);
	while ((r = lull_batch_next(&batch, lull_pace_advise(&pace), &request)) > 0) {
		if (lull_should_stop(job))
			return -ECANCELED;
		r = request.kind == LULL_RANGE_PUNCH && request.len > MOST_ZEROES ? -E2BIG
		    : request.kind == LULL_RANGE_PUNCH
			    ? write_zeroes(job, request.off, request.len)
			    : clone_part(job, &pace, &request);
		if (r < 0)
			return r;
		zeroes += request.kind == LULL_RANGE_PUNCH ? request.len : 0;
		if (job->progress->extents_cloned > most || zeroes > MOST_ZEROES)
			return -E2BIG;
		job->progress->offset = request.off + request.len;
		job->progress->extents = plan->extents;
		lull_tell(job);
		lull_rest(&pace);
	}
	return r;
}

/*
 * XFS marks files that share blocks (the reflink flag). If only one of the two files has
 * the mark, a kernel without the fix of CVE-2026-80530 (before 6.12.105, 6.18.46 and
 * 7.1.10) moves the mark with the exchange. But the blocks that the exchange skips stay
 * shared. Then a write to DEST would change the other file as well, and to remove DEST
 * would free that file's blocks. So both files get the mark before the exchange. A clone
 * call sets it, even over a hole. The block that it clones is equal in both, and the
 * exchange skips it.
 */
static int mark(struct lull_job *job)
{
	return lull_clone_range(job->dest.target, job->dest.fd, 0,
				MIN(job->dest.fs.block, job->reference.size));
}

static int fill(struct lull_job *job)
{
	struct lull_maps maps = {
		.a = job->src,
		.b = job->dest.target,
		.kind = LULL_EXTMAP_FIEMAP,
		.to = job->reference.size,
		.block = job->dest.fs.block,
	};
	int r = lull_inode_inherit(job->src, job->dest.fd, 0);

	if (r == 0 && ftruncate(job->dest.fd, (off_t)job->reference.size) < 0)
		r = -errno;
	if (r == 0)
		r = mark(job);
	if (r == 0)
		r = lull_maps_open(&maps);
	if (r == 0)
		r = fill_from(job, &maps.plan);
	if (r == 0) {
		job->progress->offset = job->reference.size;
		job->progress->extents = maps.plan.extents;
	}
	lull_maps_close(&maps);
	return r;
}

/* Empties the file and resets the counts: a full clone begins from zero. */
static enum lull_outcome forget(struct lull_job *job)
{
	struct lull_progress *progress = job->progress;

	progress->offset = progress->extents = progress->extents_cloned = 0;
	progress->bytes_cloned = 0;
	progress->passes = 0;
	return lull_shrink(job, job->dest.fd, 0);
}

enum lull_outcome lull_delta_clone(struct lull_job *job, bool *ret_done)
{
	struct lull_reference after;
	enum lull_outcome outcome = lull_start_probe(job);
	bool taken = false;
	int r;

	*ret_done = false;
	if (outcome == LULL_OK)
		outcome = lull_method_reference(job, &taken);
	if (outcome != LULL_OK || !taken)
		return outcome;
	job->progress->method = LULL_METHOD_QUIET;
	job->progress->passes++;
	r = fill(job);
	if (r == -ECANCELED)
		return LULL_INTERRUPTED;
	/* All of it may be exchanged where a part may not: more is reserved for it. */
	if (r < 0 || lull_tripwire_look(job->src, &after) < 0 ||
	    !lull_reference_equal(&after, &job->reference) || !lull_swap_part_fits(job))
		return forget(job);
	job->dest.partial = *ret_done = true;
	return LULL_OK;
}
