// SPDX-License-Identifier: MIT
/* Opens files that must not change while they are examined: see pair.h. */
#include "engine/inspect/pair.h"

#include "sys/inode.h"
#include "sys/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>

void lull_pair_init(struct lull_pair *pair, struct lull_job *job, const char *a,
		    const char *b)
{
	*pair = (struct lull_pair){
		.job = job,
		.n = b ? 2 : 1,
		.path = { a, b },
		.fd = { -1, -1 },
		.scratch = { -1, -1 },
	};
}

static enum lull_outcome open_one(struct lull_pair *pair, unsigned int i)
{
	struct lull_job *job = pair->job;
	const char *path = pair->path[i];
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno, path);
	if (S_ISDIR(st.st_mode))
		return lull_fail(job, LULL_STAGE_READ, LULL_CAUSE_IS_DIRECTORY, EISDIR,
				 path);
	if (!S_ISREG(st.st_mode))
		return lull_fail(job, LULL_STAGE_READ, LULL_CAUSE_NOT_REGULAR, EINVAL,
				 path);
	pair->fd[i] = lull_open_patiently(AT_FDCWD, path,
					  O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
					  job->observer->should_stop, job->observer->ctx);
	if (pair->fd[i] == -ECANCELED)
		return LULL_INTERRUPTED;
	if (pair->fd[i] < 0)
		return lull_fail_errno(job, LULL_STAGE_OPEN_SOURCE, pair->fd[i], path);
	r = lull_identity_fs(pair->fd[i], &pair->fs[i]);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, path) : LULL_OK;
}

/* Returns true if the maps of these file systems prove anything: see plan/plan.h. */
static bool maps_are_trusted(const struct lull_pair *pair)
{
	uint64_t magic = pair->fs[0].magic;

	if (magic != XFS_SUPER_MAGIC && magic != BTRFS_SUPER_MAGIC)
		return false;
	return pair->n == 1 ||
	       (lull_identity_same_fs(pair->fd[0], pair->fd[1]) &&
		/* The blocks of XFS's realtime device are counted from 0 as well. */
		lull_inode_is_realtime(pair->fd[0]) ==
			lull_inode_is_realtime(pair->fd[1]));
}

/*
 * Opens an unnamed file beside path, into which fd can be cloned. Returns -1 if that is
 * impossible, as on a read-only or full file system; then nothing is drained.
 */
static int scratch_beside(const char *path, int from, uint64_t block)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_close_ int fd = -1;
	char *slash = real ? strrchr(real, '/') : NULL;
	struct stat st;

	if (!slash)
		return -1;
	slash[slash == real] = '\0';
	fd = open(real, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || lull_inode_inherit(from, fd, 0) < 0 || fstat(from, &st) < 0 ||
	    lull_tripwire_drain(from, fd, block, (uint64_t)st.st_size) < 0)
		return -1;
	return lull_steal_fd(&fd);
}

enum lull_outcome lull_pair_open(struct lull_pair *pair)
{
	const char *beside = pair->path[pair->n - 1];
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < pair->n && outcome == LULL_OK; i++)
		outcome = open_one(pair, i);
	if (outcome != LULL_OK)
		return outcome;
	pair->by_maps = maps_are_trusted(pair);
	for (unsigned int i = 0; i < pair->n && pair->by_maps; i++)
		pair->scratch[i] = scratch_beside(beside, pair->fd[i], pair->fs[i].block);
	return LULL_OK;
}

static enum lull_outcome take_one(struct lull_pair *pair, unsigned int i)
{
	int r = lull_tripwire_take(pair->fd[i], pair->scratch[i], pair->fs[i].block,
				   &pair->reference[i]);

	if (r == -EBUSY)
		return lull_pair_written(pair, i);
	/* Do not try again: the error of a flush is reported only once, and the map would
	   be wrong. */
	return r < 0 ? lull_fail_errno(pair->job, LULL_STAGE_FLUSH, r, pair->path[i])
		     : LULL_OK;
}

enum lull_outcome lull_pair_take(struct lull_pair *pair)
{
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < pair->n && outcome == LULL_OK; i++)
		outcome = take_one(pair, i);
	return outcome;
}

enum lull_outcome lull_pair_written(struct lull_pair *pair, unsigned int i)
{
	return lull_fail(pair->job, LULL_STAGE_READ, LULL_CAUSE_WRITERS, 0,
			 pair->path[i]);
}

enum lull_outcome lull_pair_unchanged(struct lull_pair *pair)
{
	for (unsigned int i = 0; i < pair->n; i++) {
		struct lull_reference now;
		int r = lull_tripwire_look(pair->fd[i], &now);

		if (r < 0 || !lull_reference_equal(&now, &pair->reference[i]))
			return lull_pair_written(pair, i);
	}
	return LULL_OK;
}

void lull_pair_close(struct lull_pair *pair)
{
	for (int i = 0; i < 2; i++) {
		lull_close(&pair->fd[i]);
		lull_close(&pair->scratch[i]);
	}
}
