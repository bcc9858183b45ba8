/* SPDX-License-Identifier: MIT */
/* The first steps of a clone: both files found and judged, the destination locked. */
#pragma once

#include "engine/base/job.h"

struct lull_patience;

/* Opens the source, and finds out what path is and whether it may become its clone.
   Nothing is made. */
enum lull_outcome lull_claim_open(struct lull_job *job, const char *path);

/* Locks the destination, which makes the temporary file, and opens what is written. Waits
   for options->lock_wait_ns if another holds it. */
enum lull_outcome lull_claim_lock(struct lull_job *job);

/* Rests before another look at a lock, on the destination or on what fd is (-1: no more).
   OK to look again; BUSY, of which nothing is said yet, when patience is over. */
enum lull_outcome lull_claim_wait(struct lull_job *job, int fd,
				  struct lull_patience *patience);

/* BUSY, said: another lullcp is at work on the destination. */
enum lull_outcome lull_claim_busy(struct lull_job *job);
