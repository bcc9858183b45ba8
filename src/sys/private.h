/* SPDX-License-Identifier: MIT */
/* Directories that only their owner can search, for what others must not see. */
#pragma once

#include "util/macros.h"

/*
 * Makes the directory name in dir, mode 0700, and opens it. A descriptor; -EEXIST if the
 * name is taken, or was when it was opened by something else; or another -errno of
 * mkdir(2) or open(2).
 */
int lull_private_make(int dir, const char *name) _must_check_;

/*
 * Opens the directory name in dir, which must belong to the effective user and be closed
 * to all others. A descriptor; -EEXIST if it is anything else; or another -errno, -ENOENT
 * if there is none.
 */
int lull_private_open(int dir, const char *name) _must_check_;

/*
 * Removes the directory name from dir, which must be the one that fd is open on. 0, also
 * if it is gone; -ESTALE if the name is another's; -ENOTEMPTY; or another -errno.
 */
int lull_private_remove(int dir, const char *name, int fd) _must_check_;
