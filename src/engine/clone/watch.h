/* SPDX-License-Identifier: MIT */
/*
 * Copies bytes again if somebody writes to the source meanwhile: for copies that take no
 * longer than a second. cp would not even notice.
 */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

/* How a watched copy of bytes ended. */
struct lull_watched {
	enum lull_outcome outcome; /* of the last copy; LULL_FAILED if err is set */
	int err;                   /* -errno of the tripwire, or 0 */
	/* somebody wrote to the source during each of the copies */
	bool torn;
};

/*
 * Calls copy(ctx), which makes the whole copy each time it is called, until nobody wrote
 * to src, a regular file, from before the call until after it, or until a call does not
 * return LULL_OK: up to three times, but for LULL_ON_WRITERS_TRUST once.
 *
 * Direct I/O that is on its way at the start is not waited for. Unless thorough, pages
 * that are dirty at the start are not written out: stores through mmap(2) into those
 * leave no trace.
 */
struct lull_watched lull_watch(int src, enum lull_on_writers on_writers, bool thorough,
			       enum lull_outcome (*copy)(void *ctx), void *ctx);
