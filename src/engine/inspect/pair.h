/* SPDX-License-Identifier: MIT */
/*
 * Two files that are compared, or one that is read. Detects that they change during that
 * time.
 */
#pragma once

#include "engine/base/job.h"

struct lull_pair {
	struct lull_job *job;
	unsigned int n; /* number of files: 1 or 2 */
	const char *path[2];
	int fd[2];
	int scratch[2];
	struct lull_fs fs[2];
	struct lull_reference reference[2];
	/* the extent maps of the two can be compared */
	bool by_maps;
};

/* Initializes a pair, without opening the files. b is NULL for a single file. */
void lull_pair_init(struct lull_pair *pair, struct lull_job *job, const char *a,
		    const char *b);

/* Opens the files, which must be regular. lull_pair_close() must be called, even after a
   failure. */
enum lull_outcome lull_pair_open(struct lull_pair *pair);

/* Waits for direct I/O if possible, flushes, and takes references of the files. */
enum lull_outcome lull_pair_take(struct lull_pair *pair);

/* Fails if a file was written to since lull_pair_take(). */
enum lull_outcome lull_pair_unchanged(struct lull_pair *pair);

/* Fails in the same way, because a read has shown that file i was written to. */
enum lull_outcome lull_pair_written(struct lull_pair *pair, unsigned int i);

/* Closes what is open. */
void lull_pair_close(struct lull_pair *pair);
