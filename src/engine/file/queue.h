/* SPDX-License-Identifier: MIT */
/*
 * Copies files side by side, in threads. The walk goes ahead and queues tasks. They are
 * finished, and reported, in the order in which they were queued, on the walk's thread.
 * With one job there are no threads. Then only files that must be on disk before they are
 * named (naming.h) are queued, and everything that comes after them.
 */
#pragma once

#include "engine/file/file_state.h"

/* The functions that handle a file. */
struct lull_work {
	/* Copies a file, on any thread. Afterwards the file may be due (naming.h). */
	void (*copy)(struct lull_file *file);
	/* Makes a file with file->link set a link, or a copy if that is impossible, on
	   the walk's thread. Sets file->linked accordingly. */
	void (*link)(struct lull_file *file);
	/* Names a file that is due. */
	void (*name)(struct lull_file *file);
	/* Reports the result and adds it to the totals. Returns false if the file has
	   failed. */
	bool (*finish)(struct lull_file *file);
};

/* Opens a queue for n jobs, at least 1. Raises the limit of descriptors and shares them
   out. Returns 0 or -errno. */
int lull_queue_open(struct lull_copy_run *tree, unsigned int n,
		    const struct lull_work *work) _must_check_;

/* Waits for all that is queued, and ends the threads. Does nothing without a queue. */
void lull_queue_close(struct lull_copy_run *tree);

/* Waits until nothing is queued, and all files are named. */
void lull_queue_drain(struct lull_copy_run *tree);

/*
 * Copies the file now, or queues a deep copy of it. Returns false if it has failed
 * already.
 */
bool lull_queue_file(struct lull_file *file);

/* Prepares for a file that will take long: finishes what is queued before it, and has its
   notes reported at once. */
void lull_queue_directly(struct lull_file *file);

/* Returns true if a queued file is about to replace the file st. */
bool lull_queue_replaces(struct lull_copy_run *tree, const struct stat *st);

/* Returns true if a queued file will become a link to the copy of the source src. */
bool lull_queue_links(struct lull_copy_run *tree, const struct stat *src);

/* Calls step(ctx) when everything that was queued before is finished. step must free
   ctx. */
void lull_queue_later(struct lull_copy_run *tree, void (*step)(void *ctx), void *ctx);
