/* SPDX-License-Identifier: MIT */
/* The Btrfs subvolume of a file, and what may be done with it. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/* True if the directory fd is the root of a subvolume. */
bool lull_subvolume_is_root(int fd);

/*
 * Finds the subvolume of the file fd, whose absolute path, without links, is path.
 * *ret_root is a descriptor of the subvolume's root directory, and *ret_inside the part
 * of path below it. Returns 0; -EOPNOTSUPP if the file is not on Btrfs; -EXDEV if the
 * root cannot be reached from the path (a bind mount); or another -errno.
 */
int lull_subvolume_find(int fd, const char *path, int *ret_root,
			const char **ret_inside) _must_check_;

/*
 * Returns true if quotas are on for the Btrfs with that UUID, so that it accounts for
 * each extent in each subvolume. Simple quotas (Linux 6.7) do not do so, and do not
 * count. Reads sysfs (Linux 5.9); false if that is not known.
 */
bool lull_subvolume_has_quotas(const char *uuid);

/*
 * Returns true if the Btrfs of the file fd has an item for each hole (no_holes is off:
 * made before btrfs-progs 5.15). A clone copies such an item like that of an extent.
 * BTRFS_IOC_GET_FEATURES.
 */
bool lull_subvolume_has_hole_items(int fd);

/*
 * Checks whether the caller may take a snapshot of the subvolume with the root directory
 * root, without trying it. Returns 0; -EPERM if it belongs to somebody else; -ETXTBSY if
 * a swap file in it is active.
 */
int lull_subvolume_may_snapshot(int root) _must_check_;

/*
 * Returns true if a snapshot of root in directory dir could be deleted: with
 * CAP_SYS_ADMIN, or with the mount option user_subvol_rm_allowed and write permission to
 * root.
 */
bool lull_subvolume_deletable(int dir, int root);
