// SPDX-License-Identifier: MIT
/* What is written down about a clone, and what a later run makes of it. */
#include "engine/record.h"

#include "engine/dest.h"
#include "engine/freeze.h"
#include "engine/set_record.h"
#include "engine/shrink.h"
#include "engine/snapshot.h"
#include "engine/statehome.h"
#include "engine/untouched.h"
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
	case ELOOP:
	case EMLINK:
	case ESTALE:
	case EUSERS:
		return LULL_CAUSE_CHECKPOINT_OWNER;
	case EBADMSG:
		return LULL_CAUSE_CHECKPOINT_DAMAGED;
	case EPROTONOSUPPORT:
		return LULL_CAUSE_CHECKPOINT_SCHEMA;
	case ENOTUNIQ:
		return LULL_CAUSE_CHECKPOINT_SET;
	default:
		return LULL_CAUSE_ERRNO;
	}
}

static enum lull_outcome refuse(struct lull_job *job, enum lull_cause cause)
{
	return lull_fail(job, LULL_STAGE_CHECKPOINT, cause, 0, job->dest.checkpoint_path);
}

enum lull_outcome lull_record_homeless(struct lull_job *job)
{
	const struct lull_statehome *home = &job->dest.home;

	return lull_fail(job, LULL_STAGE_CHECKPOINT,
			 job->rotation ? LULL_CAUSE_GENERATIONS_DIRECTORY
				       : LULL_CAUSE_STATE_DIRECTORY,
			 home->err, home->path);
}

bool lull_record_same_source(const struct lull_job *job)
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

bool lull_record_may_start_over(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;

	/* The thaw is told the source by its name. */
	return strcmp(c->source, job->source_path) == 0 || (job->options->restart && !c->frozen);
}

bool lull_record_same_file(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	return fstat(job->dest.fd, &st) == 0 && st.st_ino == c->dest_inode &&
	       lull_inode_generation(job->dest.fd) == c->dest_generation &&
	       strcmp(c->dest_fs, job->dest.fs.uuid) == 0;
}

/* Empties the temporary file: what is in it belongs to a clone that is given up. */
static enum lull_outcome discard(struct lull_job *job)
{
	enum lull_outcome outcome;

	job->discarding = true;
	outcome = lull_shrink(job, job->dest.lock, 0);
	if (outcome != LULL_OK)
		return outcome;
	job->discarding = false;
	job->dest.lock_was_empty = true;
	return LULL_OK;
}

/* A record of a clone that has not begun. That writers are frozen stays in it. */
static enum lull_outcome record_anew(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint, was = *c;
	enum lull_outcome outcome;

	*c = (struct lull_checkpoint){ 0 };
	outcome = lull_record_begin(job);
	if (was.frozen) {
		c->frozen = true;
		c->kept_frozen = was.kept_frozen;
		c->frozen_since = was.frozen_since;
		c->hook_timeout_ns = was.hook_timeout_ns;
		c->hook = was.hook;
		was.hook = NULL;
		c->hook_directory = was.hook_directory;
		was.hook_directory = NULL;
	}
	lull_checkpoint_done(&was);
	return outcome == LULL_OK ? lull_record_save(job) : outcome;
}

enum lull_outcome lull_record_start_over(struct lull_job *job)
{
	enum lull_outcome outcome = LULL_OK;

	job->owned = true;
	/* One that is written in place is emptied when the clone begins. */
	if (!job->dest.in_place && !job->dest.lock_was_empty) {
		/* First the word that nothing is cloned yet: if this run ends half-way, the old
		   offset would speak of what is no longer there. */
		outcome = record_anew(job);
		if (outcome == LULL_OK)
			outcome = discard(job);
	}
	lull_checkpoint_done(&job->checkpoint);
	return outcome;
}

enum lull_outcome lull_record_without(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	/* A part of a clone by one call, which makes no checkpoint: a line for cron that says
	   --resume gets on. Without a word from the user it is left alone. */
	if (!dest->lock_was_empty && !job->options->restart && !job->options->resume)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_TEMPORARY_IN_THE_WAY, 0,
				 dest->temporary);
	job->owned = true;
	return dest->lock_was_empty ? LULL_OK : discard(job);
}

/*
 * True if the checkpoint is about this DEST. One that lies beside DEST has its name and is in
 * its directory, wherever that is mounted by now; another place says nothing by itself.
 */
static bool same_dest(const struct lull_job *job)
{
	const char *was = job->checkpoint.dest;
	const char *name = strrchr(was, '/');

	if (job->options->checkpoint || !name)
		return strcmp(was, job->dest.path) == 0;
	return strcmp(name + 1, job->dest.name) == 0;
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
	       st.st_ino == c->dest_inode && same_dest(job) &&
	       strcmp(c->dest_fs, dest->fs.uuid) == 0;
}

enum lull_outcome lull_record_find(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_options *options = job->options;
	const struct lull_dest *dest = &job->dest;
	enum lull_outcome outcome;
	int r = lull_checkpoint_load(dest->checkpoint_dir, dest->checkpoint, c);

	if (r == -ENOTUNIQ)
		r = lull_set_record_judge_pointer(job, r);
	if (dest->checkpoint_dir < 0)
		r = -ENOENT;
	if (r == -ENOENT)
		return lull_record_without(job);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
				 dest->checkpoint_path);
	job->recorded = true;
	if (published_already(job)) {
		lull_record_remove(job);
		lull_checkpoint_done(c);
		return lull_record_without(job);
	}

	bool file_is_ours = lull_record_same_file(job);
	bool replaced = !lull_record_same_source(job);

	if (c->dated != (job->rotation != NULL) ||
	    (replaced && !lull_record_may_start_over(job)) ||
	    (!file_is_ours && !same_dest(job)) ||
	    (c->temporary == NULL) != dest->in_place)
		return refuse(job, LULL_CAUSE_CHECKPOINT_FOREIGN);
	if (!options->resume && !options->restart)
		return refuse(job, LULL_CAUSE_CHECKPOINT_EXISTS);

	if (file_is_ours)
		lull_untouched_judge(job);
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
	if (options->restart || !file_is_ours || replaced) {
		if (c->kept_frozen) {
			outcome = lull_freeze_undo(job);
			if (outcome != LULL_OK)
				return outcome;
		}
		if (!options->restart && replaced)
			lull_warn(job, LULL_WARNING_SOURCE_REPLACED, 0, job->source);
		else if (!options->restart)
			lull_warn(job, LULL_WARNING_FILL_LOST, 0, dest->path);
		return lull_record_start_over(job);
	}
	job->resumed = true;
	job->owned = true;
	job->had_content = c->has_reference || c->refresh;
	/* What is in the file, if nothing was cloned yet, a run before was still discarding. */
	if (!job->had_content && !dest->in_place && !dest->lock_was_empty)
		return discard(job);
	return LULL_OK;
}

static int flush(const struct lull_job *job, int (*sync)(int fd))
{
	int r;

	lull_tell_call(job, LULL_CALL_FLUSH);
	r = sync(job->dest.fd);
	lull_tell_call(job, LULL_CALL_NONE);
	return r;
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
	if (flush(job, fsync) < 0)
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
	c->dated = job->rotation != NULL;
	c->refresh = job->base >= 0 || job->refresh_in_place;
	c->used_up = job->base >= 0 && job->options->base;
	c->mode = c->refresh ? st.st_mode & 07777 : 0;
	c->owner = c->refresh ? st.st_uid : 0;
	c->group = c->refresh ? st.st_gid : 0;
	return LULL_OK;
}

static void bring_up_to_date(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;

	c->dest_ctime_ns = lull_untouched_stamp(job->dest.fd);
	c->updated = lull_clock_wall();
	c->method = (int)job->progress->method;
}

/*
 * A clone that leaves nothing that only a checkpoint could clean up does without one. Writers
 * that stay frozen, generations and an older clone under the temporary name do need it.
 */
static bool does_without(const struct lull_job *job)
{
	return !job->shared && !job->freeze->hook && !job->rotation && !job->recorded &&
	       !job->checkpoint.frozen && !job->checkpoint.refresh;
}

static enum lull_outcome save_nowhere(struct lull_job *job)
{
	const struct lull_statehome *home = &job->dest.home;

	if (!does_without(job))
		return lull_record_homeless(job);
	if (!job->unrecorded)
		lull_warn(job, LULL_WARNING_UNRECORDED, home->err, home->path);
	job->unrecorded = true;
	return LULL_OK;
}

enum lull_outcome lull_record_save_as_is(struct lull_job **jobs, unsigned int n)
{
	struct lull_job *job = jobs[0];

	if (job->dest.checkpoint_dir < 0)
		return save_nowhere(job);

	int r;

	lull_tell_call(job, LULL_CALL_FLUSH);
	r = job->shared ? lull_set_record_save(job->shared, jobs, n)
			: lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint,
					       &job->checkpoint);
	lull_tell_call(job, LULL_CALL_NONE);
	if (r == -EEXIST)
		return refuse(job, LULL_CAUSE_CHECKPOINT_IN_THE_WAY);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT,
				 r == -EUSERS ? LULL_CAUSE_CHECKPOINT_DIRECTORY : LULL_CAUSE_ERRNO,
				 r, job->dest.checkpoint_path);
	for (unsigned int i = 0; i < n; i++)
		jobs[i]->recorded = true;
	return LULL_OK;
}

enum lull_outcome lull_record_save_all(struct lull_job **jobs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		bring_up_to_date(jobs[i]);
	return lull_record_save_as_is(jobs, n);
}

enum lull_outcome lull_record_save(struct lull_job *job)
{
	return lull_record_save_all(&job, 1);
}

void lull_record_reached(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;

	if (flush(job, fdatasync) == 0 && c->phase != LULL_PHASE_COMPLETE &&
	    lull_reference_equal(&c->reference, &job->reference) &&
	    job->progress->offset > c->offset)
		c->offset = job->progress->offset;
	/* A clean stop: the next run finds the file as it is left here. */
	lull_untouched_settle(job->dest.fd);
}

enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset)
{
	if (flush(job, fdatasync) < 0)
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
