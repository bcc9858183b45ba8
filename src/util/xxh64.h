/* SPDX-License-Identifier: MIT */
/*
 * XXH64, a checksum of 64 bits at the speed of memory, as
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md defines it, with seed 0.
 * It finds damage; who wants to deceive can make what it does not find.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lull_xxh64 {
	uint64_t lane[4];
	uint64_t total;
	uint8_t rest[32]; /* total % 32 bytes that fill no stripe yet */
};

/* Of no bytes yet. */
void lull_xxh64_init(struct lull_xxh64 *sum);

/* Takes in the next bytes. */
void lull_xxh64_add(struct lull_xxh64 *sum, const void *data, size_t len);

/* The checksum of all bytes so far; more may follow. */
uint64_t lull_xxh64_get(const struct lull_xxh64 *sum);
