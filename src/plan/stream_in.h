/* SPDX-License-Identifier: MIT */
/*
 * Reads a stream (see stream.h), and refuses anything that is not a stream, or not a
 * whole one. Pure: it pulls bytes from where the engine says. Bounded: it keeps the head
 * and no more.
 */
#pragma once

#include "lullcp.h"
#include "plan/stream.h"
#include "util/xxh64.h"

/* Where the bytes come from. next fills buffer with the next len bytes: 0, -ENODATA if
   the stream ends before, or another -errno. */
struct lull_stream_source {
	int (*next)(void *ctx, void *buffer, size_t len);
	void *ctx;
};

struct lull_stream_in {
	struct lull_stream_source source;
	enum lull_stream_fault fault; /* with -EBADMSG: what is wrong */
	uint64_t bytes;               /* read so far: about where that is */
	struct lull_xxh64 sum;        /* of them */
	struct lull_xxh64 before;     /* of those before the record that is read */
	struct lull_stream_head head;
	bool first;    /* version 1: there are no lengths, and no checksum */
	uint64_t pos;  /* ranges must not begin before */
	uint64_t left; /* data of the last range that was not read yet */
	/* a record whose tag and length have been read */
	bool pending;
	uint8_t tag;
	uint64_t length;
};

/*
 * Reads the banner and the head; first: of version 1 as well, of which nothing but its
 * form tells whether it is whole. 0; -EBADMSG with in->fault set; or the -errno of the
 * source.
 */
int lull_stream_in_head(struct lull_stream_in *in,
			const struct lull_stream_source *source, bool first);

/*
 * The next range: 1, and its data must be read before the next call unless it is zero; 0
 * at the end, when the checksum was right (version 2) and nothing follows; or as above.
 * Until that 0 nothing that was read is sure.
 */
int lull_stream_in_next(struct lull_stream_in *in, struct lull_change *ret_range);

/* The next len bytes of the last range's data, no more than it has. 0, or as above. */
int lull_stream_in_data(struct lull_stream_in *in, void *buffer, size_t len);
