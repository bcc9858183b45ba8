// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint names the snapshot before it is made and until it is deleted.
 *  2. While there is one the keeper lives, and deletes it should this process be killed.
 */
#include "engine/snapshot.h"

#include "engine/freeze.h"
#include "engine/pass.h"
#include "engine/record.h"
#include "engine/start.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/snapshot.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>

/* Extents that the clone call has to work on while the snapshot is taken: 40-80 ms, which
   is what a commit took on the disks that were measured. Doubled until it suffices. */
#define FIRST_HOLD (8u << 10)

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

/* The length that holds so many extents, from the start; the whole size at the most. */
static int length_of(const struct lull_job *job, uint32_t extents, uint64_t size,
		     uint64_t *ret_len)
{
	struct lull_extmap *map;
	struct lull_cursor cursor;
	struct lull_extent e;
	uint64_t weight = 0, end = 0;
	int r = lull_extmap_open(job->src, LULL_EXTMAP_AUTO, 0, size, &map);

	if (r < 0)
		return r;
	cursor = lull_extmap_cursor(map);
	while (weight < extents && (r = cursor.next(cursor.ctx, &e)) > 0) {
		weight += e.weight;
		end = e.off + e.len;
	}
	lull_extmap_close(map);
	if (r < 0)
		return r;
	end &= ~(job->dest.fs.block - 1);
	*ret_len = weight < extents || end == 0 ? size : end;
	return 0;
}

/*
 * 0, -ETIME if even the whole file was no cover for it, or another -errno: all of them mean
 * that this method is impossible. The range holds longer and longer, for what a commit takes
 * depends on what others write.
 */
static int take(struct lull_job *job, int root)
{
	struct lull_dest *dest = &job->dest;

	for (uint32_t extents = FIRST_HOLD;; extents *= 2) {
		struct lull_reference now;
		uint64_t len = 0, held;
		int r = lull_tripwire_look(job->src, &now);

		if (r == 0)
			r = length_of(job, extents, now.size, &len);
		if (r == 0)
			r = lull_snapshot_take(root, dest->dir, dest->snapshot, job->src,
					       dest->scratch, len, &held);
		/* Grown or shrunk since it was looked at. */
		if (r == -EINVAL && !lull_should_stop(job) && extents < FIRST_HOLD << 6)
			continue;
		if (r != -ETIME)
			return r;
		job->last_call_ns = held;
		if (len >= now.size) {
			job->whole_is_short = true;
			return r;
		}
		if (lull_should_stop(job) || extents > UINT32_MAX / 2)
			return r;
	}
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
	int r = lull_snapshot_delete(job->dest.dir, job->dest.snapshot);

	if (r < 0) {
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.snapshot);
		return LULL_OK;
	}
	return job->checkpoint.snapshot ? record(job, false) : LULL_OK;
}

static enum lull_outcome clone_from(struct lull_job *job, const char *inside)
{
	struct lull_dest *dest = &job->dest;
	int fd = lull_snapshot_open(dest->dir, dest->snapshot, inside, job->src);
	enum lull_outcome outcome;
	bool changed;
	uint64_t start;
	int r;

	if (fd < 0)
		return lull_fail(job, LULL_STAGE_SNAPSHOT, LULL_CAUSE_ERRNO, fd, job->source);
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
		r = lull_snapshot_delete(job->dest.dir, job->dest.snapshot);
		if (r == 0)
			r = take(job, root);
		*ret_impossible = r < 0;
		if (r == 0)
			outcome = clone_from(job, inside);
	}
	(void)close(root);
	close_snapshot(job);
	if (lull_snapshot_undo(job) != LULL_OK && outcome == LULL_OK)
		outcome = LULL_FAILED;
	return outcome;
}
