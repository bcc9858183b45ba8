/* SPDX-License-Identifier: MIT */
/*
 * Two files that are compared, or one that is read, and whether they stood still
 * meanwhile.
 */
#pragma once

#include "engine/base/job.h"

struct lull_pair {
	struct lull_job *job;
	unsigned int n; /* files: 1 or 2 */
	const char *path[2];
	int fd[2];
	int scratch[2];
	struct lull_fs fs[2];
	struct lull_reference reference[2];
	/* the extent maps of the two prove something about each other */
	bool by_maps;
};

/* Prepares a pair without an open file. b is NULL for one file alone. */
void lull_pair_init(struct lull_pair *pair, struct lull_job *job, const char *a,
		    const char *b);

/* Opens the files, which must be regular ones. lull_pair_close() is called after a
   failure as well. */
enum lull_outcome lull_pair_open(struct lull_pair *pair);

/* Waits for direct I/O where that can be done, flushes, and notes what the files are. */
enum lull_outcome lull_pair_take(struct lull_pair *pair);

/* Fails if one of them was written to since lull_pair_take(). */
enum lull_outcome lull_pair_unchanged(struct lull_pair *pair);

/* The same failure, where a read has shown it: file i was written to. */
enum lull_outcome lull_pair_written(struct lull_pair *pair, unsigned int i);

/* Closes what is open. */
void lull_pair_close(struct lull_pair *pair);
