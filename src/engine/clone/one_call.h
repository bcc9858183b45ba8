/* SPDX-License-Identifier: MIT */
/* Estimates one clone call over a whole file, and whether it stays within the budget. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* The highest measured cost of an extent on XFS: with a reverse mapping tree, and with
   shuffled blocks. */
#define LULL_ONE_CALL_DEAREST_NS (84 * NSEC_PER_USEC)

struct lull_one_call {
	uint64_t weight;  /* see struct lull_extent */
	uint64_t extents; /* without holes */
	uint64_t bytes;   /* in the extents */
	/* the weight is at most the limit, and all extents are counted */
	bool fits;
};

/* Returns the weight that one call can clone within budget_ns. fs_magic is that of
   statfs(2). */
uint64_t lull_one_call_weight(uint64_t budget_ns, uint64_t fs_magic);

/*
 * Counts the extents of src in [0, size), until their weight exceeds most. If the map
 * does not show extents (SEEK_DATA), each block of block bytes counts as one. Dirty pages
 * have no extents yet, so the caller must flush first. Returns 0, even if the map ends
 * with an error (then it does not fit), or -errno if there is no map. Uses
 * lull_extmap_open().
 */
int lull_one_call_count(int src, uint64_t size, uint64_t block, uint64_t most,
			struct lull_one_call *ret_count) _must_check_;
