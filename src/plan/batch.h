/* SPDX-License-Identifier: MIT */
/*
 * Gathers ranges into calls of bounded weight: joins neighbours and cuts heavy ranges.
 * Makes no system call.
 */
#pragma once

#include "util/extent.h"

#include <stdbool.h>

/* A stream of ranges: next returns 1 and a range, 0 at the end, or -errno. */
struct lull_range_source {
	int (*next)(void *ctx, struct lull_range *ret_range);
	void *ctx;
};

/* One call to make. */
struct lull_request {
	uint64_t off;
	uint64_t len;
	uint64_t holes;   /* bytes of len that are holes of the source */
	uint32_t weight;  /* 0 for LULL_RANGE_PUNCH */
	uint32_t extents; /* extents of the source that begin in it */
	uint32_t kind;    /* enum lull_range_kind */
	bool sampled;     /* weight, extents and holes are estimates */
};

struct lull_batch {
	struct lull_range_source source;
	uint64_t block;
	struct lull_range held; /* pulled, but not handed out yet; len 0: none */
	/* the range after held, if it has been pulled; len 0: it has not */
	struct lull_range ahead;
	bool begun;           /* a part of held has been handed out */
	uint64_t widest;      /* the longest hole that a call goes across; 0: none */
	uint32_t hole_weight; /* weight of each such hole */
};

/* Initializes *batch over the ranges of source, which it copies. block: the unit of clone
   ranges, in bytes. */
void lull_batch_init(struct lull_batch *batch, uint64_t block,
		     const struct lull_range_source *source);

/*
 * Lets a call go across holes of at most widest bytes, each with the weight hole_weight.
 * FICLONERANGE makes them holes of the destination, so no punch is needed. Without this,
 * each call ends at a hole.
 */
void lull_batch_cross_holes(struct lull_batch *batch, uint64_t widest,
			    uint32_t hole_weight);

/*
 * Makes the next request, with a weight of at most limit, which must be at least 1.
 * Returns 1 with a request, 0 at the end, or -errno. A request is contiguous, of one kind
 * and not empty, and begins and ends with bytes of that kind. Only a single block may
 * weigh more than limit.
 */
int lull_batch_next(struct lull_batch *batch, uint32_t limit,
		    struct lull_request *ret_request);
