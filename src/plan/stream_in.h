/* SPDX-License-Identifier: MIT */
/*
 * Reads a stream (see stream.h), and refuses anything that is not a complete stream.
 * Makes no system call: it pulls bytes from the engine's source. Keeps only the head in
 * memory.
 */
#pragma once

#include "lullcp.h"
#include "plan/stream.h"
#include "util/xxh64.h"

/* Where the bytes come from. next fills buffer with the next len bytes. It returns 0,
   -ENODATA if the stream ends before that, or another -errno. */
struct lull_stream_source {
	int (*next)(void *ctx, void *buffer, size_t len);
	void *ctx;
};

struct lull_stream_in {
	struct lull_stream_source source;
	enum lull_stream_fault fault; /* what is wrong, after -EBADMSG */
	uint64_t bytes;               /* read so far, which is about where the fault is */
	struct lull_xxh64 sum;        /* of those bytes */
	struct lull_xxh64 before;     /* of the bytes before the current record */
	struct lull_stream_head head;
	bool first;    /* version 1, which has no lengths and no checksum */
	uint64_t pos;  /* the next range must not begin before */
	uint64_t left; /* data of the last range that is not read yet */
	/* tag and length of a record have been read */
	bool pending;
	uint8_t tag;
	uint64_t length;
};

/*
 * Reads the banner and the head. first: accepts version 1 as well, which only its form
 * shows to be complete. Returns 0, -EBADMSG with in->fault set, or the -errno of the
 * source.
 */
int lull_stream_in_head(struct lull_stream_in *in,
			const struct lull_stream_source *source, bool first);

/*
 * Reads the next range. Returns 1 with a range; its data must be read before the next
 * call, unless it is zero. Returns 0 at the end, if the checksum is right (version 2) and
 * nothing follows. Errors are those of lull_stream_in_head(). What was read must not be
 * trusted until this returns 0.
 */
int lull_stream_in_next(struct lull_stream_in *in, struct lull_change *ret_range);

/* Reads the next len bytes of the last range's data; len must not exceed what it has.
   Returns 0, or an error as above. */
int lull_stream_in_data(struct lull_stream_in *in, void *buffer, size_t len);
