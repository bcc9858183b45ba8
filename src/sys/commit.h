/* SPDX-License-Identifier: MIT */
/*
 * What it takes until a new file is on disk, by file system. Data, size and map of a file
 * must be there before its name is: otherwise a power failure may leave the name and no
 * contents.
 *
 *   XFS      A clone's map and the name go to one log, in their order, and the log
 *            flushes the device first: the name of a cloned file never survives
 *            without its map. Bytes that were written have no blocks until they are
 *            written back.
 *   Btrfs    fsync(2) of a directory logs the inodes that its new names lead to,
 *            without their extents (LOG_INODE_EXISTS in fs/btrfs/tree-log.c), unless
 *            an earlier commit has them. fsync(2) of a file without a name does
 *            nothing: only a commit helps.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* What kind of file system fd is on: f_type of fstatfs(2). 0 if that fails: unknown. */
uint32_t lull_commit_fs(int fd);

/* True if a name on such a file system never survives a map that was made before it. */
bool lull_commit_keeps_order(uint32_t fs);

/* True if fdatasync(2) of a file without a name puts it on disk there. */
bool lull_commit_syncs_unnamed(uint32_t fs);

/* True if flistxattr(2) shows ACLs there as it shows other attributes. */
bool lull_commit_lists_acls(uint32_t fs);
