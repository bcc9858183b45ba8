/* SPDX-License-Identifier: MIT */
/* Makes the records of a stream: see stream.h. */
#pragma once

#include "plan/stream.h"
#include "util/xxh64.h"

/* Enough for the output of any function here. */
#define LULL_STREAM_ROOM 4096

struct lull_stream_out {
	struct lull_xxh64 sum; /* of all bytes so far */
	uint64_t bytes;
	bool first; /* make version 1; must be set before the head */
};

/* Writes the banner, and all records before the first range, to room. Returns the number
   of bytes. */
size_t lull_stream_out_head(struct lull_stream_out *out,
			    const struct lull_stream_head *head,
			    uint8_t room[LULL_STREAM_ROOM]);

/* Writes the record of a range to room. Its data must follow unless zero is set. Returns
   the number of bytes. */
size_t lull_stream_out_range(struct lull_stream_out *out, uint64_t off, uint64_t len,
			     bool zero, uint8_t room[LULL_STREAM_ROOM]);

/* Counts data that follows a range. */
void lull_stream_out_data(struct lull_stream_out *out, const void *data, size_t len);

/* Writes the checksum (except in version 1) and the end to room. Returns the number of
   bytes. */
size_t lull_stream_out_end(struct lull_stream_out *out, uint8_t room[LULL_STREAM_ROOM]);
