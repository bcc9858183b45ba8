/* SPDX-License-Identifier: MIT */
/*
 * A thread that syncs files and names the new ones while the walk goes on, one batch at a
 * time. On Btrfs a sync is a commit, and the walk would wait for it 100 times in a tree
 * of 200,000 files; and a link takes a third as long as making the file.
 */
#pragma once

#include "engine/base/pool.h"
#include "engine/file/settle.h"

struct lull_syncer;

/* lull_settle() for these files, and lull_naming_early() for those that are on disk
   then. */
void lull_syncer_sync(struct lull_file *const *files, unsigned int n);

/* Starts it; whoever waits for pool is woken when a batch is over. 0 or -errno; then, and
   if it is NULL, lull_syncer_end() is not needed. */
int lull_syncer_start(struct lull_syncer **ret, struct lull_pool *pool) _must_check_;

/* Waits for the batch, and ends the thread. NULL is fine. */
void lull_syncer_end(struct lull_syncer *syncer);

/*
 * lull_syncer_sync() in the thread for these files, which nobody else may change until
 * lull_syncer_is_idle(). No other batch may be at work. files stays the caller's, and
 * must last until then.
 */
void lull_syncer_begin(struct lull_syncer *syncer, struct lull_file *const *files,
		       unsigned int n);

/* False while a batch is at work. What the thread has written is seen once this is
   true. */
bool lull_syncer_is_idle(struct lull_syncer *syncer);
