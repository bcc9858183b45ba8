// SPDX-License-Identifier: MIT
/*
 * Any bytes as a stream of changes, of version 2 and of either: refused with a reason, or
 * one whose ranges keep the rules. Then the same bytes as records with the right
 * checksum, so that the code after that check is reached.
 */
#include "fuzz.h"

#include "plan/stream_in.h"
#include "plan/stream_out.h"
#include "util/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t len;
	size_t at;
};

static int next_bytes(void *ctx, void *buffer, size_t len)
{
	struct bytes *b = ctx;

	if (len > b->len - b->at)
		return -ENODATA;
	memcpy(buffer, b->data + b->at, len);
	b->at += len;
	return 0;
}

static int take_data(struct lull_stream_in *in, uint64_t len)
{
	uint8_t piece[512];

	while (len > 0) {
		size_t n = MIN(len, sizeof(piece));
		int r = lull_stream_in_data(in, piece, n);

		if (r < 0)
			return r;
		len -= n;
	}
	return 0;
}

/* 0, or the reason why not. */
static int read_all(struct bytes *b, bool first)
{
	const struct lull_stream_source source = { .next = next_bytes, .ctx = b };
	struct lull_stream_in in;
	struct lull_change c;
	uint64_t pos = 0;
	int r = lull_stream_in_head(&in, &source, first);

	if (strlen(in.head.from) > LULL_STREAM_NAME ||
	    strlen(in.head.to) > LULL_STREAM_NAME ||
	    (in.head.has_base && in.head.base.n > LULL_STREAM_SAMPLES))
		abort();
	while (r == 0) {
		r = lull_stream_in_next(&in, &c);
		if (r <= 0)
			break;
		if (c.len == 0 || c.off < pos || c.off + c.len < c.off ||
		    c.off + c.len > in.head.size)
			abort();
		pos = c.off + c.len;
		r = c.zero ? 0 : take_data(&in, c.len);
	}
	if (r < 0 && (r != -EBADMSG || in.fault == LULL_STREAM_WHOLE))
		abort();
	/* All of it was read, and nothing follows. */
	if (r == 0 && b->at != b->len)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes whole = { .data = data, .len = size };
	size_t banner = strlen(LULL_STREAM_BANNER);
	uint8_t end[LULL_STREAM_ROOM], *made = malloc(banner + size + sizeof(end));
	struct lull_stream_out out = { 0 };
	struct bytes sealed;
	size_t n;

	if (!made)
		abort();
	(void)read_all(&whole, false);
	whole.at = 0;
	(void)read_all(&whole, true);
	memcpy(made, LULL_STREAM_BANNER, banner);
	memcpy(made + banner, data, size);
	lull_xxh64_init(&out.sum);
	lull_stream_out_data(&out, made, banner + size);
	n = lull_stream_out_end(&out, end);
	memcpy(made + banner + size, end, n);
	sealed = (struct bytes){ .data = made, .len = banner + size + n };
	(void)read_all(&sealed, false);
	free(made);
	return 0;
}
