// SPDX-License-Identifier: MIT
/* One cursor for three ways to read an extent map. Clips and orders what they return. */
#include "sys/extmap.h"

#include "sys/extmap_ways.h"

#include <errno.h>
#include <stdlib.h>

int lull_extmap_open(int fd, enum lull_extmap_kind kind, uint64_t start, uint64_t end,
		     struct lull_extmap **ret_map)
{
	size_t room = 0;
	int r = 0;

	if (kind == LULL_EXTMAP_AUTO) {
		if (lull_extmap_btrfs_probe(fd) == 0) {
			kind = LULL_EXTMAP_BTRFS;
		} else {
			r = lull_extmap_fiemap_probe(fd);
			kind = LULL_EXTMAP_FIEMAP;
			if (r == -EOPNOTSUPP || r == -ENOTTY || r == -ENOSYS)
				kind = LULL_EXTMAP_SEEK;
			else if (r < 0)
				return r;
		}
	}
	if (kind == LULL_EXTMAP_FIEMAP)
		room = lull_extmap_fiemap_room();
	else if (kind == LULL_EXTMAP_BTRFS)
		room = lull_extmap_btrfs_room();

	struct lull_extmap *map = calloc(1, sizeof(*map));

	if (!map)
		return -ENOMEM;
	*map = (struct lull_extmap){ .kind = kind, .fd = fd, .pos = start, .end = end };
	if (room > 0) {
		/* Zeroed for valgrind, which does not know how much FIEMAP fills. */
		map->window = calloc(1, room);
		if (!map->window) {
			free(map);
			return -ENOMEM;
		}
	}
	*ret_map = map;
	return 0;
}

void lull_extmap_close(struct lull_extmap *map)
{
	if (!map)
		return;
	free(map->window);
	free(map);
}

enum lull_extmap_kind lull_extmap_kind(const struct lull_extmap *map)
{
	return map->kind;
}

void lull_extmap_skip(void *ctx, uint64_t off)
{
	struct lull_extmap *map = ctx;

	if (off > map->pos)
		map->pos = off;
	/* The next window of FIEMAP starts at pos. The other ways walk the whole map;
	   extents before pos are skipped. */
	if (map->kind == LULL_EXTMAP_FIEMAP)
		map->next = map->count = 0;
}

static int next(void *ctx, struct lull_extent *ret_extent)
{
	struct lull_extmap *map = ctx;

	while (map->pos < map->end) {
		struct lull_extent e;
		int r;

		if (map->kind == LULL_EXTMAP_BTRFS)
			r = lull_extmap_btrfs_next(map, &e);
		else if (map->kind == LULL_EXTMAP_SEEK)
			r = lull_extmap_seek_next(map, &e);
		else
			r = lull_extmap_fiemap_next(map, &e);
		if (r <= 0)
			return r;

		uint64_t end;

		if (__builtin_add_overflow(e.off, e.len, &end))
			return -EUCLEAN;
		if (end <= map->pos || e.len == 0)
			continue; /* Btrfs returns an extent that begins before pos */
		if (e.off >= map->end)
			break;
		if (e.off < map->pos) {
			if (e.phys)
				e.phys += map->pos - e.off;
			e.off = map->pos;
		}
		e.len = MIN(end, map->end) - e.off;
		map->pos = e.off + e.len;
		*ret_extent = e;
		return 1;
	}
	return 0;
}

struct lull_cursor lull_extmap_cursor(struct lull_extmap *map)
{
	return (struct lull_cursor){ .next = next, .ctx = map };
}
