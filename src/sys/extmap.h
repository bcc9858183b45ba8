/* SPDX-License-Identifier: MIT */
/*
 * The extent map of a file, as a cursor in bounded memory. There are three ways to read
 * it:
 *
 *   fiemap  FS_IOC_FIEMAP in windows. XFS: 0.1-0.9 us an extent. Btrfs: 0.9-1.4 us, for
 *           it looks up who shares each extent, and it waits for a running clone.
 *   btrfs   BTRFS_IOC_TREE_SEARCH_V2: 0.06 us an extent, without the inode's lock. Needs
 *           CAP_SYS_ADMIN.
 *   seek    SEEK_DATA and SEEK_HOLE, where FIEMAP is unknown: data or not, nothing else.
 *
 * None of them writes out dirty pages: see lull_tripwire_flush().
 */
#pragma once

#include "util/extent.h"
#include "util/macros.h"

#include <stdbool.h>

struct lull_extmap;

enum lull_extmap_kind {
	LULL_EXTMAP_AUTO, /* the cheapest that works here */
	LULL_EXTMAP_FIEMAP,
	LULL_EXTMAP_BTRFS,
	LULL_EXTMAP_SEEK,
};

/*
 * Opens the map of [start, end) of fd, which must be a regular file, open for reading,
 * and must stay open. Reads nothing except to find out which way works. Returns 0 or
 * -errno.
 */
int lull_extmap_open(int fd, enum lull_extmap_kind kind, uint64_t start, uint64_t end,
		     struct lull_extmap **ret_map) _must_check_;

/* Closes a map. NULL is fine. */
void lull_extmap_close(struct lull_extmap *map);

/* Returns the way in which the map is read. */
enum lull_extmap_kind lull_extmap_kind(const struct lull_extmap *map);

/* Makes the cursor continue at off, unless it is past that. For plan/sample.h. */
void lull_extmap_skip(void *map, uint64_t off);

/*
 * Returns where the part of [off, end) ends, beginning at off, whose extents begin on
 * average at least spacing->least bytes apart. Looks with FIEMAP every spacing->stride
 * bytes (1 to 6 us each on XFS). Returns off if that is not known. Does not move the
 * cursor. For plan/sample.h.
 */
uint64_t lull_extmap_sparse_until(void *map, uint64_t off, uint64_t end,
				  const struct lull_spacing *spacing);

/*
 * Returns the cursor over the map, valid as long as the map. Extents are clipped to
 * [start, end) and strictly ascend, even if the file changes in the meantime. next
 * returns -EUCLEAN if the kernel's answer makes no sense.
 */
struct lull_cursor lull_extmap_cursor(struct lull_extmap *map);
