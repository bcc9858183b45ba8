/* SPDX-License-Identifier: MIT */
/* The first steps of a clone: find and judge both files, and lock the destination. */
#pragma once

#include "engine/base/job.h"

/* Opens the source, and determines what path is and whether it may become the clone.
   Makes no file. */
enum lull_outcome lull_claim_open(struct lull_job *job, const char *path);

/* Locks the destination, which creates the temporary file, and opens the file to write.
   If another lullcp holds the lock, waits for up to options->lock_wait_ns. */
enum lull_outcome lull_claim_lock(struct lull_job *job);

/* Reports that another lullcp is working on the destination. Returns LULL_BUSY. */
enum lull_outcome lull_claim_busy(struct lull_job *job);
