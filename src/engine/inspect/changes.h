/* SPDX-License-Identifier: MIT */
/*
 * The ranges in which a newer file may differ from an older one, one after the other.
 */
#pragma once

#include "engine/inspect/pair.h"
#include "plan/plan.h"

struct lull_extmap;

/* Files 0 and 1 of the pair are the older and the newer one; or file 0 is the newer one,
   and there is no older one, which counts as an empty file. */
struct lull_changes {
	struct lull_pair *pair;
	int newer;         /* which of the pair */
	uint64_t old_size; /* 0 without an older one */
	uint64_t new_size;
	uint64_t block;
	uint64_t extents;    /* of the newer one, walked so far */
	uint64_t read_bytes; /* of each file */
	bool exact;          /* read, and leave out what is equal */
	/* data is handed out as soon as it is so long, though more of it may follow; 0:
	   none is before all of it is known */
	uint64_t most;

	/* the walk over the maps: changes.c */
	int part;
	struct lull_extmap *map[2];
	struct lull_cursor cursor[2];
	uint64_t walked[2]; /* where their last extents end */
	struct lull_plan plan;
	uint64_t counted;
	/* exact: what of the last range has not been read, and what of that has not been
	   looked at */
	struct lull_change open;
	char *buffer[2];
	uint64_t window;
	uint64_t window_len;
	uint64_t looked;
	/* the range to be handed out unless the next one continues it */
	struct lull_change held;
};

/* Prepares the walk over a pair that lull_pair_take() has looked at. lull_changes_close()
   is called after a failure as well. */
enum lull_outcome lull_changes_open(struct lull_changes *changes, struct lull_pair *pair,
				    bool exact);

/*
 * The next range. LULL_OK with *ret_change.len 0 at the end; LULL_FAILED,
 * LULL_INTERRUPTED. What it says counts only if lull_pair_unchanged() holds afterwards.
 */
enum lull_outcome lull_changes_next(struct lull_changes *changes,
				    struct lull_change *ret_change);

/* Frees what it holds. One that was never opened must be all zeroes. */
void lull_changes_close(struct lull_changes *changes);
