/* SPDX-License-Identifier: MIT */
/* Finds, checks, writes and removes the checkpoint of a job. */
#pragma once

#include "engine/base/job.h"

/* Returns true if the checkpoint is about the source that is open. */
bool lull_record_same_source(const struct lull_job *job);

/* Returns true if the checkpoint is about the file that is open for writing. */
bool lull_record_same_file(const struct lull_job *job);

/*
 * Returns true if the checkpoint is about the file name in directory dir. The inode
 * number must match, and the generation too if the caller may open the file: another file
 * may have the number by now.
 */
bool lull_record_is_file(const struct lull_checkpoint *checkpoint, int dir,
			 const char *name);

/* Fills in a checkpoint for a job that starts anew. */
enum lull_outcome lull_record_begin(struct lull_job *job);

/* Brings the checkpoint up to date and writes it. What it says must already be
   durable. */
enum lull_outcome lull_record_save(struct lull_job *job);

/* As lull_record_save(), for several jobs that share a checkpoint, in one step. */
enum lull_outcome lull_record_save_all(struct lull_job **jobs, unsigned int n);

/* As lull_record_save_all(), without bringing them up to date. */
enum lull_outcome lull_record_save_as_is(struct lull_job **jobs, unsigned int n);

/* Records that the destination is complete and on disk up to offset. */
enum lull_outcome lull_record_offset(struct lull_job *job, uint64_t offset);

/* Syncs the destination and updates the offset in job->checkpoint. Does not write the
   checkpoint. */
void lull_record_reached(struct lull_job *job);

/* Removes the checkpoint. A failure is only a warning, because everything else is
   done. */
void lull_record_remove(struct lull_job *job);

/* Removes what an earlier run left that was killed while it wrote its first checkpoint.
   For a run that has written none. */
void lull_record_sweep(const struct lull_job *job);

/* Fails because there is no place for a checkpoint: see statehome.h. */
enum lull_outcome lull_record_homeless(struct lull_job *job);

/* Returns the cause for an errno of lull_checkpoint_load(). */
enum lull_cause lull_record_cause(int err);
