/* SPDX-License-Identifier: MIT */
/*
 * A histogram of durations in nanoseconds. It has one bucket for each value below 64, and
 * 32 buckets for each power of two above. So a percentile is at most 1/32 (3.2 %) above
 * the true one; count and max are exact. It takes 15 KiB, whatever the number of calls.
 */
#pragma once

#include "lullcp.h"

#include <stdint.h>

#define LULL_HIST_STEPS   32 /* buckets in a power of two */
#define LULL_HIST_BUCKETS (60 * LULL_HIST_STEPS)

struct lull_hist {
	uint64_t count;
	uint64_t max;
	uint64_t bucket[LULL_HIST_BUCKETS];
};

/* Counts a value, in nanoseconds. */
void lull_hist_add(struct lull_hist *hist, uint64_t ns);

/*
 * Returns the smallest bucket bound that at least permille/1000 of the values do not
 * exceed, but no more than max. Returns 0 for an empty histogram.
 */
uint64_t lull_hist_permille(const struct lull_hist *hist, unsigned int permille);
