/* SPDX-License-Identifier: MIT */
/* The sync at the end of a run, for its small files, links and directories. */
#pragma once

#include "engine/file/copy_run.h"

/* Takes the descriptor over. Without options->no_sync it is synced at the end. */
void lull_durable_add(struct lull_copy_run *tree, uint64_t dev, int fd);

/* The same for what lies in a directory, of which fd is a descriptor that stays. */
void lull_durable_add_directory(struct lull_copy_run *tree, int fd);

/* Syncs: a few files each, of many their file system once. 0 or -errno. */
int lull_durable_sync(struct lull_copy_run *tree) _must_check_;
