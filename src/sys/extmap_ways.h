/* SPDX-License-Identifier: MIT */
/* What extmap.c and the three ways to read an extent map share. */
#pragma once

#include "sys/extmap.h"

/*
 * The most that one unit of weight stands for. Btrfs cuts data into items of at most
 * 128 MiB, and its FIEMAP reports a run of them as one extent.
 */
#define LULL_EXTMAP_UNIT (128ULL << 20)

struct lull_extmap {
	enum lull_extmap_kind kind;
	int fd;
	uint64_t pos; /* everything before it has been delivered or is no extent */
	uint64_t end;
	unsigned int next;  /* record of the window to deliver next */
	unsigned int count; /* records in the window */
	bool last;          /* no window after this one */
	void *window;
	uint64_t key; /* btrfs: offset at which the next window starts */
	size_t at;    /* btrfs: place of record next in the window, in bytes */
	struct lull_extent pending; /* btrfs: may still grow; seek: not delivered yet */
};

/* Size of the window buffer in bytes, for each way. */
size_t lull_extmap_fiemap_room(void);
size_t lull_extmap_btrfs_room(void);

/* The next extent, unclipped: 1, 0 at the end, -errno. */
int lull_extmap_fiemap_next(struct lull_extmap *map, struct lull_extent *ret_extent);
int lull_extmap_btrfs_next(struct lull_extmap *map, struct lull_extent *ret_extent);
int lull_extmap_seek_next(struct lull_extmap *map, struct lull_extent *ret_extent);

/* 0 if this way works on the file, -errno if not. */
int lull_extmap_fiemap_probe(int fd);
int lull_extmap_btrfs_probe(int fd);

/* Weight of an extent that is reported as one however long it is. */
static inline uint32_t lull_extmap_weight(uint64_t len)
{
	uint64_t weight = (len + LULL_EXTMAP_UNIT - 1) / LULL_EXTMAP_UNIT;

	return weight < 1 ? 1 : weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
}
