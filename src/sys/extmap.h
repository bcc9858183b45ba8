/* SPDX-License-Identifier: MIT */
/*
 * The extent map of a file, as a cursor in bounded memory. Three ways to read it, the
 * same cursor for all:
 *
 *   fiemap  FS_IOC_FIEMAP in windows. XFS: 0.1-0.9 us an extent. Btrfs: 0.9-1.4 us, for
 *           it looks up who shares each extent, and it waits for a running clone.
 *   btrfs   BTRFS_IOC_TREE_SEARCH_V2: 0.06 us an extent, without the inode's lock. Needs
 *           CAP_SYS_ADMIN.
 *   seek    SEEK_DATA and SEEK_HOLE, where FIEMAP is unknown: data or not, nothing else.
 *
 * None of them flushes: see lull_tripwire_flush().
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
 * Opens the map of [start, end) of fd, a regular file open for reading that must stay
 * open. Nothing is read yet but to see which way works. 0 or -errno, -ENOMEM included.
 */
int lull_extmap_open(int fd, enum lull_extmap_kind kind, uint64_t start, uint64_t end,
		     struct lull_extmap **ret_map) _must_check_;

/* NULL is fine. */
void lull_extmap_close(struct lull_extmap *map);

/* By which way of the kernel it is read. */
enum lull_extmap_kind lull_extmap_kind(const struct lull_extmap *map);

/* Goes on at off, unless the walk is past it already. For plan/sample.h. */
void lull_extmap_skip(void *map, uint64_t off);

/*
 * Where the part of [off, end) ends, from off, whose extents begin spacing->least bytes
 * apart or more on average, by a look with FIEMAP each spacing->stride bytes (1 to 6 us
 * on XFS). off where it cannot be told. Does not move the cursor. For plan/sample.h.
 */
uint64_t lull_extmap_sparse_until(void *map, uint64_t off, uint64_t end,
				  const struct lull_spacing *spacing);

/*
 * The cursor over the map; it lives as long as the map. Extents are clipped to
 * [start, end) and strictly ascend, even if the file changes meanwhile. next gives
 * -EUCLEAN if the kernel's answer makes no sense.
 */
struct lull_cursor lull_extmap_cursor(struct lull_extmap *map);
