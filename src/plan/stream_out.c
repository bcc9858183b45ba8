// SPDX-License-Identifier: MIT
/* Makes the records of a stream: see stream_out.h. */
#include "plan/stream_out.h"

#include <endian.h>
#include <string.h>

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

static uint8_t *put32(uint8_t *at, uint32_t x)
{
	x = htole32(x);
	return put(at, &x, sizeof(x));
}

static uint8_t *put64(uint8_t *at, uint64_t x)
{
	x = htole64(x);
	return put(at, &x, sizeof(x));
}

/* Begins a record: its tag and, if the version has it, its length. */
static uint8_t *begin(const struct lull_stream_out *out, uint8_t *at, uint8_t tag,
		      uint64_t len)
{
	*at++ = tag;
	return out->first ? at : put64(at, len);
}

static size_t done(struct lull_stream_out *out, const uint8_t *room, const uint8_t *at)
{
	size_t len = (size_t)(at - room);

	lull_stream_out_data(out, room, len);
	return len;
}

static uint8_t *put_name(const struct lull_stream_out *out, uint8_t *at, uint8_t tag,
			 const char *name)
{
	uint32_t len = (uint32_t)strlen(name);

	at = begin(out, at, tag, sizeof(len) + len);
	return put(put32(at, len), name, len);
}

static uint8_t *put_base(const struct lull_stream_out *out, uint8_t *at,
			 const struct lull_stream_base *base)
{
	at = begin(out, at, LULL_STREAM_OWN,
		   LULL_STREAM_KIND + 8 + 4 + 8ULL * base->n + 8);
	at = put(at, LULL_STREAM_KIND_OLD, LULL_STREAM_KIND);
	at = put32(put64(at, base->size), base->n);
	for (uint32_t i = 0; i < base->n; i++)
		at = put64(at, base->offset[i]);
	return put64(at, base->sum);
}

size_t lull_stream_out_head(struct lull_stream_out *out,
			    const struct lull_stream_head *head,
			    uint8_t room[LULL_STREAM_ROOM])
{
	const char *banner = out->first ? LULL_STREAM_BANNER_1 : LULL_STREAM_BANNER;
	uint8_t *at = put(room, banner, strlen(banner));

	lull_xxh64_init(&out->sum);
	out->bytes = 0;
	if (*head->from)
		at = put_name(out, at, LULL_STREAM_FROM, head->from);
	at = put_name(out, at, LULL_STREAM_TO, head->to);
	at = put64(begin(out, at, LULL_STREAM_SIZE, 8), head->size);
	if (head->has_base && !out->first)
		at = put_base(out, at, &head->base);
	return done(out, room, at);
}

size_t lull_stream_out_range(struct lull_stream_out *out, uint64_t off, uint64_t len,
			     bool zero, uint8_t room[LULL_STREAM_ROOM])
{
	uint8_t *at = begin(out, room, zero ? LULL_STREAM_ZERO : LULL_STREAM_DATA,
			    16 + (zero ? 0 : len));

	return done(out, room, put64(put64(at, off), len));
}

void lull_stream_out_data(struct lull_stream_out *out, const void *data, size_t len)
{
	lull_xxh64_add(&out->sum, data, len);
	out->bytes += len;
}

size_t lull_stream_out_end(struct lull_stream_out *out, uint8_t room[LULL_STREAM_ROOM])
{
	uint64_t sum = lull_xxh64_get(&out->sum);
	uint8_t *at = room;

	if (!out->first) {
		at = begin(out, at, LULL_STREAM_OWN, LULL_STREAM_KIND + 8);
		at = put64(put(at, LULL_STREAM_KIND_SUM, LULL_STREAM_KIND), sum);
	}
	*at++ = LULL_STREAM_END;
	return done(out, room, at);
}
