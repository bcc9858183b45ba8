/* SPDX-License-Identifier: MIT */
/* cp's rules for a DEST that exists already: -u, --update, -n and -i. Pure. */
#pragma once

#include "lullcp.h"

#include <stdint.h>

enum lull_update_verdict {
	LULL_VERDICT_LEAVE,   /* whatever else there may be to find fault with */
	LULL_VERDICT_CURRENT, /* leave it, for it is not older than the source */
	LULL_VERDICT_REFUSE,  /* leave it, which is a failure */
	LULL_VERDICT_ASK,     /* the user is to say */
	LULL_VERDICT_REPLACE,
};

/* When a file was modified last. */
struct lull_mtime {
	int64_t sec; /* since 1970 */
	uint32_t nsec;
};

/*
 * What is to become of dest, by when both were modified last. These are
 * rules for files alone: a directory is filled whatever they are.
 */
enum lull_update_verdict lull_update_judge(const struct lull_cp *cp,
					   bool source_is_directory,
					   const struct lull_mtime *source,
					   const struct lull_mtime *dest);
