/* SPDX-License-Identifier: MIT */
/*
 * --keep: makes a row of clones, each named DEST with a date, and removes the oldest.
 *
 * The record .DEST.lullcp-generations lists the clones that lullcp made. Only the holder
 * of the lock of DEST reads and writes it.
 */
#pragma once

#include "engine/base/job.h"

/* Prepares a job with options->keep. Must be called before anything else. */
enum lull_outcome lull_rotation_begin(struct lull_job *job);

/* Frees the rotation. NULL is fine. */
void lull_rotation_done(struct lull_rotation *rotation);

/*
 * Reads the record, drops what is not as it says, and chooses the name. If there are
 * enough generations, chooses the one to use up, and sets job->options accordingly.
 * Changes no file. Needs the lock, and must be called before the checkpoint is checked.
 */
enum lull_outcome lull_rotation_open(struct lull_job *job);

/* Changes the name after the checkpoint has been checked, if the planned one is taken, or
   if the clone that was to have it does not go on. */
enum lull_outcome lull_rotation_name(struct lull_job *job);

/* Gives a resumed clone the present date, because its source has changed since it began.
   Returns 0 or -errno. */
int lull_rotation_redate(struct lull_job *job) _must_check_;

/* Records the new generation, then renames it to its name. Returns 0 or -errno. */
int lull_rotation_publish(struct lull_job *job) _must_check_;

/* Removes what options->keep lets go, when everything else is done. A failure is only a
   warning. */
void lull_rotation_finish(struct lull_job *job);
