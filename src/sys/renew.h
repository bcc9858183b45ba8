/* SPDX-License-Identifier: MIT */
/*
 * An inode that was another file before, made what a new one would be. Its blocks are
 * wanted; who could read the other file, and what was noted about it, must not go over to
 * the new one.
 */
#pragma once

#include "util/macros.h"

/*
 * Gives fd, which is open for writing, what sample has, a new file of the same directory:
 * owner and group, extended attributes (ACL, capabilities and labels among them; what
 * sample lacks is removed), inode flags, XFS's project and copy-on-write extent size, and
 * now as access time. Not the permissions, and not what a file with data cannot change:
 * NOCOW, the extent size. sample may be -1, where there is no new file to look at: then
 * owner and group are the caller's, and all attributes but labels are removed. 0 or
 * -errno. Rests on fchown(2), flistxattr(2), FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR.
 */
int lull_renew(int fd, int sample) _must_check_;
