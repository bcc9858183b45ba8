/* SPDX-License-Identifier: MIT */
/*
 * A cursor that reads only a part of an extent map. Makes no system call.
 *
 * FIEMAP takes 0.9-3 us an extent on XFS, because it checks for each whether it is
 * shared, and a clone call takes 6-20 us. That is 15 % more CPU time for an image of
 * 419,746 extents, 375 KB apart (6.18). If a call has many extents, the map is of little
 * use: all of it will be cloned, and the last few hundred extents show how many will
 * come. So after each run of LULL_SAMPLE_RUN extents, up to seven times its length is
 * assumed to be the same, and not read. A clone call handles the holes in it by itself.
 *
 * How wrong can that be? A run is dense if its extents, with the holes between them, have
 * at most LULL_SAMPLE_BLOCKS blocks each. No extent is shorter than a block, so no call
 * has more than LULL_SAMPLE_BLOCKS times the expected extents. A sparser run, of up to
 * LULL_SAMPLE_SPACING an extent, is trusted only as far as sparse_until says. That looks
 * at one place in each LULL_SAMPLE_STRIDE. So it finds any stretch of that length that is
 * more than LULL_SAMPLE_BLOCKS times as dense. A stretch that it does not find has at
 * most as many extents as LULL_SAMPLE_STRIDE has blocks, which take some 10 ms of a call.
 */
#pragma once

#include "util/extent.h"

#define LULL_SAMPLE_RUN    512
#define LULL_SAMPLE_BLOCKS 8

/* Bytes between two places at which sparse_until looks. */
#define LULL_SAMPLE_STRIDE (4ULL << 20)
/* The widest spacing of extents at which that is worth it. */
#define LULL_SAMPLE_SPACING (1ULL << 20)

/* The map that a sample reads; ctx belongs to the map. */
struct lull_sample_map {
	struct lull_cursor cursor;
	void (*skip)(void *ctx, uint64_t off); /* makes cursor continue at off */
	/* Returns where the part of [off, end) ends, beginning at off, that is at least
	   as sparse as spacing, by looking at single places. Returns off if that is not
	   known. NULL: not supported. */
	uint64_t (*sparse_until)(void *ctx, uint64_t off, uint64_t end,
				 const struct lull_spacing *spacing);
};

struct lull_sample {
	struct lull_sample_map map;
	uint64_t end;
	uint64_t block;
	uint64_t from;     /* where the run began */
	uint64_t pos;      /* end of the last extent returned */
	uint64_t tail;     /* where the last quarter of the run began */
	uint64_t data;     /* bytes of the run that are not holes */
	unsigned int seen; /* extents of the run so far */
	bool used;         /* something was not read */
};

/*
 * Initializes a sample over map, which ends at end (exclusive, in bytes). What map's ctx
 * points to must outlive the sample. block is the unit of clone ranges.
 */
void lull_sample_init(struct lull_sample *sample, const struct lull_sample_map *map,
		      uint64_t end, uint64_t block);

/* Returns a cursor over the sampled map. sample must outlive it. */
struct lull_cursor lull_sample_cursor(struct lull_sample *sample);
