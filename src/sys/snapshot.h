/* SPDX-License-Identifier: MIT */
/*
 * Takes a read-only snapshot of the Btrfs subvolume of a file, to clone from it without a
 * lock on the live file. Uses libbtrfsutil (BTRFS_IOC_SNAP_CREATE_V2, _DESTROY).
 *
 * The snapshot has all files of the subvolume, with the same modes. But the directories
 * above the subvolume do not protect them there. So it is made in a directory that only
 * the caller can search (sys/private.h).
 *
 * A snapshot by itself is not of one point in time if a file is written through the page
 * cache. It writes out dirty pages at its beginning, so of two writes during it, the
 * later one may be in it and the earlier one not. So lull_snapshot_take() takes it while
 * a clone call holds the file's lock, which keeps everybody from writing.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Takes a snapshot of root in the directory dir, while a process that clones [0, len) of
 * src into scratch holds src's lock. len is the size of src. scratch must be a clone of
 * the beginning of src, shorter than len; the longer, the better. Its contents are lost.
 *
 * Returns 0; -EAGAIN if the attempt failed by chance; -ETIME if the clone was over before
 * the snapshot, so that nothing is proven; or another -errno, which another attempt would
 * not change. On failure there is no snapshot. *ret_held_ns is the longest time for which
 * the lock may have been held.
 */
int lull_snapshot_take(int root, int dir, int src, int scratch, uint64_t len,
		       uint64_t *ret_held_ns) _must_check_;

/*
 * Opens the file inside of the snapshot in directory dir. It must be the inode of src.
 * Returns a descriptor; -ESTALE if it is another file; or another -errno.
 */
int lull_snapshot_open(int dir, const char *inside, int src) _must_check_;

/*
 * Deletes the snapshot of the subvolume of the file source, and then the private
 * directory around it, which is name in directory dir. inner is open on that directory;
 * -1: find it by name. With source -1, any subvolume in it is deleted.
 *
 * Returns 0, also if there is none; -EEXIST if name is not a private directory of the
 * caller, or has a snapshot of another subvolume or none; -ESTALE if inner has another
 * name now; -ENOTTY or -ENOTEMPTY if something else is in it; or another -errno.
 */
int lull_snapshot_delete(int dir, const char *name, int inner, int source) _must_check_;
