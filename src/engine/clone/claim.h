/* SPDX-License-Identifier: MIT */
/* The first steps of a clone: both files found and judged, the destination locked. */
#pragma once

#include "engine/base/job.h"

/* Opens the source, and finds out what path is and whether it may become its clone.
   Nothing is made. */
enum lull_outcome lull_claim_open(struct lull_job *job, const char *path);

/* Locks the destination, which makes the temporary file, and opens what is written. Waits
   for options->lock_wait_ns if another holds it. */
enum lull_outcome lull_claim_lock(struct lull_job *job);

/* BUSY, said: another lullcp is at work on the destination. */
enum lull_outcome lull_claim_busy(struct lull_job *job);
