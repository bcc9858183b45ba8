/* SPDX-License-Identifier: MIT */
/* What already has the name of dest. */
#pragma once

#include "engine/file/copy_run.h"

/* Whether what is there may be replaced. */
enum lull_clash {
	LULL_CLASH_GO,   /* replace it, or write into it */
	LULL_CLASH_SKIP, /* nothing to do: it is right */
	LULL_CLASH_FAIL, /* said why */
};

/* Judges entry->dst, which exists; makes the backup or removes it where that is asked
   for: then entry->fresh is set. */
enum lull_clash lull_clash_settle(struct lull_entry *entry);

/* True if this run made st for another operand, by the name that entry's dest has.
   entry->tree->made is not NULL. */
bool lull_clash_was_made(const struct lull_entry *entry, const struct stat *st);
