// SPDX-License-Identifier: MIT
/* Samples a base: see base_print.h. */
#include "engine/carry/base_print.h"

#include "sys/bytes.h"
#include "sys/uncached.h"
#include "util/xxh64.h"

#include <errno.h>

static int sum_up(int fd, struct lull_stream_base *base)
{
	char sample[LULL_STREAM_SAMPLE];
	struct lull_xxh64 sum;

	lull_xxh64_init(&sum);
	for (uint32_t i = 0; i < base->n; i++) {
		uint64_t len = MIN(sizeof(sample), base->size - base->offset[i]);
		int r = lull_uncached_read(fd, base->offset[i], sample, len);

		if (r < 0)
			return r;
		lull_xxh64_add(&sum, sample, len);
	}
	base->sum = lull_xxh64_get(&sum);
	return 0;
}

int lull_base_print(int fd, uint64_t size, struct lull_stream_base *ret_base)
{
	struct lull_stream_base base = { .size = size };
	uint64_t at = 0, start;
	int r;

	for (uint64_t i = 0; i < LULL_STREAM_SAMPLES; i++) {
		at = MAX(at, size / LULL_STREAM_SAMPLES * i);
		at -= at % LULL_STREAM_SAMPLE;
		/* A hole identifies nothing. */
		r = at < size ? lull_bytes_find_data(fd, at, &start) : 0;
		if (r < 0)
			return r;
		if (r == 0 || start >= size)
			break;
		start -= start % LULL_STREAM_SAMPLE;
		base.offset[base.n++] = start;
		at = start + LULL_STREAM_SAMPLE;
	}
	r = sum_up(fd, &base);
	if (r == 0)
		*ret_base = base;
	return r;
}

int lull_base_is(int fd, const struct lull_stream_base *base, bool *ret_same)
{
	struct lull_stream_base found = *base;
	int r = sum_up(fd, &found);

	/* The file is shorter than it should be. */
	if (r == -ESTALE) {
		*ret_same = false;
		return 0;
	}
	if (r == 0)
		*ret_same = found.sum == base->sum;
	return r;
}
