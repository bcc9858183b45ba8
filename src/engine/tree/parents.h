/* SPDX-License-Identifier: MIT */
/* The directories above an operand that --parents makes in the target. */
#pragma once

#include "engine/file/copy_run.h"

struct lull_parents; /* what is set when all below is done */

/*
 * Makes the directories of path (of the source, relative to the working directory or
 * absolute) in the target that entry->dst_dir is open on; target is its name for people.
 * *ret_fresh: the last one is new. False after a complaint; *ret_parents must be ended in
 * any case.
 */
bool lull_parents_make(struct lull_entry *entry, const char *path, const char *target,
		       bool *ret_fresh, struct lull_parents **ret_parents);

/* Sets their attributes when all that is queued is done, and frees them. */
void lull_parents_end(struct lull_copy_run *tree, struct lull_parents *parents);
