/* SPDX-License-Identifier: MIT */
/* The method for Btrfs: clone from a snapshot of the source's subvolume. */
#pragma once

#include "engine/base/job.h"

/*
 * False if lull_snapshot_clone() would find it impossible: job->no_snapshot says why.
 * Nothing is tried, so that some of what stands in the way shows only then.
 */
bool lull_snapshot_possible(struct lull_job *job);

/*
 * Takes the snapshot, makes the file equal to the source in it, deletes it.
 * *ret_impossible says that no snapshot can be taken here, and job->no_snapshot why: then
 * nothing was done, and the outcome means nothing.
 */
enum lull_outcome lull_snapshot_clone(struct lull_job *job, bool *ret_impossible);

/* Deletes the snapshot that the checkpoint speaks of, if any. */
enum lull_outcome lull_snapshot_undo(struct lull_job *job);

/* Tries to delete one that an earlier run of this DEST could not, be it that its quota
   was used up, and that no checkpoint names any more. With DEST locked. */
void lull_snapshot_clear(struct lull_job *job);
