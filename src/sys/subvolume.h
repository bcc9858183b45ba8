/* SPDX-License-Identifier: MIT */
/* The Btrfs subvolume that a file lies in, and what may be done with it. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/* True if the directory fd is the root of a subvolume. */
bool lull_subvolume_is_root(int fd);

/*
 * Finds the subvolume of the file fd, which is open, under the absolute path, without
 * links in it. ret_root becomes a descriptor of the subvolume's root directory,
 * ret_inside the file's path below it (in path). 0; -EOPNOTSUPP not on Btrfs; -EXDEV the
 * root cannot be reached from the path (a bind mount); or another -errno.
 */
int lull_subvolume_find(int fd, const char *path, int *ret_root,
			const char **ret_inside) _must_check_;

/*
 * True if quotas are on for the Btrfs with that UUID, so that it accounts for each extent
 * in each subvolume; simple quotas (Linux 6.7), which do not, do not count. Rests on
 * sysfs (Linux 5.9): what that does not tell is false.
 */
bool lull_subvolume_has_quotas(const char *uuid);

/*
 * True if the Btrfs of the file fd keeps an item for each hole (no_holes is off: made
 * before btrfs-progs 5.15), which a clone copies like one of an extent.
 * BTRFS_IOC_GET_FEATURES.
 */
bool lull_subvolume_has_hole_items(int fd);

/*
 * Whether the caller may take a snapshot of the subvolume whose root directory is root:
 * 0; -EPERM if it belongs to somebody else; -ETXTBSY if a swap file in it is in use.
 * Nothing is tried.
 */
int lull_subvolume_may_snapshot(int root) _must_check_;

/*
 * True if a snapshot of root made in directory dir could be deleted again: with
 * CAP_SYS_ADMIN, or with the mount option user_subvol_rm_allowed and the permission to
 * write to root.
 */
bool lull_subvolume_deletable(int dir, int root);
