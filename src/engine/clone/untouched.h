/* SPDX-License-Identifier: MIT */
/*
 * Tells whether the file that is written is still as the checkpoint says. Between two
 * runs, others can write to a DEST in place by another of its names, or truncate the
 * temporary file.
 *
 * The ctime shows it, because no program can set that. It is recorded only if any later
 * change will get another one. After a clean stop it is the same. After a kill or a crash
 * it differs, because something was cloned since; then nothing in the file is trusted,
 * and a pass goes over it from 0. That is cheap where the file system can tell what is
 * shared (0.4-0.65 us an extent on XFS, 0.12 us by two maps on Btrfs). Copied bytes are
 * copied again.
 */
#pragma once

#include "engine/base/job.h"

/* Returns the ctime of fd to record, in ns; or 0 while a change could leave it the same,
   or if fd cannot be examined. */
int64_t lull_untouched_stamp(int fd);

/* Waits until lull_untouched_stamp() returns a time: at most a tick of the coarse clock
   (1-10 ms). */
void lull_untouched_settle(int fd);

/* Returns true if job->dest.fd has the ctime of job->checkpoint and is long enough for
   its offset. */
bool lull_untouched_is(const struct lull_job *job);

/*
 * Checks the file of a clone that is resumed. Must be called as soon as the file is known
 * to be the recorded one, and before anything is saved or changed. If the file was
 * touched, resets the checkpoint, so that nothing in the file is trusted. job->claimed
 * then has the offset up to which it was recorded as complete.
 */
void lull_untouched_judge(struct lull_job *job);
