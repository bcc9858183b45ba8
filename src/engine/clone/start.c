// SPDX-License-Identifier: MIT
/* The steps before a pass: see start.h. */
#include "engine/clone/start.h"

#include "engine/clone/dest.h"
#include "engine/clone/record.h"
#include "engine/clone/refresh.h"
#include "engine/clone/rotation.h"
#include "engine/clone/shrink.h"
#include "sys/ficlone.h"
#include "sys/inode.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>

static enum lull_outcome attribute_failed(struct lull_job *job, int r)
{
	return lull_fail_errno(job, LULL_STAGE_ATTRIBUTES, r, job->dest.path);
}

enum lull_outcome lull_start_probe(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	struct stat st;
	int r = lull_dest_scratch(dest, job->src);

	if (r < 0)
		return lull_fail(job, LULL_STAGE_PROBE,
				 lull_clone_classify(-r, -1, dest->dir, 0, 0), r,
				 job->dest.path);
	for (int i = 0; i < 3; i++) {
		if (fstat(job->src, &st) < 0)
			return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno,
					       job->source);
		r = lull_tripwire_drain(job->src, dest->scratch, dest->fs.block,
					(uint64_t)st.st_size);
		/* The file is smaller than a block, and its size is changing. */
		if (r != -EINVAL || (uint64_t)st.st_size >= dest->fs.block)
			break;
	}
	if (r < 0) {
		uint64_t len = MIN(dest->fs.block, (uint64_t)st.st_size);

		return lull_fail_between(job, LULL_STAGE_PROBE,
					 lull_clone_classify(-r, job->src, dest->scratch,
							     0, len),
					 r, job->progress->dest, job->source);
	}
	return LULL_OK;
}

/* Keeps others out of a clone that is being written. An earlier run may have given the
   file its final mode. */
static int close_to_others(const struct lull_dest *dest)
{
	struct stat st;

	if (dest->in_place)
		return 0;
	if (fstat(dest->fd, &st) < 0)
		return -errno;
	return (st.st_mode & 07777) != 0600 && fchmod(dest->fd, 0600) < 0 ? -errno : 0;
}

static bool is_too_large(const struct lull_job *job)
{
	struct stat st;

	return fstat(job->src, &st) == 0 &&
	       lull_clone_is_over_limit((uint64_t)st.st_size);
}

enum lull_outcome lull_start_prepare(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	int r = close_to_others(dest);

	if (r < 0)
		return attribute_failed(job, r);
	if (job->state >= LULL_JOB_BEGUN)
		return LULL_OK;
	/* Check this while an older file can still be left alone. */
	if ((dest->in_place || job->base >= 0) && is_too_large(job))
		return lull_fail(job, LULL_STAGE_RESIZE, LULL_CAUSE_FILE_SIZE_LIMIT,
				 EFBIG, dest->path);
	if (job->base >= 0) {
		enum lull_outcome outcome = lull_refresh_adopt(job);

		if (outcome != LULL_OK || job->state == LULL_JOB_ADOPTED)
			return outcome;
	}
	job->state = job->refresh_in_place ? LULL_JOB_ADOPTED : LULL_JOB_BEGUN;
	if (job->refresh_in_place)
		return LULL_OK;
	/* cp also empties a file that it writes to: see --inplace. */
	job->emptied = dest->in_place;
	if (dest->in_place) {
		enum lull_outcome outcome = lull_shrink(job, dest->fd, 0);

		if (outcome != LULL_OK)
			return outcome;
		/* Free what is allocated past the end as well. */
		if (ftruncate(dest->fd, 0) < 0)
			return lull_fail_errno(job, LULL_STAGE_RESIZE, errno, dest->path);
	}
	r = lull_inode_inherit(job->src, dest->fd, 0);
	return r < 0 ? attribute_failed(job, r) : LULL_OK;
}

/* Sets progress->resumed_at, and warns if the clone does not go on where it stopped. */
static void tell_resumed_at(struct lull_job *job, bool same, uint64_t start)
{
	uint64_t claimed = MAX(job->checkpoint.offset, job->claimed);

	/* The reference of a pass with writers equals no other, so a difference means
	   nothing. */
	if (!same && claimed > 0 && job->reference.ctime_ns != LULL_NO_CTIME)
		lull_warn(job, LULL_WARNING_RESUME_REDO, 0, job->source);
	else if (job->copies && job->claimed > 0)
		lull_warn(job, LULL_WARNING_COPY_REDO, 0, job->dest.path);
	/* Up to there the file is only compared. */
	if (same && !job->copies)
		start = MAX(start, job->claimed & ~(job->dest.fs.block - 1));
	job->claimed = 0;
	job->progress->resumed_at = start;
}

/* Notes in the checkpoint that the pass is the first one over the source as it is now. */
static void begin_anew(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;

	c->pass++;
	c->offset = 0;
	c->phase = LULL_PHASE_CLONING;
	c->reference = job->reference;
	c->has_reference = true;
}

/*
 * Chooses where the pass begins and in which mode. The checkpoint's offset is valid only
 * while neither the source nor the file has changed (untouched.h). Otherwise the pass
 * goes over the whole file again. XFS itself skips what is shared. Btrfs does not, so
 * there the maps are compared.
 */
static enum lull_outcome choose(struct lull_job *job, bool same, bool begun,
				uint64_t *ret_start)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	bool found = job->state == LULL_JOB_FOUND;

	*ret_start = 0;
	job->mode = LULL_PLAN_FRESH;
	if (found || begun || c->refresh) {
		/* Round down: the end of a file need not be the end of a block. */
		if (same)
			*ret_start = c->offset & ~(job->dest.fs.block - 1);
		if (!same || c->pass > 1 || c->refresh)
			job->mode = job->dest.fs.magic == BTRFS_SUPER_MAGIC
					    ? LULL_PLAN_COMPARE
					    : LULL_PLAN_UNKNOWN;
	}
	if (found && !same && c->has_reference && job->rotation) {
		int r = lull_rotation_redate(job);

		if (r < 0)
			return lull_fail_errno(job, LULL_STAGE_CREATE, r,
					       job->progress->dest);
	}
	if (!begun)
		tell_resumed_at(job, same, *ret_start);
	if (!same)
		begin_anew(job);
	return LULL_OK;
}

/* Records that nothing is cloned, because DEST itself still has other contents. */
static enum lull_outcome prepare_in_place(struct lull_job *job)
{
	enum lull_outcome outcome = lull_record_save(job);

	return outcome == LULL_OK ? lull_start_prepare(job) : outcome;
}

/* Records the pass and gives the file its size. Records first: a temporary file that is
   not empty must always have a checkpoint. */
static enum lull_outcome fit(struct lull_job *job)
{
	enum lull_outcome outcome;
	int r;

	job->checkpoint.dest_size = job->reference.size;
	outcome = lull_record_save(job);
	if (outcome == LULL_OK)
		outcome = lull_start_prepare(job);
	if (outcome == LULL_OK)
		outcome = lull_shrink_or_grow(job, job->reference.size);
	if (outcome != LULL_OK || job->mode != LULL_PLAN_COMPARE)
		return outcome;
	/* The new size may have made a page dirty over a block that the map shows. */
	r = lull_tripwire_flush(job->dest.fd);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_SYNC, r, job->dest.path) : LULL_OK;
}

enum lull_outcome lull_start_pass(struct lull_job *job, uint64_t *ret_start)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	bool same = c->has_reference &&
		    lull_reference_equal(&c->reference, &job->reference);
	bool begun = job->state == LULL_JOB_BEGUN || job->state == LULL_JOB_ADOPTED;
	enum lull_outcome outcome = LULL_OK;

	if (job->dest.in_place && job->state != LULL_JOB_FOUND && !begun &&
	    !job->refresh_in_place)
		outcome = prepare_in_place(job);
	if (outcome == LULL_OK)
		outcome = choose(job, same, begun, ret_start);
	if (outcome != LULL_OK)
		return outcome;
	job->progress->size = job->reference.size;
	return fit(job);
}
