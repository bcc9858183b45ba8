// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The plan that a clone would follow says what the extent maps do not prove equal; that
 * is read and compared, a piece at a time. Both files are flushed before, and neither may
 * be written to meanwhile: the tripwire looks at both.
 *
 * INVARIANT: bytes that are neither proven nor read are never called equal.
 */
#include "engine/base/job.h"
#include "sys/bytes.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/inode.h"
#include "sys/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1u << 20)

struct verify {
	struct lull_job *job;
	struct lull_comparison *found;
	const char *path[2];
	int fd[2];
	int scratch[2];
	struct lull_fs fs[2];
	struct lull_reference reference[2];
	struct lull_extmap *map[2];
	char *buffer[2];
	bool by_maps;         /* the extent maps of these two files prove something */
	uint64_t differed_to; /* end of the last run of bytes that differ */
};

static enum lull_outcome open_one(struct verify *v, int i)
{
	struct lull_job *job = v->job;
	const char *path = v->path[i];
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_ERRNO, errno,
				 path);
	if (S_ISDIR(st.st_mode))
		return lull_fail(job, LULL_STAGE_READ, LULL_CAUSE_IS_DIRECTORY, EISDIR,
				 path);
	if (!S_ISREG(st.st_mode))
		return lull_fail(job, LULL_STAGE_READ, LULL_CAUSE_NOT_REGULAR, EINVAL,
				 path);
	v->fd[i] = lull_open_patiently(AT_FDCWD, path,
				       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				       job->observer->should_stop, job->observer->ctx);
	if (v->fd[i] == -ECANCELED)
		return LULL_INTERRUPTED;
	if (v->fd[i] < 0)
		return lull_fail(job, LULL_STAGE_OPEN_SOURCE, LULL_CAUSE_ERRNO, v->fd[i],
				 path);
	r = lull_identity_fs(v->fd[i], &v->fs[i]);
	return r < 0 ? lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_ERRNO, r, path)
		     : LULL_OK;
}

/* The file systems whose maps prove anything: kernel rules in plan/plan.h. */
static bool maps_are_trusted(const struct verify *v)
{
	uint64_t magic = v->fs[0].magic;

	return (magic == XFS_SUPER_MAGIC || magic == BTRFS_SUPER_MAGIC) &&
	       lull_identity_same_fs(v->fd[0], v->fd[1]) &&
	       /* XFS counts the blocks of its real-time device from 0 as well. */
	       lull_inode_is_realtime(v->fd[0]) == lull_inode_is_realtime(v->fd[1]);
}

/*
 * An unnamed file beside path into which fd can be cloned; -1: there is none to be had,
 * as on a read-only or full file system, and the drain is left out.
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

static enum lull_outcome take_reference(struct verify *v, int i)
{
	int r;

	if (v->scratch[i] >= 0) {
		r = lull_tripwire_take(v->fd[i], v->scratch[i], v->fs[i].block,
				       &v->reference[i]);
	} else {
		r = lull_tripwire_flush(v->fd[i]);
		if (r == 0)
			r = lull_tripwire_look(v->fd[i], &v->reference[i]);
	}
	if (r == -EBUSY)
		return lull_fail(v->job, LULL_STAGE_READ, LULL_CAUSE_WRITERS, 0,
				 v->path[i]);
	/* An error of the flush is told once only: no second try, for the map would
	   lie. */
	return r < 0 ? lull_fail(v->job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r,
				 v->path[i])
		     : LULL_OK;
}

static enum lull_outcome unchanged(struct verify *v, int i)
{
	struct lull_reference now;
	int r = lull_tripwire_look(v->fd[i], &now);

	if (r == 0 && lull_reference_equal(&now, &v->reference[i]))
		return LULL_OK;
	return lull_fail(v->job, LULL_STAGE_READ, LULL_CAUSE_WRITERS, 0, v->path[i]);
}

/* Reads len bytes, less only where the file has become shorter: 0 or -errno. */
static int read_all(int fd, char *buffer, size_t len, uint64_t off)
{
	size_t done = 0;

	while (done < len) {
		int64_t n = lull_bytes_read(fd, (int64_t)(off + done), buffer + done,
					    len - done);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -ESTALE;
		done += (size_t)n;
	}
	return 0;
}

static void note_difference(struct verify *v, uint64_t off, uint64_t len)
{
	struct lull_comparison *found = v->found;

	if (found->different_bytes == 0)
		found->first_difference = off;
	/* Bytes that happen to be equal do not make two ranges of one. */
	if (found->different_ranges == 0 || off - v->differed_to >= v->fs[0].block)
		found->different_ranges++;
	found->different_bytes += len;
	v->differed_to = off + len;
}

static void compare(struct verify *v, uint64_t off, size_t len)
{
	const char *a = v->buffer[0], *b = v->buffer[1];

	if (memcmp(a, b, len) == 0)
		return;
	for (size_t i = 0; i < len;) {
		size_t from = i;

		while (i < len && a[i] != b[i])
			i++;
		if (i > from)
			note_difference(v, off + from, i - from);
		while (i < len && a[i] == b[i])
			i++;
	}
}

/* Reads both files from off on. */
static enum lull_outcome read_range(struct verify *v, uint64_t off, uint64_t len)
{
	while (len > 0) {
		size_t piece = len < PIECE ? (size_t)len : PIECE;

		if (lull_should_stop(v->job))
			return LULL_INTERRUPTED;
		for (int i = 0; i < 2; i++) {
			int r = read_all(v->fd[i], v->buffer[i], piece, off);

			if (r == -ESTALE)
				return lull_fail(v->job, LULL_STAGE_READ,
						 LULL_CAUSE_WRITERS, 0, v->path[i]);
			if (r < 0)
				return lull_fail(v->job, LULL_STAGE_READ,
						 LULL_CAUSE_ERRNO, r, v->path[i]);
		}
		compare(v, off, piece);
		v->found->read_bytes += piece;
		off += piece;
		len -= piece;
		v->job->progress->offset = off;
		lull_tell(v->job);
	}
	return LULL_OK;
}

static enum lull_outcome by_maps(struct verify *v, uint64_t size)
{
	struct lull_comparison *found = v->found;
	bool maps_only = v->job->options->verify_by == LULL_VERIFY_MAPS;
	struct lull_cursor cursor[2];
	struct lull_plan plan;
	struct lull_range range;
	uint64_t at = 0;
	int r = 0;

	for (int i = 0; i < 2; i++) {
		/* Both the same way: a way may name places differently. */
		r = lull_extmap_open(v->fd[i],
				     i == 0 ? LULL_EXTMAP_AUTO
					    : lull_extmap_kind(v->map[0]),
				     0, size, &v->map[i]);
		if (r < 0)
			return lull_fail(v->job, LULL_STAGE_WALK, LULL_CAUSE_ERRNO, r,
					 v->path[i]);
		cursor[i] = lull_extmap_cursor(v->map[i]);
	}
	lull_plan_init(&plan, LULL_PLAN_COMPARE, 0, size,
		       MAX(v->fs[0].block, v->fs[1].block), &cursor[0], &cursor[1]);
	while ((r = lull_plan_next(&plan, &range)) > 0) {
		uint64_t len = MIN(range.len, size - range.off);
		enum lull_outcome outcome = LULL_OK;

		found->proven_bytes += range.off - at;
		at = range.off + len;
		found->extents = plan.extents;
		if (maps_only) {
			if (found->unproven_bytes == 0)
				found->first_difference = range.off;
			found->unproven_bytes += len;
		} else {
			outcome = read_range(v, range.off, len);
		}
		if (outcome != LULL_OK)
			return outcome;
		if (lull_should_stop(v->job))
			return LULL_INTERRUPTED;
	}
	found->extents = plan.extents;
	found->proven_bytes += size - at;
	return r < 0 ? lull_fail(v->job, LULL_STAGE_WALK, LULL_CAUSE_ERRNO, r, v->path[0])
		     : LULL_OK;
}

static enum lull_outcome compare_files(struct verify *v)
{
	struct lull_comparison *found = v->found;
	enum lull_verify_by by = v->job->options->verify_by;
	enum lull_outcome outcome;
	uint64_t size;

	found->size = v->reference[0].size;
	found->dest_size = v->reference[1].size;
	size = MIN(found->size, found->dest_size);
	v->job->progress->size = size;
	if (v->by_maps && by != LULL_VERIFY_DATA) {
		outcome = by_maps(v, size);
	} else if (by == LULL_VERIFY_MAPS) {
		found->unproven_bytes = size;
		outcome = LULL_OK;
	} else {
		outcome = read_range(v, 0, size);
	}
	for (int i = 0; i < 2 && outcome == LULL_OK; i++)
		outcome = unchanged(v, i);
	if (outcome != LULL_OK)
		return outcome;
	if (found->size != found->dest_size)
		note_difference(v, size, MAX(found->size, found->dest_size) - size);
	if (found->different_bytes > 0)
		return LULL_DIFFERENT;
	if (found->unproven_bytes > 0) {
		(void)lull_fail(v->job, LULL_STAGE_READ, LULL_CAUSE_UNPROVEN, 0,
				v->path[0]);
		v->job->result->failure.off = found->first_difference;
		v->job->result->failure.len = found->unproven_bytes;
		v->job->result->failure.path2 = strdup(v->path[1]);
		return LULL_FAILED;
	}
	return LULL_OK;
}

enum lull_outcome lull_verify(const struct lull_options *options, const char *source,
			      const char *dest, const struct lull_observer *observer,
			      struct lull_comparison *ret_comparison)
{
	struct lull_result result = { .progress = { .source = source, .dest = dest } };
	struct lull_job job = {
		.options = options,
		.observer = observer,
		.result = &result,
		.progress = &result.progress,
		.started = lull_clock_now(),
		.source = source,
	};
	struct verify v = {
		.job = &job,
		.found = ret_comparison,
		.path = { source, dest },
		.fd = { -1, -1 },
		.scratch = { -1, -1 },
	};
	enum lull_outcome outcome = LULL_OK;

	*ret_comparison = (struct lull_comparison){ 0 };
	for (int i = 0; i < 2 && outcome == LULL_OK; i++)
		outcome = open_one(&v, i);
	v.by_maps = outcome == LULL_OK && maps_are_trusted(&v);
	for (int i = 0; i < 2 && outcome == LULL_OK; i++) {
		v.scratch[i] = v.by_maps
				       ? scratch_beside(v.path[1], v.fd[i], v.fs[i].block)
				       : -1;
		v.buffer[i] = malloc(PIECE);
		if (!v.buffer[i])
			outcome = lull_fail(&job, LULL_STAGE_READ, LULL_CAUSE_ERRNO,
					    ENOMEM, v.path[i]);
	}
	for (int i = 0; i < 2 && outcome == LULL_OK; i++)
		outcome = take_reference(&v, i);
	if (outcome == LULL_OK)
		outcome = compare_files(&v);
	for (int i = 0; i < 2; i++) {
		lull_extmap_close(v.map[i]);
		free(v.buffer[i]);
		if (v.fd[i] >= 0)
			(void)close(v.fd[i]);
		if (v.scratch[i] >= 0)
			(void)close(v.scratch[i]);
	}
	ret_comparison->elapsed_ns = lull_clock_now() - job.started;
	ret_comparison->failure = result.failure;
	result.failure = (struct lull_failure){ 0 };
	lull_result_done(&result);
	return outcome;
}

void lull_comparison_done(struct lull_comparison *comparison)
{
	free(comparison->failure.path);
	free(comparison->failure.path2);
	*comparison = (struct lull_comparison){ 0 };
}
