/* SPDX-License-Identifier: MIT */
/*
 * Types that plan and sys share. Every range in lullcp is half-open: [off, off + len), in
 * bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How an extent differs from plain written data with its own place. */
enum lull_extent_flags {
	LULL_EXTENT_UNWRITTEN = 1 << 0, /* preallocated: reads as zeroes */
	/* delayed, inline, encoded or unknown: phys is meaningless */
	LULL_EXTENT_OPAQUE = 1 << 1,
	/* not read: stands for about weight extents, and maybe holes; OPAQUE is set
	   too */
	LULL_EXTENT_SAMPLED = 1 << 2,
	/* compressed: phys is meaningful only together with stored */
	LULL_EXTENT_ENCODED = 1 << 3,
};

struct lull_extent {
	uint64_t off;
	uint64_t len;
	uint64_t phys;  /* byte address of the first block, or 0 if it has none */
	uint32_t flags; /* enum lull_extent_flags */
	/* number of pieces in which the file system stores it, at least 1: the unit of
	   the cost of a clone call */
	uint32_t weight;
	/* ENCODED: address on disk of the whole compressed extent; phys is that plus the
	   offset in the uncompressed bytes. Otherwise 0 */
	uint64_t stored;
	uint64_t holes; /* SAMPLED: estimated bytes of len that are holes. Otherwise 0 */
};

/*
 * A stream of extents in ascending order, without overlaps. next returns 1 and
 * the next extent, 0 at the end, or -errno.
 */
struct lull_cursor {
	int (*next)(void *ctx, struct lull_extent *ret_extent);
	void *ctx;
};

/* What lull_sample asks about a part of a map that it does not walk. */
struct lull_spacing {
	uint64_t least;  /* bytes from the start of one extent to that of the next */
	uint64_t stride; /* bytes from one look to the next */
};

enum lull_range_kind {
	LULL_RANGE_CLONE, /* source and destination may differ: clone it */
	LULL_RANGE_PUNCH, /* source has a hole where the destination may have data */
};

/* A piece of work, for one extent of the source or one of its holes. */
struct lull_range {
	uint64_t off;
	uint64_t len;
	uint32_t weight; /* see lull_extent; 0 for LULL_RANGE_PUNCH */
	uint32_t kind;   /* enum lull_range_kind */
	bool sampled;    /* made from about weight extents: see LULL_EXTENT_SAMPLED */
	/* the source has only a hole between the range before and this one; a clone
	   across it makes that a hole in the destination */
	bool after_hole;
	uint64_t holes; /* if sampled: estimated bytes of len that are holes */
};
