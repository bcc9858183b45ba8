// SPDX-License-Identifier: MIT
/* Writes the checkpoint of a clone, and compares it with the files: see record.h. */
#include "engine/clone/record.h"

#include "engine/base/place.h"
#include "engine/clone/dest.h"
#include "engine/clone/set_record.h"
#include "engine/clone/untouched.h"
#include "store/checkpoint_file.h"
#include "store/state.h"
#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/traits.h"

#include <errno.h>
#include <string.h>

enum lull_cause lull_record_cause(int err)
{
	if (lull_state_is_refusal(err))
		return LULL_CAUSE_CHECKPOINT_OWNER;
	switch (abs(err)) {
	case ENOENT:
		return LULL_CAUSE_NO_CHECKPOINT;
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
	return lull_tripwire_look(job->src, &now) == 0 &&
	       now.inode == c->reference.inode &&
	       now.generation == c->reference.generation;
}

bool lull_record_same_file(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	return fstat(job->dest.fd, &st) == 0 && st.st_ino == c->dest_inode &&
	       lull_inode_generation(job->dest.fd) == c->dest_generation &&
	       strcmp(c->dest_fs, job->dest.fs.uuid) == 0;
}

bool lull_record_is_file(const struct lull_checkpoint *c, int dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_ino != c->dest_inode)
		return false;
	if (S_ISREG(st.st_mode))
		fd = openat(dir, name, O_RDONLY | LULL_OPEN_WARILY);
	return fd < 0 || lull_inode_generation(fd) == c->dest_generation;
}

enum lull_outcome lull_record_begin(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	const struct lull_dest *dest = &job->dest;
	int fd = job->base >= 0 ? job->base : dest->fd, r;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_DEST, errno, dest->path);
	/* On Btrfs, syncing the directory for the checkpoint does not make other new
	   files in it durable. A checkpoint must not name a file that a crash would
	   lose. */
	lull_tell_call(job, LULL_CALL_FLUSH);
	r = fsync(job->dest.fd) < 0 ? -errno : 0;
	lull_tell_call(job, LULL_CALL_NONE);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_SYNC, r, dest->path);
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
		return lull_fail_errno(job, LULL_STAGE_CHECKPOINT, ENOMEM,
				       dest->checkpoint_path);
	memcpy(c->source_fs, job->src_fs.uuid, sizeof(c->source_fs));
	memcpy(c->dest_fs, dest->fs.uuid, sizeof(c->dest_fs));
	c->dest_inode = st.st_ino;
	c->dest_generation = lull_inode_generation(fd);
	c->replaces = dest->exists;
	c->dated = job->rotation != NULL;
	c->refresh = job->base >= 0 || job->refresh_in_place;
	c->used_up = job->base_used_up || (job->base >= 0 && job->options->base);
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
	c->method = job->progress->method;
}

/*
 * Returns true if the clone can do without a checkpoint, because it leaves nothing that
 * only a checkpoint could clean up. Frozen writers, generations, and an older clone with
 * the temporary name need one.
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

static enum lull_outcome write_down(struct lull_job **jobs, unsigned int n, bool durable)
{
	struct lull_job *job = jobs[0];

	if (lull_place_alters(job->place) && !job->recorded)
		return LULL_OK;
	if (job->dest.checkpoint_dir < 0)
		return save_nowhere(job);

	int r;

	lull_tell_call(job, LULL_CALL_FLUSH);
	r = job->shared ? lull_set_record_save(job->shared, jobs, n, durable)
			: lull_checkpoint_save_set(job->dest.checkpoint_dir,
						   job->dest.checkpoint, &job->checkpoint,
						   1, durable);
	lull_tell_call(job, LULL_CALL_NONE);
	if (r == -EEXIST)
		return refuse(job, LULL_CAUSE_CHECKPOINT_IN_THE_WAY);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_CHECKPOINT,
				 r == -EUSERS ? LULL_CAUSE_CHECKPOINT_DIRECTORY
				 : r == -EDQUOT || r == -EPERM
					 ? lull_clone_classify(-r, -1,
							       job->dest.checkpoint_dir,
							       0, 0)
					 : LULL_CAUSE_ERRNO,
				 r, job->dest.checkpoint_path);
	for (unsigned int i = 0; i < n; i++)
		jobs[i]->recorded = true;
	return LULL_OK;
}

enum lull_outcome lull_record_save_as_is(struct lull_job **jobs, unsigned int n)
{
	return write_down(jobs, n, true);
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

	if (lull_dest_sync(job) == 0 && c->phase != LULL_PHASE_COMPLETE &&
	    lull_reference_equal(&c->reference, &job->reference) &&
	    job->progress->offset > c->offset)
		c->offset = job->progress->offset;
	/* This is a clean stop: the next run must find the file as it is here. */
	lull_untouched_settle(job->dest.fd);
}

/*
 * Returns true if the clone reaches the disk before a checkpoint that is written after
 * it. XFS keeps the order of its log, so one sync is enough for both, and others wait for
 * one forced log instead of two. That is not so for copied bytes, which are not in the
 * log, nor for a realtime device, which is another one.
 */
static bool is_ordered(const struct lull_job *job)
{
	int dir = job->shared ? job->shared->dir : job->dest.checkpoint_dir;
	struct stat file, state;

	return lull_traits_on(job->dest.fs.magic) & LULL_TRAIT_KEEPS_ORDER &&
	       job->progress->bytes_copied == 0 &&
	       !lull_inode_is_realtime(job->dest.fd) && fstat(job->dest.fd, &file) == 0 &&
	       fstat(dir, &state) == 0 && file.st_dev == state.st_dev;
}

enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset)
{
	int r = is_ordered(job) ? 0 : lull_dest_sync(job);

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_SYNC, r, job->dest.path);
	job->checkpoint.offset = offset;
	bring_up_to_date(job);
	/* This need not be durable: the older checkpoint is valid too, and only takes
	   longer to continue from. */
	return write_down(&job, 1, !job->recorded);
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

void lull_record_sweep(const struct lull_job *job)
{
	if (job->dest.checkpoint_dir >= 0)
		lull_state_sweep(job->dest.checkpoint_dir, job->dest.checkpoint);
}
