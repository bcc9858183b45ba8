/* SPDX-License-Identifier: MIT */
/* Gives a new inode what cp would have left under its name. */
#pragma once

#include "engine/file/file_state.h"

/* The attributes to preserve, by preserve.h; dst is what it is before, fresh that it is
   new. False if one failed that must not. */
bool lull_dress_keep(struct lull_file *file, int src, int fd, const struct stat *dst,
		     bool fresh);

/* True if fd can have the owner of the file that it is to replace, and has it now. */
bool lull_dress_can_own(const struct lull_file *file, int fd);

/* Makes fd look as old would after a write into it: attributes, ACL, mode, access
   time. */
int lull_dress_as_old(const struct lull_file *file, int old, int fd) _must_check_;

/* Gives fd what a new file gets in the directory dir: mode by umask or by default ACL. */
int lull_dress_as_new(const struct lull_file *file, int dir, int fd) _must_check_;
