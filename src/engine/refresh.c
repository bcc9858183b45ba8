// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. Not a byte of the older clone changes before it bears the temporary name, but for a
 *     refresh in place.
 *  2. Once it does, no failure removes it: it is a user's file, and --resume finishes it.
 */
#include "engine/refresh.h"

#include "engine/dest.h"
#include "sys/extmap.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

/* How many places, and extents in each, to look at for something that is shared. */
#define PLACES       8
#define EXTENTS_EACH 64

static enum lull_outcome refuse(struct lull_job *job, enum lull_cause cause, int err)
{
	return lull_fail(job, LULL_STAGE_BASE, cause, err,
			 job->options->base ? job->options->base : job->progress->dest);
}

static enum lull_outcome judge(struct lull_job *job, int fd)
{
	struct stat st, source;

	if (fstat(fd, &st) < 0 || fstat(job->src, &source) < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	if (!S_ISREG(st.st_mode))
		return refuse(job, LULL_CAUSE_NOT_REGULAR, EINVAL);
	if (st.st_ino == source.st_ino && st.st_dev == source.st_dev) {
		(void)refuse(job, LULL_CAUSE_SAME_FILE, 0);
		job->result->failure.path2 = strdup(job->source);
		return LULL_FAILED;
	}
	if (st.st_nlink > 1)
		return refuse(job, LULL_CAUSE_HARD_LINKS, 0);
	/* It cannot be changed while it holds anything. */
	if (lull_inode_is_nocow(fd) != lull_inode_is_nocow(job->src))
		return refuse(job, LULL_CAUSE_NOCOW_MISMATCH, EINVAL);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return refuse(job, errno == EWOULDBLOCK ? LULL_CAUSE_IN_USE : LULL_CAUSE_ERRNO,
			      errno);
	return LULL_OK;
}

/* The directory and the name of the older clone, links resolved. */
static int locate(struct lull_job *job)
{
	const char *path = job->options->base ? job->options->base : job->dest.path;
	char *slash;

	job->base_path = realpath(path, NULL);
	if (!job->base_path)
		return -errno;
	slash = strrchr(job->base_path, '/');
	job->base_name = slash + 1;
	*slash = '\0';
	job->base_dir = open(*job->base_path ? job->base_path : "/",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	return job->base_dir < 0 ? -errno : 0;
}

/* True if no extent that is looked at lies where the source's does. */
static bool shares_nothing(struct lull_job *job, int fd)
{
	struct stat st;
	bool looked = false;

	if (fstat(fd, &st) < 0)
		return false;
	for (unsigned int i = 0; i < PLACES; i++) {
		uint64_t size = (uint64_t)st.st_size;
		uint64_t from = size / PLACES * i & ~(job->dest.fs.block - 1);
		struct lull_extmap *a = NULL, *b = NULL;
		struct lull_plan plan;
		struct lull_range range;
		struct lull_cursor s, d;
		uint64_t different = 0, seen = 0;
		int r = lull_extmap_open(job->src, LULL_EXTMAP_AUTO, from, size, &a);

		if (r == 0)
			r = lull_extmap_open(fd, lull_extmap_kind(a), from, size, &b);
		if (r == 0) {
			s = lull_extmap_cursor(a);
			d = lull_extmap_cursor(b);
			lull_plan_init(&plan, LULL_PLAN_COMPARE, from, size, job->dest.fs.block,
				       &s, &d);
			while (seen < EXTENTS_EACH && lull_plan_next(&plan, &range) > 0) {
				/* Compressed or inline: its place says nothing. */
				if (plan.s.flags & LULL_EXTENT_OPAQUE)
					r = -ENODATA;
				different++;
				seen = plan.extents;
			}
			seen = plan.extents;
		}
		lull_extmap_close(a);
		lull_extmap_close(b);
		if (r < 0 || seen > different)
			return false;
		looked = looked || seen > 0;
	}
	return looked;
}

enum lull_outcome lull_refresh_open(struct lull_job *job)
{
	enum lull_outcome outcome;
	int r;

	if (!job->options->base && !job->dest.exists) {
		lull_warn(job, LULL_WARNING_NO_BASE, 0, job->progress->dest);
		return LULL_OK;
	}
	if (job->dest.in_place) {
		/* It keeps its name, and what it holds. */
		job->refresh_in_place = true;
		if (shares_nothing(job, job->dest.fd))
			lull_warn(job, LULL_WARNING_NOT_A_CLONE, 0, job->progress->dest);
		return LULL_OK;
	}
	r = locate(job);
	if (r < 0)
		return refuse(job, LULL_CAUSE_ERRNO, r);

	_cleanup_close_ int fd = openat(job->base_dir, job->base_name,
					O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	outcome = judge(job, fd);
	if (outcome != LULL_OK)
		return outcome;
	if (shares_nothing(job, fd))
		lull_warn(job, LULL_WARNING_NOT_A_CLONE, 0,
			  job->options->base ? job->options->base : job->progress->dest);
	job->base = lull_steal_fd(&fd);
	return LULL_OK;
}

enum lull_outcome lull_refresh_adopt(struct lull_job *job)
{
	struct lull_dest *dest = &job->dest;
	struct stat a, b;

	if (fstat(job->base, &a) < 0 ||
	    fstatat(job->base_dir, job->base_name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	if (a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		return refuse(job, LULL_CAUSE_ERRNO, ESTALE);
	/* A temporary file is the caller's own: anybody else's would be refused on resuming.
	   Before the rename, for if this is forbidden nothing else is to happen. */
	if (a.st_uid != geteuid() && fchown(job->base, geteuid(), getegid()) < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	/* It takes the place of the empty file that was the lock until now. */
	if (renameat(job->base_dir, job->base_name, dest->dir, dest->temporary) < 0)
		return refuse(job, LULL_CAUSE_ERRNO, errno);
	(void)close(dest->lock);
	dest->lock = job->base;
	dest->fd = job->base;
	job->base = -1;
	job->begun = true;
	job->adopted = true;
	if (fchmod(dest->fd, 0600) < 0)
		return lull_fail(job, LULL_STAGE_ATTRIBUTES, LULL_CAUSE_ERRNO, errno, dest->path);
	if (fsync(dest->dir) < 0 || fsync(job->base_dir) < 0)
		return lull_fail(job, LULL_STAGE_SYNC, LULL_CAUSE_ERRNO, errno, dest->path);
	return LULL_OK;
}
