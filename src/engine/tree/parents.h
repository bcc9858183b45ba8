/* SPDX-License-Identifier: MIT */
/* The directories above an operand that --parents makes in the target. */
#pragma once

#include "engine/file/copy_run.h"

struct lull_parents; /* what must be set when everything below is copied */

/*
 * Makes the directories of path in the target. path is that of the source, relative to
 * the working directory or absolute. entry->dst_dir is open on the target, and target is
 * its name for messages. *ret_fresh: the last directory is new. Returns false after an
 * error message. lull_parents_end() must be called in any case.
 */
bool lull_parents_make(struct lull_entry *entry, const char *path, const char *target,
		       bool *ret_fresh, struct lull_parents **ret_parents);

/* Sets the attributes when everything that is queued is finished, and frees parents. */
void lull_parents_end(struct lull_copy_run *tree, struct lull_parents *parents);
