/* SPDX-License-Identifier: MIT */
/* Syncs small files, links and directories at the end of a run. */
#pragma once

#include "engine/file/copy_run.h"

/* Takes ownership of fd, and syncs it at the end, unless options->no_sync. */
void lull_durable_add(struct lull_copy_run *tree, uint64_t dev, int fd);

/* Syncs the directory fd, and what is in it, at the end. fd stays the caller's. */
void lull_durable_add_directory(struct lull_copy_run *tree, int fd);

/* Syncs a few files one by one, or if there are many, their file systems. Returns 0 or
   -errno. */
int lull_durable_sync(struct lull_copy_run *tree) _must_check_;
