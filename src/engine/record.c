// SPDX-License-Identifier: MIT
/* What is written down about a clone, and what a later run makes of it. */
#include "engine/record.h"

#include "engine/dest.h"
#include "engine/freeze.h"
#include "engine/snapshot.h"
#include "sys/clock.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum lull_cause lull_record_cause(int err)
{
	switch (abs(err)) {
	case ENOENT:
		return LULL_CAUSE_NO_CHECKPOINT;
	case EPERM:
		return LULL_CAUSE_CHECKPOINT_OWNER;
	case EBADMSG:
		return LULL_CAUSE_CHECKPOINT_DAMAGED;
	case EPROTONOSUPPORT:
		return LULL_CAUSE_CHECKPOINT_SCHEMA;
	default:
		return LULL_CAUSE_ERRNO;
	}
}

static enum lull_outcome refuse(struct lull_job *job, enum lull_cause cause)
{
	return lull_fail(job, LULL_STAGE_CHECKPOINT, cause, 0, job->dest.checkpoint_path);
}

/* True if the checkpoint speaks of the source that is open. */
static bool same_source(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct lull_reference now;

	if (strcmp(c->source_fs, job->src_fs.uuid) != 0)
		return false;
	if (!c->has_reference)
		return strcmp(c->source, job->source_path) == 0;
	return lull_tripwire_look(job->src, &now) == 0 && now.inode == c->reference.inode &&
	       now.generation == c->reference.generation;
}

/* True if the file that is open for writing is the one the checkpoint speaks of. */
static bool same_file(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	return fstat(job->dest.fd, &st) == 0 && st.st_ino == c->dest_inode &&
	       lull_inode_generation(job->dest.fd) == c->dest_generation &&
	       strcmp(c->dest_fs, job->dest.fs.uuid) == 0;
}

/* Empties the file: what is in it belongs to a clone that is given up. */
static enum lull_outcome start_over(struct lull_job *job)
{
	lull_checkpoint_done(&job->checkpoint);
	job->owned = true;
	job->dest.lock_was_empty = true;
	/* One that is written in place is emptied when the clone begins. */
	if (!job->dest.in_place && ftruncate(job->dest.fd, 0) < 0)
		return lull_fail(job, LULL_STAGE_RESIZE, LULL_CAUSE_ERRNO, errno,
				 job->dest.path);
	return LULL_OK;
}

static enum lull_outcome without_checkpoint(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	/* A part of a clone by one call, which makes no checkpoint: a line for cron that says
	   --resume gets on. Without a word from the user it is left alone. */
	if (!dest->lock_was_empty && !job->options->restart && !job->options->resume)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_TEMPORARY_IN_THE_WAY, 0,
				 dest->temporary);
	job->owned = true;
	if (!dest->lock_was_empty && ftruncate(dest->lock, 0) < 0)
		return lull_fail(job, LULL_STAGE_RESIZE, LULL_CAUSE_ERRNO, errno,
				 dest->temporary);
	return LULL_OK;
}

/* True if the clone was published and only the checkpoint was left to remove. */
static bool published_already(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_dest *dest = &job->dest;
	struct stat st;

	/* Not by dest->old: while this run waited for the lock, another may have published. */
	return c->phase == LULL_PHASE_COMPLETE && !c->frozen && c->temporary &&
	       fstatat(dest->dir, dest->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino == c->dest_inode && strcmp(c->dest, dest->path) == 0 &&
	       strcmp(c->dest_fs, dest->fs.uuid) == 0;
}

enum lull_outcome lull_record_find(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_options *options = job->options;
	const struct lull_dest *dest = &job->dest;
	enum lull_outcome outcome;
	int r = lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint, c);

	if (r == -ENOENT)
		return without_checkpoint(job);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
				 dest->checkpoint_path);
	job->recorded = true;
	if (published_already(job)) {
		lull_record_remove(job);
		lull_checkpoint_done(c);
		return without_checkpoint(job);
	}

	bool file_is_ours = same_file(job);

	if (!same_source(job) || (!file_is_ours && strcmp(c->dest, dest->path) != 0) ||
	    (c->temporary == NULL) != dest->in_place)
		return refuse(job, LULL_CAUSE_CHECKPOINT_FOREIGN);
	if (!options->resume && !options->restart)
		return refuse(job, LULL_CAUSE_CHECKPOINT_EXISTS);

	memcpy(job->result->run_id, c->run_id, sizeof(c->run_id));
	if (c->frozen && !(options->resume && c->kept_frozen)) {
		outcome = lull_freeze_undo(job);
		if (outcome != LULL_OK)
			return outcome;
	}
	if (c->snapshot) {
		outcome = lull_snapshot_undo(job);
		if (outcome != LULL_OK)
			return outcome;
	}
	/* Cut off before the older clone got the temporary name: it is still where it was. The
	   checkpoint still knows whose it is. */
	if (c->refresh && !file_is_ours && options->refresh && !dest->in_place) {
		job->owned = true;
		return LULL_OK;
	}
	if (options->restart || !file_is_ours) {
		if (c->kept_frozen) {
			outcome = lull_freeze_undo(job);
			if (outcome != LULL_OK)
				return outcome;
		}
		if (!options->restart)
			lull_warn(job, LULL_WARNING_FILL_LOST, 0, dest->path);
		return start_over(job);
	}
	job->resumed = true;
	job->owned = true;
	job->had_content = c->has_reference || c->refresh;
	return LULL_OK;
}

enum lull_outcome lull_record_begin(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_dest *dest = &job->dest;
	struct stat st;

	int fd = job->base >= 0 ? job->base : dest->fd;

	if (fstat(fd, &st) < 0)
		return lull_fail(job, LULL_STAGE_STAT_DEST, LULL_CAUSE_ERRNO, errno, dest->path);
	/* Btrfs: syncing the directory for the checkpoint does not make its other new files
	   last, and a checkpoint must not speak of a file that a crash takes away. */
	if (fsync(dest->fd) < 0)
		return lull_fail(job, LULL_STAGE_SYNC, LULL_CAUSE_ERRNO, errno, dest->path);
	if (c->refresh && c->dest_inode == st.st_ino &&
	    c->dest_generation == lull_inode_generation(fd)) {
		st.st_mode = c->mode;
		st.st_uid = c->owner;
		st.st_gid = c->group;
	}
	lull_checkpoint_done(c);
	memcpy(c->run_id, job->result->run_id, sizeof(c->run_id));
	c->source = strdup(job->source_path);
	c->dest = strdup(dest->path);
	c->temporary = dest->in_place ? NULL : strdup(dest->temporary);
	if (!c->source || !c->dest || (!dest->in_place && !c->temporary))
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, ENOMEM,
				 dest->checkpoint_path);
	memcpy(c->source_fs, job->src_fs.uuid, sizeof(c->source_fs));
	memcpy(c->dest_fs, dest->fs.uuid, sizeof(c->dest_fs));
	c->dest_inode = st.st_ino;
	c->dest_generation = lull_inode_generation(fd);
	c->replaces = dest->exists;
	c->refresh = job->base >= 0 || job->refresh_in_place;
	c->mode = c->refresh ? st.st_mode & 07777 : 0;
	c->owner = c->refresh ? st.st_uid : 0;
	c->group = c->refresh ? st.st_gid : 0;
	return LULL_OK;
}

enum lull_outcome lull_record_save(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;
	int r;

	if (fstat(job->dest.fd, &st) == 0)
		c->dest_ctime_ns =
			st.st_ctim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_ctim.tv_nsec;
	c->updated = lull_clock_wall();
	c->method = (int)job->progress->method;
	r = lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint, c);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, r,
				 job->dest.checkpoint_path);
	job->recorded = true;
	return LULL_OK;
}

enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset)
{
	if (fdatasync(job->dest.fd) < 0)
		return lull_fail(job, LULL_STAGE_SYNC, LULL_CAUSE_ERRNO, errno, job->dest.path);
	job->checkpoint.offset = offset;
	return lull_record_save(job);
}

void lull_record_remove(struct lull_job *job)
{
	int r = lull_checkpoint_remove(job->dest.checkpoint_dir, job->dest.checkpoint,
				       !job->options->no_sync);

	if (r < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.checkpoint_path);
	else
		job->recorded = false;
}
