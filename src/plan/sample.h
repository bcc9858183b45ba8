/* SPDX-License-Identifier: MIT */
/*
 * A cursor that looks at a part of an extent map only. Pure.
 *
 * FIEMAP costs 0.9-3 us an extent on XFS, which asks for each whether it is shared, and a
 * clone call 6-20: 15 % more CPU time for an image of 419,746 extents 375 KB apart
 * (6.18). The map is of little use where calls hold many extents: all of it will be
 * cloned, and the last few hundred tell how many are to come. So after each run of
 * LULL_SAMPLE_RUN extents, up to seven times as much is taken unseen for more of the
 * same. A clone call deals with the holes in it by itself.
 *
 * How wrong can it be? A run is dense if its extents, with the holes between them, have
 * at most LULL_SAMPLE_BLOCKS blocks each. No extent is shorter than a block, so no call
 * holds more than LULL_SAMPLE_BLOCKS times what was thought. A run that is sparser, up
 * to LULL_SAMPLE_SPACING a piece, is trusted only as far as sparse_until says. It looks
 * at one place in LULL_SAMPLE_STRIDE, so a stretch that is as long and more than
 * LULL_SAMPLE_BLOCKS times as dense is found, and of those that are not found none holds
 * more extents than LULL_SAMPLE_STRIDE has blocks, some 10 ms of a call.
 */
#pragma once

#include "util/extent.h"

#define LULL_SAMPLE_RUN    512
#define LULL_SAMPLE_BLOCKS 8

/* Bytes from one look of sparse_until to the next, */
#define LULL_SAMPLE_STRIDE (4ULL << 20)
/* and the widest spacing of extents at which looking so often is worth it. */
#define LULL_SAMPLE_SPACING (1ULL << 20)

/* What a sample does with the map that it looks at; ctx is the map's. */
struct lull_sample_map {
	struct lull_cursor cursor;
	void (*skip)(void *ctx, uint64_t off); /* makes cursor go on at off */
	/* Where the part of [off, end) ends, from off, that is at least as sparse as
	   that by looks at single places. NULL: cannot be told, it is off. */
	uint64_t (*sparse_until)(void *ctx, uint64_t off, uint64_t end,
				 const struct lull_spacing *spacing);
};

struct lull_sample {
	struct lull_sample_map map;
	uint64_t end;
	uint64_t block;
	uint64_t from;     /* where the run began */
	uint64_t pos;      /* the end of the last extent delivered */
	uint64_t tail;     /* where its last quarter began */
	uint64_t data;     /* bytes of the run that are no holes */
	unsigned int seen; /* extents of the run */
	bool used;         /* something was taken unseen */
};

/*
 * Over map, which ends at end (exclusive, bytes); what its ctx points to must outlive the
 * sample. block is the unit of clone ranges.
 */
void lull_sample_init(struct lull_sample *sample, const struct lull_sample_map *map,
		      uint64_t end, uint64_t block);

/* A cursor over what the sample takes of the map; sample outlives it. */
struct lull_cursor lull_sample_cursor(struct lull_sample *sample);
