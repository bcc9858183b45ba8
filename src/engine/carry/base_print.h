/* SPDX-License-Identifier: MIT */
/* By what the base of a stream is known at the other end: struct lull_stream_base. */
#pragma once

#include "plan/stream.h"
#include "util/macros.h"

#include <stdbool.h>

/*
 * Describes fd, which has that size: up to LULL_STREAM_SAMPLES pieces that lie evenly
 * spread over its data are read. 0 or -errno.
 */
int lull_base_print(int fd, uint64_t size,
		    struct lull_stream_base *ret_base) _must_check_;

/* *ret_same: the same places of fd hold the same bytes. 0 or -errno. */
int lull_base_is(int fd, const struct lull_stream_base *base,
		 bool *ret_same) _must_check_;
