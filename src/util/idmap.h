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
	/* the caller's: another inode that belongs to the name; 0: none */
	uint64_t other_dev;
	uint64_t other_inode;
	char name[];
};

/* An empty map, or NULL. lull_idmap_free() takes NULL. */
struct lull_idmap *lull_idmap_new(void);
void lull_idmap_free(struct lull_idmap *map);

/* Adds a name, which is copied. It stays where it is until it is removed. NULL: no
   memory. */
struct lull_named *lull_idmap_add(struct lull_idmap *map, uint64_t dev, uint64_t inode,
				  const char *name) _must_check_;

/*
 * A name of the inode, the youngest first; after, if not NULL, is the one to go on
 * behind. NULL: there is none (any more).
 */
struct lull_named *lull_idmap_find(const struct lull_idmap *map, uint64_t dev,
				   uint64_t inode, const struct lull_named *after);

/* Removes and frees one. */
void lull_idmap_remove(struct lull_idmap *map, struct lull_named *named);
