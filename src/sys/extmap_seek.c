// SPDX-License-Identifier: MIT
/*
 * Extent map by SEEK_DATA and SEEK_HOLE, for file systems that clone but know no FIEMAP
 * (NFS 4.2, ZFS). It shows where data is, not how many extents hold it: data is delivered
 * in pieces of UNIT, as if each were an extent, and the latency controller learns what
 * such a piece costs.
 */
#include "sys/extmap_ways.h"

#include <errno.h>

/* 64 blocks of 4 KiB: even if each is an extent of its own, at the dearest rate measured
   (84 us) the first call stays below the default budget. */
#define UNIT (256ULL << 10)

int lull_extmap_seek_next(struct lull_extmap *map, struct lull_extent *ret_extent)
{
	if (map->pending.len == 0) {
		off_t data = lseek(map->fd, (off_t)map->pos, SEEK_DATA);

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;

		off_t hole = lseek(map->fd, data, SEEK_HOLE);

		if (hole < 0)
			return errno == ENXIO ? 0 : -errno;
		if (hole <= data)
			return -EUCLEAN;
		map->pending.off = (uint64_t)data;
		map->pending.len = (uint64_t)(hole - data);
	}

	uint64_t boundary = (map->pending.off / UNIT + 1) * UNIT;
	uint64_t len = MIN(map->pending.len, boundary - map->pending.off);

	*ret_extent = (struct lull_extent){
		.off = map->pending.off,
		.len = len,
		.flags = LULL_EXTENT_OPAQUE,
		.weight = 1,
	};
	map->pending.off += len;
	map->pending.len -= len;
	return 1;
}
