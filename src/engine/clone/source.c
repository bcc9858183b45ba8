// SPDX-License-Identifier: MIT
/* Opens and checks the source. */
#include "engine/clone/source.h"

#include "engine/base/place.h"

#include "sys/inode.h"
#include "sys/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Opens the source by its path, unless the caller has opened it. */
static enum lull_outcome open_source(struct lull_job *job)
{
	struct stat st;

	if (job->place && job->place->src >= 0) {
		job->src = fcntl(job->place->src, F_DUPFD_CLOEXEC, 3);
		return job->src >= 0 ? LULL_OK
				     : lull_fail_errno(job, LULL_STAGE_OPEN_SOURCE, errno,
						       job->source);
	}
	if (stat(job->source, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno, job->source);
	if (S_ISDIR(st.st_mode))
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_IS_DIRECTORY,
				 EISDIR, job->source);
	/* Check this before opening: a FIFO would block, and a device might act. */
	if (!S_ISREG(st.st_mode))
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_NOT_REGULAR,
				 EINVAL, job->source);
	job->src = lull_open_patiently(AT_FDCWD, job->source,
				       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				       job->observer->should_stop, job->observer->ctx);
	if (job->src == -ECANCELED)
		return LULL_INTERRUPTED;
	return job->src >= 0 ? LULL_OK
			     : lull_fail_errno(job, LULL_STAGE_OPEN_SOURCE, job->src,
					       job->source);
}

enum lull_outcome lull_source_open(struct lull_job *job)
{
	enum lull_outcome outcome = open_source(job);
	struct stat st;
	int r;

	if (outcome != LULL_OK)
		return outcome;
	if (fstat(job->src, &st) < 0 || !S_ISREG(st.st_mode))
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_NOT_REGULAR,
				 EINVAL, job->source);
	job->source_path = realpath(job->source, NULL);
	/* A deleted file has no name, but /proc/PID/fd/N leads to it. */
	if (!job->source_path && errno == ENOENT)
		job->source_path = strdup(job->source);
	/* The file is open, so the name as given is not too long: the absolute path
	   is. */
	if (!job->source_path)
		return lull_fail(job, LULL_STAGE_STAT_SOURCE,
				 errno == ENAMETOOLONG ? LULL_CAUSE_LONG_PATH
						       : LULL_CAUSE_ERRNO,
				 errno, job->source);
	/* The hook gets this path, and must not freeze the writers of another file. */
	if (job->options->hook && !lull_inode_is_at(job->src, job->source_path))
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_PATH_ELSEWHERE,
				 0, job->source);
	r = lull_identity_fs(job->src, &job->src_fs);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, r, job->source);
	job->progress->size = (uint64_t)st.st_size;
	return LULL_OK;
}

enum lull_outcome lull_source_match(struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	struct stat st;

	if (fstat(job->src, &st) < 0)
		return lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, errno, job->source);
	if (dest->exists && !lull_place_alters(job->place) && SAME_INODE(&st, &dest->old))
		return lull_fail_between(job, LULL_STAGE_STAT_DEST, LULL_CAUSE_SAME_FILE,
					 0, job->source, job->progress->dest);
	/* A file that is made beside dest could never be removed. */
	if (lull_inode_only_grows(dest->dir, "."))
		return lull_fail(job, LULL_STAGE_CREATE, LULL_CAUSE_ONLY_GROWS, EPERM,
				 job->progress->dest);
	/* The rename would fail at the end, after all the work. */
	if (dest->exists && lull_inode_is_immutable(dest->dir, dest->name))
		return lull_fail(job, LULL_STAGE_CREATE, LULL_CAUSE_IMMUTABLE, EPERM,
				 job->progress->dest);
	if (dest->fs.read_only)
		return lull_fail(job, LULL_STAGE_CREATE, LULL_CAUSE_READ_ONLY, EROFS,
				 job->progress->dest);
	/* Report this early if it is certain. The probe finds the other cases. */
	if (job->options->cp.reflink == LULL_REFLINK_ALWAYS &&
	    faccessat(dest->dir, ".", W_OK, AT_EACCESS) == 0 && dest->fs.uuid[0] &&
	    job->src_fs.uuid[0] &&
	    (dest->fs.magic != job->src_fs.magic ||
	     strcmp(dest->fs.uuid, job->src_fs.uuid) != 0))
		return lull_fail_between(job, LULL_STAGE_PROBE,
					 LULL_CAUSE_OTHER_FILE_SYSTEM, EXDEV,
					 job->progress->dest, job->source);
	return LULL_OK;
}
