/* SPDX-License-Identifier: MIT */
/*
 * Makes an inode that was another file like a new one. Its blocks are wanted. But who
 * could read the other file, and what was noted about it, must not go over to the new
 * one.
 */
#pragma once

#include "util/macros.h"

/*
 * Gives fd, which must be open for writing, what sample has, which is a new file in the
 * same directory: owner and group, extended attributes (including ACL, capabilities and
 * labels), inode flags, and XFS's project and copy-on-write extent size. Removes
 * attributes that sample does not have, and sets the access time to now. Does not change
 * the permissions, nor what cannot be changed in a file with data: NOCOW, the extent
 * size. sample may be -1 if no new file can be made. Then owner and group become the
 * caller's, and all attributes except labels are removed. Returns 0 or -errno. Uses
 * fchown(2), flistxattr(2), FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR.
 */
int lull_renew(int fd, int sample) _must_check_;
