// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checksum covers all bytes, including lengths and tags, and only the end may
 *     follow it. So a stream that is cut off, changed or longer is never accepted.
 *     Version 1 has no checksum: only its form can be checked.
 *  2. Ranges ascend, do not overlap, and end within the size.
 */
#include "plan/stream_in.h"

#include "util/macros.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static int refuse(struct lull_stream_in *in, enum lull_stream_fault fault)
{
	in->fault = fault;
	return -EBADMSG;
}

static int damaged(struct lull_stream_in *in)
{
	return refuse(in, LULL_STREAM_DAMAGED);
}

static int get(struct lull_stream_in *in, void *buffer, size_t len)
{
	int r = in->source.next(in->source.ctx, buffer, len);

	if (r == -ENODATA)
		return refuse(in, LULL_STREAM_CUT);
	if (r < 0)
		return r;
	lull_xxh64_add(&in->sum, buffer, len);
	in->bytes += len;
	return 0;
}

static int get64(struct lull_stream_in *in, uint64_t *ret)
{
	uint64_t x;
	int r = get(in, &x, sizeof(x));

	if (r == 0)
		*ret = le64toh(x);
	return r;
}

static int get32(struct lull_stream_in *in, uint32_t *ret)
{
	uint32_t x;
	int r = get(in, &x, sizeof(x));

	if (r == 0)
		*ret = le32toh(x);
	return r;
}

/* Reads the tag of the next record, and its length unless it is the end. */
static int begin_record(struct lull_stream_in *in)
{
	int r;

	if (in->pending)
		return 0;
	in->before = in->sum;
	in->length = 0;
	r = get(in, &in->tag, 1);
	if (r == 0 && in->tag != LULL_STREAM_END && !in->first)
		r = get64(in, &in->length);
	in->pending = r == 0;
	return r;
}

/* Returns true if the record has this length. In version 1, records have no length. */
static bool has_length(const struct lull_stream_in *in, uint64_t len)
{
	return in->first || in->length == len;
}

static int get_name(struct lull_stream_in *in, char name[LULL_STREAM_NAME + 1])
{
	uint32_t len = 0;
	int r;

	/* Each name may occur once. */
	if (*name || (!in->first && in->length < sizeof(len)))
		return damaged(in);
	r = get32(in, &len);
	if (r < 0)
		return r;
	if (len == 0 || len > LULL_STREAM_NAME || !has_length(in, sizeof(len) + len))
		return damaged(in);
	r = get(in, name, len);
	if (r < 0)
		return r;
	name[len] = '\0';
	return strlen(name) == len ? 0 : damaged(in);
}

static int get_base(struct lull_stream_in *in)
{
	struct lull_stream_base *base = &in->head.base;
	uint64_t least = 0;
	int r;

	if (in->head.has_base || in->length < LULL_STREAM_KIND + 8 + 4 + 8)
		return damaged(in);
	r = get64(in, &base->size);
	if (r == 0)
		r = get32(in, &base->n);
	if (r < 0)
		return r;
	if (base->n > LULL_STREAM_SAMPLES ||
	    in->length != LULL_STREAM_KIND + 8 + 4 + 8ULL * base->n + 8)
		return damaged(in);
	for (uint32_t i = 0; i < base->n; i++) {
		r = get64(in, &base->offset[i]);
		if (r < 0)
			return r;
		if (base->offset[i] < least || base->offset[i] >= base->size)
			return damaged(in);
		if (__builtin_add_overflow(base->offset[i], LULL_STREAM_SAMPLE, &least))
			least = UINT64_MAX;
	}
	in->head.has_base = true;
	return get64(in, &base->sum);
}

/* Reads a record of tag L. *ret_sum: it is the checksum, after which no range follows;
   only its kind has been read. */
static int get_own(struct lull_stream_in *in, bool *ret_sum)
{
	char kind[LULL_STREAM_KIND];
	int r;

	*ret_sum = false;
	if (in->length < LULL_STREAM_KIND)
		return damaged(in);
	r = get(in, kind, sizeof(kind));
	if (r < 0)
		return r;
	if (memcmp(kind, LULL_STREAM_KIND_OLD, sizeof(kind)) == 0)
		return get_base(in);
	*ret_sum = memcmp(kind, LULL_STREAM_KIND_SUM, sizeof(kind)) == 0;
	return *ret_sum ? 0 : damaged(in);
}

static int get_banner(struct lull_stream_in *in, bool first)
{
	static const char any[] = "rbd diff v";
	char banner[sizeof(LULL_STREAM_BANNER) - 1];
	int r = get(in, banner, sizeof(banner));

	if (r < 0)
		return r;
	if (memcmp(banner, LULL_STREAM_BANNER, sizeof(banner)) == 0)
		return 0;
	if (memcmp(banner, LULL_STREAM_BANNER_1, sizeof(banner)) == 0) {
		in->first = true;
		return first ? 0 : refuse(in, LULL_STREAM_FIRST);
	}
	return refuse(in, memcmp(banner, any, sizeof(any) - 1) == 0
				  ? LULL_STREAM_VERSION
				  : LULL_STREAM_FOREIGN);
}

/* Checks that nothing follows the end of a stream. */
static int get_nothing(struct lull_stream_in *in)
{
	uint8_t more;
	int r = in->source.next(in->source.ctx, &more, 1);

	if (r == -ENODATA)
		return 0;
	return r < 0 ? r : refuse(in, LULL_STREAM_LONGER);
}

static int get_end(struct lull_stream_in *in)
{
	uint64_t is = lull_xxh64_get(&in->before), told = 0;
	int r;

	if (in->length != LULL_STREAM_KIND + 8)
		return damaged(in);
	r = get64(in, &told);
	if (r < 0)
		return r;
	if (told != is)
		return refuse(in, LULL_STREAM_CHECKSUM);
	in->pending = false;
	r = begin_record(in);
	if (r < 0)
		return r;
	return in->tag == LULL_STREAM_END ? get_nothing(in) : damaged(in);
}

int lull_stream_in_head(struct lull_stream_in *in,
			const struct lull_stream_source *source, bool first)
{
	bool has_size = false, sum = false;
	int r;

	*in = (struct lull_stream_in){ .source = *source };
	lull_xxh64_init(&in->sum);
	r = get_banner(in, first);
	while (r == 0) {
		r = begin_record(in);
		if (r < 0)
			return r;
		if (in->tag == LULL_STREAM_FROM) {
			r = get_name(in, in->head.from);
		} else if (in->tag == LULL_STREAM_TO) {
			r = get_name(in, in->head.to);
		} else if (in->tag == LULL_STREAM_SIZE) {
			if (has_size || !has_length(in, 8))
				return damaged(in);
			has_size = true;
			r = get64(in, &in->head.size);
		} else if (in->tag == LULL_STREAM_OWN && !in->first) {
			r = get_own(in, &sum);
			/* The stream has no ranges: lull_stream_in_next() continues
			   here. */
			if (r == 0 && sum)
				break;
		} else {
			break;
		}
		in->pending = false;
	}
	if (r < 0)
		return r;
	/* No file is larger than INT64_MAX, and so no sum of offset and length
	   overflows. */
	return has_size && in->head.size <= INT64_MAX ? 0 : damaged(in);
}

static int get_range(struct lull_stream_in *in, struct lull_change *ret_range)
{
	bool zero = in->tag == LULL_STREAM_ZERO;
	struct lull_change c = { .zero = zero };
	int r = !in->first && in->length < 16 ? damaged(in) : get64(in, &c.off);

	if (r == 0)
		r = get64(in, &c.len);
	if (r < 0)
		return r;
	if (c.off < in->pos || c.off > in->head.size || c.len == 0 ||
	    c.len > in->head.size - c.off || !has_length(in, 16 + (zero ? 0 : c.len)))
		return damaged(in);
	in->pos = c.off + c.len;
	in->left = zero ? 0 : c.len;
	in->pending = false;
	*ret_range = c;
	return 1;
}

int lull_stream_in_next(struct lull_stream_in *in, struct lull_change *ret_range)
{
	bool again = in->pending, sum = again && in->tag == LULL_STREAM_OWN;
	int r = begin_record(in);

	if (r < 0)
		return r;
	if (in->tag == LULL_STREAM_DATA || in->tag == LULL_STREAM_ZERO)
		return get_range(in, ret_range);
	if (in->tag == LULL_STREAM_END)
		return in->first ? get_nothing(in) : refuse(in, LULL_STREAM_UNCHECKED);
	if (in->tag != LULL_STREAM_OWN || in->first)
		return damaged(in);
	/* If the stream has no ranges, the head has read the kind of this record. */
	if (!sum) {
		char kind[LULL_STREAM_KIND];

		if (in->length < LULL_STREAM_KIND)
			return damaged(in);
		r = get(in, kind, sizeof(kind));
		if (r < 0)
			return r;
		if (memcmp(kind, LULL_STREAM_KIND_SUM, sizeof(kind)) != 0)
			return damaged(in);
	}
	return get_end(in);
}

int lull_stream_in_data(struct lull_stream_in *in, void *buffer, size_t len)
{
	int r = len <= in->left ? get(in, buffer, len) : damaged(in);

	if (r == 0)
		in->left -= len;
	return r;
}
