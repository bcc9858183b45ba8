/* SPDX-License-Identifier: MIT */
/* The checkpoint of a job: found, judged, written, removed. */
#pragma once

#include "engine/job.h"

/*
 * Reads the checkpoint, if there is one, and decides what becomes of it: job->resumed
 * says that it is continued. Refuses one that is not to be touched.
 */
enum lull_outcome lull_record_find(struct lull_job *job);

/* Fills in a checkpoint for a job that starts anew. */
enum lull_outcome lull_record_begin(struct lull_job *job);

/* Writes the checkpoint as it stands. What it says must be durable already. */
enum lull_outcome lull_record_save(struct lull_job *job);

/* Syncs the destination, then records that it is whole up to offset. */
enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset);

/* Removes it; a failure is a warning, for all else is done. */
void lull_record_remove(struct lull_job *job);

/* Turns an errno of lull_checkpoint_load() into a cause. */
enum lull_cause lull_record_cause(int err);
