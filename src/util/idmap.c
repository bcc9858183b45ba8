// SPDX-License-Identifier: MIT
/* Names by inode. */
#include "util/idmap.h"

#include <string.h>

#define FIRST_BUCKETS 64

struct lull_idmap {
	struct lull_named **bucket;
	size_t n_buckets; /* a power of two */
	size_t n;
};

struct lull_idmap *lull_idmap_new(void)
{
	struct lull_idmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->bucket = calloc(FIRST_BUCKETS, sizeof(struct lull_named *));
	map->n_buckets = FIRST_BUCKETS;
	if (!map->bucket) {
		free(map);
		return NULL;
	}
	return map;
}

void lull_idmap_free(struct lull_idmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->n_buckets; i++) {
		while (map->bucket[i]) {
			struct lull_named *next = map->bucket[i]->next;

			free(map->bucket[i]);
			map->bucket[i] = next;
		}
	}
	free(map->bucket);
	free(map);
}

/*
 * Returns the bucket of a key. Inode numbers are consecutive, and what is used as dev may
 * differ in any bit. Multiplying by odd numbers near the golden ratio of 2^64 brings all
 * bits to the top, which is used.
 */
static size_t slot(const struct lull_idmap *map, uint64_t dev, uint64_t inode)
{
	uint64_t mixed = dev * 0xc2b2ae3d27d4eb4fULL ^ inode;

	mixed = (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15ULL;
	return (size_t)(mixed >> 32) & (map->n_buckets - 1);
}

/* Doubles the number of buckets. Without memory the map only becomes slower. */
static void grow(struct lull_idmap *map)
{
	struct lull_idmap larger = { .n_buckets = map->n_buckets * 2 };

	larger.bucket = calloc(larger.n_buckets, sizeof(struct lull_named *));
	if (!larger.bucket)
		return;
	for (size_t i = 0; i < map->n_buckets; i++) {
		struct lull_named *named = map->bucket[i], *turned = NULL;

		/* Reverse the list, and insert at the front, so that the order
		   remains. */
		while (named) {
			struct lull_named *next = named->next;

			named->next = turned;
			turned = named;
			named = next;
		}
		while (turned) {
			struct lull_named *next = turned->next;
			size_t at = slot(&larger, turned->dev, turned->inode);

			turned->next = larger.bucket[at];
			larger.bucket[at] = turned;
			turned = next;
		}
	}
	free(map->bucket);
	map->bucket = larger.bucket;
	map->n_buckets = larger.n_buckets;
}

struct lull_named *lull_idmap_add(struct lull_idmap *map, uint64_t dev, uint64_t inode,
				  const char *name)
{
	size_t size = strlen(name) + 1, at;
	struct lull_named *named = malloc(sizeof(*named) + size);

	if (!named)
		return NULL;
	if (map->n >= map->n_buckets)
		grow(map);
	at = slot(map, dev, inode);
	*named = (struct lull_named){ .next = map->bucket[at],
				      .dev = dev,
				      .inode = inode };
	memcpy(named->name, name, size);
	map->bucket[at] = named;
	map->n++;
	return named;
}

struct lull_named *lull_idmap_find(const struct lull_idmap *map, uint64_t dev,
				   uint64_t inode, const struct lull_named *after)
{
	struct lull_named *named = after ? after->next
					 : map->bucket[slot(map, dev, inode)];

	while (named && (named->inode != inode || named->dev != dev))
		named = named->next;
	return named;
}

void lull_idmap_remove(struct lull_idmap *map, struct lull_named *named)
{
	struct lull_named **at = &map->bucket[slot(map, named->dev, named->inode)];

	while (*at && *at != named)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = named->next;
	map->n--;
	free(named);
}
