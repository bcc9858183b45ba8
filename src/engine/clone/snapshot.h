/* SPDX-License-Identifier: MIT */
/* The method for Btrfs: clones from a snapshot of the source's subvolume. */
#pragma once

#include "engine/base/job.h"

/*
 * Returns false, with job->no_snapshot set, if lull_snapshot_clone() is known to be
 * impossible. Tries nothing, so other obstacles may show only in the attempt.
 */
bool lull_snapshot_possible(struct lull_job *job);

/*
 * Takes a snapshot, makes the file equal to the source in it, and deletes it. Sets
 * *ret_impossible, with job->no_snapshot, if no snapshot can be taken here. Then nothing
 * was cloned, and the outcome is meaningless.
 */
enum lull_outcome lull_snapshot_clone(struct lull_job *job, bool *ret_impossible);

/* Deletes the snapshot that the checkpoint names, if any. */
enum lull_outcome lull_snapshot_undo(struct lull_job *job);

/* Tries to delete a snapshot that an earlier run of this DEST could not delete, for
   instance because of its quota, and that no checkpoint names any more. DEST must be
   locked. */
void lull_snapshot_clear(struct lull_job *job);
