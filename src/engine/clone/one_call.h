/* SPDX-License-Identifier: MIT */
/* What one clone call over a whole file would do, and whether that is within the
   budget. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* The most that an extent was seen to cost anywhere: XFS with a reverse mapping tree, its
   blocks shuffled. */
#define LULL_ONE_CALL_DEAREST_NS (84 * NSEC_PER_USEC)

struct lull_one_call {
	uint64_t weight;  /* see struct lull_extent */
	uint64_t extents; /* holes not counted */
	uint64_t bytes;   /* in them */
	/* the weight is at most the one asked for, and that is all of it */
	bool fits;
};

/* The weight that stays within budget_ns on a file system whose statfs(2) says
   fs_magic. */
uint64_t lull_one_call_weight(uint64_t budget_ns, uint64_t fs_magic);

/*
 * Counts the extents of src in [0, size), up to a weight of most. Where the map says
 * nothing of their number (SEEK_DATA), each block of block bytes may be one. Dirty pages
 * are no extents yet: flush before. 0, also if the map ends with an error: then it does
 * not fit; or -errno if there is no map. Rests on lull_extmap_open().
 */
int lull_one_call_count(int src, uint64_t size, uint64_t block, uint64_t most,
			struct lull_one_call *ret_count) _must_check_;
