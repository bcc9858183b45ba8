/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a lock that another run has: as long as the caller of lullcp says, and for
 * the keeper of a run that was killed as long as its thaw may take.
 */
#pragma once

#include "engine/base/job.h"

/* How often to look whether a lock is free. */
#define LULL_LOCK_LOOK_NS (50 * NSEC_PER_MSEC)

struct lull_lock_wait {
	uint64_t since_ns; /* CLOCK_MONOTONIC */
	uint64_t lock_wait_ns;
	uint64_t thaw_ns;
	bool looked;
};

/* From now on, as options say. */
struct lull_lock_wait lull_lock_wait_begin(const struct lull_options *options);

/*
 * Whether to give up, after the lock was refused: on dest (NULL: not on that), or on the
 * file that fd is (-1: none). Else it is worth another try, after a rest.
 */
bool lull_lock_wait_is_over(struct lull_lock_wait *wait, const struct lull_dest *dest,
			    int fd);

/* Rests before another look at that lock, and tells that job is alive. OK to look again;
   INTERRUPTED; BUSY, of which nothing is said yet, when the wait is over. */
enum lull_outcome lull_lock_wait_rest(struct lull_lock_wait *wait, struct lull_job *job,
				      const struct lull_dest *dest, int fd);
