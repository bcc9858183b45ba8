/* SPDX-License-Identifier: MIT */
/* What differs between two files of one XFS, by their maps alone. */
#pragma once

#include "engine/base/job.h"

struct lull_extmap;

/* Two maps side by side. */
struct lull_pair {
	struct lull_extmap *a, *b;
	struct lull_cursor s, d;
	struct lull_plan plan;
};

/* Opens the maps of [0, size) of both, and plans what makes b what a is. Both are
   flushed. *ret_pair must be zero; it must be closed whatever this returns. 0 or
   -errno. */
int lull_difference_open(struct lull_pair *ret_pair, int a, int b, uint64_t size,
			 uint64_t block) _must_check_;
void lull_difference_close(struct lull_pair *pair);

/* How long the exchange of DEST with the temporary file is likely to take. Reads the maps
   of both. */
uint64_t lull_difference_exchange_ns(const struct lull_job *job);
