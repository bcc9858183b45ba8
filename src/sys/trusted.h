/* SPDX-License-Identifier: MIT */
/*
 * Who else may write to a directory. What lies where only the caller may write was put
 * there by the caller; anything else may have been planted.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

enum lull_trusted_kind {
	/* only the caller, or root, adds, renames and removes files */
	LULL_TRUSTED_OWN,
	/* others may add files, but neither rename nor remove the caller's (as in
	   /tmp) */
	LULL_TRUSTED_STICKY,
	LULL_TRUSTED_OPEN, /* others may put a file in the place of the caller's */
};

/*
 * Judges the directory that is open as dir, by owner and permissions (fstat(2)). ACLs
 * need no look of their own: of a file that has one, the group permissions are the mask,
 * which limits every entry for somebody else. 0 or -errno.
 */
int lull_trusted_judge(int dir, enum lull_trusted_kind *ret_kind) _must_check_;

/* True if the mount that dir was opened through gives nobody the rights of root
   (fstatvfs(3), ST_NOSUID): as those of removable disks, containers and users are. */
bool lull_trusted_is_nosuid(int dir);

/*
 * Opens the directory path, which must be absolute, and makes it with its parents, mode
 * 0700, if make is set and it is not there. A descriptor, or -ENOENT; -EPERM if it
 * belongs to another user or others may write to it; or any other -errno.
 */
int lull_trusted_open(const char *path, bool make) _must_check_;
