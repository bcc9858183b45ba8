// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint names the directory of the snapshot from before it is made until it
 *     is removed.
 *  2. While there is a snapshot there is a keeper, which deletes it if this process is
 *     killed.
 *  3. Only the caller can search that directory, from before the snapshot is made.
 */
#include "engine/clone/snapshot.h"

#include "engine/clone/freeze_keeper.h"
#include "engine/clone/pass.h"
#include "engine/clone/piece.h"
#include "engine/clone/record.h"
#include "engine/clone/start.h"
#include "sys/private.h"
#include "sys/snapshot.h"
#include "sys/subvolume.h"
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>

/* How often the size of the source may change during an attempt. */
#define ATTEMPTS 20

/* The subvolumes (dev) of which the kernel has refused a snapshot in this run, with an
   error that will last. No snapshot is tried again for another file in them, because each
   attempt makes writers wait. */
static struct {
	pthread_mutex_t lock;
	dev_t dev[16];
	int err[16];
	unsigned int n;
} refused = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void remember(dev_t dev, int err)
{
	static const int lasting[] = { EPERM, EACCES,  ENOTTY, EOPNOTSUPP, ENOSYS,
				       EXDEV, ETXTBSY, EROFS,  EINVAL };

	(void)pthread_mutex_lock(&refused.lock);
	for (unsigned int i = 0; i < ARRAY_SIZE(lasting); i++) {
		if (err == lasting[i] && refused.n < ARRAY_SIZE(refused.dev)) {
			refused.dev[refused.n] = dev;
			refused.err[refused.n++] = err;
		}
	}
	(void)pthread_mutex_unlock(&refused.lock);
}

/* Returns the errno with which a snapshot was refused, or 0. */
static int was_refused(dev_t dev)
{
	int err = 0;

	(void)pthread_mutex_lock(&refused.lock);
	for (unsigned int i = 0; i < refused.n; i++)
		err = refused.dev[i] == dev ? refused.err[i] : err;
	(void)pthread_mutex_unlock(&refused.lock);
	return err;
}

/* Notes why no snapshot is possible. Takes ownership of path. Returns false. */
static bool obstruct(struct lull_job *job, enum lull_no_snapshot why, int err, char *path)
{
	free(job->no_snapshot.path);
	job->no_snapshot =
		(struct lull_obstacle){ .why = why, .err = abs(err), .path = path };
	return false;
}

static char *mount_of(int fd)
{
	struct lull_mount mount;

	lull_identity_mount(fd, &mount);
	return strdup(mount.mount_point);
}

/* Returns the path of the subvolume. inside is the part of path within it. */
static char *subvolume_path(const char *path, const char *inside)
{
	size_t len = (size_t)(inside - path);

	return strndup(path, len > 1 ? len - 1 : len);
}

/* Notes that the kernel has refused a snapshot. */
static bool obstruct_subvolume(struct lull_job *job, int err, char *path)
{
	return obstruct(job,
			abs(err) == ETXTBSY ? LULL_NO_SNAPSHOT_SWAP
					    : LULL_NO_SNAPSHOT_ERRNO,
			err, path);
}

static bool check_subvolume(struct lull_job *job, int root, const char *inside)
{
	char *path = subvolume_path(job->source_path, inside);
	struct stat st;
	int r = lull_subvolume_may_snapshot(root);

	if (r < 0)
		return obstruct(job,
				r == -EPERM ? LULL_NO_SNAPSHOT_OWNER
					    : LULL_NO_SNAPSHOT_SWAP,
				r, path);
	r = fstat(root, &st) == 0 ? was_refused(st.st_dev) : 0;
	if (r > 0)
		return obstruct_subvolume(job, r, path);
	free(path);
	if (!lull_subvolume_deletable(job->dest.dir, root))
		return obstruct(job, LULL_NO_SNAPSHOT_DELETE, EPERM,
				mount_of(job->dest.dir));
	return true;
}

/* Checks what can be known before an attempt. Sets ret_root and ret_inside as
   lull_subvolume_find() does. */
static bool find(struct lull_job *job, int *ret_root, const char **ret_inside)
{
	int r;

	(void)obstruct(job, LULL_NO_SNAPSHOT_NONE, 0, NULL);
	if (job->src_fs.magic != BTRFS_SUPER_MAGIC)
		return obstruct(job, LULL_NO_SNAPSHOT_FILE_SYSTEM, EOPNOTSUPP,
				mount_of(job->src));
	if (job->dest.in_place)
		return obstruct(job, LULL_NO_SNAPSHOT_IN_PLACE, 0, NULL);
	r = lull_subvolume_find(job->src, job->source_path, ret_root, ret_inside);
	if (r < 0)
		return obstruct(job, LULL_NO_SNAPSHOT_PATH, r, mount_of(job->src));
	if (!check_subvolume(job, *ret_root, *ret_inside)) {
		(void)close(*ret_root);
		return false;
	}
	return true;
}

bool lull_snapshot_possible(struct lull_job *job)
{
	const char *inside;
	int root;

	if (!find(job, &root, &inside))
		return false;
	(void)close(root);
	return true;
}

/* As many extents as a repeated clone passes in a tenth of a second, which is longer than
   most commits take. */
#define PREPARED_EXTENTS 5000
/* Where each call waits for space, fewer extents must be enough. */
#define LONGEST_PREPARATION_NS (NSEC_PER_SEC / 2)

/* Clones the beginning of the source into the scratch file, in bounded calls. The call
   that will hold the locks during the snapshot then repeats that. */
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
 * Takes the snapshot. Returns 0; -ECANCELED if the observer requests a stop; or -errno if
 * this method is impossible. -ETIME: the file is so small that even a clone of all of it
 * ends before a snapshot is made.
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
		/* The source has shrunk since lull_tripwire_look(). */
		if (r == -EINVAL)
			r = -EAGAIN;
		if (r == 0)
			r = lull_tripwire_look(job->src, &now);
		if (r == 0) {
			lull_tell_call(job, LULL_CALL_SNAPSHOT);
			r = lull_snapshot_take(root, dest->snapshot_dir, job->src,
					       dest->scratch, now.size, &held);
			lull_tell_call(job, LULL_CALL_NONE);
		}
		if (r == -EAGAIN)
			continue;
		if (r == -ETIME) {
			job->last_call_ns = held;
			job->whole_is_short = true;
		}
		break;
	}
	return r < 0 && lull_should_stop(job) ? -ECANCELED : r;
}

static char *path_of(const struct lull_dest *dest)
{
	return lull_path_beside(dest->path, dest->snapshot);
}

static enum lull_outcome record(struct lull_job *job, bool there)
{
	struct lull_checkpoint *c = &job->checkpoint;

	free(c->snapshot);
	c->snapshot = there ? strdup(job->dest.snapshot) : NULL;
	if (there && !c->snapshot)
		return lull_fail_errno(job, LULL_STAGE_CHECKPOINT, ENOMEM,
				       job->dest.checkpoint_path);
	return lull_record_save(job);
}

enum lull_outcome lull_snapshot_undo(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	/* In a recovery, the source is not open. If it is gone, the name must be
	   enough. */
	_cleanup_close_ int fd = job->src < 0 && job->checkpoint.source
					 ? open(job->checkpoint.source,
						O_RDONLY | O_NONBLOCK | O_NOCTTY |
							O_CLOEXEC)
					 : -1;
	int r = lull_snapshot_delete(dest->dir, dest->snapshot, dest->snapshot_dir,
				     job->src < 0 ? fd : job->src);

	lull_close(&dest->snapshot_dir);
	if (r < 0) {
		_cleanup_free_ char *path = path_of(dest);

		lull_warn(job, LULL_WARNING_CLEANUP, r, path ? path : dest->snapshot);
		return LULL_OK;
	}
	return job->checkpoint.snapshot ? record(job, false) : LULL_OK;
}

void lull_snapshot_clear(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;

	if (job->src_fs.magic == BTRFS_SUPER_MAGIC)
		(void)!lull_snapshot_delete(dest->dir, dest->snapshot, -1, job->src);
}

/* Clones from fd, which is the source in the snapshot. */
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
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
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

/* Makes the directory for the snapshot. */
static int make_directory(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	/* A snapshot that a crash has left is of no use to anybody. */
	int r = lull_snapshot_delete(dest->dir, dest->snapshot, -1, job->src);

	if (r == 0)
		r = lull_private_make(dest->dir, dest->snapshot);
	if (r < 0) {
		(void)obstruct(job, LULL_NO_SNAPSHOT_DIRECTORY, r, path_of(dest));
		return r;
	}
	dest->snapshot_dir = r;
	return 0;
}

/* Notes why the attempt failed. r is what take() or lull_snapshot_open() returned. */
static void note_failure(struct lull_job *job, int r, int root, const char *inside)
{
	struct stat st;

	/* The method will be one call over the whole file. */
	if (r == -ETIME)
		return;
	if (r == -EAGAIN) {
		(void)obstruct(job, LULL_NO_SNAPSHOT_BUSY, 0, NULL);
		return;
	}
	(void)obstruct_subvolume(job, r, subvolume_path(job->source_path, inside));
	if (fstat(root, &st) == 0)
		remember(st.st_dev, -r);
}

/* Takes a snapshot and opens the source in it. Returns the descriptor, -ECANCELED, or
   -errno with job->no_snapshot set. */
static int open_one(struct lull_job *job, int root, const char *inside)
{
	int r = take(job, root);

	/* If the source was renamed meanwhile, this does not find it. */
	if (r == 0)
		r = lull_snapshot_open(job->dest.snapshot_dir, inside, job->src);
	if (r < 0 && r != -ECANCELED)
		note_failure(job, r, root, inside);
	return r;
}

/* If this run has made no directory, it must delete nothing, whatever has that name. */
static enum lull_outcome clean_up(struct lull_job *job)
{
	if (job->dest.snapshot_dir >= 0)
		return lull_snapshot_undo(job);
	return job->checkpoint.snapshot ? record(job, false) : LULL_OK;
}

enum lull_outcome lull_snapshot_clone(struct lull_job *job, bool *ret_impossible)
{
	const char *inside;
	enum lull_outcome outcome;
	int root, r = 0;

	*ret_impossible = !find(job, &root, &inside);
	if (*ret_impossible)
		return LULL_FAILED;

	job->progress->method = LULL_METHOD_SNAPSHOT;
	outcome = record(job, true);
	if (outcome == LULL_OK)
		r = make_directory(job);
	if (outcome == LULL_OK && r == 0)
		outcome = lull_freeze_keeper_guard(job);
	if (outcome == LULL_OK && r == 0)
		r = open_one(job, root, inside);
	*ret_impossible = r < 0 && r != -ECANCELED;
	if (r == -ECANCELED)
		outcome = LULL_INTERRUPTED;
	else if (r > 0)
		outcome = clone_from(job, r);
	(void)close(root);
	close_snapshot(job);
	if (clean_up(job) != LULL_OK && outcome == LULL_OK)
		outcome = LULL_FAILED;
	return outcome;
}
