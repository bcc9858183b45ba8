/* SPDX-License-Identifier: MIT */
/*
 * A set of inode numbers that recognizes most numbers which were never added (a Bloom
 * filter with one hash), so that a list of some thousand need not be searched for each
 * file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LULL_INODESET_BITS 8192u

struct lull_inodeset {
	uint64_t word[LULL_INODESET_BITS / 64];
};

static inline uint32_t lull_inodeset_bit(uint64_t inode)
{
	return (uint32_t)(inode * 0x9e3779b97f4a7c15ULL >> 40) % LULL_INODESET_BITS;
}

static inline void lull_inodeset_add(struct lull_inodeset *set, uint64_t inode)
{
	uint32_t bit = lull_inodeset_bit(inode);

	set->word[bit / 64] |= 1ULL << bit % 64;
}

/* Returns false only if the inode was never added. */
static inline bool lull_inodeset_may_have(const struct lull_inodeset *set, uint64_t inode)
{
	uint32_t bit = lull_inodeset_bit(inode);

	return set->word[bit / 64] & 1ULL << bit % 64;
}

static inline void lull_inodeset_clear(struct lull_inodeset *set)
{
	memset(set, 0, sizeof(*set));
}
