// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *  1. The file is opened for writing. A lease shows that nobody else has it open.
 *  2. It is renamed to its hidden name, so that no partial file ever has its own name.
 *  3. It is truncated from its end in bounded steps (shrink.h).
 *  4. The hidden name is removed.
 *
 * If the run is interrupted after step 2, the hidden file is what is left, and to discard
 * that finishes the work.
 *
 * INVARIANT: the file that is truncated is the one that was examined, whatever has its
 * name by then.
 */
#include "engine/base/events.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/job_init.h"
#include "engine/clone/shrink.h"
#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".lullcp-discard"
/* How much of the name the hidden name contains. A hidden name has at most 255 bytes. */
#define NAME_BYTES 220
/* The most leftovers of earlier runs with the same name. */
#define MOST_TRIES 100

static enum lull_outcome failed(struct lull_job *job, enum lull_cause cause, int err)
{
	return lull_fail(job, LULL_STAGE_REMOVE, cause, err, job->source);
}

static bool has_suffix(const char *name)
{
	size_t len = strlen(name), tail = strlen(SUFFIX);

	return name[0] == '.' && len > tail && strcmp(name + len - tail, SUFFIX) == 0;
}

static bool is_named(int dir, const char *name, const struct stat *st)
{
	struct stat now;

	return fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && SAME_INODE(&now, st);
}

/* Returns the hidden name, to be freed. number makes it another one if it is taken. */
static char *hidden_name(const char *name, const char *number)
{
	return lull_text(".%.*s%s" SUFFIX, NAME_BYTES, name, number);
}

/* Renames the file to a free hidden name. Returns 0 or -errno. The caller frees
   *ret_hidden. */
static int hide(int dir, const char *name, const struct stat *st, char **ret_hidden)
{
	for (unsigned int i = 0; i < MOST_TRIES; i++) {
		char number[12] = "";
		char *hidden;
		int r;

		if (i > 0)
			(void)snprintf(number, sizeof(number), "-%u", i);
		hidden = hidden_name(name, number);
		if (!hidden)
			return -ENOMEM;
		*ret_hidden = hidden;
		r = renameat2(dir, name, dir, hidden, RENAME_NOREPLACE) < 0 ? -errno : 0;
		if (r == 0 && !is_named(dir, hidden, st)) {
			(void)renameat2(dir, hidden, dir, name, RENAME_NOREPLACE);
			r = -ESTALE;
		}
		if (r != -EEXIST)
			return r;
		free(hidden);
		*ret_hidden = NULL;
	}
	return -EEXIST;
}

static void tell_rest(struct lull_job *job, const char *hidden)
{
	_cleanup_free_ char *path = lull_path_beside(job->source, hidden);

	lull_warn(job, LULL_WARNING_DISCARD_REST, 0, path);
}

/* Removes only this name if the file has others. */
static enum lull_outcome remove_file(struct lull_job *job, int dir, const char *name,
				     int fd, const struct stat *st)
{
	_cleanup_free_ char *hidden = NULL;
	enum lull_outcome outcome;
	struct stat now;
	int r;

	if (!has_suffix(name)) {
		r = hide(dir, name, st, &hidden);
		if (r < 0)
			return failed(job, LULL_CAUSE_ERRNO, r);
	}
	/* Check again: until the rename, anybody could open the file or give it another
	   name. */
	if (fstat(fd, &now) < 0 ||
	    (now.st_nlink == 1 && lull_inode_use(fd) != LULL_INODE_UNUSED)) {
		if (hidden)
			(void)renameat2(dir, hidden, dir, name, RENAME_NOREPLACE);
		return failed(job, LULL_CAUSE_OPEN, EBUSY);
	}
	name = hidden ? hidden : name;
	outcome = now.st_nlink == 1 ? lull_shrink(job, fd, 0) : LULL_OK;
	if (outcome == LULL_OK && is_named(dir, name, st) && unlinkat(dir, name, 0) < 0)
		outcome = failed(job, LULL_CAUSE_ERRNO, errno);
	if (outcome != LULL_OK)
		tell_rest(job, name);
	return outcome;
}

static enum lull_outcome discard(struct lull_job *job)
{
	const char *name = lull_path_last(job->source);
	_cleanup_close_ int dir = lull_open_parent(job->source, O_RDONLY);
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *left = NULL;
	struct stat st;
	int r;

	if (dir < 0)
		return failed(job, LULL_CAUSE_ERRNO, dir);
	r = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
	/* The same command, started again, continues with what it left. */
	if (r == ENOENT && !has_suffix(name)) {
		left = hidden_name(name, "");
		if (left && fstatat(dir, left, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			name = left;
			r = 0;
		}
	}
	if (r != 0)
		return failed(job, LULL_CAUSE_ERRNO, r);
	if (S_ISDIR(st.st_mode))
		return failed(job, LULL_CAUSE_ERRNO, EISDIR);
	if (!S_ISREG(st.st_mode))
		return failed(job, LULL_CAUSE_NOT_REGULAR, EINVAL);
	fd = openat(dir, name, O_RDWR | LULL_OPEN_WARILY);
	if (fd < 0)
		return errno == ETXTBSY ? failed(job, LULL_CAUSE_OPEN, EBUSY)
					: failed(job, LULL_CAUSE_ERRNO, errno);
	if (!is_named(dir, name, &st) || fstat(fd, &st) < 0)
		return failed(job, LULL_CAUSE_ERRNO, ESTALE);
	if (lull_inode_only_grows(dir, "."))
		return failed(job, LULL_CAUSE_ERRNO, EPERM);
	if (st.st_nlink == 1 && lull_inode_use(fd) != LULL_INODE_UNUSED)
		return failed(job, LULL_CAUSE_OPEN, EBUSY);
	r = lull_identity_fs(fd, &job->dest.fs);
	if (r < 0)
		return failed(job, LULL_CAUSE_ERRNO, r);
	job->dest.path = strdup(job->source);
	job->progress->size = (uint64_t)st.st_size;
	return remove_file(job, dir, name, fd, &st);
}

static enum lull_outcome discard_one(const struct lull_options *options, const char *file,
				     const struct lull_observer *observer)
{
	struct lull_freeze none = { 0 };
	_cleanup_free_ char *path = NULL;
	struct lull_failure failure = { 0 };
	/* "latest" is not accepted: a file to be removed must be named in full. */
	enum lull_outcome outcome = lull_generation_path(options, file, false, &path,
							 &failure);
	const char *name = path ? path : file;
	struct lull_result result;
	struct lull_job job;
	bool room = lull_job_init(&job, options, observer, name, name, &result);

	job.freeze = &none;
	if (outcome != LULL_OK)
		result.failure = failure;
	else
		outcome = room ? discard(&job) : failed(&job, LULL_CAUSE_ERRNO, ENOMEM);
	if (outcome == LULL_FAILED && options->cp.force && result.failure.err == ENOENT)
		outcome = LULL_OK;
	else if (outcome == LULL_OK && options->cp.verbose)
		lull_events_say(observer, .kind = LULL_NOTE_REMOVED, .path = name);
	observer->file(observer->ctx, outcome, &result);
	lull_job_done(&job);
	lull_result_done(&result);
	return outcome;
}

enum lull_outcome lull_discard(const struct lull_options *options,
			       const char *const *files, unsigned int n_files,
			       const struct lull_observer *observer)
{
	enum lull_outcome all = LULL_OK;

	for (unsigned int i = 0; i < n_files; i++) {
		enum lull_outcome outcome = discard_one(options, files[i], observer);

		if (outcome == LULL_INTERRUPTED)
			return outcome;
		all = outcome == LULL_OK ? all : outcome;
	}
	return all;
}
