// SPDX-License-Identifier: MIT
/*
 * Looks at single places of an extent map to find out how dense the extents are.
 *
 * Does not use SEEK_DATA and SEEK_HOLE: in preallocated ranges these search the page
 * cache, and one call may walk through gigabytes of it. With them, a clone of 0.5 s took
 * 25 s.
 */
#include "sys/extmap_ways.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* The extents that a place may have. If extents lie at random, more than this are within
   half of the average distance between two only once in 5,000 looks. */
#define LOOK 4u

/* Returns true if no more than LOOK extents are in [off, off + len). */
static bool is_sparse(int fd, uint64_t off, uint64_t len)
{
	_Alignas(struct fiemap) char room[sizeof(struct fiemap) +
					  (LOOK + 1) * sizeof(struct fiemap_extent)] = {
		0
	};
	struct fiemap *map = (struct fiemap *)room;

	map->fm_start = off;
	map->fm_length = len;
	map->fm_extent_count = LOOK + 1;
	return ioctl(fd, FS_IOC_FIEMAP, map) == 0 && map->fm_mapped_extents <= LOOK;
}

uint64_t lull_extmap_sparse_until(void *ctx, uint64_t off, uint64_t end,
				  const struct lull_spacing *spacing)
{
	const struct lull_extmap *map = ctx;

	for (uint64_t pos = off; pos < end; pos += spacing->stride) {
		if (!is_sparse(map->fd, pos, LOOK * spacing->least))
			return pos;
	}
	return end;
}
