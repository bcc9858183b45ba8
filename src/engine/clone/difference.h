/* SPDX-License-Identifier: MIT */
/* Compares two files of one XFS by their maps alone. */
#pragma once

#include "engine/base/job.h"
#include "sys/extmap.h"

/* A walk over the maps of [from, to) of two files, and the plan that makes b equal to
   a. */
struct lull_maps {
	int a, b;
	enum lull_extmap_kind kind;
	uint64_t from, to, block;

	/* lull_maps_open() fills in the rest, which must be zero before */
	struct lull_extmap *map[2];
	struct lull_cursor cursor[2];
	struct lull_plan plan;
};

/* Opens the maps of both files. Dirty pages are not in them yet, so the caller must flush
   first if they matter. Must be followed by lull_maps_close(), whatever it returns.
   Returns 0 or -errno, which is b's if map[0] is open. */
int lull_maps_open(struct lull_maps *maps) _must_check_;
void lull_maps_close(struct lull_maps *maps);

/* Estimates how long the exchange of DEST with the temporary file takes, in ns. Reads the
   maps of both. */
uint64_t lull_difference_exchange_ns(const struct lull_job *job);

/*
 * Returns true if an exchange of the contents of a and b may need more room in their maps
 * than the call reserves, or if the maps cannot be read. XFS (seen with 6.18) reserves a
 * few blocks for each block of extents that it is to exchange, as if the extents were
 * adjacent. But if a file gets more extents in many places, for instance by writes of
 * single blocks, each place may split a block. If the call uses up the reserve, it fails
 * half-way with ENOSPC, and the file system shuts down. a is a clone, or the source of
 * one: its unwritten extents count as holes.
 */
bool lull_difference_overflows(int a, int b, uint64_t size, uint64_t block) _must_check_;

/*
 * As lull_difference_overflows(), for an exchange of b with made, which has data only
 * where it differs from b. Only those places are moved, and XFS reserves room for them
 * alone. b keeps everything else, even where it is unwritten.
 */
bool lull_difference_part_overflows(int made, int b, uint64_t size,
				    uint64_t block) _must_check_;

/*
 * Returns false only if lull_difference_part_overflows() does. Reads only the places of b
 * where made has data, so it may return true where that returns false.
 */
bool lull_difference_may_overflow(int made, int b, uint64_t size,
				  uint64_t block) _must_check_;
