// SPDX-License-Identifier: MIT
/* Looks at single places of an extent map, to tell how densely extents lie there. */
#include "sys/extmap_ways.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Extents that a look counts: of those that lie at random, so many are within half the
   distance that they have on average once in 500 looks. */
#define LOOK 4u

/*
 * Whether the LOOK extents from data on span enough bytes, from start to start, or are
 * the last of the file. By data and holes alone, which is cheap: false as well where what
 * lies between two holes may be more than one extent.
 */
static bool span_by_holes(int fd, uint64_t data, uint64_t block, uint64_t enough)
{
	uint64_t at = data;

	for (unsigned int i = 0; i < LOOK; i++) {
		off_t hole = lseek(fd, (off_t)at, SEEK_HOLE), next;

		if (hole < 0 || (uint64_t)hole - at > block)
			return false;
		next = lseek(fd, hole, SEEK_DATA);
		if (next < 0)
			return errno == ENXIO;
		if ((uint64_t)next - data >= enough)
			return true;
		at = (uint64_t)next;
	}
	return false;
}

static bool span_by_extents(int fd, uint64_t data, uint64_t enough)
{
	_Alignas(struct fiemap) char room[sizeof(struct fiemap) +
					  (LOOK + 1) * sizeof(struct fiemap_extent)] = {
		0
	};
	struct fiemap *map = (struct fiemap *)room;

	map->fm_start = data;
	map->fm_length = enough;
	map->fm_extent_count = LOOK + 1;
	return ioctl(fd, FS_IOC_FIEMAP, map) == 0 && map->fm_mapped_extents <= LOOK;
}

uint64_t lull_extmap_sparse_until(void *ctx, uint64_t off, uint64_t end,
				  const struct lull_spacing *spacing)
{
	const struct lull_extmap *map = ctx;
	uint64_t enough = LOOK * spacing->least, pos = off;

	while (pos < end) {
		off_t data = lseek(map->fd, (off_t)pos, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO ? end : pos;
		if ((uint64_t)data >= end)
			return end;
		if (!span_by_holes(map->fd, (uint64_t)data, spacing->block, enough) &&
		    !span_by_extents(map->fd, (uint64_t)data, enough))
			return pos;
		pos = MAX(pos + spacing->stride, (uint64_t)data);
	}
	return end;
}
