/* SPDX-License-Identifier: MIT */
/*
 * --keep: a row of clones, DEST with a date each, of which the oldest goes.
 *
 * The record .DEST.lullcp-generations lists what lullcp made. It is read and written by
 * whoever holds the lock of DEST.
 */
#pragma once

#include "engine/base/job.h"

/* For a job with options->keep, before anything else. */
enum lull_outcome lull_rotation_begin(struct lull_job *job);

/* NULL is fine. */
void lull_rotation_done(struct lull_rotation *rotation);

/*
 * Under the lock, before the checkpoint is judged: reads the record, lets go of what is
 * not as it says, chooses the name and, if there are enough generations, the one that is
 * used up (then job->options say so). Changes nothing.
 */
enum lull_outcome lull_rotation_open(struct lull_job *job);

/* After the checkpoint is judged: another name, if the one it spoke of is taken, or
   nothing that was cloned then goes on. */
enum lull_outcome lull_rotation_name(struct lull_job *job);

/* When a clone goes on whose source has changed since: it is of now, and so is its name.
   0 or -errno. */
int lull_rotation_redate(struct lull_job *job) _must_check_;

/* Records the new generation, then gives it its name. 0 or -errno. */
int lull_rotation_publish(struct lull_job *job) _must_check_;

/* When all is done: removes what options->keep lets go. What fails is a warning. */
void lull_rotation_finish(struct lull_job *job);
