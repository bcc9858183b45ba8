/* SPDX-License-Identifier: MIT */
/*
 * Checks who else may write to a directory. If only the caller may write there, the
 * caller has put its files there. In other directories, files may have been planted.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

enum lull_trusted_kind {
	/* only the caller or root can add, rename or remove files */
	LULL_TRUSTED_OWN,
	/* others may add files, but not rename or remove the caller's (as in /tmp) */
	LULL_TRUSTED_STICKY,
	LULL_TRUSTED_OPEN, /* others may replace the caller's files */
};

/*
 * Judges the open directory dir by owner and permissions (fstat(2)). ACLs need no check:
 * with an ACL, the group permissions are the mask, which limits every entry for somebody
 * else. Returns 0 or -errno.
 */
int lull_trusted_judge(int dir, enum lull_trusted_kind *ret_kind) _must_check_;

/* Returns true if the mount through which dir was opened gives nobody the rights of root
   (fstatvfs(3), ST_NOSUID), as those of removable disks, containers and users. */
bool lull_trusted_is_nosuid(int dir);

/*
 * Opens the directory path, which must be absolute. With make, makes it and its parents
 * with mode 0700 if it does not exist. Returns a descriptor; -ENOENT; -EPERM if it
 * belongs to another user or others may write to it; or another -errno.
 */
int lull_trusted_open(const char *path, bool make) _must_check_;
