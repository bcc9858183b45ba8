/* SPDX-License-Identifier: MIT */
/* Makes the records of a stream: see stream.h. */
#pragma once

#include "plan/stream.h"
#include "util/xxh64.h"

/* Enough for what any function here makes. */
#define LULL_STREAM_ROOM 4096

struct lull_stream_out {
	struct lull_xxh64 sum; /* of all bytes so far */
	uint64_t bytes;
	bool first; /* version 1; set it before the head */
};

/* The banner and all that comes before the first range, to room. The number of bytes. */
size_t lull_stream_out_head(struct lull_stream_out *out,
			    const struct lull_stream_head *head,
			    uint8_t room[LULL_STREAM_ROOM]);

/* A range; zero: all of it, otherwise its data must follow. */
size_t lull_stream_out_range(struct lull_stream_out *out, uint64_t off, uint64_t len,
			     bool zero, uint8_t room[LULL_STREAM_ROOM]);

/* Takes note of data that follows. */
void lull_stream_out_data(struct lull_stream_out *out, const void *data, size_t len);

/* The checksum, but for version 1, and the end. */
size_t lull_stream_out_end(struct lull_stream_out *out, uint8_t room[LULL_STREAM_ROOM]);
