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
