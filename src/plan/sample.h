/* SPDX-License-Identifier: MIT */
/*
 * A cursor that looks at a part of a dense extent map only. Pure.
 *
 * FIEMAP costs 0.9-1.4 us an extent where extents are shared, a clone call 2.8 on Btrfs
 * and 6-7 on XFS, and less than that (0.4-0.65) where XFS skips what is shared already.
 * Where extents are short the map is of little use: all of it will be cloned, in calls
 * that hold many extents, and the last few hundred tell how many. So after each run of
 * LULL_SAMPLE_RUN extents that are dense, seven times as much is taken unseen for more of
 * the same. A clone call deals with the holes in it by itself.
 *
 * How wrong can it be? A run is dense if its extents, with the holes between them, have
 * at most LULL_SAMPLE_BLOCKS blocks each. No extent is shorter than a block, so no call
 * holds more than LULL_SAMPLE_BLOCKS times what was thought.
 */
#pragma once

#include "util/extent.h"

#define LULL_SAMPLE_RUN    512
#define LULL_SAMPLE_BLOCKS 8

struct lull_sample {
	struct lull_cursor map;
	void (*skip)(void *ctx, uint64_t off); /* makes map go on at off; its ctx */
	uint64_t end;
	uint64_t block;
	uint64_t from;     /* where the run began */
	uint64_t pos;      /* the end of the last extent delivered */
	unsigned int seen; /* extents of the run */
	bool used;         /* something was taken unseen */
};

/*
 * Over map, which ends at end (exclusive, bytes). skip gets map's ctx. All of it must
 * outlive the sample. block is the unit of clone ranges.
 */
void lull_sample_init(struct lull_sample *sample, const struct lull_cursor *map,
		      void (*skip)(void *ctx, uint64_t off), uint64_t end,
		      uint64_t block);

/* A cursor over what the sample takes of the map; sample outlives it. */
struct lull_cursor lull_sample_cursor(struct lull_sample *sample);
