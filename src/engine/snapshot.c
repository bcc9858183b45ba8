// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint names the snapshot before it is made and until it is deleted.
 *  2. While there is one the keeper lives, and deletes it should this process be killed.
 */
#include "engine/snapshot.h"

#include "engine/freeze.h"
#include "engine/pass.h"
#include "engine/piece.h"
#include "engine/record.h"
#include "engine/start.h"
#include "sys/clock.h"
#include "sys/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

/* How often the size of the source may change under the attempt. */
#define ATTEMPTS 20

bool lull_snapshot_possible(struct lull_job *job)
{
	const char *inside;
	int root;

	if (job->src_fs.magic != BTRFS_SUPER_MAGIC || job->dest.in_place ||
	    !lull_snapshot_deletable(job->dest.dir) ||
	    lull_snapshot_find(job->src, job->source_path, &root, &inside) < 0)
		return false;
	(void)close(root);
	return true;
}

/* As much of the source as is gone over again in a tenth of a second, longer than most
   commits take. */
#define PREPARED_EXTENTS 5000
/* Where each call waits for room, less has to do. */
#define LONGEST_PREPARATION_NS (NSEC_PER_SEC / 2)

/* A clone of the beginning, in bounded calls, for the call that is to hold the locks. */
static int prepare(struct lull_job *job, uint64_t size)
{
	struct lull_piece piece;

	if (ftruncate(job->dest.scratch, 0) < 0)
		return -errno;
	return lull_piece_clone(job, job->dest.scratch, 0,
				(size - 1) & ~(job->dest.fs.block - 1), PREPARED_EXTENTS,
				LONGEST_PREPARATION_NS, &piece);
}

/*
 * 0; -ECANCELED if the observer wants to stop; or -errno: then this method is impossible, -ETIME
 * because the file is so small that even a clone of all of it is over before a snapshot is
 * made.
 */
static int take(struct lull_job *job, int root)
{
	struct lull_dest *dest = &job->dest;
	int r = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && !lull_should_stop(job); i++) {
		struct lull_reference now;
		uint64_t held = 0;

		r = lull_tripwire_look(job->src, &now);
		if (r == 0 && now.size == 0)
			r = -EAGAIN;
		if (r == 0)
			r = prepare(job, now.size);
		if (r == 0)
			r = lull_tripwire_look(job->src, &now);
		if (r == 0)
			r = lull_snapshot_take(root, dest->dir, dest->snapshot, job->src,
					       dest->scratch, now.size, &held);
		/* Grown or shrunk since it was looked at. */
		if (r == -EINVAL || r == -EAGAIN)
			continue;
		if (r == -ETIME) {
			job->last_call_ns = held;
			job->whole_is_short = true;
		}
		break;
	}
	return r < 0 && lull_should_stop(job) ? -ECANCELED : r;
}

static enum lull_outcome record(struct lull_job *job, bool there)
{
	struct lull_checkpoint *c = &job->checkpoint;

	free(c->snapshot);
	c->snapshot = there ? strdup(job->dest.snapshot) : NULL;
	if (there && !c->snapshot)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, ENOMEM,
				 job->dest.checkpoint_path);
	return lull_record_save(job);
}

enum lull_outcome lull_snapshot_undo(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	/* To recover, nobody has opened it; if it is gone, the name has to do. */
	_cleanup_close_ int fd =
		job->src < 0 && job->checkpoint.source
			? open(job->checkpoint.source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
			: -1;
	int r = lull_snapshot_delete(dest->dir, dest->snapshot, job->src < 0 ? fd : job->src);

	if (r < 0) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%.*s%s", (int)(dest->name - dest->path), dest->path,
			     dest->snapshot) < 0)
			path = NULL;
		lull_warn(job, LULL_WARNING_CLEANUP, r, path ? path : dest->snapshot);
		return LULL_OK;
	}
	return job->checkpoint.snapshot ? record(job, false) : LULL_OK;
}

/* fd is the source in the snapshot. */
static enum lull_outcome clone_from(struct lull_job *job, int fd)
{
	enum lull_outcome outcome;
	bool changed;
	uint64_t start;
	int r;

	job->live = job->src;
	job->src = fd;
	job->stop_if_written = false;
	r = lull_tripwire_look(job->src, &job->reference);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_ERRNO, r, job->source);
	outcome = lull_start_pass(job, &start);
	return outcome == LULL_OK ? lull_pass_run(job, start, &changed) : outcome;
}

static void close_snapshot(struct lull_job *job)
{
	if (job->live < 0)
		return;
	(void)close(job->src);
	job->src = job->live;
	job->live = -1;
}

enum lull_outcome lull_snapshot_clone(struct lull_job *job, bool *ret_impossible)
{
	const char *inside;
	enum lull_outcome outcome;
	int root, r;

	*ret_impossible = !lull_snapshot_possible(job) ||
			  lull_snapshot_find(job->src, job->source_path, &root, &inside) < 0;
	if (*ret_impossible)
		return LULL_FAILED;

	job->progress->method = LULL_METHOD_SNAPSHOT;
	outcome = record(job, true);
	if (outcome == LULL_OK)
		outcome = lull_freeze_guard(job);
	if (outcome == LULL_OK) {
		/* One that a crash left is no longer of use to anybody. */
		r = lull_snapshot_delete(job->dest.dir, job->dest.snapshot, job->src);
		if (r == 0)
			r = take(job, root);
		/* Renamed since, it is not there. */
		if (r == 0)
			r = lull_snapshot_open(job->dest.dir, job->dest.snapshot, inside,
					       job->src);
		*ret_impossible = r < 0 && r != -ECANCELED;
		if (r == -ECANCELED)
			outcome = LULL_INTERRUPTED;
		else if (r >= 0)
			outcome = clone_from(job, r);
	}
	(void)close(root);
	close_snapshot(job);
	if (lull_snapshot_undo(job) != LULL_OK && outcome == LULL_OK)
		outcome = LULL_FAILED;
	return outcome;
}
