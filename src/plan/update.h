/* SPDX-License-Identifier: MIT */
/* cp's rules for a DEST that exists already: -u, --update, -n and -i. Pure. */
#pragma once

#include "lullcp.h"

#include <stdint.h>

enum lull_update_verdict {
	LULL_VERDICT_LEAVE,   /* silently, before anything else is checked */
	LULL_VERDICT_CURRENT, /* leave it, because it is not older than the source */
	LULL_VERDICT_REFUSE,  /* leave it, and fail */
	LULL_VERDICT_ASK,     /* ask the user */
	LULL_VERDICT_REPLACE,
};

/* When a file was modified last. */
struct lull_mtime {
	int64_t sec; /* since 1970 */
	uint32_t nsec;
};

/*
 * Decides what happens to dest, by the modification times. The rules are only for files:
 * a directory is filled in any case.
 */
enum lull_update_verdict lull_update_judge(const struct lull_cp *cp,
					   bool source_is_directory,
					   const struct lull_mtime *source,
					   const struct lull_mtime *dest);
