// SPDX-License-Identifier: MIT
/* Counts how long calls took, in buckets of equal relative width. */
#include "plan/hist.h"

#include <string.h>

static unsigned int bucket_of(uint64_t ns)
{
	if (ns < 2 * LULL_HIST_STEPS)
		return (unsigned int)ns;

	/* The five bits after the leading one choose the step. */
	unsigned int shift = 63 - (unsigned int)__builtin_clzll(ns) - 5;

	return shift * LULL_HIST_STEPS + (unsigned int)(ns >> shift);
}

/* Returns the largest value of the bucket. */
static uint64_t bound_of(unsigned int bucket)
{
	if (bucket < 2 * LULL_HIST_STEPS)
		return bucket;

	unsigned int shift = bucket / LULL_HIST_STEPS - 1;
	uint64_t step = bucket % LULL_HIST_STEPS + LULL_HIST_STEPS;

	return ((step + 1) << shift) - 1;
}

void lull_hist_add(struct lull_hist *hist, uint64_t ns)
{
	hist->bucket[bucket_of(ns)]++;
	hist->count++;
	if (ns > hist->max)
		hist->max = ns;
}

uint64_t lull_hist_permille(const struct lull_hist *hist, unsigned int permille)
{
	uint64_t wanted = (hist->count * permille + 999) / 1000;
	uint64_t seen = 0;

	if (hist->count == 0)
		return 0;
	for (unsigned int i = 0; i < LULL_HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen >= wanted && seen > 0) {
			uint64_t bound = bound_of(i);

			return bound < hist->max ? bound : hist->max;
		}
	}
	return hist->max;
}

unsigned int lull_hist_bars(const struct lull_hist *hist, struct lull_bar *ret_bars,
			    unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LULL_HIST_BUCKETS; i++) {
		if (hist->bucket[i] == 0)
			continue;

		uint64_t bound = bound_of(i);
		unsigned int log = bound ? 63 - (unsigned int)__builtin_clzll(bound) : 0;
		uint64_t from = log ? 1ULL << log : 0;

		if (n == 0 || ret_bars[n - 1].from_ns != from) {
			if (n == max)
				break;
			ret_bars[n++] = (struct lull_bar){ .from_ns = from,
							   .to_ns = 2ULL << log };
		}
		ret_bars[n - 1].calls += hist->bucket[i];
	}
	return n;
}
