/* SPDX-License-Identifier: MIT */
/* Gives a new inode the attributes that cp would have left. */
#pragma once

#include "engine/file/file_state.h"

/* Preserves attributes as preserve.h says. dst is what fd was before; fresh: fd is new.
   Returns false if an attribute that must be preserved was not. */
bool lull_dress_keep(struct lull_file *file, int src, int fd, const struct stat *dst,
		     bool fresh);

/* Gives fd the owner of the file that it will replace. Returns true if it has that
   now. */
bool lull_dress_can_own(const struct lull_file *file, int fd);

/* Gives fd what old would have after a write to it: attributes, ACL, mode, access
   time. */
int lull_dress_as_old(const struct lull_file *file, int old, int fd) _must_check_;

/* Gives fd the mode of a new file in the directory dir, by umask or default ACL. */
int lull_dress_as_new(const struct lull_file *file, int dir, int fd) _must_check_;
