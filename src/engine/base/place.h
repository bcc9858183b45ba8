/* SPDX-License-Identifier: MIT */
/* The files of a clone, where its caller has opened them. */
#pragma once

#include "lullcp.h"

struct lull_file;
struct lull_job;

/* Where a clone comes from and goes to, beside the paths. */
struct lull_place {
	/* the source, open for reading; stays open. -1: by its path */
	int src;
	/* the directory of dest, -1: by its path, links followed */
	int dir;
	const char *name; /* of dest in dir */
	/*
	 * Makes fd, which lies in the directory dir, what dest must be in all but its
	 * data, when that is whole, and before it is synced and gets its name. settled:
	 * it has owner and mode already. 0 or -errno. NULL: as a clone alone.
	 */
	int (*dress)(struct lull_file *file, int fd, int dir, bool settled);
	struct lull_file *file;
	int old; /* what dest is, open for writing; -1: nothing */
	/* a new file takes dest's name, whatever other names dest has; old need not be
	   open for writing */
	bool replaces;
	/*
	 * Makes of the whole clone, in job->dest.fd, what dest is to hold, before it is
	 * synced and gets its name. Such a clone has no checkpoint, for half of it is
	 * of no use to another run; is never written in place; and may replace its own
	 * source. NULL: the clone is that already.
	 */
	enum lull_outcome (*alter)(struct lull_job *job, void *ctx);
	void *ctx;
	uint64_t alter_size; /* what alter has to walk, for the progress of the whole */
};

static inline bool lull_place_alters(const struct lull_place *place)
{
	return place && place->alter;
}
