/* SPDX-License-Identifier: MIT */
/*
 * A thread that syncs files and names the new ones while the walk continues, one batch at
 * a time. On Btrfs a sync is a commit, for which the walk would otherwise wait 100 times
 * in a tree of 200,000 files. A link takes a third of the time of making the file.
 */
#pragma once

#include "engine/base/pool.h"
#include "engine/file/settle.h"

struct lull_syncer;

/* Calls lull_settle() for these files, and lull_naming_early() for those that are then on
   disk. */
void lull_syncer_sync(struct lull_file *const *files, unsigned int n);

/* Starts the thread. Whoever waits for pool is woken when a batch is done. Returns 0, or
   -errno; then lull_syncer_end() need not be called. */
int lull_syncer_start(struct lull_syncer **ret, struct lull_pool *pool) _must_check_;

/* Waits for the batch, and ends the thread. NULL is fine. */
void lull_syncer_end(struct lull_syncer *syncer);

/*
 * Calls lull_syncer_sync() in the thread. No other batch may be running. Nobody else may
 * change the files until lull_syncer_is_idle(). The array files belongs to the caller,
 * and must last until then.
 */
void lull_syncer_begin(struct lull_syncer *syncer, struct lull_file *const *files,
		       unsigned int n);

/* Returns false while a batch is running. Once it returns true, what the thread has
   written is visible. */
bool lull_syncer_is_idle(struct lull_syncer *syncer);
