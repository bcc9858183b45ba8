// SPDX-License-Identifier: MIT
/* XXH64: see xxh64.h. The constants have the names of the specification. */
#include "util/xxh64.h"

#include "util/macros.h"

#include <endian.h>
#include <string.h>

#define PRIME1 0x9e3779b185ebca87ULL
#define PRIME2 0xc2b2ae3d27d4eb4fULL
#define PRIME3 0x165667b19e3779f9ULL
#define PRIME4 0x85ebca77c2b2ae63ULL
#define PRIME5 0x27d4eb2f165667c5ULL

#define STRIPE 32u

static uint64_t rotate(uint64_t x, unsigned int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t x;

	memcpy(&x, at, sizeof(x));
	return le64toh(x);
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t x;

	memcpy(&x, at, sizeof(x));
	return le32toh(x);
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
	return rotate(lane + input * PRIME2, 31) * PRIME1;
}

static void take_stripe(struct lull_xxh64 *sum, const uint8_t *at)
{
	for (unsigned int i = 0; i < 4; i++)
		sum->lane[i] = round_of(sum->lane[i], load64(at + (size_t)i * 8));
}

void lull_xxh64_init(struct lull_xxh64 *sum)
{
	*sum = (struct lull_xxh64){
		.lane = { PRIME1 + PRIME2, PRIME2, 0, 0 - PRIME1 },
	};
}

void lull_xxh64_add(struct lull_xxh64 *sum, const void *data, size_t len)
{
	size_t held = sum->total % STRIPE;
	const uint8_t *at = data;

	sum->total += len;
	if (held > 0) {
		size_t n = MIN(len, STRIPE - held);

		memcpy(sum->rest + held, at, n);
		at += n;
		len -= n;
		if (held + n < STRIPE)
			return;
		take_stripe(sum, sum->rest);
	}
	for (; len >= STRIPE; at += STRIPE, len -= STRIPE)
		take_stripe(sum, at);
	if (len > 0)
		memcpy(sum->rest, at, len);
}

static uint64_t merge_lanes(const struct lull_xxh64 *sum)
{
	uint64_t h = rotate(sum->lane[0], 1) + rotate(sum->lane[1], 7) +
		     rotate(sum->lane[2], 12) + rotate(sum->lane[3], 18);

	for (unsigned int i = 0; i < 4; i++)
		h = (h ^ round_of(0, sum->lane[i])) * PRIME1 + PRIME4;
	return h;
}

uint64_t lull_xxh64_get(const struct lull_xxh64 *sum)
{
	uint64_t h = sum->total >= STRIPE ? merge_lanes(sum) : PRIME5;
	size_t left = sum->total % STRIPE;
	const uint8_t *at = sum->rest;

	h += sum->total;
	for (; left >= 8; at += 8, left -= 8)
		h = rotate(h ^ round_of(0, load64(at)), 27) * PRIME1 + PRIME4;
	if (left >= 4) {
		h = rotate(h ^ (load32(at) * PRIME1), 23) * PRIME2 + PRIME3;
		at += 4;
		left -= 4;
	}
	for (; left > 0; at++, left--)
		h = rotate(h ^ (*at * PRIME5), 11) * PRIME1;
	h = (h ^ (h >> 33)) * PRIME2;
	h = (h ^ (h >> 29)) * PRIME3;
	return h ^ (h >> 32);
}
