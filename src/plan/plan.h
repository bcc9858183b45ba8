/* SPDX-License-Identifier: MIT */
/*
 * Plans what makes the destination equal to the source: turns the extents of the source,
 * and if useful those of the destination, into ranges of work. Makes no system call: it
 * pulls extents from the engine's cursors.
 */
#pragma once

#include "util/extent.h"

#include <stdbool.h>

enum lull_plan_mode {
	/* The destination is one hole as long as the source. Holes need no work. */
	LULL_PLAN_FRESH,
	/* The destination may hold anything. Clone all data, and punch all holes. This is
	   for XFS, which skips what is shared already in 0.4-0.65 us an extent. */
	LULL_PLAN_UNKNOWN,
	/* Leave out what the two extent maps prove equal. Sound only while nobody writes
	   to the source, both are flushed, and the file system is XFS or Btrfs. */
	LULL_PLAN_COMPARE,
};

struct lull_plan {
	enum lull_plan_mode mode;
	uint64_t pos;     /* everything before it has been planned */
	uint64_t end;     /* the size of the source */
	uint64_t block;   /* the unit of clone ranges, a power of two */
	uint64_t extents; /* of the source, so far */
	struct lull_cursor source;
	struct lull_cursor dest;
	struct lull_extent s; /* the source's extent at or after pos */
	struct lull_extent d; /* the destination's */
	bool s_done;
	bool d_done;
	/* data that is equal was left out after the last range */
	bool passed_data;
};

/*
 * Plans [start, end). start must be a multiple of block. dest may be NULL unless mode is
 * LULL_PLAN_COMPARE. The cursors must begin at or before start, and must stay valid.
 */
void lull_plan_init(struct lull_plan *plan, enum lull_plan_mode mode, uint64_t start,
		    uint64_t end, uint64_t block, const struct lull_cursor *source,
		    const struct lull_cursor *dest);

/*
 * Makes the next range. Returns 1 with a range, 0 at the end, or the negative errno of a
 * cursor, after which there are no more ranges. Ranges ascend and do not overlap. They
 * are not empty, start at a multiple of block, and end at one or at end. after_hole is
 * never set for the first range.
 */
int lull_plan_next(struct lull_plan *plan, struct lull_range *ret_range);
