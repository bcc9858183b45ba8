/* SPDX-License-Identifier: MIT */
/* What differs between two files of one XFS, by their maps alone. */
#pragma once

#include "engine/base/job.h"
#include "sys/extmap.h"

/* The maps of [from, to) of two files side by side, and what makes b what a is. */
struct lull_maps {
	int a, b;
	enum lull_extmap_kind kind;
	uint64_t from, to, block;

	/* the rest is filled in, and must be zero before */
	struct lull_extmap *map[2];
	struct lull_cursor cursor[2];
	struct lull_plan plan;
};

/* Both are flushed. It must be closed whatever this returns. 0 or -errno: of b's map if
   map[0] is open. */
int lull_maps_open(struct lull_maps *maps) _must_check_;
void lull_maps_close(struct lull_maps *maps);

/* How long the exchange of DEST with the temporary file is likely to take. Reads the maps
   of both. */
uint64_t lull_difference_exchange_ns(const struct lull_job *job);

/*
 * True if an exchange of what a and b hold may need more room in their maps than the call
 * reserves. XFS (seen with 6.18) reserves a few blocks for each block of extents that it
 * is to exchange, as if they lay side by side. Where files get more extents in many
 * places, as by single blocks that were written since, each place may split a block; when
 * the reserve is used up the call fails with ENOSPC half-way, and the file system shuts
 * down. True as well if the maps cannot be read.
 */
bool lull_difference_overflows(int a, int b, uint64_t size, uint64_t block) _must_check_;

/*
 * False if an exchange of b with made, which has data only where it differs from b, needs
 * no more than that. Looks up only those places of b, so it knows less: where this says
 * true, lull_difference_overflows() with what b is to be tells.
 */
bool lull_difference_may_overflow(int made, int b, uint64_t size,
				  uint64_t block) _must_check_;
