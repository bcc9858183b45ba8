/* SPDX-License-Identifier: MIT */
/*
 * A read-only snapshot of the Btrfs subvolume that a file is in, to clone from without
 * one lock on the live file. Rests on libbtrfsutil (BTRFS_IOC_SNAP_CREATE_V2, _DESTROY).
 *
 * It holds all files of the subvolume, with the modes that they have there, where the
 * directories above the subvolume no longer protect them: so it lies in a directory that
 * only the caller can search (sys/private.h).
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
 * Snapshots root in the directory dir while a process that clones [0, len) of src into
 * scratch holds src's lock. len is the size of src; scratch is a clone of its beginning,
 * the more the better, and shorter than len. What it held is lost.
 *
 * 0; -EAGAIN if the attempt failed by chance; -ETIME if the clone was over before the
 * snapshot, so that nothing is proven; or another -errno, that another attempt would not
 * change. There is no snapshot then. *ret_held_ns is how long the lock was held, at most.
 */
int lull_snapshot_take(int root, int dir, int src, int scratch, uint64_t len,
		       uint64_t *ret_held_ns) _must_check_;

/*
 * Opens the file inside of the snapshot in directory dir, which must be the inode of src.
 * A descriptor; -ESTALE if it is another file by now; or another -errno.
 */
int lull_snapshot_open(int dir, const char *inside, int src) _must_check_;

/*
 * Deletes the snapshot, of the subvolume that the file source is in, and then the private
 * directory around it, which is name in directory dir. inner is open on that; -1: it is
 * found by its name. With source -1 any subvolume in there is taken for it.
 *
 * 0, also if there is none; -EEXIST if name is not a private directory of the caller's,
 * or what is in it is a snapshot of another subvolume or none; -ESTALE if inner has
 * another name by now; -ENOTTY, -ENOTEMPTY if something else is in it; or another -errno.
 */
int lull_snapshot_delete(int dir, const char *name, int inner, int source) _must_check_;
