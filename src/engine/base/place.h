/* SPDX-License-Identifier: MIT */
/* The files of a clone, if its caller has opened them. */
#pragma once

#include "lullcp.h"

struct lull_file;
struct lull_job;

/* Where a clone comes from and goes to, in addition to the paths. */
struct lull_place {
	/* the source, open for reading, which stays open; -1: use its path */
	int src;
	/* the directory of dest; -1: use its path, following links */
	int dir;
	const char *name; /* name of dest in dir */
	/*
	 * Gives fd, a file in the directory dir, everything that dest must have except
	 * data. Called when the data is complete, before fd is synced and renamed.
	 * settled: it has owner and mode already. Returns 0 or -errno. NULL: the clone
	 * gets what a clone by itself gets.
	 */
	int (*dress)(struct lull_file *file, int fd, int dir, bool settled);
	struct lull_file *file;
	int old; /* the present dest, open for writing; -1: there is none */
	/* a new file takes dest's name, whatever other names dest has; then old need not
	   be open for writing */
	bool replaces;
	/*
	 * Changes the complete clone, in job->dest.fd, to what dest must hold, before it
	 * is synced and renamed. Such a clone has no checkpoint, because a part of it is
	 * useless to another run. It is never written in place, and may replace its own
	 * source. NULL: the clone is not changed.
	 */
	enum lull_outcome (*alter)(struct lull_job *job, void *ctx);
	void *ctx;
	uint64_t alter_size; /* bytes that alter has to walk, for the progress */
};

static inline bool lull_place_alters(const struct lull_place *place)
{
	return place && place->alter;
}
