/* SPDX-License-Identifier: MIT */
/* Identifies the base of a stream at the other end: see struct lull_stream_base. */
#pragma once

#include "plan/stream.h"
#include "util/macros.h"

#include <stdbool.h>

/*
 * Describes fd, which has size bytes. Reads up to LULL_STREAM_SAMPLES pieces, spread
 * evenly over its data. Returns 0 or -errno.
 */
int lull_base_print(int fd, uint64_t size,
		    struct lull_stream_base *ret_base) _must_check_;

/* Sets *ret_same if the same places of fd hold the same bytes. Returns 0 or -errno. */
int lull_base_is(int fd, const struct lull_stream_base *base,
		 bool *ret_same) _must_check_;
