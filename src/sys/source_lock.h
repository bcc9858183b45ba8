/* SPDX-License-Identifier: MIT */
/*
 * Allows one freeze of a file at a time, because the thaw of one would end the other. The
 * lock is flock(2) on the file itself, so it does not depend on the path or on DEST. It
 * is held until it is released, or until no process, including a keeper, has the
 * descriptor open.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * Locks fd without waiting. Returns 0, or -EWOULDBLOCK if another lullcp has the lock. If
 * another program has it, or the file cannot be locked, it counts as free.
 */
int lull_source_lock(int fd) _must_check_;

/*
 * Returns true if the keeper of a killed lullcp has the file open. It will release it
 * when it has thawed, or removed a snapshot. False if /proc does not show that.
 */
bool lull_source_lock_is_left(int fd);

/*
 * Returns true if a program other than lullcp has the file open for writing. fd must be
 * open only for reading. If so, takes 20 ms to make sure that it is not a lullcp that has
 * just closed the file.
 */
bool lull_source_is_written(int fd);

/* Releases the lock. Does nothing if it is not held. */
void lull_source_unlock(int fd);
