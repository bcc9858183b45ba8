/* SPDX-License-Identifier: MIT */
/*
 * Whether the file that is written is still what the checkpoint says of it: between two
 * runs others can write to it, by another name of a DEST in place, or cut the temporary
 * file.
 *
 * The change time tells, which no program can set. It is recorded only if any later
 * change will get another one. After a clean stop it is found again; after a kill or a
 * crash what was cloned since makes it differ, and then nothing in the file is believed:
 * it is gone over from 0. That is cheap where the file system can tell what is shared
 * (0.4-0.65 us an extent on XFS, 0.12 us by two maps on Btrfs); copied bytes are copied
 * again.
 */
#pragma once

#include "engine/base/job.h"

/* The change time of fd to record, in ns; 0 as long as a change could still leave it the
   same, or if fd cannot be looked at. */
int64_t lull_untouched_stamp(int fd);

/* Waits until lull_untouched_stamp() can tell: a tick of the coarse clock (1-10 ms) or
   less. */
void lull_untouched_settle(int fd);

/* True if job->dest.fd is as job->checkpoint says: change time, and long enough for
   offset. */
bool lull_untouched_is(const struct lull_job *job);

/*
 * For a clone that is resumed, as soon as its file is known to be the recorded one and
 * before anything is saved or changed: unless it is untouched, the checkpoint says from
 * now on that nothing of it is believed, and job->claimed keeps how far it was said to be
 * whole.
 */
void lull_untouched_judge(struct lull_job *job);
