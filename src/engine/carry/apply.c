// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The base is cloned like any file, and the clone gets the changes before it is
 * published; place.h has the step for that. Without a base, an empty file is copied. If
 * the head of the stream does not fit, the stream is refused before any file is made.
 *
 * INVARIANT: LULL_OK is returned only if the stream was complete, its checksum right, and
 * the base matched that of the stream. A stream of version 1 has neither checksum nor
 * base.
 */
#include "engine/base/place.h"
#include "engine/carry/base_print.h"
#include "engine/carry/row_name.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/clone.h"
#include "engine/clone/job_init.h"
#include "engine/clone/shrink.h"
#include "plan/stream_in.h"
#include "sys/bytes.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE (1u << 20)
/* How much is read ahead of the records. */
#define AHEAD (256u << 10)
/* How long to wait before checking again whether to stop. */
#define LOOK_MS 200

static const char no_base[] = "standard input";

struct apply {
	struct lull_job *job; /* the current one */
	const char *base;     /* as the user named it; NULL: there is none */
	int in;
	bool polls; /* in can be polled */
	struct lull_stream_in stream;
	char *ahead;
	size_t ahead_at;
	size_t ahead_len;
	char *piece;
};

static enum lull_outcome refuse(struct apply *a, enum lull_stream_fault fault)
{
	struct lull_failure *failure = &a->job->result->failure;

	(void)lull_fail(a->job, LULL_STAGE_STREAM_IN, LULL_CAUSE_STREAM, 0, a->base);
	failure->detail = (int)fault;
	failure->off = a->stream.bytes;
	if (!failure->path2 && *a->stream.head.from)
		failure->path2 = strdup(a->stream.head.from);
	return LULL_FAILED;
}

/* ---- the stream ---- */

/* Waits for bytes. Returns 0, -ECANCELED if the observer requests a stop, or another
   -errno. */
static int wait_for_bytes(struct apply *a)
{
	struct pollfd p = { .fd = a->in, .events = POLLIN };

	while (a->polls) {
		int n = poll(&p, 1, LOOK_MS);

		if (lull_should_stop(a->job))
			return -ECANCELED;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			break;
		lull_tell(a->job);
	}
	return lull_should_stop(a->job) ? -ECANCELED : 0;
}

static int refill(struct apply *a)
{
	ssize_t n;
	int r;

	do {
		r = wait_for_bytes(a);
		if (r < 0)
			return r;
		n = read(a->in, a->ahead, AHEAD);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	a->ahead_at = 0;
	a->ahead_len = (size_t)n;
	return n > 0 ? 0 : -ENODATA;
}

static int feed(void *ctx, void *buffer, size_t len)
{
	struct apply *a = ctx;
	char *to = buffer;

	while (len > 0) {
		size_t n = MIN(len, a->ahead_len - a->ahead_at);

		if (n == 0) {
			int r = refill(a);

			if (r < 0)
				return r;
			continue;
		}
		memcpy(to, a->ahead + a->ahead_at, n);
		a->ahead_at += n;
		to += n;
		len -= n;
	}
	return 0;
}

static enum lull_outcome stream_failed(struct apply *a, int r)
{
	if (r == -ECANCELED)
		return LULL_INTERRUPTED;
	if (r == -EBADMSG)
		return refuse(a, a->stream.fault);
	return lull_fail_errno(a->job, LULL_STAGE_STREAM_IN, r, NULL);
}

/* ---- before any file is made ---- */

/* Compares the base's size and samples with the stream. fd is open on the base or its
   clone. */
static enum lull_outcome judge_data(struct apply *a, int fd)
{
	const struct lull_stream_head *head = &a->stream.head;
	struct stat st;
	bool same = true;
	int r;

	if (!head->has_base)
		return LULL_OK;
	if (fstat(fd, &st) < 0)
		return lull_fail_errno(a->job, LULL_STAGE_STAT_SOURCE, errno, a->base);
	if ((uint64_t)st.st_size != head->base.size) {
		(void)refuse(a, LULL_STREAM_OTHER_SIZE);
		a->job->result->failure.off = head->base.size;
		a->job->result->failure.len = (uint64_t)st.st_size;
		return LULL_FAILED;
	}
	r = lull_base_is(fd, &head->base, &same);
	if (r < 0)
		return lull_fail_errno(a->job, LULL_STAGE_STREAM_IN, r, a->base);
	return same ? LULL_OK : refuse(a, LULL_STREAM_OTHER_DATA);
}

static enum lull_outcome judge_base(struct apply *a, const char *path)
{
	const struct lull_stream_head *head = &a->stream.head;
	char name[LULL_STREAM_NAME + 1];
	struct stat st;

	if (!a->base)
		return *head->from ? refuse(a, LULL_STREAM_NEEDS_BASE) : LULL_OK;
	if (!*head->from)
		return refuse(a, LULL_STREAM_IS_FULL);
	lull_row_name(path, name, sizeof(name));
	if (!lull_row_may_be(name, head->from))
		return refuse(a, LULL_STREAM_OTHER_NAME);
	/* If it is not a regular file, or cannot be opened, the clone will refuse it. */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return LULL_OK;

	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? LULL_OK : judge_data(a, fd);
}

static enum lull_outcome begin(struct apply *a, const char *path)
{
	const struct lull_stream_source source = { .next = feed, .ctx = a };
	struct stat st;
	int r;

	a->ahead = malloc(AHEAD);
	a->piece = malloc(PIECE);
	if (!a->ahead || !a->piece)
		return lull_fail_errno(a->job, LULL_STAGE_STREAM_IN, ENOMEM, NULL);
	if (fstat(a->in, &st) < 0)
		return stream_failed(a, -errno);
	/* A regular file need not be polled. */
	a->polls = !S_ISREG(st.st_mode);
	r = lull_stream_in_head(&a->stream, &source, a->job->options->first_format);
	return r < 0 ? stream_failed(a, r) : judge_base(a, path);
}

/* ---- the changes ---- */

static enum lull_outcome write_failed(struct apply *a, int r)
{
	return lull_fail(a->job, LULL_STAGE_COPY_WRITE,
			 lull_clone_classify(-r, -1, a->job->dest.fd, 0, 0), r,
			 a->job->progress->dest);
}

static enum lull_outcome write_data(struct apply *a, struct lull_change change)
{
	struct lull_progress *progress = a->job->progress;

	while (change.len > 0) {
		size_t n = (size_t)MIN(change.len, PIECE);
		int r = lull_stream_in_data(&a->stream, a->piece, n);

		if (r < 0)
			return stream_failed(a, r);
		r = lull_bytes_write(a->job->dest.fd, (int64_t)change.off, a->piece, n);
		if (r < 0)
			return write_failed(a, r);
		change.off += n;
		change.len -= n;
		progress->bytes_written += n;
		progress->offset = change.off;
		lull_tell(a->job);
		if (lull_should_stop(a->job))
			return LULL_INTERRUPTED;
	}
	return LULL_OK;
}

static enum lull_outcome write_zeroes(struct apply *a, struct lull_change change)
{
	int r;

	a->job->progress->bytes_zeroed += change.len;
	/* The file began as one hole. */
	if (!a->base)
		return LULL_OK;
	lull_tell_call(a->job, LULL_CALL_PUNCH);
	r = lull_clone_punch(a->job->dest.fd, change.off, change.len);
	lull_tell_call(a->job, LULL_CALL_NONE);
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		memset(a->piece, 0, PIECE);
	else if (r < 0)
		return lull_fail_errno(a->job, LULL_STAGE_PUNCH, r, a->job->dest.path);
	else
		change.len = 0;
	while (change.len > 0) {
		size_t n = (size_t)MIN(change.len, PIECE);

		r = lull_bytes_write(a->job->dest.fd, (int64_t)change.off, a->piece, n);
		if (r < 0)
			return write_failed(a, r);
		change.off += n;
		change.len -= n;
		if (lull_should_stop(a->job))
			return LULL_INTERRUPTED;
	}
	return LULL_OK;
}

static enum lull_outcome alter(struct lull_job *job, void *ctx)
{
	struct apply *a = ctx;
	struct lull_change change;
	enum lull_outcome outcome;
	int r;

	a->job = job;
	job->progress->walked = job->progress->size;
	job->progress->to_walk = 0;
	job->progress->size = a->stream.head.size;
	job->progress->offset = 0;
	/* Check again, because the changes go into this file. */
	outcome = judge_data(a, job->dest.fd);
	if (outcome == LULL_OK)
		outcome = lull_shrink_or_grow(a->job, a->stream.head.size);
	while (outcome == LULL_OK) {
		r = lull_stream_in_next(&a->stream, &change);
		if (r < 0)
			return stream_failed(a, r);
		if (r == 0)
			break;
		outcome = change.zero ? write_zeroes(a, change) : write_data(a, change);
	}
	if (outcome == LULL_OK)
		job->progress->offset = job->progress->size;
	return outcome;
}

/* ---- the whole ---- */

/* Makes an empty, unnamed file, of which a new file is a copy. Returns a descriptor or
   -errno. */
static int make_empty(void)
{
	int fd = memfd_create("lullcp", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* The mode of a new file before the umask. */
	return fchmod(fd, 0666) < 0 ? -errno : fd;
}

/* Changes an outcome that would be resumable: nothing can be resumed here, and nobody
   should write to the base. */
static enum lull_outcome judge_outcome(struct lull_result *result,
				       enum lull_outcome outcome)
{
	/* That is so whatever the checkpoint's source was. */
	if (result->failure.cause == LULL_CAUSE_CHECKPOINT_FOREIGN)
		result->failure.cause = LULL_CAUSE_CHECKPOINT_EXISTS;
	if (outcome != LULL_STOPPED && outcome != LULL_WRITTEN)
		return outcome;
	result->failure.stage = LULL_STAGE_STREAM_IN;
	return LULL_FAILED;
}

static enum lull_outcome make(struct apply *a, const struct lull_options *options,
			      const char *path, const char *dest,
			      const struct lull_observer *observer,
			      struct lull_result *ret_result)
{
	struct lull_options o = *options;
	struct lull_place place = {
		.src = -1,
		.dir = -1,
		.old = -1,
		.alter = alter,
		.ctx = a,
		.alter_size = a->stream.head.size,
	};
	enum lull_outcome outcome;
	const char *date;

	o.base = NULL;
	/* There is no checkpoint, and what a killed run has left is useless. */
	o.resume = !o.restart;
	o.on_writers = LULL_ON_WRITERS_FAIL;
	/* Use the date of the other end, so that the next stream finds the generation by
	   it. */
	date = lull_generation_date(a->stream.head.to);
	if (date)
		o.generation_time = lull_generation_time(date);
	if (!a->base) {
		_cleanup_close_ int fd = make_empty();

		if (fd < 0)
			return lull_fail_errno(a->job, LULL_STAGE_CREATE, fd, dest);
		place.src = fd;
		o.cp.reflink = LULL_REFLINK_NEVER;
		lull_result_done(ret_result);
		outcome = lull_clone(&o, no_base, dest, &place, observer, ret_result);
		return judge_outcome(ret_result, outcome);
	}
	lull_result_done(ret_result);
	outcome = lull_clone(&o, path, dest, &place, observer, ret_result);
	return judge_outcome(ret_result, outcome);
}

enum lull_outcome lull_apply(const struct lull_options *options, const char *dest, int in,
			     const struct lull_observer *observer,
			     struct lull_result *ret_result)
{
	const char *base = options->base;
	_cleanup_free_ char *path = NULL;
	struct lull_job job;
	struct apply a = { .job = &job, .base = base, .in = in };
	enum lull_outcome outcome = LULL_OK;

	lull_job_look(&job, options, observer, base ? base : no_base, dest, ret_result);
	ret_result->progress.budget_ns = options->latency_budget_ns;
	if (base)
		outcome = lull_generation_resolve(&job, base, dest, &path);
	if (outcome == LULL_OK)
		outcome = begin(&a, path);
	if (outcome == LULL_OK)
		outcome = make(&a, options, path, dest, observer, ret_result);
	ret_result->progress.source = job.source;
	free(a.ahead);
	free(a.piece);
	return outcome;
}
