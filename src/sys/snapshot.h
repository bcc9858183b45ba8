/* SPDX-License-Identifier: MIT */
/*
 * A read-only snapshot of the Btrfs subvolume that a file is in, to clone from without one
 * lock on the live file. Rests on libbtrfsutil (BTRFS_IOC_SNAP_CREATE_V2, _DESTROY).
 *
 * A snapshot alone is no point in time of a file that is written through the page cache:
 * it writes out what is dirty at its beginning, so that of two writes made meanwhile the
 * later one may be in it and the earlier not. lull_snapshot_take() therefore takes it
 * while a clone call holds the file's lock, under which nobody writes.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the subvolume of the file fd, which is open, under the absolute path, without links
 * in it. ret_root becomes a descriptor of the subvolume's root directory, ret_inside the
 * file's path below it (in path). 0; -EOPNOTSUPP not on Btrfs; -EXDEV the root cannot be
 * reached from the path (a bind mount); or another -errno.
 */
int lull_snapshot_find(int fd, const char *path, int *ret_root,
		       const char **ret_inside) _must_check_;

/*
 * True if a snapshot made in directory dir could be deleted again: CAP_SYS_ADMIN, or the
 * mount option user_subvol_rm_allowed.
 */
bool lull_snapshot_deletable(int dir);

/*
 * Snapshots root as name in directory dir while a process that clones [0, len) of src into
 * scratch holds src's lock. len is the size of src; scratch is a clone of its beginning, the
 * more the better, and shorter than len. What it held is lost.
 *
 * 0; -EAGAIN if the attempt failed by chance; -ETIME if the clone was over before the
 * snapshot, so that nothing is proven: then the
 * snapshot is deleted again; or another -errno. *ret_held_ns is how long the lock was held,
 * at most.
 */
int lull_snapshot_take(int root, int dir, const char *name, int src, int scratch,
		       uint64_t len, uint64_t *ret_held_ns) _must_check_;

/*
 * Opens the file inside of the snapshot name in directory dir, which must be the inode of
 * src. A descriptor; -ESTALE if it is another file by now; or another -errno.
 */
int lull_snapshot_open(int dir, const char *name, const char *inside, int src) _must_check_;

/*
 * Deletes the snapshot of the subvolume that the file source, which is open, is in: 0, also
 * if there is none; -EEXIST if what bears the name is a snapshot of another one or none, for
 * who may write to dir may have moved any subvolume there; -ENOTTY if it is no subvolume; or
 * another -errno. With source -1 any subvolume of the name is taken for it.
 */
int lull_snapshot_delete(int dir, const char *name, int source) _must_check_;
