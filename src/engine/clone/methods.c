// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A pass is a copy of one point in time if nobody wrote from its reference to its end. A
 * pass while writers run is worth its time too, because the next one finds most of the
 * file cloned. XFS skips that in 0.5 us an extent; on Btrfs lullcp compares the maps.
 *
 * Without a hook, in this order:
 *
 *     quiet      a pass in which nobody wrote
 *     snapshot   Btrfs: nobody writes to a snapshot. Taken as soon as somebody is seen to
 *                write, for it stalls writers less than a pass does
 *     atomic     XFS: after the passes one call over the whole file, which the kernel
 *                makes atomic against writers and which finds next to all of it shared.
 *                Btrfs, where it takes as long as for cp: only if asked for, or if the
 *                whole file was not enough to take a snapshot under
 *     nothing    stopped, resumable
 *
 * Snapshot and atomic require that the kernel blocks all writers. If it does not block
 * stores through mmap (lull_clone_is_atomic()), they are made only if requested, with a
 * warning.
 *
 * INVARIANT: a function here returns LULL_OK only if the file is a copy of one point in
 * time, or has warned that it may not be.
 */
#include "engine/clone/methods.h"

#include "engine/clone/copy.h"

#include "engine/clone/pass.h"
#include "engine/clone/record.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/start.h"
#include "sys/clock.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <linux/magic.h>

/* A pass is the last one if it took more than SHRINKS of the time of the one before, or
   less than SHORT of the time of the first. In the first case, the amount that is written
   during a pass no longer shrinks. In the second, it takes next to no time beside the
   walk over what is shared. */
#define SHRINKS 0.7
#define SHORT   0.25
/* How many times to flush before the one call under the lock, unless a flush is so short
   that there was next to nothing to flush. */
#define FLUSHES        5
#define SHORT_FLUSH_NS (5 * NSEC_PER_MSEC)

enum lull_outcome lull_method_written(struct lull_job *job, enum lull_cause cause)
{
	return lull_end(job, job->freeze->hook ? LULL_WRITTEN : LULL_STOPPED,
			LULL_STAGE_CLONE, cause, 0, job->source);
}

/* Takes a reference that equals no other, for a pass that cannot be point-in-time. */
static int take_any_reference(struct lull_job *job)
{
	int r = lull_tripwire_look(job->src, &job->reference);

	job->reference.ctime_ns = LULL_NO_CTIME;
	return r;
}

enum lull_outcome lull_method_pass(struct lull_job *job, bool *ret_held, bool *ret_whole)
{
	struct lull_reference after;
	enum lull_outcome outcome;
	bool changed = false;
	uint64_t start;
	int r;

	*ret_held = *ret_whole = false;
	outcome = lull_start_pass(job, &start);
	if (outcome != LULL_OK)
		return outcome;
	outcome = job->copies ? lull_copy_pass(job, start)
			      : lull_pass_run(job, start, &changed);
	if (changed)
		return LULL_OK;
	if (outcome != LULL_OK)
		return outcome;
	*ret_whole = true;
	r = lull_tripwire_look(job->src, &after);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
	*ret_held = lull_reference_equal(&after, &job->reference);
	return LULL_OK;
}

enum lull_outcome lull_method_reference(struct lull_job *job, bool *ret_taken)
{
	int r = lull_tripwire_take(job->src, job->dest.scratch, job->dest.fs.block,
				   &job->reference);

	*ret_taken = r == 0;
	if (r == -EBUSY)
		r = take_any_reference(job);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source) : LULL_OK;
}

/* Records a refresh: an older clone must not have the temporary name without a
   checkpoint. */
static enum lull_outcome record_refresh(struct lull_job *job)
{
	enum lull_outcome outcome = lull_record_begin(job);
	int r;

	if (outcome != LULL_OK)
		return outcome;
	r = take_any_reference(job);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
	job->checkpoint.reference = job->reference;
	job->checkpoint.has_reference = true;
	return lull_record_save(job);
}

enum lull_outcome lull_method_single(struct lull_job *job)
{
	/* From here on the old contents are lost if the file is written in place. So
	   probe first. */
	enum lull_outcome outcome = job->dest.in_place || job->base >= 0
					    ? lull_start_probe(job)
					    : LULL_OK;

	job->progress->method = LULL_METHOD_SINGLE;
	if (outcome == LULL_OK && job->base >= 0)
		outcome = record_refresh(job);
	if (outcome == LULL_OK)
		outcome = lull_start_prepare(job);
	return outcome == LULL_OK ? lull_pass_whole(job, false) : outcome;
}

/* Returns true if another pass would shorten the last step, for which writers wait. */
static bool worth_another(const struct lull_job *job, uint64_t *before, uint64_t *first)
{
	uint64_t now = job->last_pass_ns;
	bool worth = *first == 0 || ((double)now <= SHRINKS * (double)*before &&
				     (double)now >= SHORT * (double)*first);

	*before = now;
	if (*first == 0)
		*first = now;
	return worth;
}

/* ---- with a hook ---- */

enum lull_outcome lull_method_live(struct lull_job *job)
{
	uint64_t before = 0, first = 0;

	for (unsigned int i = 0; i < job->options->passes; i++) {
		enum lull_outcome outcome;
		bool held, whole;
		int r = lull_flush_source(job);

		if (r == 0)
			r = take_any_reference(job);
		if (r < 0)
			return lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source);
		outcome = lull_method_pass(job, &held, &whole);
		if (outcome != LULL_OK)
			return outcome;
		if (!worth_another(job, &before, &first))
			break;
	}
	return LULL_OK;
}

/* ---- copies of bytes ---- */

enum lull_outcome lull_method_torn(struct lull_job *job)
{
	/* cp would not even notice that the source was written to. */
	if (job->options->on_writers == LULL_ON_WRITERS_FAIL)
		return lull_method_written(job, LULL_CAUSE_WRITERS);
	lull_warn(job, LULL_WARNING_TORN, 0, job->source);
	return LULL_OK;
}

enum lull_outcome lull_method_copy(struct lull_job *job)
{
	bool taken, held, whole;
	enum lull_outcome outcome = lull_method_reference(job, &taken);

	job->progress->method = LULL_METHOD_COPY;
	if (outcome == LULL_OK)
		outcome = lull_method_pass(job, &held, &whole);
	if (outcome != LULL_OK || (taken && held))
		return outcome;
	/* A second copy would take as long again. */
	return lull_method_torn(job);
}

/* ---- without a hook ---- */

/* Returns true if method atomic may be used. On Btrfs, a repeated clone is no cheaper
   than the first, so the call would hold the locks as long as cp does. */
static bool atomic_allowed(const struct lull_job *job)
{
	enum lull_on_writers choice = job->options->on_writers;

	return choice == LULL_ON_WRITERS_ATOMIC || job->whole_is_short ||
	       (choice == LULL_ON_WRITERS_AUTO && job->dest.fs.magic == XFS_SUPER_MAGIC);
}

static enum lull_outcome clone_atomic(struct lull_job *job)
{
	enum lull_outcome outcome;
	int r = take_any_reference(job);

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
	job->stop_if_written = false;
	job->progress->method = LULL_METHOD_ATOMIC;
	/* If no pass came before, record and begin the clone. */
	if (job->state < LULL_JOB_BEGUN) {
		uint64_t start;

		outcome = lull_start_pass(job, &start);
		if (outcome != LULL_OK)
			return outcome;
	}
	if (job->last_call_ns > 0)
		lull_announce(job, LULL_METHOD_ATOMIC, job->last_call_ns);
	for (int i = 0; i < FLUSHES; i++) {
		uint64_t before = lull_clock_now();

		r = lull_flush_source(job);
		if (r < 0)
			return lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source);
		if (lull_clock_now() - before < SHORT_FLUSH_NS)
			break;
	}
	return lull_pass_whole(job, true);
}

/* Fails, and says why there is no snapshot, which would have worked. */
static enum lull_outcome no_snapshot(struct lull_job *job)
{
	struct lull_failure *failure = &job->result->failure;
	enum lull_outcome outcome = lull_method_written(job, LULL_CAUSE_NO_SNAPSHOT);

	if (failure->cause == LULL_CAUSE_NO_SNAPSHOT && !failure->path2) {
		failure->detail = (int)job->no_snapshot.why;
		failure->err = job->no_snapshot.err;
		failure->path2 = job->no_snapshot.path;
		job->no_snapshot.path = NULL;
	}
	return outcome;
}

static enum lull_outcome hold_off(struct lull_job *job)
{
	enum lull_on_writers choice = job->options->on_writers;
	bool wanted = choice == LULL_ON_WRITERS_AUTO ||
		      choice == LULL_ON_WRITERS_SNAPSHOT;
	bool impossible = false;

	if (wanted) {
		enum lull_outcome outcome = lull_snapshot_clone(job, &impossible);

		if (!impossible)
			return outcome;
	}
	if (atomic_allowed(job))
		return clone_atomic(job);
	return wanted ? no_snapshot(job) : lull_method_written(job, LULL_CAUSE_WRITERS);
}

static enum lull_outcome escalate(struct lull_job *job)
{
	bool all = lull_clone_is_atomic(job->src);
	enum lull_outcome outcome;

	if (lull_should_stop(job))
		return LULL_INTERRUPTED;
	if (!all && job->src_fs.magic == BTRFS_SUPER_MAGIC &&
	    job->options->on_writers == LULL_ON_WRITERS_AUTO)
		return lull_method_written(job, LULL_CAUSE_STORES);
	outcome = hold_off(job);
	if (!all && outcome == LULL_OK)
		lull_warn(job, LULL_WARNING_STORES, 0, job->source);
	return outcome;
}

static bool snapshot_wanted(const struct lull_job *job)
{
	enum lull_on_writers choice = job->options->on_writers;

	return choice == LULL_ON_WRITERS_SNAPSHOT ||
	       (choice == LULL_ON_WRITERS_AUTO && lull_clone_is_atomic(job->src));
}

enum lull_method lull_method_if_written(struct lull_job *job)
{
	bool all = lull_clone_is_atomic(job->src);

	if (job->options->on_writers == LULL_ON_WRITERS_TRUST)
		return LULL_METHOD_TRUST;
	if (snapshot_wanted(job) && lull_snapshot_possible(job))
		return LULL_METHOD_SNAPSHOT;
	if (job->options->on_writers == LULL_ON_WRITERS_AUTO && !all &&
	    job->src_fs.magic == BTRFS_SUPER_MAGIC)
		return LULL_METHOD_NONE;
	return atomic_allowed(job) ? LULL_METHOD_ATOMIC : LULL_METHOD_NONE;
}

enum lull_outcome lull_method_unfrozen(struct lull_job *job)
{
	const struct lull_options *options = job->options;
	bool snapshot = snapshot_wanted(job) && lull_snapshot_possible(job);
	/* On Btrfs, one call over the whole file is no shorter after passes. */
	bool cp_like = options->on_writers == LULL_ON_WRITERS_ATOMIC &&
		       job->dest.fs.magic == BTRFS_SUPER_MAGIC;
	uint64_t before = 0, first = 0;

	job->progress->method = LULL_METHOD_QUIET;
	job->stop_if_written = snapshot;
	for (unsigned int i = 0; i < options->passes; i++) {
		bool taken, held, whole;
		enum lull_outcome outcome = lull_method_reference(job, &taken);

		if (outcome != LULL_OK)
			return outcome;
		if (!taken && (snapshot || cp_like))
			break;
		outcome = lull_method_pass(job, &held, &whole);
		if (outcome != LULL_OK || held)
			return outcome;
		if (options->on_writers == LULL_ON_WRITERS_TRUST && whole) {
			job->progress->method = LULL_METHOD_TRUST;
			lull_warn(job, LULL_WARNING_TRUSTED, 0, job->source);
			return LULL_OK;
		}
		if (snapshot || cp_like || !worth_another(job, &before, &first))
			break;
	}
	return escalate(job);
}
