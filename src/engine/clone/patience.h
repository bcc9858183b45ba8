/* SPDX-License-Identifier: MIT */
/*
 * How long to wait for a lock that somebody else has: as long as the caller of lullcp
 * says, and for the keeper of a run that was killed as long as its thaw may take.
 */
#pragma once

#include "engine/base/job.h"

struct lull_patience {
	uint64_t since_ns; /* CLOCK_MONOTONIC */
	uint64_t lock_wait_ns;
	uint64_t thaw_ns;
	bool looked;
};

/* From now on, as options say. */
struct lull_patience lull_patience_begin(const struct lull_options *options);

/*
 * Whether to give up, after the lock was refused: on dest (NULL: not on that), or on the
 * file that fd is (-1: none). Else it is worth another try, after a rest.
 */
bool lull_patience_is_over(struct lull_patience *patience, const struct lull_dest *dest,
			   int fd);
