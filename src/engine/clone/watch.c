// SPDX-License-Identifier: MIT
/* See watch.h. */
#include "engine/clone/watch.h"

#include "sys/bytes.h"
#include "sys/tripwire.h"

#include <errno.h>

/* A writer that pauses between two transactions lets one of these attempts succeed. A
   writer that never pauses lets none. */
#define TRIES 3

/* Takes a reference. Returns 0, 1 if writes kept coming, or -errno. If src cannot be
   flushed, no program stores into its pages unseen, or the file system cannot tell; cp
   copies it too. */
static int take(int src, bool thorough, struct lull_reference *ret_reference)
{
	int r = thorough ? lull_tripwire_take(src, -1, 1, ret_reference)
			 : lull_tripwire_look_late(src, ret_reference);

	if (r == -EBUSY)
		return 1;
	return r < 0 && !lull_bytes_is_terminal(-r)
		       ? lull_tripwire_look(src, ret_reference)
		       : r;
}

struct lull_watched lull_watch(int src, enum lull_on_writers on_writers, bool thorough,
			       enum lull_outcome (*copy)(void *ctx), void *ctx)
{
	unsigned int tries = on_writers == LULL_ON_WRITERS_TRUST ? 1 : TRIES;
	struct lull_watched w = { .outcome = LULL_OK };

	for (unsigned int i = 0; i < tries; i++) {
		struct lull_reference before, after;
		int taken = take(src, thorough, &before), looked;

		if (taken >= 0)
			w.outcome = copy(ctx);
		if (taken >= 0 && w.outcome != LULL_OK)
			return w;
		looked = taken < 0 ? taken : lull_tripwire_look(src, &after);
		if (looked < 0)
			return (struct lull_watched){ .outcome = LULL_FAILED,
						      .err = looked };
		w.torn = taken > 0 || !lull_reference_equal(&before, &after);
		if (!w.torn)
			break;
	}
	return w;
}
