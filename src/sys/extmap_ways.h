/* SPDX-License-Identifier: MIT */
/* What extmap.c shares with the three ways to read an extent map. */
#pragma once

#include "sys/extmap.h"

/*
 * The most bytes for one unit of weight. Btrfs cuts data into items of at most 128 MiB,
 * and its FIEMAP reports a run of them as one extent.
 */
#define LULL_EXTMAP_UNIT (128ULL << 20)

struct lull_extmap {
	enum lull_extmap_kind kind;
	int fd;
	uint64_t pos; /* everything before it has been returned, or is not in an extent */
	uint64_t end;
	unsigned int next;  /* next record of the window to return */
	unsigned int count; /* records in the window */
	bool last;          /* there is no window after this one */
	void *window;
	uint64_t key; /* btrfs: offset at which the next window starts */
	size_t at;    /* btrfs: place of record next in the window, in bytes */
	struct lull_extent pending; /* btrfs: may still grow; seek: not returned yet */
};

/* Size of the window buffer in bytes. */
size_t lull_extmap_fiemap_room(void);
size_t lull_extmap_btrfs_room(void);

/* Read the next extent, which is not clipped. Return 1, 0 at the end, or -errno. */
int lull_extmap_fiemap_next(struct lull_extmap *map, struct lull_extent *ret_extent);
int lull_extmap_btrfs_next(struct lull_extmap *map, struct lull_extent *ret_extent);
int lull_extmap_seek_next(struct lull_extmap *map, struct lull_extent *ret_extent);

/* Return 0 if this way works on the file, or -errno. */
int lull_extmap_fiemap_probe(int fd);
int lull_extmap_btrfs_probe(int fd);

/* Returns the weight of an extent that is reported as one, however long it is. */
static inline uint32_t lull_extmap_weight(uint64_t len)
{
	uint64_t weight = (len + LULL_EXTMAP_UNIT - 1) / LULL_EXTMAP_UNIT;

	return weight < 1 ? 1 : weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
}
