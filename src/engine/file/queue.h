/* SPDX-License-Identifier: MIT */
/*
 * Files side by side, in threads. The walk goes ahead and queues what must be done; tasks
 * are finished in the order in which they were queued, on the walk's thread, and report
 * then. With one job there are no threads, and only files that wait for the disk before
 * they are named (naming.h) are queued, with all that comes after them.
 */
#pragma once

#include "engine/file/file_state.h"

/* What is done with a file. */
struct lull_work {
	/* On any thread: copies it. It may be due then (naming.h). */
	void (*copy)(struct lull_file *file);
	/* The rest on the walk's thread. Makes one that is to become a link (file->link)
	   that, or a copy if it cannot; file->linked says which. */
	void (*link)(struct lull_file *file);
	/* Names one that is due. */
	void (*name)(struct lull_file *file);
	/* Reports and adds up the result. False if it has failed. */
	bool (*finish)(struct lull_file *file);
};

/* n jobs, at least 1. Raises the limit of descriptors, and shares them out. 0 or
   -errno. */
int lull_queue_open(struct lull_copy_run *tree, unsigned int n,
		    const struct lull_work *work) _must_check_;

/* Waits for all that is queued, and ends the threads. NULL is fine. */
void lull_queue_close(struct lull_copy_run *tree);

/* Waits until nothing is queued, and all files are named. */
void lull_queue_drain(struct lull_copy_run *tree);

/*
 * Copies the file, or queues that. The strings and directories that it points to are
 * copied too. True unless it has failed already.
 */
bool lull_queue_file(struct lull_file *file);

/* For a file that will take long: what waits before it goes first, and its notes come at
   once. */
void lull_queue_directly(struct lull_file *file);

/* True if a file that is queued is about to take the place of this one. */
bool lull_queue_replaces(struct lull_copy_run *tree, const struct stat *st);

/* True if a file that is queued is to become a link to what this source was copied to. */
bool lull_queue_links(struct lull_copy_run *tree, const struct stat *src);

/* Calls step(ctx) when all that was queued before is done; it frees ctx. */
void lull_queue_later(struct lull_copy_run *tree, void (*step)(void *ctx), void *ctx);
