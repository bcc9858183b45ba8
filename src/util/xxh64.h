/* SPDX-License-Identifier: MIT */
/*
 * XXH64, a checksum of 64 bits at the speed of memory, with seed 0, as
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md defines it. It detects
 * damage, but not deliberate changes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lull_xxh64 {
	uint64_t lane[4];
	uint64_t total;
	uint8_t rest[32]; /* total % 32 bytes that do not fill a stripe yet */
};

/* Initializes a checksum of no bytes. */
void lull_xxh64_init(struct lull_xxh64 *sum);

/* Adds bytes. */
void lull_xxh64_add(struct lull_xxh64 *sum, const void *data, size_t len);

/* Returns the checksum of all bytes so far. More may be added. */
uint64_t lull_xxh64_get(const struct lull_xxh64 *sum);
