/* SPDX-License-Identifier: MIT */
/*
 * Copies bytes again if somebody writes to the source during the copy. It is for copies
 * that take no longer than a second. cp does not notice such writes at all.
 */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

/* How a watched copy ended. */
struct lull_watched {
	enum lull_outcome outcome; /* of the last copy; LULL_FAILED if err is set */
	int err;                   /* -errno of the tripwire, or 0 */
	/* somebody wrote to the source during each of the copies */
	bool torn;
};

/*
 * Calls copy(ctx), which must make the whole copy each time, until nobody has written to
 * src from before the call until after it, or until a call does not return LULL_OK. Calls
 * it up to three times, or once with LULL_ON_WRITERS_TRUST. src must be a regular file.
 *
 * Does not wait for direct I/O that is in flight at the start. Unless thorough, does not
 * write out pages that are dirty at the start; stores through mmap(2) into those leave no
 * trace.
 */
struct lull_watched lull_watch(int src, enum lull_on_writers on_writers, bool thorough,
			       enum lull_outcome (*copy)(void *ctx), void *ctx);
