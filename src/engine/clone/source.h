/* SPDX-License-Identifier: MIT */
/* The file that is cloned. */
#pragma once

#include "engine/base/job.h"

/*
 * Opens job->source, which must be a regular file, and describes it. Keeps the descriptor
 * open to the end, so that it gets the errors of writes made meanwhile, and XFS keeps the
 * extent map in memory.
 */
enum lull_outcome lull_source_open(struct lull_job *job);

/* Checks source and destination against each other before anything is created. */
enum lull_outcome lull_source_match(struct lull_job *job);
