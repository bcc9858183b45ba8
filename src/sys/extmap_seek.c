// SPDX-License-Identifier: MIT
/*
 * Reads the extent map by SEEK_DATA and SEEK_HOLE, for file systems that can clone but
 * have no FIEMAP (NFS 4.2, ZFS). That shows where data is, but not the number of extents.
 * So data is returned in pieces of UNIT, as if each were an extent, and the latency
 * controller learns what such a piece costs.
 */
#include "sys/extmap_ways.h"

#include <errno.h>

/* 64 blocks of 4 KiB. Even if each is an extent, the first call stays below the default
   budget at the highest cost measured (84 us). */
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
