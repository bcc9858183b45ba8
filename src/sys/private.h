/* SPDX-License-Identifier: MIT */
/* Directories that only their owner can search, for files that others must not see. */
#pragma once

#include "util/macros.h"

/*
 * Makes the directory name in dir, with mode 0700, and opens it. Returns a descriptor;
 * -EEXIST if the name is taken, or if something else had taken it at the open; or another
 * -errno of mkdir(2) or open(2).
 */
int lull_private_make(int dir, const char *name) _must_check_;

/*
 * Opens the directory name in dir, which must belong to the effective user and be closed
 * to all others. Returns a descriptor; -EEXIST if it is anything else; -ENOENT if there
 * is none; or another -errno.
 */
int lull_private_open(int dir, const char *name) _must_check_;

/*
 * Removes the directory name from dir. It must be the one that fd is open on. Returns 0,
 * also if it is gone; -ESTALE if the name is that of another file; -ENOTEMPTY; or another
 * -errno.
 */
int lull_private_remove(int dir, const char *name, int fd) _must_check_;
