/* SPDX-License-Identifier: MIT */
/* The checkpoint of a job: found, judged, written, removed. */
#pragma once

#include "engine/base/job.h"

/* True if the checkpoint speaks of the source that is open. */
bool lull_record_same_source(const struct lull_job *job);

/* True if the file that is open for writing is the one that the checkpoint speaks of. */
bool lull_record_same_file(const struct lull_job *job);

/*
 * True if name in the directory dir is the file that the checkpoint speaks of: its inode,
 * of the same generation if the caller may open it. An inode number alone may be another
 * file's by now.
 */
bool lull_record_is_file(const struct lull_checkpoint *checkpoint, int dir,
			 const char *name);

/* Fills in a checkpoint for a job that starts anew. */
enum lull_outcome lull_record_begin(struct lull_job *job);

/* Writes the checkpoint as it stands. What it says must be durable already. */
enum lull_outcome lull_record_save(struct lull_job *job);

/* The same for several jobs that share a checkpoint, in one step. */
enum lull_outcome lull_record_save_all(struct lull_job **jobs, unsigned int n);

/* The same, and nothing of it is brought up to date before. */
enum lull_outcome lull_record_save_as_is(struct lull_job **jobs, unsigned int n);

/* Records that the destination is whole, and on disk, up to offset. */
enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset);

/* Syncs the destination, and says in job->checkpoint how far it has come; saves
   nothing. */
void lull_record_reached(struct lull_job *job);

/* Removes it; a failure is a warning, for all else is done. */
void lull_record_remove(struct lull_job *job);

/* Fails because there is no place for a checkpoint: see statehome.h. */
enum lull_outcome lull_record_homeless(struct lull_job *job);

/* Turns an errno of lull_checkpoint_load() into a cause. */
enum lull_cause lull_record_cause(int err);
