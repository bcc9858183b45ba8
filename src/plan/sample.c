// SPDX-License-Identifier: MIT
/* Looks at one run of extents in eight where they are dense: see sample.h. */
#include "plan/sample.h"

#include "util/macros.h"

/* Runs taken unseen after one that was seen: leaves an eighth of the walk, below 2 % of
   what the clone costs; more would gain nothing and follow the file less closely. */
#define UNSEEN 7

void lull_sample_init(struct lull_sample *sample, const struct lull_cursor *map,
		      void (*skip)(void *ctx, uint64_t off), uint64_t end, uint64_t block)
{
	*sample = (struct lull_sample){
		.map = *map, .skip = skip, .end = end, .block = block
	};
}

static bool dense(const struct lull_sample *sample)
{
	uint64_t span = sample->pos - sample->from;

	return span / sample->block <= (uint64_t)LULL_SAMPLE_RUN * LULL_SAMPLE_BLOCKS;
}

static int next(void *ctx, struct lull_extent *ret_extent)
{
	struct lull_sample *sample = ctx;
	struct lull_extent e;

	if (sample->seen == LULL_SAMPLE_RUN && sample->pos < sample->end) {
		uint64_t span = sample->pos - sample->from;
		uint64_t off = sample->pos;

		sample->seen = 0;
		if (dense(sample)) {
			/* The span is below 2^32 blocks, so this cannot overflow. */
			uint64_t len = MIN(span * UNSEEN, sample->end - off);

			sample->used = true;
			sample->pos = off + len;
			sample->skip(sample->map.ctx, sample->pos);
			*ret_extent = (struct lull_extent){
				.off = off,
				.len = len,
				.flags = LULL_EXTENT_OPAQUE | LULL_EXTENT_SAMPLED,
				.weight = (uint32_t)((double)LULL_SAMPLE_RUN *
						     (double)len / (double)span) +
					  1,
			};
			return 1;
		}
	}

	int r = sample->map.next(sample->map.ctx, &e);

	if (r <= 0)
		return r;
	if (sample->seen == 0)
		sample->from = e.off;
	sample->seen++;
	sample->pos = e.off + e.len;
	*ret_extent = e;
	return 1;
}

struct lull_cursor lull_sample_cursor(struct lull_sample *sample)
{
	return (struct lull_cursor){ .next = next, .ctx = sample };
}
