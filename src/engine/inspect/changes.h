/* SPDX-License-Identifier: MIT */
/*
 * A walk over the ranges in which a newer file may differ from an older one.
 */
#pragma once

#include "engine/inspect/pair.h"
#include "plan/plan.h"

struct lull_extmap;

/* File 0 of the pair is the older one, and file 1 the newer one. If there is only one
   file, it is the newer one, and the older one counts as empty. */
struct lull_changes {
	struct lull_pair *pair;
	int newer;         /* index of the newer file in the pair */
	uint64_t old_size; /* 0 if there is no older file */
	uint64_t new_size;
	uint64_t block;
	uint64_t extents;    /* of the newer file, walked so far */
	uint64_t read_bytes; /* number of bytes read of each file */
	bool exact;          /* read the data, and leave out what is equal */
	/* a range of data is returned as soon as it has this length, although more may
	   follow; 0: only when its whole length is known */
	uint64_t most;

	/* the walk over the maps, for changes.c */
	int part;
	struct lull_extmap *map[2];
	struct lull_cursor cursor[2];
	uint64_t walked[2]; /* ends of the last extents of both */
	struct lull_plan plan;
	uint64_t counted;
	/* for exact: the part of the last range that has not been read, and the part of
	   that which has not been compared */
	struct lull_change open;
	char *buffer[2];
	uint64_t window;
	uint64_t window_len;
	uint64_t looked;
	/* the range to return next, unless the following one continues it */
	struct lull_change held;
};

/* Prepares a walk over a pair that lull_pair_take() has examined. lull_changes_close()
   must be called, even after a failure. */
enum lull_outcome lull_changes_open(struct lull_changes *changes, struct lull_pair *pair,
				    bool exact);

/*
 * Returns LULL_OK with the next range, or with *ret_change.len 0 at the end; LULL_FAILED;
 * or LULL_INTERRUPTED. The ranges are valid only if lull_pair_unchanged() succeeds
 * afterwards.
 */
enum lull_outcome lull_changes_next(struct lull_changes *changes,
				    struct lull_change *ret_change);

/* Frees what changes holds. If it was never opened, it must be all zeroes. */
void lull_changes_close(struct lull_changes *changes);
