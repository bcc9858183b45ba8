/* SPDX-License-Identifier: MIT */
/* Handles what already has the name of dest. */
#pragma once

#include "engine/file/copy_run.h"

/* Whether what is there may be replaced. */
enum lull_clash {
	LULL_CLASH_GO,   /* replace it, or write into it */
	LULL_CLASH_SKIP, /* nothing to do: dest is right */
	LULL_CLASH_FAIL, /* an error was reported */
};

/* Decides about entry->dst, which must exist. Makes a backup or removes it if that is
   requested; then sets entry->fresh. */
enum lull_clash lull_clash_settle(struct lull_entry *entry);

/* Returns true if this run made st for another operand, with the name of entry's dest.
   entry->tree->made must not be NULL. */
bool lull_clash_was_made(const struct lull_entry *entry, const struct stat *st);
