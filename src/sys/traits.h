/* SPDX-License-Identifier: MIT */
/*
 * How file systems differ, where only their kind tells. Most of it is about what puts a
 * new file on disk: data, size and map of a file must be there before
 * its name is, otherwise a power failure may leave the name and no contents.
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

/* Bits. */
enum lull_trait {
	/* set in every answer that is not 0 */
	LULL_TRAIT_KNOWN = 1 << 0,
	/* a name never survives a map that was made before it */
	LULL_TRAIT_KEEPS_ORDER = 1 << 1,
	/* fdatasync(2) of a file without a name puts it on disk */
	LULL_TRAIT_SYNCS_UNNAMED = 1 << 2,
	/* flistxattr(2) shows ACLs as it shows other attributes */
	LULL_TRAIT_LISTS_ACLS = 1 << 3,
	/* no file is NOCOW */
	LULL_TRAIT_LACKS_NOCOW = 1 << 4,
	/* none has what is XFS's alone: cowextsize, a place on a realtime device */
	LULL_TRAIT_LACKS_COWEXTSIZE = 1 << 5,
};

/* The bits for a file system of this kind: magic as in struct lull_fs. */
uint32_t lull_traits_on(uint64_t magic);

/* The same for the one that fd is on. 0 if it does not say what it is. */
uint32_t lull_traits_at(int fd);
