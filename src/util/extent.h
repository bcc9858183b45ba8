/* SPDX-License-Identifier: MIT */
/*
 * The values that plan and sys share. Every range in lullcp is half-open:
 * [off, off + len), in bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What makes an extent other than plain written data with a place of its own. */
enum lull_extent_flags {
	LULL_EXTENT_UNWRITTEN = 1 << 0, /* preallocated: reads as zeroes */
	/* delayed, inline, encoded, unknown: phys says nothing about the bytes */
	LULL_EXTENT_OPAQUE = 1 << 1,
	/* not looked at: stands for about weight extents, and maybe for holes; OPAQUE
	   as well */
	LULL_EXTENT_SAMPLED = 1 << 2,
	/* compressed: phys says something together with stored, and nothing without it */
	LULL_EXTENT_ENCODED = 1 << 3,
};

struct lull_extent {
	uint64_t off;
	uint64_t len;
	uint64_t phys;  /* byte address of the first block, 0 when it has none */
	uint32_t flags; /* enum lull_extent_flags */
	/* how many pieces the file system keeps for it, at least 1: the unit in which
	   the cost of a clone call is counted */
	uint32_t weight;
	/* ENCODED: where on disk the whole of what was compressed begins; phys is that
	   plus the offset in the plain bytes. Else 0 */
	uint64_t stored;
	uint64_t holes; /* SAMPLED: bytes of len thought to be holes. Else 0 */
};

/*
 * A stream of extents in ascending order, without overlaps. next returns 1 and
 * the next extent, 0 at the end, or -errno.
 */
struct lull_cursor {
	int (*next)(void *ctx, struct lull_extent *ret_extent);
	void *ctx;
};

/* What lull_sample wants to know of a part of a map that it does not walk. */
struct lull_spacing {
	uint64_t least;  /* bytes from the start of one extent to that of the next */
	uint64_t stride; /* bytes from one look to the next */
};

enum lull_range_kind {
	LULL_RANGE_CLONE, /* source and destination may differ: clone it */
	LULL_RANGE_PUNCH, /* a hole of the source where the destination may have data */
};

/* A piece of work, made from one extent of the source or from one of its holes. */
struct lull_range {
	uint64_t off;
	uint64_t len;
	uint32_t weight; /* see lull_extent; 0 for LULL_RANGE_PUNCH */
	uint32_t kind;   /* enum lull_range_kind */
	bool sampled;    /* made from about weight extents: LULL_EXTENT_SAMPLED */
	/* all that lies between the range before it and this one is a hole of the
	   source: a clone across it makes it one of the destination */
	bool after_hole;
	uint64_t holes; /* bytes of len thought to be holes, where sampled */
};
