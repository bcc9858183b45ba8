/* SPDX-License-Identifier: MIT */
/*
 * Waits for a lock that another run has: for as long as --lock-wait says, or, if the
 * keeper of a killed run has it, for as long as its thaw may take.
 */
#pragma once

#include "engine/base/job.h"

/* How often to check whether a lock is free. */
#define LULL_LOCK_LOOK_NS (50 * NSEC_PER_MSEC)

struct lull_lock_wait {
	uint64_t since_ns; /* CLOCK_MONOTONIC */
	uint64_t lock_wait_ns;
	uint64_t thaw_ns;
	bool looked;
};

/* Begins a wait, with the times of options. */
struct lull_lock_wait lull_lock_wait_begin(const struct lull_options *options);

/*
 * Returns true if the wait for a lock is over, after the lock was refused. The lock is
 * that of dest (NULL: not that), or that of the file fd (-1: none). If it returns false,
 * rest and try again.
 */
bool lull_lock_wait_is_over(struct lull_lock_wait *wait, const struct lull_dest *dest,
			    int fd);

/* Rests before another attempt at that lock, and shows the progress of job. Returns
   LULL_OK to try again, LULL_INTERRUPTED, or LULL_BUSY if the wait is over; it does not
   report that. */
enum lull_outcome lull_lock_wait_rest(struct lull_lock_wait *wait, struct lull_job *job,
				      const struct lull_dest *dest, int fd);
