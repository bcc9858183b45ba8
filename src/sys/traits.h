/* SPDX-License-Identifier: MIT */
/*
 * Differences between file systems that only their type shows. Most are about putting a
 * new file on disk: its data, size and map must be there before its name. Otherwise a
 * power failure may leave the name without contents.
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

#include <stdint.h>

/* The bits of an answer. */
enum lull_trait {
	/* set in each answer except 0 */
	LULL_TRAIT_KNOWN = 1 << 0,
	/* a name never survives without a map that was made before it */
	LULL_TRAIT_KEEPS_ORDER = 1 << 1,
	/* fdatasync(2) of a file without a name puts it on disk */
	LULL_TRAIT_SYNCS_UNNAMED = 1 << 2,
	/* flistxattr(2) shows ACLs as it shows other attributes */
	LULL_TRAIT_LISTS_ACLS = 1 << 3,
	/* there are no NOCOW files */
	LULL_TRAIT_LACKS_NOCOW = 1 << 4,
	/* there is nothing that only XFS has: cowextsize, a realtime device */
	LULL_TRAIT_LACKS_COWEXTSIZE = 1 << 5,
};

/* Returns the bits for a type of file system; magic as in struct lull_fs. */
uint32_t lull_traits_on(uint64_t magic);

/* Returns the bits for the file system of fd, or 0 if its type is not known. */
uint32_t lull_traits_at(int fd);
