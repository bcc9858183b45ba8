// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The ranges of changes.h become records, a piece of data at a time. The checksum and the
 * end are written only after everything was read and nobody has written to the files in
 * the meantime. So on any failure, the stream cannot be applied.
 */
#include "engine/carry/base_print.h"
#include "engine/carry/row_name.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/job_init.h"
#include "engine/inspect/changes.h"
#include "plan/stream_out.h"
#include "sys/clock.h"
#include "sys/uncached.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* The most data in a record, and in a read. */
#define PIECE (1u << 20)
#define PAGE  4096u
/* How long to wait before checking again whether to stop. */
#define LOOK_MS 200
#define LOOK_NS (LOOK_MS * NSEC_PER_MSEC)

struct export
{
	struct lull_job *job;
	struct lull_exported *found;
	struct lull_pair pair;
	struct lull_changes changes;
	struct lull_stream_out stream;
	char *buffer;
	int out;
	bool polls; /* out can be polled */
	uint64_t piece;
	uint64_t read;
	struct lull_change last; /* the previous range */
	uint64_t began;          /* CLOCK_MONOTONIC, before the first read */
};

static enum lull_outcome write_failed(struct export *e, int err)
{
	return lull_fail_errno(e->job, LULL_STAGE_STREAM_OUT, err, NULL);
}

/* Waits for room in out. Returns LULL_INTERRUPTED if the observer requests a stop. */
static enum lull_outcome wait_for_room(struct export *e)
{
	struct pollfd p = { .fd = e->out, .events = POLLOUT };

	while (e->polls) {
		int n = poll(&p, 1, LOOK_MS);

		if (lull_should_stop(e->job))
			return LULL_INTERRUPTED;
		if (n < 0 && errno != EINTR)
			return write_failed(e, errno);
		if (n > 0)
			break;
		lull_tell(e->job);
	}
	return lull_should_stop(e->job) ? LULL_INTERRUPTED : LULL_OK;
}

static enum lull_outcome put(struct export *e, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		enum lull_outcome outcome = wait_for_room(e);
		ssize_t n;

		if (outcome != LULL_OK)
			return outcome;
		n = write(e->out, at, len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return write_failed(e, errno);
		if (n == 0)
			return write_failed(e, ENOSPC);
		at += n;
		len -= (size_t)n;
	}
	e->found->stream_bytes = e->stream.bytes;
	return LULL_OK;
}

/* Rests until the average since the start is no more than the rate. */
static enum lull_outcome keep_rate(struct export *e)
{
	uint64_t rate = e->job->options->rate;

	if (rate == 0)
		return LULL_OK;
	for (;;) {
		uint64_t took = lull_clock_now() - e->began;
		double due = (double)e->read / (double)rate * (double)NSEC_PER_SEC;

		if (due <= (double)took)
			return LULL_OK;
		if (lull_should_stop(e->job))
			return LULL_INTERRUPTED;
		lull_clock_sleep((uint64_t)MIN(due - (double)took, (double)LOOK_NS));
		lull_tell(e->job);
	}
}

static enum lull_outcome put_piece(struct export *e, uint64_t off, uint64_t len)
{
	unsigned int newer = (unsigned int)e->changes.newer;
	int r = lull_uncached_read(e->pair.fd[newer], off, e->buffer, len);
	uint8_t room[LULL_STREAM_ROOM];
	enum lull_outcome outcome;

	if (r == -ESTALE)
		return lull_pair_written(&e->pair, newer);
	if (r < 0)
		return lull_fail_errno(e->job, LULL_STAGE_READ, r, e->pair.path[newer]);
	e->read += len;
	outcome = put(e, room, lull_stream_out_range(&e->stream, off, len, false, room));
	if (outcome != LULL_OK)
		return outcome;
	lull_stream_out_data(&e->stream, e->buffer, len);
	outcome = put(e, e->buffer, len);
	e->job->progress->offset = off + len;
	e->job->progress->bytes_written = e->stream.bytes;
	lull_tell(e->job);
	return outcome == LULL_OK ? keep_rate(e) : outcome;
}

static enum lull_outcome put_change(struct export *e, const struct lull_change *change)
{
	uint8_t room[LULL_STREAM_ROOM];
	enum lull_outcome outcome = LULL_OK;

	if (change->off != e->last.off + e->last.len || change->zero != e->last.zero ||
	    e->found->ranges == 0)
		e->found->ranges++;
	e->last = *change;
	if (change->zero) {
		e->found->zero_bytes += change->len;
		return put(e, room,
			   lull_stream_out_range(&e->stream, change->off, change->len,
						 true, room));
	}
	e->found->data_bytes += change->len;
	for (uint64_t done = 0; done < change->len && outcome == LULL_OK;) {
		uint64_t off = change->off + done;
		/* Pieces end at multiples of the piece size, so that reads are
		   aligned. */
		uint64_t len = MIN(e->piece - off % e->piece, change->len - done);

		outcome = put_piece(e, off, len);
		done += len;
	}
	return outcome;
}

static enum lull_outcome put_changes(struct export *e)
{
	for (;;) {
		struct lull_change change;
		enum lull_outcome outcome = lull_changes_next(&e->changes, &change);

		if (outcome != LULL_OK || change.len == 0)
			return outcome;
		outcome = put_change(e, &change);
		if (outcome != LULL_OK)
			return outcome;
	}
}

static enum lull_outcome put_head(struct export *e)
{
	struct lull_pair *pair = &e->pair;
	struct lull_stream_head head = { .size = pair->reference[pair->n - 1].size };
	uint8_t room[LULL_STREAM_ROOM];
	int r = 0;

	lull_row_name(pair->path[pair->n - 1], head.to, sizeof(head.to));
	if (pair->n > 1) {
		lull_row_name(pair->path[0], head.from, sizeof(head.from));
		r = lull_base_print(pair->fd[0], pair->reference[0].size, &head.base);
		head.has_base = true;
	}
	if (r == -ESTALE)
		return lull_pair_written(pair, 0);
	if (r < 0)
		return lull_fail_errno(e->job, LULL_STAGE_READ, r, pair->path[0]);
	e->found->size = head.size;
	e->stream.first = e->job->options->first_format;
	return put(e, room, lull_stream_out_head(&e->stream, &head, room));
}

static enum lull_outcome put_end(struct export *e)
{
	uint8_t room[LULL_STREAM_ROOM];

	return put(e, room, lull_stream_out_end(&e->stream, room));
}

static enum lull_outcome put_all(struct export *e)
{
	struct stat st;
	enum lull_outcome outcome = lull_pair_open(&e->pair);

	e->buffer = malloc(PIECE);
	if (!e->buffer)
		return lull_fail_errno(e->job, LULL_STAGE_READ, ENOMEM, e->pair.path[0]);
	if (outcome == LULL_OK && fstat(e->out, &st) < 0)
		return write_failed(e, errno);
	/* A regular file need not be polled. */
	e->polls = !S_ISREG(st.st_mode);
	if (outcome == LULL_OK)
		outcome = lull_pair_take(&e->pair);
	if (outcome != LULL_OK)
		return outcome;
	for (unsigned int i = 0; i < e->pair.n; i++)
		lull_uncached_begin(e->pair.fd[i]);
	/* At a low rate, write a few pieces a second. */
	e->piece = PIECE;
	if (e->job->options->rate > 0)
		e->piece = MAX(MIN(e->job->options->rate / 4 / PAGE * PAGE, PIECE), PAGE);
	e->began = lull_clock_now();
	outcome = put_head(e);
	if (outcome == LULL_OK)
		outcome = lull_changes_open(&e->changes, &e->pair, false);
	/* Read data while the maps are walked. Otherwise one would wait for the other. */
	e->changes.most = e->piece;
	if (outcome == LULL_OK)
		outcome = put_changes(e);
	if (outcome == LULL_OK)
		outcome = lull_pair_unchanged(&e->pair);
	return outcome == LULL_OK ? put_end(e) : outcome;
}

static enum lull_outcome run(struct export *e, const char *name)
{
	const char *base = e->job->options->base;
	_cleanup_free_ char *newer = NULL;
	_cleanup_free_ char *older = NULL;
	enum lull_outcome outcome = lull_generation_resolve(e->job, name, name, &newer);

	if (outcome == LULL_OK && base)
		outcome = lull_generation_resolve(e->job, base, newer, &older);
	if (outcome != LULL_OK)
		return outcome;
	if (older)
		lull_pair_init(&e->pair, e->job, older, newer);
	else
		lull_pair_init(&e->pair, e->job, newer, NULL);
	outcome = put_all(e);
	lull_changes_close(&e->changes);
	lull_pair_close(&e->pair);
	free(e->buffer);
	return outcome;
}

enum lull_outcome lull_export(const struct lull_options *options, const char *file,
			      int out, const struct lull_observer *observer,
			      struct lull_exported *ret_exported)
{
	struct lull_result result;
	struct lull_job job;
	struct export e = { .job = &job, .found = ret_exported, .out = out };
	enum lull_outcome outcome;

	*ret_exported = (struct lull_exported){ 0 };
	lull_job_look(&job, options, observer, file, NULL, &result);
	outcome = run(&e, file);
	/* This is not a comparison, whatever stage the pair has set. */
	if (result.failure.stage == LULL_STAGE_READ)
		result.failure.stage = LULL_STAGE_STREAM_OUT;
	ret_exported->elapsed_ns = lull_job_looked(&job, &ret_exported->failure);
	return outcome;
}

void lull_exported_done(struct lull_exported *exported)
{
	lull_failure_done(&exported->failure);
	*exported = (struct lull_exported){ 0 };
}
