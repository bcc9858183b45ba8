/* SPDX-License-Identifier: MIT */
/* Names by inode: a hash table that may hold several names for one inode. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct lull_idmap;

struct lull_named {
	struct lull_named *next;
	uint64_t dev;
	uint64_t inode;
	/* for the caller: another inode that belongs to the name; 0: none */
	uint64_t other_dev;
	uint64_t other_inode;
	char name[];
};

/* Returns an empty map, or NULL without memory. lull_idmap_free() accepts NULL. */
struct lull_idmap *lull_idmap_new(void);
void lull_idmap_free(struct lull_idmap *map);

/* Adds a copy of name. It stays at its address until it is removed. Returns NULL without
   memory. */
struct lull_named *lull_idmap_add(struct lull_idmap *map, uint64_t dev, uint64_t inode,
				  const char *name) _must_check_;

/*
 * Returns a name of the inode, latest first; if after is not NULL, the one that follows
 * it. NULL: there are no more.
 */
struct lull_named *lull_idmap_find(const struct lull_idmap *map, uint64_t dev,
				   uint64_t inode, const struct lull_named *after);

/* Removes a name and frees it. */
void lull_idmap_remove(struct lull_idmap *map, struct lull_named *named);
