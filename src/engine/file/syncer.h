/* SPDX-License-Identifier: MIT */
/*
 * A thread that syncs files while the walk goes on, one batch at a time. On Btrfs a sync is a commit,
 * which the walk would stand still for: 100 times in a tree of 200,000 files.
 */
#pragma once

#include "engine/file/settle.h"

struct lull_syncer;

/* wake(ctx) is called on the thread when a batch is over. 0 or -errno; lull_syncer_end() ends it. */
int lull_syncer_start(struct lull_syncer **ret, void (*wake)(void *ctx), void *ctx) _must_check_;

/* Waits for the batch, and ends the thread. NULL is fine. */
void lull_syncer_end(struct lull_syncer *syncer);

/*
 * lull_settle() for these files, which nobody else may change until lull_syncer_is_busy() is false.
 * No other batch may be at work. files stays the caller's, and must last until then.
 */
void lull_syncer_begin(struct lull_syncer *syncer, struct lull_file *const *files, unsigned int n);

/* True while a batch is at work. What the thread has written is seen once this is false. */
bool lull_syncer_is_busy(struct lull_syncer *syncer);
