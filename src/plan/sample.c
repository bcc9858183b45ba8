// SPDX-License-Identifier: MIT
/* Reads one run of extents in eight: see sample.h. */
#include "plan/sample.h"

#include "util/macros.h"

/* After a run, skips this many times its length. This leaves an eighth of the walk, which
   is below 2 % of the clone's cost. A higher number would save next to nothing, and
   follow changes less closely. */
#define UNSEEN 7
/* As UNSEEN, if single places are looked at, which show a change by themselves. */
#define UNSEEN_SPARSE 31
/* The tail of a run is one part in this many. */
#define TAIL 4
/* More than chance does to 128 extents. */
#define FAR_DENSER 2

void lull_sample_init(struct lull_sample *sample, const struct lull_sample_map *map,
		      uint64_t end, uint64_t block)
{
	*sample = (struct lull_sample){ .map = *map, .end = end, .block = block };
}

/* Returns where to read again after a run of length span. */
static uint64_t unseen_until(const struct lull_sample *sample, uint64_t span)
{
	uint64_t spacing = span / LULL_SAMPLE_RUN;
	uint64_t left = sample->end - sample->pos, end;

	/* Spans are below 2^32 blocks, so this cannot overflow. */
	if (spacing <= LULL_SAMPLE_BLOCKS * sample->block)
		return sample->pos + MIN(span * UNSEEN, left);
	if (!sample->map.sparse_until)
		return sample->pos;
	end = sample->pos + MIN(span * UNSEEN_SPARSE, left);

	struct lull_spacing least = {
		.least = spacing / LULL_SAMPLE_BLOCKS,
		.stride = LULL_SAMPLE_STRIDE,
	};
	uint64_t until = sample->map.sparse_until(sample->map.cursor.ctx, sample->pos,
						  end, &least);

	return until < end ? until / sample->block * sample->block : end;
}

static bool take_unseen(struct lull_sample *sample, struct lull_extent *ret_extent)
{
	uint64_t whole = sample->pos - sample->from;
	uint64_t tail = TAIL * (sample->pos - sample->tail);
	/* If a run is far denser at its end than at its beginning, what follows is
	   probably as dense. */
	uint64_t span = tail < whole / FAR_DENSER ? tail : whole;
	uint64_t off = sample->pos, len;

	if (span > LULL_SAMPLE_RUN *
			   MAX(LULL_SAMPLE_SPACING, LULL_SAMPLE_BLOCKS * sample->block))
		return false;

	uint64_t until = unseen_until(sample, span);

	if (until <= off)
		return false;
	len = until - off;
	sample->used = true;
	sample->pos = until;
	sample->map.skip(sample->map.cursor.ctx, until);

	double runs = (double)len / (double)span;
	double filled = (double)sample->data / (double)whole;
	uint64_t data = (uint64_t)(filled * (double)len);

	*ret_extent = (struct lull_extent){
		.off = off,
		.len = len,
		.flags = LULL_EXTENT_OPAQUE | LULL_EXTENT_SAMPLED,
		.weight = (uint32_t)(LULL_SAMPLE_RUN * runs) + 1,
		.holes = len - MIN(data, len),
	};
	return true;
}

static int next(void *ctx, struct lull_extent *ret_extent)
{
	struct lull_sample *sample = ctx;
	struct lull_extent e;

	if (sample->seen == LULL_SAMPLE_RUN && sample->pos < sample->end) {
		sample->seen = 0;
		if (take_unseen(sample, ret_extent))
			return 1;
	}

	int r = sample->map.cursor.next(sample->map.cursor.ctx, &e);

	if (r <= 0)
		return r;
	if (sample->seen == 0) {
		sample->from = e.off;
		sample->data = 0;
	}
	if (sample->seen == LULL_SAMPLE_RUN - LULL_SAMPLE_RUN / TAIL)
		sample->tail = e.off;
	sample->seen++;
	sample->data += e.len;
	sample->pos = e.off + e.len;
	*ret_extent = e;
	return 1;
}

struct lull_cursor lull_sample_cursor(struct lull_sample *sample)
{
	return (struct lull_cursor){ .next = next, .ctx = sample };
}
